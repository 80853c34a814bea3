//! Whole connections: in virtual time over the virtual network, and a few over loopback sockets.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod calls;
mod channels;
mod connect;
mod connectivity;
mod described;
mod determinism;
mod ending;
mod endpoint;
mod hostile;
mod hostile_connect;
mod hostile_media;
mod loopback;
mod media;
mod media_files;
mod media_loss;
mod memory;
mod negotiation;
mod offers;
mod pacing;
mod pair;
mod parts;
mod path_mtu;
mod relay_dtls;
mod sections;
mod stages;
mod stats;
#[cfg(feature = "swap")]
mod swap;
