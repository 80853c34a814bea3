use crate::{Clock, Random};
use layer::Start;
use std::thread;

/// The environment variable that sets the seed of every seeded test: a decimal number.
pub const SEED_VARIABLE: &str = "MUON_SEED";

/// The seed of this test run: the one in [`SEED_VARIABLE`], else `default`.
///
/// Keep the value until the end of the test: when it is dropped by a panic it prints how to run the
/// same test with the same seed again.
///
/// ```
/// let seed = muonrtc_testkit::seed(7);
/// let mut random = seed.random(b"payloads");
/// assert_eq!(random.bytes(3).len(), 3);
/// ```
///
/// # Panics
///
/// If the variable is set to something that is not a number below 2^64.
#[must_use]
pub fn seed(default: u64) -> TestSeed {
    TestSeed(seed_from_environment().unwrap_or(default))
}

/// Calls `test` once for every seed of `seeds`, or only for the one in [`SEED_VARIABLE`].
///
/// # Panics
///
/// As [`seed`], and with `test`.
pub fn for_each_seed(seeds: impl IntoIterator<Item = u64>, mut test: impl FnMut(&TestSeed)) {
    match seed_from_environment() {
        Some(seed) => test(&TestSeed(seed)),
        None => seeds.into_iter().for_each(|seed| test(&TestSeed(seed))),
    }
}

/// A seed that tells itself when the test that holds it panics.
#[derive(Debug)]
pub struct TestSeed(u64);

impl TestSeed {
    /// The number.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0
    }

    /// A generator for the part of the test with this label.
    #[must_use]
    pub fn random(&self, label: &[u8; 8]) -> Random {
        Random::new(self.0, label)
    }

    /// What a machine gets that is born now; the label keeps the two ends of a pair apart.
    #[must_use]
    pub fn start(&self, clock: &Clock, label: &[u8; 8]) -> Start {
        clock.start(layer_seed(self.0, label))
    }
}

impl Drop for TestSeed {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!(
                "the test failed with {SEED_VARIABLE}={}; set it to repeat this run",
                self.0
            );
        }
    }
}

/// The 32 bytes that a machine with this label gets in a test with this seed.
#[must_use]
pub fn layer_seed(seed: u64, label: &[u8; 8]) -> layer::Seed {
    let mut bytes = [0; 32];
    Random::new(seed, label).fill(&mut bytes);
    layer::Seed::new(bytes)
}

fn seed_from_environment() -> Option<u64> {
    let text = std::env::var(SEED_VARIABLE).ok()?;
    match text.trim().parse() {
        Ok(seed) => Some(seed),
        Err(error) => panic!("{SEED_VARIABLE}={text:?} is not a seed: {error}"),
    }
}
