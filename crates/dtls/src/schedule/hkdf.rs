//! HKDF (RFC 5869) with the labels of DTLS 1.3 (RFC 8446 §7.1, RFC 9147 §5.9).

use super::Secret;
use crate::codec::Write;
use crypto::{Hash, Hmac};
use zeroize::Zeroizing;

/// RFC 9147 §5.9: in the place of `"tls13 "`, and without a space.
const PREFIX: &[u8] = b"dtls13";
/// The longest tag of an [`Hmac`].
const MAX_TAG_LEN: usize = 64;

/// `HKDF-Extract` (RFC 5869 §2.2).
pub(crate) fn extract(hmac: &dyn Hmac, salt: &[u8], input: &[u8]) -> Secret {
    let mut secret = Secret::zeroed(hmac.tag_len());
    hmac.key(salt).sign(&[input], secret.bytes_mut());
    secret
}

/// `HKDF-Expand` (RFC 5869 §2.3); `None` for more than it gives.
fn expand(hmac: &dyn Hmac, secret: &[u8], info: &[u8], out: &mut [u8]) -> Option<()> {
    let key = hmac.key(secret);
    let len = hmac.tag_len();
    let mut block = Zeroizing::new([0; MAX_TAG_LEN]);
    let mut before = 0;
    for (index, part) in out.chunks_mut(len).enumerate() {
        let counter = u8::try_from(index + 1).ok()?;
        let mut next = Zeroizing::new([0; MAX_TAG_LEN]);
        key.sign(&[&block[..before], info, &[counter]], &mut next[..]);
        block = next;
        before = len;
        part.copy_from_slice(&block[..part.len()]);
    }
    Some(())
}

/// `HKDF-Expand-Label` (RFC 8446 §7.1); `None` for more than it gives.
///
/// ```text
/// struct {
///     uint16 length = Length;
///     opaque label<7..255> = "dtls13" + Label;
///     opaque context<0..255> = Context;
/// } HkdfLabel;
/// ```
pub(crate) fn expand_label(
    hmac: &dyn Hmac,
    secret: &Secret,
    label: &[u8],
    context: &[u8],
    out: &mut [u8],
) -> Option<()> {
    if PREFIX.len() + label.len() > 255 || context.len() > 255 {
        return None;
    }
    let mut info = Vec::with_capacity(64);
    info.u16(u16::try_from(out.len()).ok()?);
    info.vec8(|info| {
        info.bytes(PREFIX);
        info.bytes(label);
    });
    info.vec8(|info| info.bytes(context));
    expand(hmac, secret.bytes(), &info, out)
}

/// `Derive-Secret` (RFC 8446 §7.1), of the hash of the messages.
pub(crate) fn derive_secret(
    hmac: &dyn Hmac,
    secret: &Secret,
    label: &[u8],
    transcript_hash: &[u8],
) -> Secret {
    let mut out = Secret::zeroed(hmac.tag_len());
    // A digest of one block, under a label of ours: it always fits.
    let _ = expand_label(hmac, secret, label, transcript_hash, out.bytes_mut());
    out
}

/// The digest of nothing.
pub(crate) fn empty_hash(hash: &dyn Hash) -> Vec<u8> {
    hash.digest(&[])
}

#[cfg(test)]
#[cfg(feature = "ring")]
mod tests {
    use super::*;
    use crypto::Provider;

    /// RFC 5869 §A.1.
    #[test]
    fn extract_and_expand_give_the_published_keys() {
        let hmac = Provider::default().hmac_sha256;
        let salt: Vec<u8> = (0..=12).collect();
        let secret = extract(hmac, &salt, &[0x0B; 22]);
        assert_eq!(secret.bytes()[..4], [0x07, 0x77, 0x09, 0x36]);
        let info: Vec<u8> = (0xF0..=0xF9).collect();
        let mut out = [0; 42];
        expand(hmac, secret.bytes(), &info, &mut out).unwrap();
        assert_eq!(out[..4], [0x3C, 0xB2, 0x5F, 0x25]);
        assert_eq!(out[38..], [0x87, 0x18, 0x58, 0x65]);
    }

    /// RFC 8448 §3: the early secret of a handshake without a pre-shared key.
    #[test]
    fn the_early_secret_is_the_published_one() {
        let secret = extract(Provider::default().hmac_sha256, &[], &[0; 32]);
        assert_eq!(secret.bytes()[..4], [0x33, 0xAD, 0x0A, 0x1C]);
        assert_eq!(secret.bytes()[28..], [0xF1, 0x70, 0xF9, 0x2A]);
    }

    // dtls-034
    #[test]
    fn a_label_is_too_long_before_it_overflows() {
        let hmac = Provider::default().hmac_sha256;
        let secret = Secret::zeroed(32);
        let mut out = [0; 32];
        assert!(expand_label(hmac, &secret, &[b'a'; 249], &[], &mut out).is_some());
        assert!(expand_label(hmac, &secret, &[b'a'; 250], &[], &mut out).is_none());
        assert!(expand_label(hmac, &secret, b"key", &[], &mut [0; 255 * 32 + 1]).is_none());
    }
}
