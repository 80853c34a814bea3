//! Session keys from a master key (RFC 3711 §4.3), with a key derivation rate of 0: once, and for
//! all packets.

use crate::suite::CM_SALT_LEN;
use crypto::{Error, StreamCipher, StreamKey};

/// What a session key is for (RFC 3711 §4.3.2).
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Label {
    RtpEncryption = 0x00,
    RtpAuthentication = 0x01,
    RtpSalt = 0x02,
    RtcpEncryption = 0x03,
    RtcpAuthentication = 0x04,
    RtcpSalt = 0x05,
}

/// Where the label meets the salt: above the 48 bits of the index, which are 0 here.
const LABEL_AT: usize = CM_SALT_LEN - 7;

/// The pseudo-random function of a master key: AES in counter mode (RFC 3711 §4.3.3, RFC 6188 §3).
pub(crate) struct Derivation {
    prf: Box<dyn StreamKey>,
    salt: [u8; CM_SALT_LEN],
}

impl Derivation {
    /// A salt of 96 bits, as GCM has it, is the first 12 bytes of one of 112.
    pub(crate) fn new(
        cipher: &'static dyn StreamCipher,
        master_key: &[u8],
        master_salt: &[u8],
    ) -> Result<Self, Error> {
        let mut salt = [0; CM_SALT_LEN];
        let filled = salt.get_mut(..master_salt.len()).ok_or(Error::Length)?;
        filled.copy_from_slice(master_salt);
        Ok(Self {
            prf: cipher.key(master_key)?,
            salt,
        })
    }

    /// Fills `out` with the session key of that label.
    pub(crate) fn derive(&self, label: Label, out: &mut [u8]) {
        // x = key_id XOR master_salt, and the counter block is x * 2^16.
        let mut block = [0; 16];
        block[..CM_SALT_LEN].copy_from_slice(&self.salt);
        block[LABEL_AT] ^= label as u8;
        out.fill(0);
        self.prf.apply_keystream(&block, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Suite;
    use crypto::Provider;

    fn hex(text: &str) -> Vec<u8> {
        let pairs = text.as_bytes().chunks(2);
        pairs
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    fn derived(suite: Suite, key: &str, salt: &str, label: Label, len: usize) -> Vec<u8> {
        let cipher = suite.stream_cipher(&Provider::default());
        let derivation = Derivation::new(cipher, &hex(key), &hex(salt)).unwrap();
        let mut out = vec![0xff; len];
        derivation.derive(label, &mut out);
        out
    }

    /// RFC 3711 §B.3.
    #[test]
    fn session_keys_of_128_bits_are_those_of_rfc_3711() {
        let derived = |label, len| {
            derived(
                Suite::Aes128CmHmacSha1_80,
                "e1f97a0d3e018be0d64fa32c06de4139",
                "0ec675ad498afeebb6960b3aabe6",
                label,
                len,
            )
        };
        assert_eq!(
            derived(Label::RtpEncryption, 16),
            hex("c61e7a93744f39ee10734afe3ff7a087")
        );
        assert_eq!(
            derived(Label::RtpSalt, 14),
            hex("30cbbc08863d8c85d49db34a9ae1")
        );
        assert_eq!(
            derived(Label::RtpAuthentication, 94),
            hex(
                "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbce\
                 e049646c43d9327ad175578ef72270986371c10c9a369ac2f94a8c5fbcdddc25\
                 6d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2"
            )
        );
    }

    /// RFC 6188 §7.2.
    #[test]
    fn session_keys_of_256_bits_are_those_of_rfc_6188() {
        let derived = |label, len| {
            derived(
                Suite::Aes256CmHmacSha1_80,
                "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
                "3b04803de51ee7c96423ab5b78d2",
                label,
                len,
            )
        };
        assert_eq!(
            derived(Label::RtpEncryption, 32),
            hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4")
        );
        assert_eq!(
            derived(Label::RtpSalt, 14),
            hex("fa31791685ca444a9e07c6c64e93")
        );
        assert_eq!(
            derived(Label::RtpAuthentication, 20),
            hex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05")
        );
    }
}
