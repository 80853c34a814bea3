use crate::{Hash, HashContext};
use ring::digest::{self, Algorithm};
use std::fmt;

/// A hash function of ring.
#[derive(Debug)]
pub(super) struct Digest(&'static Algorithm);

pub(super) static SHA1: Digest = Digest(&digest::SHA1_FOR_LEGACY_USE_ONLY);
pub(super) static SHA256: Digest = Digest(&digest::SHA256);
pub(super) static SHA384: Digest = Digest(&digest::SHA384);
pub(super) static SHA512: Digest = Digest(&digest::SHA512);

impl Hash for Digest {
    fn digest_len(&self) -> usize {
        self.0.output_len()
    }

    fn start(&self) -> Box<dyn HashContext> {
        Box::new(Context(digest::Context::new(self.0)))
    }

    fn digest(&self, data: &[u8]) -> Vec<u8> {
        digest::digest(self.0, data).as_ref().to_vec()
    }
}

struct Context(digest::Context);

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Context").field(self.0.algorithm()).finish()
    }
}

impl HashContext for Context {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finish_copy(&self, out: &mut [u8]) {
        let digest = self.0.clone().finish();
        out[..digest.as_ref().len()].copy_from_slice(digest.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::vector::hex;

    /// FIPS 180-4, the one-block message "abc".
    #[test]
    fn the_digests_of_abc_are_those_of_fips_180() {
        let cases: [(&Digest, &str); 4] = [
            (&SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                &SHA256,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                &SHA384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
                 8086072ba1e7cc2358baeca134c825a7",
            ),
            (
                &SHA512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ];
        for (hash, expected) in cases {
            assert_eq!(hash.digest(b"abc"), hex(expected), "{hash:?}");
        }
    }

    #[test]
    fn a_context_goes_on_after_a_digest_was_taken() {
        let mut context = SHA256.start();
        context.update(b"ab");
        let mut first = [0; 32];
        context.finish_copy(&mut first);
        context.update(b"c");
        let mut second = [0; 32];
        context.finish_copy(&mut second);
        assert_eq!(first.to_vec(), SHA256.digest(b"ab"));
        assert_eq!(second.to_vec(), SHA256.digest(b"abc"));
    }
}
