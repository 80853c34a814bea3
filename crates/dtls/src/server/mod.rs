//! The server's handshake: [`hello`] chooses the version, then [`v1_2`] or [`v1_3`].

mod hello;
mod v1_2;
mod v1_3;

use crate::alert::Failure;
use crate::endpoint::{Endpoint, Progress};
use crate::handshake::Message;

/// Where the server is.
#[derive(Debug)]
pub(crate) enum Server {
    /// Waits for a ClientHello that it can answer.
    Hello(hello::Hello),
    V1_2(v1_2::State),
    V1_3(v1_3::State),
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::Hello(hello::Hello::default())
    }

    /// Whether nothing has been chosen yet.
    pub(crate) fn is_undecided(&self) -> bool {
        matches!(self, Self::Hello(_))
    }

    /// Takes the client's next message. After an error nothing more can be done with it, unless it
    /// is undecided.
    pub(crate) fn handle(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
    ) -> Result<Progress, Failure> {
        match self {
            Self::Hello(hello) => {
                if let Some(next) = hello.handle(endpoint, message)? {
                    *self = next;
                }
                Ok(Progress::Answered)
            }
            Self::V1_2(state) => state.handle(endpoint, message),
            Self::V1_3(state) => state.handle(endpoint, message),
        }
    }
}
