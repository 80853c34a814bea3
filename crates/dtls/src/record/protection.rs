//! How a record is protected: the nonce, the associated data, and where the content type stands.

use super::header::{self, Header};
use super::unified::{self, Unified};
use super::{ContentType, MAX_PLAINTEXT};
use crate::suite::Cipher;
use crypto::{AeadKey, MaskKey, Provider};
use std::ops::Range;

/// The tag of all three AEADs.
pub(crate) const TAG_LEN: usize = 16;
/// RFC 5288 §3: the part of a GCM nonce that each record carries.
const EXPLICIT_NONCE_LEN: usize = 8;
/// RFC 9147 §4.2.3: what the mask is made of.
const SAMPLE_LEN: usize = 16;

/// The most that protection adds to a plaintext in 1.2: header, explicit nonce, tag.
pub(crate) const OVERHEAD_1_2: usize = header::HEADER_LEN + EXPLICIT_NONCE_LEN + TAG_LEN;
/// And in 1.3: header, content type, tag.
pub(crate) const OVERHEAD_1_3: usize = unified::HEADER_LEN + 1 + TAG_LEN;

/// The keys of one direction in one epoch. `Debug` shows none of them.
#[derive(Debug)]
pub(crate) enum Protection {
    /// Epoch 0.
    Plaintext,
    V1_2(Protection12),
    V1_3(Protection13),
}

/// RFC 5246 §6.2.3.3.
#[derive(Debug)]
pub(crate) struct Protection12 {
    key: Box<dyn AeadKey>,
    iv: Iv,
}

/// RFC 9147 §4.2, RFC 8446 §5.2.
#[derive(Debug)]
pub(crate) struct Protection13 {
    key: Box<dyn AeadKey>,
    iv: Iv,
    mask: Box<dyn MaskKey>,
}

/// The secret part of a nonce.
#[derive(Clone, Copy)]
enum Iv {
    /// RFC 5288 §3: four bytes of salt, and eight that each record carries.
    Explicit([u8; 4]),
    /// RFC 7905 §2, RFC 8446 §5.3: twelve bytes, with the record number on top.
    Implicit([u8; 12]),
}

impl Iv {
    /// How much of a nonce each record carries.
    fn explicit_len(self) -> usize {
        match self {
            Self::Explicit(_) => EXPLICIT_NONCE_LEN,
            Self::Implicit(_) => 0,
        }
    }

    /// `explicit` is what the record carries.
    fn nonce(self, number: u64, explicit: &[u8]) -> [u8; 12] {
        match self {
            Self::Explicit(salt) => {
                let mut nonce = [0; 12];
                nonce[..4].copy_from_slice(&salt);
                nonce[4..].copy_from_slice(explicit);
                nonce
            }
            Self::Implicit(iv) => exclusive_or(iv, number),
        }
    }
}

impl std::fmt::Debug for Iv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Iv(..)")
    }
}

/// How long the implicit part of a nonce is in 1.2.
pub(crate) fn iv_len_1_2(cipher: Cipher) -> usize {
    match cipher {
        Cipher::ChaCha20Poly1305Sha256 => 12,
        Cipher::Aes128GcmSha256 | Cipher::Aes256GcmSha384 => 4,
    }
}

impl Protection12 {
    /// From the parts of the key block (RFC 5246 §6.3); `iv` has [`iv_len_1_2`] bytes.
    pub(crate) fn new(
        provider: &Provider,
        cipher: Cipher,
        key: &[u8],
        iv: &[u8],
    ) -> Result<Self, crypto::Error> {
        let iv = match cipher {
            Cipher::ChaCha20Poly1305Sha256 => iv.try_into().map(Iv::Implicit),
            Cipher::Aes128GcmSha256 | Cipher::Aes256GcmSha384 => iv.try_into().map(Iv::Explicit),
        };
        Ok(Self {
            key: cipher.aead(provider).key(key)?,
            iv: iv.map_err(|_| crypto::Error::Length)?,
        })
    }

    /// RFC 5246 §6.2.3.3: epoch and sequence number, type, version, length of the plaintext.
    fn associated(header: Header, plaintext_len: u16) -> [u8; 13] {
        let [kind, v0, v1, number @ .., _, _] = header.to_bytes();
        let mut out = [0; 13];
        out[..8].copy_from_slice(&number);
        out[8..11].copy_from_slice(&[kind, v0, v1]);
        out[11..].copy_from_slice(&plaintext_len.to_be_bytes());
        out
    }

    fn seal(&self, mut header: Header, plaintext: &[u8], out: &mut [u8]) -> Option<usize> {
        let explicit_len = self.iv.explicit_len();
        let number = header.number();
        let associated = Self::associated(header, u16::try_from(plaintext.len()).ok()?);
        let body_len = explicit_len + plaintext.len() + TAG_LEN;
        header.length = u16::try_from(body_len).ok()?;
        let len = header::HEADER_LEN + body_len;
        let (head, body) = out.get_mut(..len)?.split_at_mut(header::HEADER_LEN);
        head.copy_from_slice(&header.to_bytes());
        let (explicit, body) = body.split_at_mut(explicit_len);
        // RFC 5288 §3: any value that never comes again will do; the record number is one.
        explicit.copy_from_slice(&number.to_be_bytes()[..explicit_len]);
        let nonce = self.iv.nonce(number, explicit);
        let (data, tag) = body.split_last_chunk_mut::<TAG_LEN>()?;
        data.copy_from_slice(plaintext);
        self.key
            .seal_in_place(&nonce, &associated, data, tag)
            .ok()?;
        Some(len)
    }

    /// The plaintext's place in `fragment`.
    fn open(&self, header: Header, fragment: &mut [u8]) -> Option<Range<usize>> {
        let explicit_len = self.iv.explicit_len();
        let (explicit, data) = fragment.split_at_mut_checked(explicit_len)?;
        let plaintext_len = u16::try_from(data.len().checked_sub(TAG_LEN)?).ok()?;
        let associated = Self::associated(header, plaintext_len);
        let nonce = self.iv.nonce(header.number(), explicit);
        let len = self.key.open_in_place(&nonce, &associated, data).ok()?;
        Some(explicit_len..explicit_len + len)
    }
}

impl Protection13 {
    pub(crate) fn new(
        provider: &Provider,
        cipher: Cipher,
        key: &[u8],
        iv: [u8; 12],
        record_number_key: &[u8],
    ) -> Result<Self, crypto::Error> {
        Ok(Self {
            key: cipher.aead(provider).key(key)?,
            iv: Iv::Implicit(iv),
            mask: cipher.mask(provider).key(record_number_key)?,
        })
    }

    fn seal(
        &self,
        content: ContentType,
        epoch: u64,
        sequence: u64,
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Option<usize> {
        // RFC 9147 §4.2.3: the ciphertext has a sample, which tag and content type see to alone.
        let body_len = plaintext.len() + 1 + TAG_LEN;
        let header = Unified::write(epoch, sequence, u16::try_from(body_len).ok()?);
        let len = unified::HEADER_LEN + body_len;
        let (head, body) = out.get_mut(..len)?.split_at_mut(unified::HEADER_LEN);
        let (data, tag) = body.split_last_chunk_mut::<TAG_LEN>()?;
        let (inner, kind) = data.split_at_mut(plaintext.len());
        inner.copy_from_slice(plaintext);
        kind[0] = content as u8;
        let nonce = self.iv.nonce(sequence, &[]);
        self.key.seal_in_place(&nonce, &header, data, tag).ok()?;
        head.copy_from_slice(&header);
        let mask = self.mask.mask(body.first_chunk::<SAMPLE_LEN>()?);
        head[1] ^= mask[0];
        head[2] ^= mask[1];
        Some(len)
    }

    /// Takes the mask off the sequence number of the record at the front; `None` for a ciphertext
    /// under 16 bytes (RFC 9147 §4.2.3). Doing it again puts it on.
    pub(crate) fn unmask(&self, header: Unified, record: &mut [u8]) -> Option<u16> {
        let (head, body) = record.split_at_mut_checked(header.header_len)?;
        let mask = self.mask.mask(body.first_chunk::<SAMPLE_LEN>()?);
        let mut low = 0;
        for (byte, mask) in head[1..].iter_mut().zip(mask).take(header.sequence_len) {
            *byte ^= mask;
            low = low << 8 | u16::from(*byte);
        }
        Some(low)
    }

    /// The content's type and place in `record`, whose sequence number is unmasked.
    pub(crate) fn open(
        &self,
        header: Unified,
        sequence: u64,
        record: &mut [u8],
    ) -> Option<(u8, Range<usize>)> {
        let end = header.header_len + header.length;
        let (head, body) = record.get_mut(..end)?.split_at_mut(header.header_len);
        let nonce = self.iv.nonce(sequence, &[]);
        let len = self.key.open_in_place(&nonce, head, body).ok()?;
        // RFC 8446 §5.4: padding is zeros behind the content type.
        let at = body[..len].iter().rposition(|byte| *byte != 0)?;
        Some((body[at], header.header_len..header.header_len + at))
    }
}

impl Protection {
    /// The most that [`seal`](Protection::seal) adds.
    pub(crate) fn overhead(&self) -> usize {
        match self {
            Self::Plaintext => header::HEADER_LEN,
            Self::V1_2(_) => OVERHEAD_1_2,
            Self::V1_3(_) => OVERHEAD_1_3,
        }
    }

    /// Writes a record into `out` and returns its length; `None` if it does not fit.
    pub(crate) fn seal(
        &self,
        content: ContentType,
        epoch: u64,
        sequence: u64,
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Option<usize> {
        if plaintext.len() > MAX_PLAINTEXT {
            return None;
        }
        if let Self::V1_3(keys) = self {
            return keys.seal(content, epoch, sequence, plaintext, out);
        }
        let header = Header {
            content,
            epoch: u16::try_from(epoch).ok()?,
            sequence,
            length: u16::try_from(plaintext.len()).ok()?,
        };
        if let Self::V1_2(keys) = self {
            return keys.seal(header, plaintext, out);
        }
        let len = header::HEADER_LEN + plaintext.len();
        let (head, body) = out.get_mut(..len)?.split_at_mut(header::HEADER_LEN);
        head.copy_from_slice(&header.to_bytes());
        body.copy_from_slice(plaintext);
        Some(len)
    }
}

impl Protection12 {
    /// Opens a whole record in place; the range is in `record`.
    pub(crate) fn open_record(&self, header: Header, record: &mut [u8]) -> Option<Range<usize>> {
        let end = header::HEADER_LEN + usize::from(header.length);
        let fragment = record.get_mut(header::HEADER_LEN..end)?;
        let range = self.open(header, fragment)?;
        Some(header::HEADER_LEN + range.start..header::HEADER_LEN + range.end)
    }
}

/// RFC 8446 §5.3: the number, padded to the left, on top of the secret part.
fn exclusive_or(mut iv: [u8; 12], number: u64) -> [u8; 12] {
    for (byte, number) in iv[4..].iter_mut().zip(number.to_be_bytes()) {
        *byte ^= number;
    }
    iv
}

#[cfg(test)]
#[cfg(feature = "ring")]
mod tests {
    use super::*;

    const CIPHERS: [Cipher; 3] = [
        Cipher::Aes128GcmSha256,
        Cipher::Aes256GcmSha384,
        Cipher::ChaCha20Poly1305Sha256,
    ];

    fn keys_1_2(cipher: Cipher) -> Protection12 {
        let (key, iv) = (vec![1; cipher.key_len()], vec![2; iv_len_1_2(cipher)]);
        Protection12::new(&Provider::default(), cipher, &key, &iv).unwrap()
    }

    fn keys_1_3(cipher: Cipher) -> Protection13 {
        let key = vec![1; cipher.key_len()];
        Protection13::new(&Provider::default(), cipher, &key, [2; 12], &key).unwrap()
    }

    #[test]
    fn records_of_1_2_open_to_what_was_sealed() {
        for cipher in CIPHERS {
            let mut out = [0; 200];
            let sealing = Protection::V1_2(keys_1_2(cipher));
            let content = ContentType::ApplicationData;
            let len = sealing.seal(content, 1, 7, b"text", &mut out).unwrap();
            assert!(len <= 4 + sealing.overhead());
            let header = Header::parse(&out[..len]).unwrap();
            assert_eq!((header.epoch, header.sequence), (1, 7));
            let range = keys_1_2(cipher)
                .open_record(header, &mut out[..len])
                .unwrap();
            assert_eq!(&out[range], b"text");
        }
    }

    // dtls-033
    #[test]
    fn records_of_1_3_open_to_what_was_sealed_and_hide_their_number() {
        for cipher in CIPHERS {
            let mut out = [0; 200];
            let sealing = Protection::V1_3(keys_1_3(cipher));
            let len = sealing
                .seal(ContentType::Ack, 3, 0x1_0007, b"", &mut out)
                .unwrap();
            assert_eq!(len, OVERHEAD_1_3);
            let header = Unified::parse(&out[..len]).unwrap();
            let masked = out;
            let keys = keys_1_3(cipher);
            assert_eq!(keys.unmask(header, &mut out), Some(7));
            assert_ne!(masked[1..3], out[1..3]);
            let (kind, range) = keys.open(header, 0x1_0007, &mut out).unwrap();
            assert_eq!((kind, range.len()), (ContentType::Ack as u8, 0));
        }
    }

    #[test]
    fn a_changed_bit_anywhere_opens_nothing() {
        let mut sealed = [0; 60];
        let sealing = Protection::V1_3(keys_1_3(Cipher::Aes128GcmSha256));
        let content = ContentType::ApplicationData;
        let len = sealing.seal(content, 3, 1, b"text", &mut sealed).unwrap();
        let keys = keys_1_3(Cipher::Aes128GcmSha256);
        for at in 0..len * 8 {
            let mut changed = sealed;
            changed[at / 8] ^= 1 << (at % 8);
            let Some(header) = Unified::parse(&changed[..len]) else {
                continue;
            };
            let Some(low) = keys.unmask(header, &mut changed[..len]) else {
                continue;
            };
            let opened = keys.open(header, low.into(), &mut changed[..len]);
            assert_eq!(opened, None, "bit {at}");
        }
    }

    #[test]
    fn what_does_not_fit_is_not_sealed() {
        let sealing = Protection::V1_3(keys_1_3(Cipher::Aes128GcmSha256));
        let content = ContentType::ApplicationData;
        assert_eq!(sealing.seal(content, 3, 1, b"text", &mut [0; 25]), None);
        let large = vec![0; MAX_PLAINTEXT + 1];
        let mut out = vec![0; large.len() + 100];
        assert_eq!(sealing.seal(content, 3, 1, &large, &mut out), None);
    }
}
