//! A virtual network in virtual time, pairs of machines, and conformance kits for the layers of
//! Muon.
//!
//! The layers are sans-IO: time is an argument, datagrams go in and out through calls, randomness is
//! a seed. So a test can run an hour of a bad network in milliseconds, and run it again exactly as
//! it was. This crate has what such tests need:
//!
//! - [`Link`] says what a path does to datagrams (delay, jitter, loss, reordering, duplication,
//!   rate, queue, MTU), a [`Wire`] does it, and a [`Network`] does it between hosts with addresses.
//! - [`vnet`] is the larger network: subnets, routers with NATs and firewalls, streams, STUN and TURN
//!   servers, a driver for ICE agents, and sockets for async code in paused time.
//! - [`Pair`] joins two ends over a link and runs them until something is true:
//!   `Pair::sctp` and `Pair::dtls` make the ends from factories of those layers, [`IcePair`] puts two
//!   ICE agents on a network, and a [`Peer`] of your own can be anything with the four families of
//!   methods that `muonrtc-layer` describes. A [`Fault`] decides about single datagrams, a
//!   [`Record`] takes all of them down.
//! - [`conformance`] has the kits with which an implementation of a layer proves itself.
//! - [`seed()`] and [`for_each_seed`] take the seed of a test from one variable, `MUON_SEED`, and
//!   print it when the test fails.
//! - [`crypto`] is a crypto provider that repeats itself, for tests that compare bytes.
//!
//! # Driving a pair
//!
//! ```
//! use muonrtc_testkit::{Clock, Link, Pair, Peer};
//! use std::time::{Duration, Instant};
//!
//! /// Sends `greeting` once, and keeps what it hears.
//! #[derive(Default)]
//! struct Friend {
//!     greeting: Option<&'static [u8]>,
//!     heard: Vec<u8>,
//! }
//!
//! impl Peer for Friend {
//!     fn handle_input(&mut self, _now: Instant, datagram: &mut [u8]) {
//!         self.heard.extend_from_slice(datagram);
//!     }
//!     fn handle_timeout(&mut self, _now: Instant) {}
//!     fn poll_transmit(&mut self, _now: Instant, buf: &mut [u8]) -> Option<usize> {
//!         let greeting = self.greeting.take()?;
//!         buf[..greeting.len()].copy_from_slice(greeting);
//!         Some(greeting.len())
//!     }
//!     fn poll_timeout(&self) -> Option<Instant> {
//!         None
//!     }
//!     fn collect(&mut self, _now: Instant) -> bool {
//!         false
//!     }
//! }
//!
//! let link = Link::delayed(Duration::from_millis(40));
//! let mut pair = Pair::new(Clock::new(), 1, &link, Friend::default(), Friend::default());
//! pair.a.greeting = Some(b"hello");
//! assert!(pair.run_until(Duration::from_secs(1), |pair| pair.b.heard == b"hello"));
//! assert_eq!(pair.elapsed(), Duration::from_millis(40));
//! ```
//!
//! # What it leaves out
//!
//! Real sockets and real time: whole connections over the operating system are tested elsewhere.
//! [`Network`] is one segment on which every host reaches every other; [`vnet`] says what it leaves
//! out itself.

mod clock;
pub mod conformance;
pub mod crypto;
pub mod fate;
mod link;
mod network;
mod pair;
mod random;
mod record;
mod seed;
mod transit;
pub mod vnet;
mod wakes;
mod wire;

pub use clock::{Clock, WALL_BASE_SECS};
pub use fate::{Fate, Fault, Leaving, Side};
pub use link::Link;
pub use network::{HostId, Network, NetworkStats, Packet};
pub use pair::{DtlsPeer, IcePair, IcePeer, Pair, Peer, SctpPeer, Tasks};
pub use random::Random;
pub use record::{Record, Recorded};
pub use seed::{SEED_VARIABLE, TestSeed, for_each_seed, layer_seed, seed};
pub use wakes::Wakes;
pub use wire::{Wire, WireStats};

#[cfg(all(doctest, feature = "tokio"))]
#[doc = include_str!("../README.md")]
struct Readme;
