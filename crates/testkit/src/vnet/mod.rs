//! A network with routers, NATs and firewalls, datagrams and streams, in virtual time.
//!
//! ```text
//!                     internet: any address
//!  ───┬──────────────────┬───────────────────────┬──────────────────┬───
//!     │ link             │ link                  │ link             │
//!  host "stun"     router of "home"        router of "office"    host "bob"
//!  198.51.100.1    NAT 203.0.113.1         firewall, no NAT      192.0.2.7
//!                        │                       │
//!        192.168.1.0/24 ─┴┬───────────┬─   2001:db8:5::/48 ─┬───
//!                         │           │                     │
//!                    host "alice"  router of "cellar"   host "carol"
//!                    192.168.1.2   (subnets nest)       2001:db8:5::9
//! ```
//!
//! - A **subnet** is where hosts reach each other directly. Each but the internet has a **router**
//!   to the subnet above it, with a [`Nat`] (every behaviour that RFC 4787 names) and a [`Firewall`].
//! - Every interface of a host and every router has a **link** of its own, up and down, with delay,
//!   jitter, loss, reordering, duplication, rate, queue and MTU ([`Link`](crate::Link)). What
//!   exceeds an MTU vanishes without a word, as on paths that filter ICMP.
//! - Hosts have sockets for datagrams and **streams**, which connect, are accepted, split and
//!   coalesced, ended and reset, through all of the above.
//! - A [`Server`] plays a host from inside; [`StunServer`] and [`TurnServer`] are two.
//! - Links are unplugged, addresses, routers and everything else changed while it all runs.
//!
//! It is sans-IO, seeded, and repeats itself: no clock is read, no task runs. A packet moves when
//! [`Network::poll_deliver`] is called with an instant at which it has arrived somewhere.
//!
//! ```
//! use muonrtc_testkit::vnet::{Arrival, Nat, Network, Router};
//! use muonrtc_testkit::{Clock, Link};
//! use std::time::Duration;
//!
//! let mut clock = Clock::new();
//! let mut network = Network::new(7);
//! let internet = network.internet();
//! let nat = Nat::port_restricted("203.0.113.1".parse().unwrap());
//! let home = network.add_subnet(internet, &["192.168.1.0/24"], Router::nat(nat));
//! let alice = network.add_host_at("alice", home, "192.168.1.2".parse().unwrap());
//! let bob = network.add_host_at("bob", internet, "192.0.2.7".parse().unwrap());
//! let slow = Link::delayed(Duration::from_millis(20));
//! network.set_link(network.uplink(home).unwrap(), slow.clone(), slow);
//!
//! let from = network.bind(alice, "192.168.1.2:5000".parse().unwrap(), None).unwrap();
//! let to = network.bind(bob, "192.0.2.7:7000".parse().unwrap(), None).unwrap();
//! network.send(clock.now(), alice, from.local, to.local, b"hello");
//!
//! while let Some(next) = network.poll_timeout() {
//!     clock.advance_to(next);
//!     while let Some(delivery) = network.poll_deliver(clock.now()) {
//!         assert_eq!(delivery.host, bob);
//!         assert_eq!(delivery.remote, "203.0.113.1:5000".parse().unwrap());
//!         assert_eq!(delivery.arrival, Arrival::Datagram(b"hello".to_vec()));
//!     }
//! }
//! assert_eq!(clock.elapsed(), Duration::from_millis(20));
//! ```
//!
//! [`Drive`] runs ICE agents over it, and [`live`] gives tasks of a tokio runtime sockets on it
//! (feature `tokio`, on by default). Anything else that takes bytes and instants is driven the same
//! way, with [`Sockets`] for what it asks of its shell: send what it puts out, hand it what is
//! delivered, and move the clock to the earlier of its timeout and the network's.
//!
//! # What it leaves out
//!
//! ICMP, fragments (RFC 4787 REQ-12 to REQ-14), application-level gateways (REQ-10), routing beyond
//! a tree, and congestion control of streams.

mod drive;
mod firewall;
mod frame;
mod host;
#[cfg(feature = "tokio")]
pub mod live;
mod nat;
mod network;
mod packet;
mod route;
mod server;
mod socket;
mod sockets;
mod stream;
mod subnet;
mod turn;

pub use drive::{AgentId, Drive, Participant};
pub use firewall::{Direction, Firewall, Rule, Verdict};
pub use host::HostId;
pub use nat::{Dependence, Hairpinning, Nat, Pooling, PortAssignment};
pub use network::{Network, Stats};
pub use server::{Server, Shell, StunServer};
pub use socket::{Arrival, Delivery};
pub use sockets::{Arrived, Sockets};
pub use stream::Reads;
pub use subnet::{LinkId, Prefix, Router, SubnetId};
pub use turn::{TURN_PORT, TURNS_PORT, TurnServer};
