use std::fmt;

/// A hash function.
pub trait Hash: Send + Sync + fmt::Debug {
    /// The length of a digest, in bytes; at most 64.
    fn digest_len(&self) -> usize;

    /// Begins a digest.
    fn start(&self) -> Box<dyn HashContext>;

    /// The digest of `data`.
    fn digest(&self, data: &[u8]) -> Vec<u8> {
        let mut context = self.start();
        context.update(data);
        let mut out = vec![0; self.digest_len()];
        context.finish_copy(&mut out);
        out
    }
}

/// A digest under way.
pub trait HashContext: Send + Sync + fmt::Debug {
    /// Adds bytes.
    fn update(&mut self, data: &[u8]);

    /// Writes the digest of all bytes so far into the first [`Hash::digest_len`] bytes of `out`;
    /// the context can go on.
    ///
    /// # Panics
    ///
    /// If `out` is shorter than a digest.
    fn finish_copy(&self, out: &mut [u8]);
}
