//! A second core: the `dimpl` crate's handshake and records, behind the same trait.
//!
//! It was the first one of this crate, and stays for comparison and as another implementation to
//! test against. The primitives are those of a [`crypto::Provider`] here too, and the keys are
//! reached through [`layer::Certificate::sign`] alone.
//!
//! # What it leaves out
//!
//! - The choice of an SRTP profile. `use_srtp` is always offered, with AEAD_AES_256_GCM,
//!   AEAD_AES_128_GCM and AES128_CM_HMAC_SHA1_80 in this order; a server of 1.2 takes the first of
//!   these that the client has, one of 1.3 the first of the client's list that is one of these. So
//!   it is GCM with itself and with Firefox, and counter mode with Chromium in 1.3, which lists
//!   that first. The list in [`layer::DtlsConfig`] says whether there are keys, not which.
//! - Keying material is exported for DTLS-SRTP alone (RFC 5764 §4.2).
//! - RSA keys, post-quantum groups, connection ids, resumption, ALPN, SNI.
//! - Of a peer's certificates it gives the leaf alone.
//! - Fragments are not made smaller after loss; [`layer::Dtls::set_max_datagram`] counts until the
//!   role is set, between 256 and 1500 bytes.

mod core;
mod factory;
mod lead;
mod session;

pub use factory::Factory;
