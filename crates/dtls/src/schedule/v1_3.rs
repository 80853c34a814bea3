//! The key schedule of 1.3 (RFC 8446 §7.1).
//!
//! ```text
//!             0
//!             |
//!             v
//!   0 ->  HKDF-Extract = Early Secret
//!             |
//!       Derive-Secret(., "derived", "")
//!             |
//!             v
//! (EC)DHE -> HKDF-Extract = Handshake Secret
//!             |
//!             +-----> Derive-Secret(., "c hs traffic", ClientHello...ServerHello)
//!             +-----> Derive-Secret(., "s hs traffic", ClientHello...ServerHello)
//!             v
//!       Derive-Secret(., "derived", "")
//!             |
//!             v
//!   0 -> HKDF-Extract = Master Secret
//!             |
//!             +-----> Derive-Secret(., "c ap traffic", ClientHello...server Finished)
//!             +-----> Derive-Secret(., "s ap traffic", ClientHello...server Finished)
//!             +-----> Derive-Secret(., "exp master", ClientHello...server Finished)
//! ```

use super::Secret;
use super::hkdf::{derive_secret, empty_hash, expand_label, extract};
use crate::record::protection::{Protection, Protection13};
use crate::suite::Cipher;
use crypto::{Hmac, Provider};
use zeroize::Zeroizing;

/// The secrets of both directions at one step.
#[derive(Clone, Debug)]
pub(crate) struct TrafficSecrets {
    pub(crate) client: Secret,
    pub(crate) server: Secret,
}

/// The schedule, at the handshake secret.
#[derive(Debug)]
pub(crate) struct KeySchedule {
    hmac: &'static dyn Hmac,
    /// The digest of nothing.
    nothing: Vec<u8>,
    handshake: Secret,
}

impl KeySchedule {
    /// From what the key exchange gave.
    pub(crate) fn new(provider: &Provider, cipher: Cipher, shared: &[u8]) -> Self {
        let hmac = cipher.hmac(provider);
        let zeros = vec![0; hmac.tag_len()];
        let early = extract(hmac, &[], &zeros);
        let nothing = empty_hash(cipher.hash(provider));
        let derived = derive_secret(hmac, &early, b"derived", &nothing);
        Self {
            handshake: extract(hmac, derived.bytes(), shared),
            hmac,
            nothing,
        }
    }

    /// Of epoch 2; the transcript ends with ServerHello.
    pub(crate) fn handshake_traffic(&self, transcript_hash: &[u8]) -> TrafficSecrets {
        let derive = |label| derive_secret(self.hmac, &self.handshake, label, transcript_hash);
        TrafficSecrets {
            client: derive(b"c hs traffic"),
            server: derive(b"s hs traffic"),
        }
    }

    /// Of epoch 3, and the exporter's; the transcript ends with the server's Finished.
    pub(crate) fn application_traffic(&self, transcript_hash: &[u8]) -> (TrafficSecrets, Secret) {
        let hmac = self.hmac;
        let derived = derive_secret(hmac, &self.handshake, b"derived", &self.nothing);
        let zeros = vec![0; hmac.tag_len()];
        let master = extract(hmac, derived.bytes(), &zeros);
        let derive = |label| derive_secret(hmac, &master, label, transcript_hash);
        let traffic = TrafficSecrets {
            client: derive(b"c ap traffic"),
            server: derive(b"s ap traffic"),
        };
        (traffic, derive(b"exp master"))
    }
}

/// The keys of one direction and epoch (RFC 8446 §7.3, RFC 9147 §4.2.3).
pub(crate) fn protection(
    provider: &Provider,
    cipher: Cipher,
    traffic: &Secret,
) -> Result<Protection, crypto::Error> {
    let hmac = cipher.hmac(provider);
    let mut key = Zeroizing::new([0; 32]);
    let mut number_key = Zeroizing::new([0; 32]);
    let mut iv = [0; 12];
    let len = cipher.key_len();
    let parts: [(&[u8], &mut [u8]); 3] = [
        (b"key", &mut key[..len]),
        (b"iv", &mut iv),
        (b"sn", &mut number_key[..len]),
    ];
    for (label, out) in parts {
        expand_label(hmac, traffic, label, &[], out).ok_or(crypto::Error::Length)?;
    }
    let keys = Protection13::new(provider, cipher, &key[..len], iv, &number_key[..len])?;
    Ok(Protection::V1_3(keys))
}

/// `verify_data` of a Finished (RFC 8446 §4.4.4).
pub(crate) fn verify_data(
    provider: &Provider,
    cipher: Cipher,
    traffic: &Secret,
    transcript_hash: &[u8],
) -> Vec<u8> {
    let hmac = cipher.hmac(provider);
    let key = derive_secret(hmac, traffic, b"finished", &[]);
    let mut out = vec![0; hmac.tag_len()];
    hmac.key(key.bytes()).sign(&[transcript_hash], &mut out);
    out
}

/// The secret of the next epoch (RFC 8446 §7.2).
pub(crate) fn next_traffic(provider: &Provider, cipher: Cipher, traffic: &Secret) -> Secret {
    derive_secret(cipher.hmac(provider), traffic, b"traffic upd", &[])
}

/// Keying material (RFC 8446 §7.5). No context is the same as an empty one. `None` for more than
/// the function gives.
pub(crate) fn export(
    provider: &Provider,
    cipher: Cipher,
    exporter: &Secret,
    label: &[u8],
    context: Option<&[u8]>,
    out: &mut [u8],
) -> Option<()> {
    let (hmac, hash) = (cipher.hmac(provider), cipher.hash(provider));
    let secret = derive_secret(hmac, exporter, label, &empty_hash(hash));
    let context = hash.digest(context.unwrap_or_default());
    expand_label(hmac, &secret, b"exporter", &context, out)
}
