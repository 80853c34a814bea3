//! Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01): one sequence
//! number across all streams of a connection, and reports of when each arrived.

mod arrivals;
mod send_time;
mod sends;

pub use self::arrivals::TransportArrivals;
pub use self::send_time::AbsoluteSendTime;
pub use self::sends::TransportSends;
