//! One file per W3C interface.

pub(crate) mod builder;
pub(crate) mod candidate;
pub(crate) mod channel;
pub(crate) mod connection;
pub(crate) mod description;
pub(crate) mod event;
pub(crate) mod handle;
#[cfg(feature = "rtp")]
pub(crate) mod local_track;
#[cfg(feature = "rtp")]
pub(crate) mod media;
#[cfg(feature = "rtp")]
pub(crate) mod receiver;
#[cfg(feature = "rtp")]
pub(crate) mod remote_track;
#[cfg(feature = "rtp")]
pub(crate) mod sender;
pub(crate) mod state;
pub(crate) mod stream;
#[cfg(feature = "rtp")]
pub(crate) mod transceiver;
pub(crate) mod transport;
