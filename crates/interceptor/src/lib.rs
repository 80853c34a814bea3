//! Stages of an RTP pipeline.

mod event;
mod stage;
mod stream;

pub use self::event::Event;
pub use self::stage::{Place, Stage, Verdict};
pub use self::stream::{Direction, Feedback, Rtx, Stream};
