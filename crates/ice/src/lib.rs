//! An ICE agent for one component: RFC 8445 with trickle (RFC 8838), consent (RFC 7675) and the
//! patience of RFC 8863, without sockets, clock or tasks.
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
//! | `agent` | the agent, split by what happens: gathering, input, checks, nomination, consent, restart, output |
//! | `generation` | everything that an ICE restart replaces: credentials, candidates, checklist |
//! | `checklist`, `pair` | candidate pairs, their states and order (RFC 8445 §6.1.2) |
//! | `candidate` | priorities and foundations (RFC 8445 §5.1) |
//! | `via` | what carries a packet: a socket, a TCP connection, a TURN server |
//! | `interface` | which addresses of the host become candidates |
//! | `outstanding`, `pacer` | requests on their way, and how fast new ones may follow |
//! | `message` | the four messages an agent sends |
//! | `conn` | the async front: `driver` turns the agent, `socket` binds |
//!
//! This crate leaves out: SDP (`muonrtc-sdp`), mDNS and DNS (the owner answers
//! [`layer::IceEvent::Resolve`]). Relayed and TCP candidates and the lite role are
//! not here yet; what a peer signals of them is dropped and counted, or answered.

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
