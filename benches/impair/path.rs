//! Two sockets and what is under way between them.

use crate::lane::{Lane, Limits};
use chacha20::ChaCha12Rng;
use chacha20::rand_core::SeedableRng;
use net::{Batch, UdpSocket};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;
use tokio::time::sleep_until;

/// The most datagrams that leave in one system call.
const BURST: usize = 32;

/// A path with the same [`Limits`] in both directions.
pub struct Path {
    sockets: [UdpSocket; 2],
    lanes: [Lane; 2],
    /// Who was heard last at each socket.
    heard: [Option<SocketAddr>; 2],
}

impl Path {
    /// Takes two ports of this address. `seed` decides which datagrams are lost.
    ///
    /// # Errors
    ///
    /// Those of binding a UDP socket.
    pub fn bind(address: IpAddr, limits: Limits, seed: u64) -> io::Result<Self> {
        let bind = || UdpSocket::bind(SocketAddr::new(address, 0));
        let lanes = [0, 1].map(|side: u64| {
            let mut rng = ChaCha12Rng::seed_from_u64(seed);
            rng.set_stream(side);
            Lane::new(limits, rng)
        });
        Ok(Self {
            sockets: [bind()?, bind()?],
            lanes,
            heard: [None; 2],
        })
    }

    /// The ports: each end sends to the one that stands for the other.
    #[must_use]
    pub fn ports(&self) -> [u16; 2] {
        [0, 1].map(|side: usize| self.sockets[side].local_addr().port())
    }

    /// Carries datagrams until an error.
    ///
    /// # Errors
    ///
    /// Those of the sockets, except that one is full.
    pub async fn carry(mut self) -> io::Result<()> {
        let mut batches = [Batch::new(), Batch::new()];
        loop {
            let due = self.lanes.iter().filter_map(Lane::due).min();
            let [one, other] = &mut batches;
            let side = tokio::select! {
                received = self.sockets[0].recv(one) => { received?; Some(0) }
                received = self.sockets[1].recv(other) => { received?; Some(1) }
                () = until(due) => None,
            };
            let now = Instant::now();
            if let Some(side) = side {
                for datagram in batches[side].datagrams() {
                    self.heard[side] = Some(datagram.remote);
                    self.lanes[side].enter(now, datagram.bytes);
                }
            }
            for (side, lane) in self.lanes.iter_mut().enumerate() {
                let out = 1 - side;
                leave(&self.sockets[out], self.heard[out], lane, now)?;
            }
        }
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.ports();
        f.debug_struct("Path")
            .field("ports", &ports)
            .finish_non_exhaustive()
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Sends what is due. What finds the socket full stays for the next time.
fn leave(
    socket: &UdpSocket,
    to: Option<SocketAddr>,
    lane: &mut Lane,
    now: Instant,
) -> io::Result<()> {
    loop {
        let ready = lane.ready(now, BURST);
        let Some(to) = to else {
            lane.left(ready);
            return Ok(());
        };
        if ready == 0 {
            return Ok(());
        }
        let burst: Vec<(SocketAddr, &[u8])> = lane.front(ready).map(|bytes| (to, bytes)).collect();
        let sent = match socket.try_send_many(&burst) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            sent => sent?,
        };
        lane.left(sent);
    }
}
