use chacha20::ChaCha12Rng;
use chacha20::rand_core::Rng;
use crypto::{Provider, SecureRandom};
use std::sync::{Mutex, PoisonError};

/// Where the keys and randoms of one session come from: the provider, and under a deterministic one
/// a generator of the session's own.
#[derive(Debug)]
pub(crate) enum Random {
    Provider(&'static dyn SecureRandom),
    Seeded(Box<Mutex<ChaCha12Rng>>),
}

impl Random {
    /// `generator` is there under a deterministic provider alone.
    pub(crate) fn new(provider: &Provider, generator: Option<ChaCha12Rng>) -> Self {
        match generator {
            Some(generator) => Self::Seeded(Box::new(Mutex::new(generator))),
            None => Self::Provider(provider.random),
        }
    }

    pub(crate) fn array<const N: usize>(&self) -> Result<[u8; N], crypto::Error> {
        let mut out = [0; N];
        self.fill(&mut out)?;
        Ok(out)
    }
}

impl SecureRandom for Random {
    fn fill(&self, out: &mut [u8]) -> Result<(), crypto::Error> {
        match self {
            Self::Provider(random) => random.fill(out),
            Self::Seeded(generator) => {
                let mut generator = generator.lock().unwrap_or_else(PoisonError::into_inner);
                generator.fill_bytes(out);
                Ok(())
            }
        }
    }
}
