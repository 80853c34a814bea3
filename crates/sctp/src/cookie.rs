//! The State Cookie (RFC 9260 §5.1.3): everything an INIT told and the INIT ACK promised,
//! authenticated, so that nothing is kept between INIT ACK and COOKIE ECHO.
//!
//! The authentication code is a cascade of the ChaCha20 block function: the key starts as a random
//! secret of 32 bytes, and each 16 bytes of the cookie, taken as nonce and counter, turn the key
//! into the first 32 bytes of the key stream they select. A cascade of a pseudorandom function is
//! one itself for messages of one length, and every cookie has the same length; so no hash
//! function is needed for what only has to hold for a minute, inside DTLS, against the one peer
//! that DTLS has authenticated.

use crate::extension::Extensions;
use crate::packet::{DecodeError, Reader};
use bytes::BufMut;
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// The bytes that are authenticated: three blocks of the cascade.
const BODY_LEN: usize = 48;
const TAG_LEN: usize = 16;

/// The length of a cookie.
pub(crate) const COOKIE_LEN: usize = BODY_LEN + TAG_LEN;

/// The secret that authenticates cookies. It lives as long as the association.
pub(crate) struct CookieSecret([u8; 32]);

/// What a cookie says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    /// When it was made, in microseconds since the start of the association.
    pub(crate) created: u64,
    /// The tag we chose.
    pub(crate) local_tag: u32,
    /// The tag the peer chose.
    pub(crate) peer_tag: u32,
    /// The first TSN we promised.
    pub(crate) local_tsn: u32,
    /// The first TSN the peer promised.
    pub(crate) peer_tsn: u32,
    /// The peer's receive window.
    pub(crate) a_rwnd: u32,
    /// Our tag of the association that existed when the INIT came; 0 if there was none.
    pub(crate) local_tie_tag: u32,
    /// The peer's tag of that association.
    pub(crate) peer_tie_tag: u32,
    /// How many streams we may send on.
    pub(crate) outgoing: u16,
    /// How many streams the peer may send on.
    pub(crate) incoming: u16,
    /// What the peer has announced.
    pub(crate) extensions: Extensions,
}

impl CookieSecret {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn seal(&self, cookie: &Cookie) -> [u8; COOKIE_LEN] {
        let mut sealed = [0; COOKIE_LEN];
        cookie.write(&mut &mut sealed[..BODY_LEN]);
        let code = self.code(&sealed_body(&sealed));
        sealed[tag_range()].copy_from_slice(&code);
        sealed
    }

    /// What an authentic cookie says; `None` for any other bytes.
    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Cookie> {
        let sealed: &[u8; COOKIE_LEN] = sealed.try_into().ok()?;
        let expected = self.code(&sealed_body(sealed));
        // Every byte is compared, so that time does not tell where they differ.
        let difference = sealed[tag_range()]
            .iter()
            .zip(expected)
            .fold(0, |difference, (a, b)| difference | (a ^ b));
        (difference == 0)
            .then(|| Cookie::parse(&sealed[..BODY_LEN]).ok())
            .flatten()
    }

    fn code(&self, body: &[u8; BODY_LEN]) -> [u8; TAG_LEN] {
        let mut key = self.0;
        for [nonce, counter] in body.as_chunks::<8>().0.as_chunks::<2>().0 {
            let (nonce, counter) = (u64::from_be_bytes(*nonce), u64::from_be_bytes(*counter));
            let mut stream = ChaCha20Rng::from_seed(key);
            stream.set_stream(nonce);
            stream.set_block_pos(counter);
            stream.fill_bytes(&mut key);
        }
        let [code @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = key;
        code
    }
}

impl std::fmt::Debug for CookieSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieSecret(..)")
    }
}

fn sealed_body(sealed: &[u8; COOKIE_LEN]) -> [u8; BODY_LEN] {
    let [body @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *sealed;
    body
}

fn tag_range() -> std::ops::Range<usize> {
    BODY_LEN..COOKIE_LEN
}

impl Cookie {
    fn write(&self, out: &mut impl BufMut) {
        out.put_u64(self.created);
        out.put_u32(self.local_tag);
        out.put_u32(self.peer_tag);
        out.put_u32(self.local_tsn);
        out.put_u32(self.peer_tsn);
        out.put_u32(self.a_rwnd);
        out.put_u32(self.local_tie_tag);
        out.put_u32(self.peer_tie_tag);
        out.put_u16(self.outgoing);
        out.put_u16(self.incoming);
        out.put_u64(self.extensions.bits());
    }

    fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut body = Reader(body);
        Ok(Self {
            created: body.u64()?,
            local_tag: body.u32()?,
            peer_tag: body.u32()?,
            local_tsn: body.u32()?,
            peer_tsn: body.u32()?,
            a_rwnd: body.u32()?,
            local_tie_tag: body.u32()?,
            peer_tie_tag: body.u32()?,
            outgoing: body.u16()?,
            incoming: body.u16()?,
            extensions: Extensions::from_bits(body.u64()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Cookie {
        Cookie {
            created: 1 << 40,
            local_tag: 1,
            peer_tag: 2,
            local_tsn: 3,
            peer_tsn: 4,
            a_rwnd: 5,
            local_tie_tag: 6,
            peer_tie_tag: 7,
            outgoing: 8,
            incoming: 9,
            extensions: Extensions {
                forward_tsn: true,
                re_config: false,
                zero_checksum: true,
                interleaving: false,
                pad: true,
            },
        }
    }

    // sctp-013
    #[test]
    fn a_cookie_comes_back_as_it_was() {
        let secret = CookieSecret::new([7; 32]);
        let sealed = secret.seal(&sample());
        assert_eq!(secret.open(&sealed), Some(sample()));
    }

    // sctp-013
    #[test]
    fn a_cookie_changed_in_any_bit_is_refused() {
        let secret = CookieSecret::new([7; 32]);
        let sealed = secret.seal(&sample());
        for bit in 0..COOKIE_LEN * 8 {
            let mut changed = sealed;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(secret.open(&changed), None, "bit {bit}");
        }
        assert_eq!(secret.open(&sealed[1..]), None);
        assert_eq!(CookieSecret::new([8; 32]).open(&sealed), None);
    }
}
