//! DTLS 1.2 and 1.3 as WebRTC uses it (RFC 6347, RFC 9147, RFC 8827 §6.5), sans-IO.
//!
//! A [`Factory`] holds the settings, makes certificates and makes sessions, which are driven
//! through the trait [`layer::Dtls`]: feed datagrams and time, poll datagrams and events. Both ends
//! present self-signed certificates, and the fingerprint that came through signalling is all that
//! is checked (RFC 8122). With the feature `tokio` the module `conn` turns a session over any
//! [`layer::Datagrams`] into `Datagrams` again.
//!
//! Both versions and both roles are here, from the record to the handshake, on the primitives of a
//! [`crypto::Provider`]; private keys are reached through [`layer::Certificate::sign`] alone. The
//! features `dimpl` and `webrtc-dtls` add two other implementations behind the same trait.
//!
//! # What is where
//!
//! | module | holds |
//! |---|---|
//! | `record` | headers, protection, replay windows, epochs: sealed and opened in place |
//! | `handshake`, `extension` | one file per message and extension |
//! | `flight` | fragments out and in, the timer, ACK |
//! | `schedule`, `transcript` | HKDF and PRF, and what they are fed with |
//! | `client`, `server` | the states of each role, by version |
//! | `session` | what drives them, behind [`layer::Dtls`] |
//!
//! # What it leaves out
//!
//! - RSA and Ed25519 keys of our own: such certificates of peers are verified, ours are ECDSA.
//! - Post-quantum groups, connection ids, resumption, renegotiation, and suites of 1.2 without ECDHE
//!   and AEAD. Sessions of 1.2 without extended master secret are refused (RFC 7627 §5).
//! - A peer that starts anew within a session (RFC 6347 §4.2.8): in WebRTC that is a new session.
//! - Key renewal in 1.2, which has none without renegotiation.

#[cfg(all(doctest, feature = "ring", feature = "tokio"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod alert;
mod certificate;
mod client;
mod codec;
#[cfg(feature = "tokio")]
pub mod conn;
#[cfg(feature = "dimpl")]
pub mod dimpl;
mod endpoint;
mod extension;
mod factory;
mod fingerprint;
mod flight;
mod handshake;
mod identity;
mod random;
mod record;
mod schedule;
mod server;
mod session;
mod signature;
mod suite;
mod transcript;
mod waiting;
#[cfg(feature = "webrtc-dtls")]
pub mod webrtc;

pub use factory::Factory;
