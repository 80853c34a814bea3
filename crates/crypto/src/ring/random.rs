use crate::{Error, SecureRandom};
use ring::rand::SystemRandom;

/// The operating system's generator.
#[derive(Debug)]
pub(super) struct OperatingSystem;

impl SecureRandom for OperatingSystem {
    fn fill(&self, out: &mut [u8]) -> Result<(), Error> {
        ring::rand::SecureRandom::fill(&system(), out).map_err(|_| Error::Random)
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a crypto provider is where OS randomness enters"
)]
pub(super) fn system() -> SystemRandom {
    SystemRandom::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let (mut a, mut b) = ([0; 32], [0; 32]);
        OperatingSystem.fill(&mut a).unwrap();
        OperatingSystem.fill(&mut b).unwrap();
        assert_ne!(a, b);
    }
}
