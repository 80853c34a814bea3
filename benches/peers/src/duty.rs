//! What a channel does once it is open.

use crate::Result;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Bytes of a message that goes there and back.
pub(crate) const PING: usize = 64;

/// What a channel does once it is open.
#[derive(Debug)]
pub(crate) enum Duty {
    /// Adds up the bytes that come.
    Count(Arc<AtomicU64>),
    /// Sends everything back.
    Echo,
    /// Sends messages of so many bytes, as many as it takes.
    Fill(usize),
    /// Sends so many messages, each when the one before has come back.
    Ping {
        rounds: usize,
        times: oneshot::Sender<Vec<Duration>>,
    },
}

/// A channel of an implementation whose channels wait while they are full.
pub(crate) trait Channel: Clone + Send + Sync + 'static {
    type Message: Clone + AsRef<[u8]> + Send + Sync;

    /// A message of so many bytes.
    fn message(size: usize) -> Self::Message;

    /// Waits while the channel is full.
    fn send(&self, message: Self::Message) -> impl Future<Output = Result<()>> + Send;

    /// The next message; `None` at the end.
    fn recv(&self) -> impl Future<Output = Option<Self::Message>> + Send;
}

/// Does it until the channel ends.
pub(crate) async fn perform<C: Channel>(channel: C, duty: Duty) {
    match duty {
        Duty::Count(total) => {
            while let Some(message) = channel.recv().await {
                total.fetch_add(message.as_ref().len() as u64, Ordering::Relaxed);
            }
        }
        Duty::Echo => {
            while let Some(message) = channel.recv().await {
                if channel.send(message).await.is_err() {
                    return;
                }
            }
        }
        Duty::Fill(size) => {
            let message = C::message(size);
            while channel.send(message.clone()).await.is_ok() {}
        }
        Duty::Ping { rounds, times } => {
            // Who asked may have gone.
            let _ = times.send(ping(&channel, rounds).await);
        }
    }
}

async fn ping<C: Channel>(channel: &C, rounds: usize) -> Vec<Duration> {
    let message = C::message(PING);
    let mut times = Vec::with_capacity(rounds);
    while times.len() < rounds {
        let started = Instant::now();
        if channel.send(message.clone()).await.is_err() || channel.recv().await.is_none() {
            break;
        }
        times.push(started.elapsed());
    }
    times
}
