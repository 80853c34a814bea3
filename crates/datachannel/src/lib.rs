//! Data channels over message streams: DCEP (RFC 8832) and channel bookkeeping (RFC 8831), sans-IO.
//!
//! [`Channels`] is the machine: all channels of one association. It knows streams, protocol ids,
//! order and reliability, and no SCTP: what it wants sent comes out of
//! [`poll_outgoing`](Channels::poll_outgoing) and [`send`](Channels::send), what arrives goes into
//! [`handle_message`](Channels::handle_message). It has no timers and reads no clock. The async
//! front, `conn` (feature `tokio`), drives it over any `layer::Streams`.
//!
//! This crate leaves out: the association (`muonrtc-sctp`, or any other set of message streams),
//! the W3C object with its `bufferedAmount` (`muonrtc-peerconnection`), and channels negotiated in
//! SDP (RFC 8864), which are opened here as [negotiated](ChannelInit::negotiated) ones.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

mod channels;
#[cfg(feature = "tokio")]
pub mod conn;
mod message;
mod payload;

pub use channels::{
    ChannelError, ChannelEvent, ChannelInfo, ChannelInit, ChannelKey, ChannelState, ChannelStats,
    Channels, Config, OpenError, Outgoing, Parity, ReceivedMessage, Reliability, SendError, Stats,
};
pub use message::{Ack, ChannelType, ControlMessage, DecodeError, Open};
pub use payload::{Payload, PayloadProtocol};
