//! The form of an encrypted payload.
//!
//! ```text
//! +-------+--------------------+---------+-------------+-------+
//! | clear | ciphertext         | tag     | counter     | n     |
//! | n     | as the plaintext   | 16      | 8           | 1     |
//! +-------+--------------------+---------+-------------+-------+
//!  octets
//! ```
//!
//! AES-128-GCM in the manner of SFrame (RFC 9605), but for single payloads:
//!
//! - A counter goes on with every payload, whatever its stream, and travels with it. The header of
//!   RTP cannot serve: a forwarder gives it another source, number and time. The nonce is the salt of
//!   the secret with the counter added without carry (RFC 9605 §4.4.3).
//! - What a forwarder must see stays in the clear, and is authenticated.
//! - A secret is of one sender: two that count from 0 would use a nonce twice.
//! - Retransmissions repeat the ciphertext, as they are made behind this stage.
//!
//! Left out, to be short: agreeing on the secret, changing it when somebody leaves, and refusing a
//! payload that the forwarder sends twice (a window of counters, as SRTP has).

use bytes::{BufMut, Bytes, BytesMut};
use crypto::{AeadKey, Error, Provider};

const TAG: usize = 16;
const COUNTER: usize = 8;
/// What a payload grows by.
const OVERHEAD: usize = TAG + COUNTER + 1;

/// What both ends know.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    key: [u8; 16],
    salt: [u8; 12],
}

impl Secret {
    pub(crate) fn random() -> Result<Self, Error> {
        let random = Provider::default().random;
        let mut secret = Self {
            key: [0; 16],
            salt: [0; 12],
        };
        random.fill(&mut secret.key)?;
        random.fill(&mut secret.salt)?;
        Ok(secret)
    }

    fn key(&self) -> Result<Box<dyn AeadKey>, Error> {
        Provider::default().aes128_gcm.key(&self.key)
    }

    fn nonce(&self, counter: u64) -> [u8; 12] {
        let mut nonce = self.salt;
        for (byte, counted) in nonce[4..].iter_mut().zip(counter.to_be_bytes()) {
            *byte ^= counted;
        }
        nonce
    }
}

/// The sender's end.
#[derive(Debug)]
pub(crate) struct Sealer {
    secret: Secret,
    key: Box<dyn AeadKey>,
    counter: u64,
}

impl Sealer {
    pub(crate) fn new(secret: Secret) -> Result<Self, Error> {
        let key = secret.key()?;
        Ok(Self {
            secret,
            key,
            counter: 0,
        })
    }

    /// Encrypts all but the first `clear` bytes.
    pub(crate) fn seal(&mut self, payload: &[u8], clear: u8) -> Result<Bytes, Error> {
        let counter = self.counter;
        self.counter += 1;
        let mut sealed = BytesMut::with_capacity(payload.len() + OVERHEAD);
        sealed.put_slice(payload);
        let (head, body) = sealed
            .split_at_mut_checked(clear.into())
            .ok_or(Error::Length)?;
        let mut tag = [0; TAG];
        self.key
            .seal_in_place(&self.secret.nonce(counter), head, body, &mut tag)?;
        sealed.put_slice(&tag);
        sealed.put_u64(counter);
        sealed.put_u8(clear);
        Ok(sealed.freeze())
    }
}

/// The receiver's end.
#[derive(Debug)]
pub(crate) struct Opener {
    secret: Secret,
    key: Box<dyn AeadKey>,
}

impl Opener {
    pub(crate) fn new(secret: Secret) -> Result<Self, Error> {
        let key = secret.key()?;
        Ok(Self { secret, key })
    }

    /// The payload as it was, if it comes from who has the secret.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Bytes, Error> {
        let (&clear, rest) = sealed.split_last().ok_or(Error::Verification)?;
        let (rest, counter) = rest
            .split_last_chunk::<COUNTER>()
            .ok_or(Error::Verification)?;
        let nonce = self.secret.nonce(u64::from_be_bytes(*counter));
        let mut payload = BytesMut::from(rest);
        let (head, body) = payload
            .split_at_mut_checked(clear.into())
            .ok_or(Error::Verification)?;
        let len = self.key.open_in_place(&nonce, head, body)?;
        payload.truncate(usize::from(clear) + len);
        Ok(payload.freeze())
    }
}
