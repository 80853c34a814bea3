//! Nonces that the server need not remember: they carry their time and an HMAC over it and the
//! client's address (RFC 8489 §9.2.4: never the same for two addresses).

use crypto::{HmacKey, Provider};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use stun::SecurityFeatures;

/// Half of an HMAC-SHA256.
const TAG_LEN: usize = 16;

/// Eight hexadecimal digits of seconds.
const TIME_DIGITS: usize = 8;

/// Makes and judges nonces.
#[derive(Debug)]
pub(super) struct Nonces {
    key: Box<dyn HmacKey>,
    begin: Instant,
    lifetime: Duration,
    cookie: String,
}

impl Nonces {
    pub(super) fn new(
        provider: &Provider,
        secret: &[u8],
        now: Instant,
        lifetime: Duration,
        features: SecurityFeatures,
    ) -> Self {
        Self {
            key: provider.hmac_sha256.key(secret),
            begin: now,
            lifetime,
            cookie: features.cookie(),
        }
    }

    /// A nonce for a client.
    pub(super) fn issue(&self, now: Instant, client: SocketAddr) -> String {
        let seconds = now.saturating_duration_since(self.begin).as_secs();
        let time = format!("{:08x}", seconds & 0xFFFF_FFFF);
        let tag: String = self.tag(&time, client).iter().map(hexadecimal).collect();
        format!("{}{time}{tag}", self.cookie)
    }

    /// Whether the nonce is one of ours for this client, and not too old (turn-035).
    pub(super) fn is_fresh(&self, now: Instant, client: SocketAddr, nonce: &str) -> bool {
        let Some(rest) = nonce.strip_prefix(&self.cookie) else {
            return false;
        };
        let Some((time, tag)) = rest.split_at_checked(TIME_DIGITS) else {
            return false;
        };
        let Ok(seconds) = u32::from_str_radix(time, 16) else {
            return false;
        };
        let Some(tag) = bytes(tag) else {
            return false;
        };
        let issued = self.begin + Duration::from_secs(seconds.into());
        let (time, address) = (time.as_bytes(), client.to_string());
        // An HMAC of another length would be accepted truncated.
        tag.len() == TAG_LEN
            && self.key.verify(&[time, address.as_bytes()], &tag)
            && now.saturating_duration_since(issued) < self.lifetime
    }

    fn tag(&self, time: &str, client: SocketAddr) -> [u8; TAG_LEN] {
        let mut tag = [0; 32];
        let address = client.to_string();
        self.key
            .sign(&[time.as_bytes(), address.as_bytes()], &mut tag);
        let mut half = [0; TAG_LEN];
        half.copy_from_slice(&tag[..TAG_LEN]);
        half
    }
}

fn hexadecimal(byte: &u8) -> String {
    format!("{byte:02x}")
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.len() > 2 * TAG_LEN {
        return None;
    }
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some instant to start from"
    )]
    #[test]
    fn a_nonce_is_fresh_for_its_client_and_its_time_only() {
        let start = Instant::now();
        let hour = Duration::from_secs(3600);
        let provider = Provider::default();
        let features = SecurityFeatures::new(true, true);
        let nonces = Nonces::new(&provider, b"secret", start, hour, features);
        let now = start + Duration::from_secs(100);
        let client: SocketAddr = "192.0.2.1:5000".parse().unwrap();
        let nonce = nonces.issue(now, client);
        assert_eq!(SecurityFeatures::in_nonce(&nonce), Some(features));
        assert!(nonces.is_fresh(now, client, &nonce));
        let end = now + hour;
        assert!(nonces.is_fresh(end - Duration::from_secs(1), client, &nonce));
        assert!(!nonces.is_fresh(end, client, &nonce));
        let other = "192.0.2.1:5001".parse().unwrap();
        assert!(!nonces.is_fresh(now, other, &nonce));
        for wrong in [
            "",
            "obMatJos2wAAA",
            "obMatJos2wAAA00000064",
            &nonce[..nonce.len() - 2],
            &nonce.replace("00000064", "00000065"),
            &format!("{nonce}00"),
            &nonce.replace("wAAA", "AAAA"),
            "obMatJos2wAAAäääääääää",
        ] {
            assert!(!nonces.is_fresh(now, client, wrong), "{wrong}");
        }
    }
}
