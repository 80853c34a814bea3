//! SRTP and SRTCP (RFC 3711, RFC 6188, RFC 7714), sans-IO: RTP and RTCP packets in, protected
//! packets out, and back.
//!
//! A [`Factory`] holds the settings and makes a [`Context`] from the keys of one connection: those
//! that DTLS exported, through [`layer::NewSrtp`], or any others with [`Factory::context`]. A
//! context has no timers and no events. Its verbs work in buffers of the caller, do not allocate
//! once a source is known, and are those of [`layer::Srtp`]: `protect_into` copies header and
//! payload once and encrypts the copy, so that one payload serves many receivers;
//! `unprotect_in_place` needs no second buffer.
//!
//! # What it leaves out
//!
//! Negotiation of keys; master key identifiers (MKI), which WebRTC forbids (RFC 8827 §6.5); key
//! derivation rates other than 0; the NULL cipher and AES-192; encrypted header extensions
//! (RFC 6904, RFC 9335).
//!
//! # Map
//!
//! | where | what |
//! |---|---|
//! | `context` | the two directions of a connection |
//! | `transform` | AES-CM with HMAC-SHA1 (RFC 3711 §4), AES-GCM (RFC 7714) |
//! | `derivation` | session keys from master keys (RFC 3711 §4.3) |
//! | `index`, `replay` | rollover (RFC 3711 §3.3.1), replay protection (§3.3.2) |
//! | `source` | the state per SSRC |
//! | `packet` | where things lie in SRTP and SRTCP packets |

mod context;
mod derivation;
mod factory;
mod index;
mod packet;
mod replay;
mod source;
mod suite;
mod transform;

#[cfg(all(doctest, feature = "ring"))]
#[doc = include_str!("../README.md")]
struct Readme;

pub use context::Context;
pub use factory::{Factory, MasterKey};
pub use suite::Suite;
