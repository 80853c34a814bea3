//! Flights (RFC 6347 §4.2.4, RFC 9147 §5.8): ours go out in fragments and again until they are
//! answered, the peer's are put together.

pub(crate) mod ack;
pub(crate) mod outgoing;
pub(crate) mod ranges;
pub(crate) mod reassembly;
pub(crate) mod timer;
