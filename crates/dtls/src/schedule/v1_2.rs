//! The PRF of 1.2 and what is made with it (RFC 5246 §5, §6.3, §8.1, RFC 7627 §4, RFC 5705 §4).

use super::Secret;
use crate::record::protection::{Protection, Protection12, iv_len_1_2};
use crate::suite::Cipher;
use crypto::{Hmac, Provider};
use zeroize::Zeroizing;

/// RFC 5246 §8.1.
const MASTER_SECRET_LEN: usize = 48;
/// RFC 5246 §7.4.9.
const VERIFY_DATA_LEN: usize = 12;
/// The longest tag of an [`Hmac`].
const MAX_TAG_LEN: usize = 64;

/// `PRF(secret, label, seed)` (RFC 5246 §5).
fn prf(hmac: &dyn Hmac, secret: &[u8], label: &[u8], seed: &[&[u8]], out: &mut [u8]) {
    let key = hmac.key(secret);
    let len = hmac.tag_len();
    let mut seeds = Vec::with_capacity(seed.len() + 2);
    seeds.push(label);
    seeds.extend_from_slice(seed);
    // A(1) = HMAC(secret, seed), A(i) = HMAC(secret, A(i - 1)).
    let mut a = Zeroizing::new([0; MAX_TAG_LEN]);
    key.sign(&seeds, &mut a[..]);
    for part in out.chunks_mut(len) {
        let mut block = Zeroizing::new([0; MAX_TAG_LEN]);
        let mut with_a: Vec<&[u8]> = vec![&a[..len]];
        with_a.extend_from_slice(&seeds);
        key.sign(&with_a, &mut block[..]);
        part.copy_from_slice(&block[..part.len()]);
        let mut next = Zeroizing::new([0; MAX_TAG_LEN]);
        key.sign(&[&a[..len]], &mut next[..]);
        a = next;
    }
}

/// The master secret and what belongs to it.
#[derive(Debug)]
pub(crate) struct Master {
    hmac: &'static dyn Hmac,
    cipher: Cipher,
    secret: Secret,
    client_random: [u8; 32],
    server_random: [u8; 32],
}

/// Both directions.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) client: Protection,
    pub(crate) server: Protection,
}

impl Master {
    /// RFC 7627 §4: the extended master secret, over the hash of the messages to ClientKeyExchange.
    pub(crate) fn extended(
        provider: &Provider,
        cipher: Cipher,
        shared: &[u8],
        session_hash: &[u8],
        [client_random, server_random]: [[u8; 32]; 2],
    ) -> Self {
        let mut secret = Secret::zeroed(MASTER_SECRET_LEN);
        let hmac = cipher.hmac(provider);
        prf(
            hmac,
            shared,
            b"extended master secret",
            &[session_hash],
            secret.bytes_mut(),
        );
        Self {
            hmac,
            cipher,
            secret,
            client_random,
            server_random,
        }
    }

    fn prf(&self, label: &[u8], seed: &[&[u8]], out: &mut [u8]) {
        prf(self.hmac, self.secret.bytes(), label, seed, out);
    }

    /// RFC 5246 §6.3: of AEADs, two keys and two parts of nonces.
    pub(crate) fn keys(&self, provider: &Provider) -> Result<Keys, crypto::Error> {
        let (key_len, iv_len) = (self.cipher.key_len(), iv_len_1_2(self.cipher));
        let mut block = Zeroizing::new(vec![0; 2 * (key_len + iv_len)]);
        let seed = [&self.server_random[..], &self.client_random];
        self.prf(b"key expansion", &seed, &mut block);
        let (keys, ivs) = block.split_at(2 * key_len);
        let (client_key, server_key) = keys.split_at(key_len);
        let (client_iv, server_iv) = ivs.split_at(iv_len);
        let protection = |key: &[u8], iv: &[u8]| {
            Protection12::new(provider, self.cipher, key, iv).map(Protection::V1_2)
        };
        Ok(Keys {
            client: protection(client_key, client_iv)?,
            server: protection(server_key, server_iv)?,
        })
    }

    /// `verify_data` of the client's Finished.
    pub(crate) fn client_finished(&self, transcript_hash: &[u8]) -> Vec<u8> {
        self.verify_data(b"client finished", transcript_hash)
    }

    /// `verify_data` of the server's Finished.
    pub(crate) fn server_finished(&self, transcript_hash: &[u8]) -> Vec<u8> {
        self.verify_data(b"server finished", transcript_hash)
    }

    fn verify_data(&self, label: &[u8], transcript_hash: &[u8]) -> Vec<u8> {
        let mut out = vec![0; VERIFY_DATA_LEN];
        self.prf(label, &[transcript_hash], &mut out);
        out
    }

    /// Keying material (RFC 5705 §4); `None` for a context that is too long.
    pub(crate) fn export(
        &self,
        label: &[u8],
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Option<()> {
        let len;
        let mut seed = vec![&self.client_random[..], &self.server_random];
        if let Some(context) = context {
            len = u16::try_from(context.len()).ok()?.to_be_bytes();
            seed.extend([&len[..], context]);
        }
        self.prf(label, &seed, out);
        Some(())
    }
}

#[cfg(test)]
#[cfg(feature = "ring")]
mod tests {
    use super::*;
    use crypto::Provider;

    fn hex(text: &str) -> Vec<u8> {
        let pairs = text.as_bytes().chunks(2);
        pairs
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    /// The well-known vector of the PRF with SHA-256, from the list of the IETF TLS working group.
    #[test]
    fn the_prf_gives_the_published_bytes() {
        let mut out = [0; 100];
        prf(
            Provider::default().hmac_sha256,
            &hex("9bbe436ba940f017b17652849a71db35"),
            b"test label",
            &[&hex("a0ba9f936cda311827a6f796ffd5198c")],
            &mut out,
        );
        assert_eq!(
            out.to_vec(),
            hex(
                "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a\
                 6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab\
                 4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701\
                 87347b66"
            )
        );
    }
}
