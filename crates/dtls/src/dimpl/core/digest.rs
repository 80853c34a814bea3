use super::context;
use ::dimpl::crypto::{Buf, HashAlgorithm, HashProvider, HmacProvider};
use ::dimpl::{CryptoError, CryptoOperation};
use crypto::HashContext;
use std::panic::AssertUnwindSafe;

/// SHA-256 and SHA-384, which is all that the suites need.
#[derive(Debug)]
pub(super) struct Hashes;

impl HashProvider for Hashes {
    fn create_hash(&self, algorithm: HashAlgorithm) -> Box<dyn ::dimpl::crypto::HashContext> {
        let provider = context::provider();
        let hash = match algorithm {
            HashAlgorithm::SHA384 => provider.sha384,
            _ => provider.sha256,
        };
        Box::new(Digest {
            len: hash.digest_len(),
            context: AssertUnwindSafe(hash.start()),
        })
    }
}

#[derive(Debug)]
struct Digest {
    len: usize,
    context: AssertUnwindSafe<Box<dyn HashContext>>,
}

impl ::dimpl::crypto::HashContext for Digest {
    fn update(&mut self, data: &[u8]) {
        self.context.update(data);
    }

    fn clone_and_finalize(&self, out: &mut Buf) {
        out.clear();
        out.resize(self.len, 0);
        self.context.finish_copy(out);
    }
}

/// HMAC-SHA256 and HMAC-SHA384: the PRF of 1.2, the key schedule of 1.3.
#[derive(Debug)]
pub(super) struct Hmacs;

impl HmacProvider for Hmacs {
    fn hmac(
        &self,
        hash: HashAlgorithm,
        key: &[u8],
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, CryptoError> {
        let provider = context::provider();
        let hmac = match hash {
            HashAlgorithm::SHA256 => provider.hmac_sha256,
            HashAlgorithm::SHA384 => provider.hmac_sha384,
            other => return Err(CryptoError::UnsupportedHmacHash(other)),
        };
        let len = hmac.tag_len();
        if out.len() < len {
            return Err(CryptoError::OperationFailed(CryptoOperation::ComputeHmac));
        }
        hmac.key(key).sign(&[data], out);
        Ok(len)
    }
}
