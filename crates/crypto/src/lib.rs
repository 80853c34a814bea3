//! Cryptographic primitives as a struct of trait references.
//!
//! A [`Provider`] is a value: take [`Provider::default`] (feature `ring`), or fill the fields with
//! references to implementations of your own, and hand it to the factories of the layers. It is
//! chosen per connection.
//!
//! This crate leaves out protocols: what is encrypted, signed or derived, and when, is the
//! business of the layers.

#[cfg(all(doctest, feature = "ring"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod aead;
mod agreement;
mod error;
mod hash;
mod hmac;
mod mask;
mod provider;
mod random;
#[cfg(feature = "ring")]
pub mod ring;
mod signature;
mod stream;

pub use aead::{Aead, AeadKey};
pub use agreement::{ActiveAgreement, Agreement, Group};
pub use error::Error;
pub use hash::{Hash, HashContext};
pub use hmac::{Hmac, HmacKey};
pub use mask::{Mask, MaskKey};
pub use provider::Provider;
pub use random::SecureRandom;
pub use signature::{SignatureScheme, Signatures, SigningKey};
pub use stream::{StreamCipher, StreamKey};
