//! The client's handshake: [`hello`] until the version is known, then [`v1_2`] or [`v1_3`].

mod hello;
mod v1_2;
mod v1_3;

use crate::alert::Failure;
use crate::endpoint::{Endpoint, Progress};
use crate::handshake::Message;

/// Where the client is.
#[derive(Debug)]
pub(crate) enum Client {
    /// ClientHello is out.
    Hello(Box<hello::Hello>),
    V1_2(v1_2::State),
    V1_3(v1_3::State),
}

impl Client {
    /// Makes the first flight.
    pub(crate) fn start(endpoint: &mut Endpoint) -> Result<Self, Failure> {
        let hello = hello::Hello::start(endpoint)?;
        Ok(Self::Hello(Box::new(hello)))
    }

    /// Whether the server has not chosen yet.
    pub(crate) fn is_undecided(&self) -> bool {
        matches!(self, Self::Hello(_))
    }

    /// Takes the server's next message. After an error nothing more can be done with it, unless
    /// the server is undecided.
    pub(crate) fn handle(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
    ) -> Result<Progress, Failure> {
        match self {
            Self::Hello(hello) => {
                let (next, progress) = hello.handle(endpoint, message)?;
                if let Some(next) = next {
                    *self = next;
                }
                Ok(progress)
            }
            Self::V1_2(state) => state.handle(endpoint, message),
            Self::V1_3(state) => state.handle(endpoint, message),
        }
    }
}
