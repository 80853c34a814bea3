use crate::derivation::{Derivation, Label};
use crate::index::PacketIndex;
use crate::packet::{IndexWord, RTCP_CLEAR_LEN, RtpHeader};
use crate::suite::{CM_SALT_LEN, INDEX_WORD_LEN, SHA1_80_LEN, Suite};
use crypto::{Error, Hmac, HmacKey, StreamCipher, StreamKey};
use zeroize::Zeroizing;

/// The key of HMAC-SHA1, in bytes (RFC 3711 §8.2).
const AUTHENTICATION_KEY_LEN: usize = 20;
/// The largest output of HMAC-SHA1, in bytes.
const FULL_TAG_LEN: usize = 20;
/// What SRTCP adds.
const RTCP_TRAILER_LEN: usize = INDEX_WORD_LEN + SHA1_80_LEN;

/// AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1).
#[derive(Debug)]
pub(crate) struct CounterMode {
    rtp: Keys,
    rtcp: Keys,
    rtp_tag_len: usize,
}

#[derive(Debug)]
struct Keys {
    cipher: Box<dyn StreamKey>,
    salt: Salt,
    authentication: Box<dyn HmacKey>,
}

struct Salt(Zeroizing<[u8; CM_SALT_LEN]>);

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(..)")
    }
}

impl Keys {
    fn new(
        cipher: &'static dyn StreamCipher,
        hmac: &'static dyn Hmac,
        derivation: &Derivation,
        [encryption, authentication, salting]: [Label; 3],
    ) -> Result<Self, Error> {
        let mut key = Zeroizing::new(vec![0; cipher.key_len()]);
        let mut tag_key = Zeroizing::new([0; AUTHENTICATION_KEY_LEN]);
        let mut salt = Zeroizing::new([0; CM_SALT_LEN]);
        derivation.derive(encryption, &mut key);
        derivation.derive(authentication, &mut *tag_key);
        derivation.derive(salting, &mut *salt);
        Ok(Self {
            cipher: cipher.key(&key)?,
            salt: Salt(salt),
            authentication: hmac.key(&*tag_key),
        })
    }

    /// Adds the keystream of a packet (RFC 3711 §4.1.1):
    /// `IV = (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16)`.
    fn apply_keystream(&self, ssrc: u32, index: u64, data: &mut [u8]) {
        let mut iv = [0; 16];
        iv[..CM_SALT_LEN].copy_from_slice(&*self.salt.0);
        let [_, _, index @ ..] = index.to_be_bytes();
        for (byte, other) in iv[4..].iter_mut().zip(ssrc.to_be_bytes()) {
            *byte ^= other;
        }
        for (byte, other) in iv[8..].iter_mut().zip(index) {
            *byte ^= other;
        }
        self.cipher.apply_keystream(&iv, data);
    }

    /// Writes the first bytes of the tag of `parts` into `out`.
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) {
        let mut tag = [0; FULL_TAG_LEN];
        self.authentication.sign(parts, &mut tag);
        out.copy_from_slice(&tag[..out.len()]);
    }
}

impl CounterMode {
    pub(super) fn new(
        suite: Suite,
        cipher: &'static dyn StreamCipher,
        hmac: &'static dyn Hmac,
        derivation: &Derivation,
    ) -> Result<Self, Error> {
        let keys = |labels| Keys::new(cipher, hmac, derivation, labels);
        Ok(Self {
            rtp: keys([
                Label::RtpEncryption,
                Label::RtpAuthentication,
                Label::RtpSalt,
            ])?,
            rtcp: keys([
                Label::RtcpEncryption,
                Label::RtcpAuthentication,
                Label::RtcpSalt,
            ])?,
            rtp_tag_len: suite.rtp_overhead(),
        })
    }

    pub(super) fn seal_rtp(&self, header: RtpHeader, index: PacketIndex, packet: &mut [u8]) {
        let (body, tag) = packet.split_at_mut(packet.len() - self.rtp_tag_len);
        let payload = &mut body[header.len..];
        self.rtp
            .apply_keystream(header.ssrc, index.number(), payload);
        // RFC 3711 §4.2: M is the packet, and behind it the rollover counter, which is not sent.
        self.rtp.sign(&[body, &index.roc.to_be_bytes()], tag);
    }

    pub(super) fn open_rtp(
        &self,
        header: RtpHeader,
        index: PacketIndex,
        packet: &mut [u8],
    ) -> Result<usize, Error> {
        let len = packet.len().checked_sub(self.rtp_tag_len);
        let len = len.filter(|len| *len >= header.len).ok_or(Error::Length)?;
        let (body, tag) = packet.split_at_mut(len);
        let signed = [&*body, &index.roc.to_be_bytes()];
        if !self.rtp.authentication.verify(&signed, tag) {
            return Err(Error::Verification);
        }
        let payload = &mut body[header.len..];
        self.rtp
            .apply_keystream(header.ssrc, index.number(), payload);
        Ok(len)
    }

    pub(super) fn seal_rtcp(&self, ssrc: u32, word: IndexWord, packet: &mut [u8]) {
        let (signed, tag) = packet.split_at_mut(packet.len() - SHA1_80_LEN);
        let (body, trailer) = signed.split_at_mut(signed.len() - INDEX_WORD_LEN);
        trailer.copy_from_slice(&word.to_bytes());
        if word.encrypted {
            let clear = &mut body[RTCP_CLEAR_LEN..];
            self.rtcp
                .apply_keystream(ssrc, u64::from(word.index), clear);
        }
        // RFC 3711 §4.2: for SRTCP M is the packet with E flag and index.
        self.rtcp.sign(&[signed], tag);
    }

    pub(super) fn index_word(packet: &[u8]) -> Option<IndexWord> {
        let trailer = packet.len().checked_sub(RTCP_TRAILER_LEN)?;
        if trailer < RTCP_CLEAR_LEN {
            return None;
        }
        packet[trailer..]
            .first_chunk()
            .map(|word| IndexWord::from_bytes(*word))
    }

    pub(super) fn open_rtcp(
        &self,
        ssrc: u32,
        word: IndexWord,
        packet: &mut [u8],
    ) -> Result<usize, Error> {
        let len = packet.len().checked_sub(RTCP_TRAILER_LEN);
        let len = len
            .filter(|len| *len >= RTCP_CLEAR_LEN)
            .ok_or(Error::Length)?;
        let (signed, tag) = packet.split_at_mut(len + INDEX_WORD_LEN);
        if !self.rtcp.authentication.verify(&[signed], tag) {
            return Err(Error::Verification);
        }
        if word.encrypted {
            let hidden = &mut signed[RTCP_CLEAR_LEN..len];
            self.rtcp
                .apply_keystream(ssrc, u64::from(word.index), hidden);
        }
        Ok(len)
    }
}
