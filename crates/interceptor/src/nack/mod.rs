//! Generic NACK (RFC 4585 §6.2.1): asking for packets again, and answering.

mod generator;
mod history;
mod missing;
mod responder;

pub use self::generator::NackGenerator;
pub use self::responder::NackResponder;

use std::time::Duration;

/// The round trip that is assumed before one is known: that of a path across a continent.
const DEFAULT_ROUND_TRIP: Duration = Duration::from_millis(100);
