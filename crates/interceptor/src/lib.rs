//! The RTP machine of one connection, sans-IO: a [`Pipeline`] of [`Stage`]s through which media
//! passes between the application and SRTP. It reports (RFC 3550 §6), asks for lost packets and
//! sends them again (RFC 4585, RFC 4588), asks for key frames, tells when packets arrived
//! (transport-wide feedback), and counts.
//!
//! [`bind`](Pipeline::bind) each [`Stream`] with what was negotiated for it. Packets go in through
//! [`handle_outgoing`](Pipeline::handle_outgoing) and
//! [`handle_incoming`](Pipeline::handle_incoming), which change them where they are, RTCP through
//! [`handle_incoming_rtcp`](Pipeline::handle_incoming_rtcp), time through
//! [`handle_timeout`](Pipeline::handle_timeout). After each of them everything is polled until it
//! is empty: [`poll_transmit`](Pipeline::poll_transmit),
//! [`poll_receive`](Pipeline::poll_receive), [`poll_rtcp`](Pipeline::poll_rtcp),
//! [`poll_timeout`](Pipeline::poll_timeout), [`poll_event`](Pipeline::poll_event). Stages of your
//! own are [added](Pipeline::add) at a [`Place`].
//!
//! It leaves out: encryption (`muonrtc-srtp`), forward error correction, bandwidth estimation,
//! pacing, and putting packets in order for a decoder.
//!
//! # Map
//!
//! | where | what |
//! |---|---|
//! | `pipeline` | the machine: which stages a packet meets, and compounds |
//! | [`Reports`] | sender and receiver reports, round trip, goodbyes |
//! | [`NackGenerator`], [`NackResponder`] | asking for packets again, and answering |
//! | [`Retransmissions`] | the retransmission payload format |
//! | [`TransportSends`], [`TransportArrivals`], [`AbsoluteSendTime`] | transport-wide feedback |
//! | [`Keyframes`], [`MaximumBitrate`] | PLI and FIR, REMB |
//! | [`Statistics`] | counters |

mod config;
mod error;
mod event;
mod keyframe;
mod nack;
mod pipeline;
mod remb;
mod report;
mod rtx;
mod signal;
mod stage;
mod start;
mod statistics;
mod stats;
mod stream;
mod transport;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use self::config::Config;
pub use self::error::Error;
pub use self::event::Event;
pub use self::keyframe::Keyframes;
pub use self::nack::{NackGenerator, NackResponder};
pub use self::pipeline::Pipeline;
pub use self::remb::MaximumBitrate;
pub use self::report::Reports;
pub use self::rtx::Retransmissions;
pub use self::signal::Signal;
pub use self::stage::{Interest, NewStage, Place, Stage, Verdict};
pub use self::start::PipelineStart;
pub use self::statistics::Statistics;
pub use self::stats::{PacketResult, PipelineStats, StreamStats};
pub use self::stream::{Direction, Feedback, Rtx, Stream};
pub use self::transport::{AbsoluteSendTime, TransportArrivals, TransportSends};
