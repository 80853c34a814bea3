//! One file per W3C interface.

pub(crate) mod candidate;
pub(crate) mod channel;
pub(crate) mod connection;
pub(crate) mod description;
pub(crate) mod state;
pub(crate) mod stream;
