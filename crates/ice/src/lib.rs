//! An ICE agent for one component: RFC 8445 with trickle (RFC 8838), consent (RFC 7675), the
//! patience of RFC 8863, TCP candidates (RFC 6544) and relays (RFC 8656), without sockets, clock or
//! tasks.
//!
//! [`Factory`] holds the settings and makes [`Agent`]s; both stand behind the traits
//! [`layer::NewIce`] and [`layer::Ice`], whose documentation says how an agent is driven: datagrams
//! and times go in, datagrams, deadlines and events come out. What the agent needs of the operating
//! system (interfaces, sockets, names) it asks for with events. With the feature `tokio` (on by
//! default) [`conn`] drives one agent over UDP sockets of its own.
//!
//! # Map
//!
//! | where | what |
//! |---|---|
//! | `agent` | the agent, split by what happens: gathering, servers, relays, streams, input, checks, nomination, consent, restart, output |
//! | `generation` | everything that an ICE restart replaces: credentials, candidates, checklist |
//! | `checklist`, `pair` | candidate pairs, their states and order (RFC 8445 §6.1.2) |
//! | `candidate` | priorities and foundations (RFC 8445 §5.1) |
//! | `via` | what carries a packet: a socket, a TCP connection, a TURN server |
//! | `interface` | which addresses of the host become candidates |
//! | `outstanding`, `pacer` | requests on their way, and how fast new ones may follow |
//! | `message` | the four messages an agent sends |
//! | `conn` | the async front: `driver` turns the agent, `socket` binds |
//!
//! This crate leaves out: SDP (`muonrtc-sdp`); sockets, TLS, DNS and multicast DNS (the owner answers
//! the requests of [`layer::IceEvent`]); TCP relays (RFC 6062); more than one component;
//! ICMP errors, which fail no pair (RFC 8445 §7.2.5.2.2 leaves it open): anybody can forge them, and a
//! socket with many peers is not told of them.

#[cfg(all(doctest, feature = "tokio", feature = "ring"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod agent;
mod candidate;
mod checklist;
mod config;
#[cfg(feature = "tokio")]
pub mod conn;
mod credentials;
mod generation;
mod interface;
mod message;
mod outstanding;
mod pacer;
mod pair;
mod server;
mod via;

pub use agent::Agent;
pub use config::{Factory, InterfaceFilter, RemoteFilter, RewriteMode, RewriteRule};
