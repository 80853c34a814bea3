use super::task::Outcome;
use crate::waiting::Waiting;
use async_trait::async_trait;
use std::any::Any;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use tokio::sync::Notify;
use webrtc_util::{Conn, Error};

/// What lies between the owner of a session and its task: a connection in memory.
pub(super) struct Pipe {
    queues: Mutex<Queues>,
    /// A datagram has come.
    arrived: Notify,
    /// The owner wants something of the task.
    asked: Notify,
    owner: Waker,
}

pub(super) struct Queues {
    /// From the network.
    pub(super) arriving: Waiting,
    /// To the network.
    pub(super) leaving: Waiting,
    /// What was sent last before the handshake was over: ChangeCipherSpec and Finished, which the
    /// implementation puts into one datagram.
    pub(super) last_flight: Option<Vec<u8>>,
    /// From the owner, to be encrypted.
    pub(super) plaintexts: Waiting,
    /// To the owner, decrypted.
    pub(super) messages: Waiting,
    /// To the owner: at most that the handshake is over, and the end.
    pub(super) outcomes: VecDeque<Outcome>,
    /// The handshake is over.
    pub(super) established: bool,
    /// The owner has closed the session.
    pub(super) closing: bool,
    /// What found a queue full.
    pub(super) overflowed: u64,
}

impl Pipe {
    pub(super) fn new(owner: Waker, bound: usize) -> Self {
        let queue = || Waiting::new(bound, usize::MAX);
        Self {
            queues: Mutex::new(Queues {
                arriving: queue(),
                leaving: queue(),
                last_flight: None,
                plaintexts: queue(),
                messages: queue(),
                outcomes: VecDeque::new(),
                established: false,
                closing: false,
                overflowed: 0,
            }),
            arrived: Notify::new(),
            asked: Notify::new(),
            owner,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A datagram of the network, for the task.
    pub(super) fn arrive(&self, datagram: &[u8]) {
        self.lock().push(|queues| &mut queues.arriving, datagram);
        self.arrived.notify_one();
    }

    /// RFC 6347 §4.2.4: who sent the last flight sends it again whenever the other end repeats its
    /// own, which the implementation does not do.
    pub(super) fn repeat_last_flight(&self) {
        let mut queues = self.lock();
        if let Some(flight) = queues.last_flight.clone() {
            queues.push(|queues| &mut queues.leaving, &flight);
        }
    }

    /// A message of the owner, for the task.
    pub(super) fn ask(&self, plaintext: &[u8]) {
        self.lock().push(|queues| &mut queues.plaintexts, plaintext);
        self.asked.notify_one();
    }

    /// The owner wants the end.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.asked.notify_one();
    }

    /// Waits for the owner.
    pub(super) async fn asked(&self) {
        self.asked.notified().await;
    }

    /// A message of the peer, for the owner.
    pub(super) fn deliver(&self, message: &[u8]) {
        self.lock().push(|queues| &mut queues.messages, message);
        self.owner.wake_by_ref();
    }

    /// News of the task, for the owner.
    pub(super) fn tell(&self, outcome: Outcome) {
        let mut queues = self.lock();
        queues.established |= matches!(outcome, Outcome::Established(_));
        queues.outcomes.push_back(outcome);
        drop(queues);
        self.owner.wake_by_ref();
    }
}

impl Queues {
    fn push(&mut self, queue: impl FnOnce(&mut Self) -> &mut Waiting, bytes: &[u8]) {
        if !queue(self).push(bytes) {
            self.overflowed += 1;
        }
    }
}

fn not_applicable() -> Error {
    Error::Other("a pipe has no addresses".to_owned())
}

#[async_trait]
impl Conn for Pipe {
    async fn connect(&self, _addr: SocketAddr) -> Result<(), Error> {
        Err(not_applicable())
    }

    async fn recv(&self, buf: &mut [u8]) -> Result<usize, Error> {
        loop {
            let arrived = self.arrived.notified();
            let datagram = self.lock().arriving.pop();
            match datagram {
                Some(datagram) if datagram.len() <= buf.len() => {
                    buf[..datagram.len()].copy_from_slice(&datagram);
                    return Ok(datagram.len());
                }
                Some(_) => {}
                None => arrived.await,
            }
        }
    }

    async fn recv_from(&self, _buf: &mut [u8]) -> Result<(usize, SocketAddr), Error> {
        Err(not_applicable())
    }

    async fn send(&self, buf: &[u8]) -> Result<usize, Error> {
        let mut queues = self.lock();
        if !queues.established {
            queues.last_flight = Some(buf.to_vec());
        }
        queues.push(|queues| &mut queues.leaving, buf);
        drop(queues);
        self.owner.wake_by_ref();
        Ok(buf.len())
    }

    async fn send_to(&self, _buf: &[u8], _target: SocketAddr) -> Result<usize, Error> {
        Err(not_applicable())
    }

    fn local_addr(&self) -> Result<SocketAddr, Error> {
        Err(not_applicable())
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    async fn close(&self) -> Result<(), Error> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}
