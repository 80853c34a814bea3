//! The contract between the layers of a WebRTC connection: sans-IO traits, their events and
//! their factories. It depends on `std` and `bytes` and nothing else, so that an implementer of
//! one layer needs no other crate of the family.
//!
//! # Driving a layer
//!
//! Every trait has the same four families of methods, named alike:
//!
//! | family | names | rule |
//! |---|---|---|
//! | input | `handle_input`, `handle_timeout` | wrong bytes are counted and dropped: never an error, never a panic |
//! | verbs | `connect`, `send`, `close`, … | synchronous; `Result` only for what the *caller* did wrong |
//! | output | `poll_transmit`, `poll_timeout`, `poll_event`, `poll_message` | polled, in this order, until each returns `None`, after every input and every verb |
//! | questions | `state`, `stats`, … | `&self`, cheap |
//!
//! Time is an argument: a layer never reads a clock. `now` never goes backwards between two calls
//! on one machine. Randomness is the seed of [`Start`]. A layer that makes output outside a call
//! (a backend with tasks of its own, an external signer) wakes the [`Waker`](std::task::Waker)
//! it got from the factory, and its owner polls it again; other layers ignore the waker.
//!
//! # Who calls whom
//!
//! Layers do not know each other. Their owner hands bytes from one to the next:
//!
//! ```text
//!   socket ── datagram ──► Ice::handle_input ── Received::Data ──► (first byte, RFC 7983 §7)
//!                                                20..=63   ──► Dtls::handle_input ──► Sctp::handle_input
//!                                                128..=191 ──► Srtp::unprotect_…_in_place
//!
//!   Sctp::poll_transmit ──► Dtls::seal_into ──► Ice::wrap ──► socket
//! ```
//!
//! # What stays compatible
//!
//! New trait methods come with default bodies and every parameter struct is `#[non_exhaustive]`
//! with a constructor, so that an implementation written against 0.1 keeps compiling.
//!
//! This crate leaves out: any implementation, any socket, any error text for users; the SDP side
//! of a candidate (`muonrtc-sdp`); media types above SRTP (`muonrtc-rtp`).

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod candidate;
mod certificate;
mod dtls;
mod end;
mod front;
mod ice;
mod ice_stats;
mod sctp;
mod server;
mod srtp;
mod start;
mod transmit;

pub use candidate::{
    Candidate, CandidateAddress, CandidateError, CandidateType, Protocol, TcpType,
};
pub use certificate::{
    Certificate, CertificateError, CertificateParams, Fingerprint, HashAlgorithm, KeyAlgorithm,
};
pub use dtls::{
    Dtls, DtlsConfig, DtlsError, DtlsEvent, DtlsRole, DtlsState, DtlsStats, DtlsVersion,
    ExportError, NewDtls, Opened, SealError, Security,
};
pub use end::{Blame, End};
pub use front::{Datagrams, Streams};
pub use ice::{
    Bound, CandidatePair, Credentials, DEFAULT_CHECK_INTERVAL, Framing, GatheringState, Ice,
    IceConfig, IceError, IceEvent, IceRole, IceState, Input, Interface, NewIce, Received,
    RequestId, Route,
};
pub use ice_stats::{IceStats, PairFailure, PairState, PairStats, ServerState, ServerStats};
pub use sctp::{
    Message, NewSctp, Outgoing, Reliability, Sctp, SctpConfig, SctpConnect, SctpError, SctpEvent,
    SctpState, SctpStats,
};
pub use server::{IceServer, TransportPolicy};
pub use srtp::{NewSrtp, ProtectError, Srtp, SrtpConfig, SrtpProfile, SrtpStats, UnprotectError};
pub use start::{Seed, Start};
pub use transmit::{Ecn, SocketId, Transmit};
