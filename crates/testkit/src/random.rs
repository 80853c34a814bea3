use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use std::time::Duration;

/// A seeded generator for tests: the same seed and label give the same values on every machine.
///
/// Generators with different labels are independent, so that one part of a test can draw more
/// values without disturbing another.
#[derive(Debug)]
pub struct Random(ChaCha12Rng);

impl Random {
    /// The generator of that seed and label.
    #[must_use]
    pub fn new(seed: u64, label: &[u8; 8]) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_be_bytes());
        let mut generator = ChaCha12Rng::from_seed(key);
        generator.set_stream(u64::from_be_bytes(*label));
        Self(generator)
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 to `bound - 1`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.0.next_u64()) * (bound as u128);
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// `true` with this probability; 0.0 never, 1.0 always. Draws one value in any case.
    pub fn chance(&mut self, probability: f64) -> bool {
        f64::from(self.0.next_u32()) < probability * 4_294_967_296.0
    }

    /// A duration from zero to just below `bound`. Draws one value in any case.
    pub fn duration(&mut self, bound: Duration) -> Duration {
        bound.mul_f64(f64::from(self.0.next_u32()) / 4_294_967_296.0)
    }

    /// Fills `out`.
    pub fn fill(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }

    /// `len` random bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.fill(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_label_give_the_same_values() {
        let draw = |seed, label| Random::new(seed, label).bytes(64);
        assert_eq!(draw(1, b"link a>b"), draw(1, b"link a>b"));
        assert_ne!(draw(1, b"link a>b"), draw(1, b"link b>a"));
        assert_ne!(draw(1, b"link a>b"), draw(2, b"link a>b"));
    }

    #[test]
    fn never_and_always_are_exact() {
        let mut random = Random::new(3, b"chances ");
        assert!((0..10_000).all(|_| random.chance(1.0) && !random.chance(0.0)));
        assert!((0..10_000).all(|_| random.below(7) < 7));
    }
}
