//! A path between two ends that delays, loses and narrows: what `peer` sends through with `IMPAIR`.
//!
//! Prints `A,B`, the ports that stand for the offerer and for the answerer. What comes in on one port
//! leaves by the other, to whoever was heard there last.
//!
//! | variable | what | default |
//! |---|---|---|
//! | `BENCH_IP` | the address of both ports | 127.0.0.1 |
//! | `DELAY_MS` | one way, in milliseconds | 0 |
//! | `LOSS` | the probability that a datagram is lost, 0 to 1 | 0 |
//! | `RATE_MBIT` | the bottleneck of each direction, in megabits of payload a second; 0 for none | 0 |
//! | `QUEUE_KB` | what waits before the bottleneck, in thousands of bytes; the rest is dropped | 256 |
//! | `SEED` | of the losses | 1 |
//! | `LIFE_S` | after so many seconds the path ends | 60 |
#![expect(clippy::disallowed_methods, reason = "an application reads the clock")]

mod lane;

use chacha20::ChaCha12Rng;
use chacha20::rand_core::SeedableRng;
use lane::{Lane, Limits};
use net::{Batch, UdpSocket};
use std::env::var;
use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};
use tokio::time::{sleep_until, timeout};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The most datagrams that leave in one system call.
const BURST: usize = 32;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let life = Duration::from_secs(number("LIFE_S", 60));
    match timeout(life, run()).await {
        Ok(Err(error)) => {
            eprintln!("impair: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

async fn run() -> Result<()> {
    let address = number("BENCH_IP", IpAddr::V4(Ipv4Addr::LOCALHOST));
    let bind = || UdpSocket::bind(SocketAddr::new(address, 0));
    let sockets = [bind()?, bind()?];
    let [offerer, answerer] = [0, 1].map(|side: usize| sockets[side].local_addr().port());
    println!("{offerer},{answerer}");
    let limits = Limits {
        delay: Duration::from_millis(number("DELAY_MS", 0)),
        loss: number("LOSS", 0.0),
        bytes_per_second: number("RATE_MBIT", 0.0) * 1e6 / 8.0,
        queue: number("QUEUE_KB", 256) * 1000,
    };
    let seed: u64 = number("SEED", 1);
    let lanes = [0, 1].map(|side: u64| {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        rng.set_stream(side);
        Lane::new(limits, rng)
    });
    carry(&sockets, lanes).await
}

/// Carries datagrams until an error.
async fn carry(sockets: &[UdpSocket; 2], mut lanes: [Lane; 2]) -> Result<()> {
    let mut heard: [Option<SocketAddr>; 2] = [None; 2];
    let mut batches = [Batch::new(), Batch::new()];
    loop {
        let due = lanes.iter().filter_map(Lane::due).min();
        let [one, other] = &mut batches;
        let side = tokio::select! {
            received = sockets[0].recv(one) => { received?; Some(0) }
            received = sockets[1].recv(other) => { received?; Some(1) }
            () = until(due) => None,
        };
        let now = Instant::now();
        if let Some(side) = side {
            for datagram in batches[side].datagrams() {
                heard[side] = Some(datagram.remote);
                lanes[side].enter(now, datagram.bytes);
            }
        }
        for (side, lane) in lanes.iter_mut().enumerate() {
            let out = 1 - side;
            leave(&sockets[out], heard[out], lane, now)?;
        }
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

/// What a variable says, or else this.
fn number<T: FromStr>(name: &str, default: T) -> T {
    var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}
