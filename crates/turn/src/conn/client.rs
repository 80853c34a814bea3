//! An allocation that is used like a UDP socket.

use super::carrier::{Carrier, Sent};
use super::state::State;
use super::{ServerAddress, now};
use crate::client::{Client, Ending, Stats};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep_until};

/// An allocation on a server. Clones share it; dropping the last one gives it back.
#[derive(Clone)]
pub struct Conn {
    owner: Arc<Owner>,
}

/// What every handle holds and the task does not.
struct Owner {
    shared: Arc<Shared>,
    server: ServerAddress,
    /// How long the server is waited for.
    patience: Duration,
    relayed: OnceLock<(SocketAddr, SocketAddr)>,
}

pub(super) struct Shared {
    state: Mutex<State>,
    /// To wait for room in it without the lock.
    socket: Option<Arc<UdpSocket>>,
    /// Something came that somebody may wait for.
    changed: Notify,
}

impl Conn {
    /// The address that peers send to.
    #[must_use]
    pub fn relayed(&self) -> SocketAddr {
        self.addresses().0
    }

    /// Our address as the server sees it.
    #[must_use]
    pub fn mapped(&self) -> SocketAddr {
        self.addresses().1
    }

    /// Lets a peer send to the relayed address, from any port, and waits until the server knows.
    /// A permission that neither side uses for five minutes ends.
    ///
    /// Cancel safe: the permission is asked for all the same.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` with the [`Failure`](crate::client::Failure) if the server refuses,
    /// `InvalidInput` with a [`PeerError`](crate::client::PeerError) for an address of another family
    /// and for one too many, and how the allocation ended if it did.
    pub async fn permit(&self, peer: IpAddr) -> io::Result<()> {
        let mut is_first = true;
        self.owner
            .shared
            .wait(|state| {
                let answer = state.permit(peer, is_first);
                is_first = false;
                answer
            })
            .await
    }

    /// Sends a datagram to a peer, as soon as the peer is permitted (which is asked for if need be)
    /// and there is room for it. A channel is asked for with the first one.
    ///
    /// Cancel safe: the datagram is sent whole or not at all.
    ///
    /// # Errors
    ///
    /// Those of [`permit`](Conn::permit); `InvalidInput` for more than 65535 bytes; what the socket
    /// says, a message that is too long for the path above all.
    pub async fn send_to(&self, datagram: &[u8], peer: SocketAddr) -> io::Result<()> {
        self.permit(peer.ip()).await?;
        let shared = &self.owner.shared;
        loop {
            if shared.lock().send(peer, datagram)? == Sent::Taken {
                return Ok(());
            }
            match &shared.socket {
                Some(socket) => socket.writable().await?,
                None => {
                    let has_room = |state: &mut State| {
                        (!state.is_full() || state.ending.is_some()).then_some(())
                    };
                    shared.wait(has_room).await;
                }
            }
        }
    }

    /// The next datagram from a peer, and who sent it; what does not fit `buf` is cut off. What nobody
    /// reads is lost beyond 256 datagrams or a megabyte.
    ///
    /// Cancel safe: no datagram is lost by a call that is dropped.
    ///
    /// # Errors
    ///
    /// How the allocation ended: `NotConnected` after [`close`](Conn::close), `ConnectionAborted` with
    /// the [`Failure`](crate::client::Failure) otherwise.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.owner.shared.wait(|state| state.read(buf)).await
    }

    /// Gives the allocation back and waits until the server has confirmed, a few seconds at most.
    /// Cancel safe: the task goes on.
    pub async fn close(&self) {
        let shared = &self.owner.shared;
        {
            let mut state = shared.lock();
            state.client.close(now());
            state.turn();
            state.waker.wake_by_ref();
        }
        self.closed().await;
    }

    /// Waits for the end of the allocation. Cancel safe.
    pub async fn closed(&self) -> Ending {
        self.owner.shared.wait(|state| state.ending.clone()).await
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.owner.shared.lock().client.stats()
    }

    /// How many datagrams were lost because nobody read them.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.owner.shared.lock().lost
    }

    /// Starts the task.
    pub(super) fn start(shared: Shared, server: ServerAddress, patience: Duration) -> Self {
        let shared = Arc::new(shared);
        #[expect(clippy::disallowed_methods, reason = "the front drives its own client")]
        tokio::spawn(drive(Arc::clone(&shared)));
        Self {
            owner: Arc::new(Owner {
                shared,
                server,
                patience,
                relayed: OnceLock::new(),
            }),
        }
    }

    /// Waits for the allocation; how it ended if there is none, and what the server says about it.
    pub(super) async fn allocated(&self) -> Option<(Ending, String)> {
        let shared = &self.owner.shared;
        shared
            .wait(|state| {
                if let Some(ending) = &state.ending {
                    let phrase = state.client.reason_phrase().to_owned();
                    return Some(Some((ending.clone(), phrase)));
                }
                let addresses = (state.client.relayed()?, state.client.mapped()?);
                let _ = self.owner.relayed.set(addresses);
                Some(None)
            })
            .await
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.owner.shared
    }

    pub(super) fn server(&self) -> &ServerAddress {
        &self.owner.server
    }

    pub(super) fn patience(&self) -> Duration {
        self.owner.patience
    }

    fn addresses(&self) -> (SocketAddr, SocketAddr) {
        let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
        let addresses = self.owner.relayed.get();
        *addresses.unwrap_or(&(unspecified, unspecified))
    }
}

impl Shared {
    pub(super) fn new(client: Client, carrier: Carrier) -> Self {
        let socket = match &carrier {
            Carrier::Datagram(socket) => Some(Arc::clone(socket)),
            Carrier::Path(_) | Carrier::Stream(_) => None,
        };
        Self {
            state: Mutex::new(State::new(client, carrier)),
            socket,
            changed: Notify::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks again whenever something has changed.
    pub(super) async fn wait<T>(&self, mut ask: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(answer) = ask(&mut self.lock()) {
                return answer;
            }
            changed.await;
        }
    }

    /// One turn of the task: receive, time, transmit, events, sleep.
    fn turn(&self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<()> {
        let mut state = self.lock();
        if !state.waker.will_wake(cx.waker()) {
            state.waker = cx.waker().clone();
        }
        let has_more = state.receive(cx);
        let mut next = state.turn();
        let is_over = state.ending.is_some();
        drop(state);
        self.changed.notify_waiters();
        if is_over {
            return Poll::Ready(());
        }
        if has_more {
            cx.waker().wake_by_ref();
        }
        while let Some(at) = next {
            timer.as_mut().reset(at.into());
            if timer.as_mut().poll(cx).is_pending() {
                break;
            }
            next = self.lock().turn();
        }
        Poll::Pending
    }
}

/// The task: it ends with the allocation.
async fn drive(shared: Arc<Shared>) {
    let mut timer = pin!(sleep_until(now().into()));
    poll_fn(|cx| shared.turn(cx, timer.as_mut())).await;
}

impl Drop for Owner {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.client.close(now());
        state.waker.wake_by_ref();
    }
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.owner.shared.lock();
        f.debug_struct("Conn")
            .field("state", &state.client.state())
            .field("relayed", &state.client.relayed())
            .finish_non_exhaustive()
    }
}
