use crate::{Hash, HashContext};
use ::md5::Digest;
use std::fmt;

/// MD5 of RustCrypto.
#[derive(Debug)]
pub(super) struct Md5;

impl Hash for Md5 {
    fn digest_len(&self) -> usize {
        16
    }

    fn start(&self) -> Box<dyn HashContext> {
        Box::new(Context(::md5::Md5::new()))
    }
}

struct Context(::md5::Md5);

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context(MD5)")
    }
}

impl HashContext for Context {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finish_copy(&self, out: &mut [u8]) {
        out[..16].copy_from_slice(&self.0.clone().finalize());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::vector::hex;

    /// RFC 1321 §A.5
    #[test]
    fn the_digests_are_those_of_rfc_1321() {
        for (text, digest) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        ] {
            assert_eq!(Md5.digest(text.as_bytes()), hex(digest), "{text}");
        }
    }
}
