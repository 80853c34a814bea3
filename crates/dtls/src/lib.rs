//! DTLS 1.2 and 1.3 as WebRTC uses it (RFC 6347, RFC 9147, RFC 8827 §6.5), sans-IO.
//!
//! A [`Factory`] holds the settings, makes certificates and makes sessions, which are driven
//! through the trait [`layer::Dtls`]: feed datagrams and time, poll datagrams and events. Both ends
//! present self-signed certificates, and the fingerprint that came through signalling is all that
//! is checked (RFC 8122). With the feature `tokio` the module `conn` turns a session over any
//! [`layer::Datagrams`] into `Datagrams` again.
//!
//! The handshake and the records are the `dimpl` crate's, the primitives are those of a
//! [`crypto::Provider`], and the keys are reached through [`layer::Certificate::sign`] alone.
//!
//! # What it leaves out
//!
//! - The choice of an SRTP profile. `use_srtp` is always offered, with AEAD_AES_256_GCM,
//!   AEAD_AES_128_GCM and AES128_CM_HMAC_SHA1_80 in this order; a server of 1.2 takes the first of
//!   these that the client has, one of 1.3 the first of the client's list that is one of these. So
//!   it is GCM with itself and with Firefox, and counter mode with Chromium in 1.3, which lists
//!   that first. The list in [`layer::DtlsConfig`] says whether there are keys, not which.
//! - Keying material is exported for DTLS-SRTP alone (RFC 5764 §4.2).
//! - RSA keys, post-quantum groups, connection ids, resumption, ALPN.
//! - Fragments are not made smaller after loss; [`layer::Dtls::set_max_datagram`] counts until the
//!   role is set, between 256 and 1500 bytes.

#[cfg(all(doctest, feature = "ring", feature = "tokio"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod alert;
mod certificate;
#[cfg(feature = "tokio")]
pub mod conn;
mod core;
mod factory;
mod fingerprint;
mod identity;
mod record;
mod session;
mod waiting;
#[cfg(feature = "webrtc-dtls")]
pub mod webrtc;

pub use factory::Factory;
