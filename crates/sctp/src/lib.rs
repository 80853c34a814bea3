//! SCTP for WebRTC data channels, sans-IO: one association over one DTLS connection (RFC 9260,
//! RFC 8261) with partial reliability (RFC 3758, RFC 7496), stream reset (RFC 6525), interleaving
//! and schedulers (RFC 8260), INIT chunks in the descriptions (draft-hancke-tsvwg-snap), path MTU
//! discovery (RFC 8899) and, where the layer below authenticates, packets without a checksum
//! (RFC 9653).
//!
//! A [`Factory`] makes [`Association`]s, which implement [`layer::Sctp`]: packets go in through
//! `handle_input` and come out of `poll_transmit`, time goes in through `handle_timeout` when
//! `poll_timeout` says so, messages go in through `send` and come out of `poll_message`. Both ends
//! call `connect`. The wire format is public in [`packet`]; an async front is in `conn` (feature
//! `tokio`, on by default); the feature `dcsctp` adds another implementation behind the same trait.
//!
//! It leaves out: multi-homing, authentication (RFC 4895) and dynamic addresses (RFC 5061), which
//! have no use over DTLS.
//!
//! # Map
//!
//! | where | what |
//! |---|---|
//! | [`packet`] | one file per chunk |
//! | `association` | the machine, by phase of life: `connect`, `transfer`, `heartbeat`, `discovery`, `reset`, `shutdown`, `hand_over` |
//! | `queue`, `outstanding`, `sender` | messages that wait, DATA that is sent and which of it is lost, and what may be sent |
//! | `tracker`, `reassembly`, `receiver` | TSNs that arrived, messages in the making, and when to SACK |
//! | `congestion`, `rto`, `serial`, `cookie`, `extension` | what their names say |
//! | `state` | each part of an association as bytes, for a hand-over |

mod association;
mod congestion;
#[cfg(feature = "tokio")]
pub mod conn;
mod cookie;
#[cfg(feature = "dcsctp")]
pub mod dcsctp;
mod extension;
mod factory;
mod outstanding;
pub mod packet;
mod queue;
mod reassembly;
mod receiver;
mod rto;
mod sender;
mod serial;
mod state;
mod tracker;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use association::{Association, NotReady};
pub use factory::{CongestionControl, Factory, Scheduler};
