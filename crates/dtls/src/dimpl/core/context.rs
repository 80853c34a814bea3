use crate::alert::Alert;
use ::dimpl::{CryptoError, CryptoOperation};
use chacha20::ChaCha12Rng;
use chacha20::rand_core::Rng;
use crypto::{MaskKey, SecureRandom, StreamCipher, StreamKey};
use layer::Certificate;
use std::cell::RefCell;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What the adapters need of the session that is at work.
pub(crate) struct Context {
    pub(super) provider: crypto::Provider,
    pub(super) certificate: Option<Arc<dyn Certificate>>,
    pub(super) negotiated: Negotiated,
    /// What a close says; dimpl itself only knows `close_notify`.
    pub(super) alert: Alert,
    /// How many records were authentic so far.
    pub(super) opened: u64,
    random: Option<ChaCha12Rng>,
    masks: Vec<Mask>,
}

/// What passed through the adapters during the handshake, in IANA's numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Negotiated {
    pub(crate) cipher_suite: Option<u16>,
    pub(crate) group: Option<u16>,
    pub(crate) signature_scheme: Option<u16>,
}

/// A prepared record-number key.
struct Mask {
    key: Zeroizing<Vec<u8>>,
    prepared: PreparedMask,
}

/// What makes a mask. dimpl checks all bytes of an AES block, of which sequence numbers need two.
#[derive(Clone, Copy, Debug)]
pub(super) enum MaskMaker {
    Aes(&'static dyn StreamCipher),
    ChaCha20(&'static dyn crypto::Mask),
}

enum PreparedMask {
    Aes(Box<dyn StreamKey>),
    ChaCha20(Box<dyn MaskKey>),
}

/// Two directions, in this epoch and the one before.
const MAX_MASKS: usize = 4;

thread_local! {
    static CURRENT: RefCell<Option<Box<Context>>> = const { RefCell::new(None) };
}

/// Lends the context to the adapters while `work` runs on this thread.
pub(super) fn enter<R>(slot: &mut Option<Box<Context>>, work: impl FnOnce() -> R) -> R {
    /// Gives it back, also when `work` panics.
    struct Lent<'a> {
        slot: &'a mut Option<Box<Context>>,
        outer: Option<Box<Context>>,
    }
    impl Drop for Lent<'_> {
        fn drop(&mut self) {
            *self.slot = CURRENT.replace(self.outer.take());
        }
    }
    let outer = CURRENT.replace(slot.take());
    let _lent = Lent { slot, outer };
    work()
}

/// The context at work.
///
/// # Panics
///
/// Outside of [`enter`], where dimpl never runs. `look` must not call into user code.
pub(super) fn with<R>(look: impl FnOnce(&mut Context) -> R) -> R {
    CURRENT.with_borrow_mut(|current| {
        let context = current
            .as_mut()
            .expect("dimpl runs inside the context of its session");
        look(context)
    })
}

/// The provider of the session at work.
pub(super) fn provider() -> crypto::Provider {
    with(|context| context.provider)
}

impl Context {
    pub(super) fn new(
        provider: crypto::Provider,
        certificate: Option<Arc<dyn Certificate>>,
        random: Option<ChaCha12Rng>,
    ) -> Self {
        Self {
            provider,
            certificate,
            negotiated: Negotiated::default(),
            alert: Alert::CLOSE_NOTIFY,
            opened: 0,
            random,
            masks: Vec::new(),
        }
    }

    /// The mask of a sample (RFC 9147 §4.2.3). Keys are prepared once.
    pub(super) fn mask(&mut self, maker: MaskMaker, key: &[u8], sample: &[u8; 16]) -> [u8; 16] {
        if let Some(mask) = self.masks.iter().find(|mask| mask.key.as_slice() == key) {
            return mask.prepared.mask(sample);
        }
        let Ok(prepared) = maker.prepare(key) else {
            // dimpl derives the key with the length of the suite: this cannot happen.
            return [0; 16];
        };
        if self.masks.len() == MAX_MASKS {
            self.masks.remove(0);
        }
        let mask = prepared.mask(sample);
        self.masks.push(Mask {
            key: Zeroizing::new(key.to_vec()),
            prepared,
        });
        mask
    }
}

impl MaskMaker {
    fn prepare(self, key: &[u8]) -> Result<PreparedMask, crypto::Error> {
        Ok(match self {
            Self::Aes(cipher) => PreparedMask::Aes(cipher.key(key)?),
            Self::ChaCha20(mask) => PreparedMask::ChaCha20(mask.key(key)?),
        })
    }
}

impl PreparedMask {
    fn mask(&self, sample: &[u8; 16]) -> [u8; 16] {
        let mut mask = [0; 16];
        match self {
            // The first block of the keystream is the encrypted counter.
            Self::Aes(key) => key.apply_keystream(sample, &mut mask),
            Self::ChaCha20(key) => mask[..5].copy_from_slice(&key.mask(sample)),
        }
        mask
    }
}

/// The random source of the session at work: its own generator under a deterministic provider.
#[derive(Debug)]
pub(super) struct Random;

impl SecureRandom for Random {
    fn fill(&self, out: &mut [u8]) -> Result<(), crypto::Error> {
        let source = with(|context| match &mut context.random {
            Some(generator) => {
                generator.fill_bytes(out);
                None
            }
            None => Some(context.provider.random),
        });
        source.map_or(Ok(()), |source| source.fill(out))
    }
}

impl ::dimpl::crypto::SecureRandom for Random {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        SecureRandom::fill(self, out)
            .map_err(|_| CryptoError::OperationFailed(CryptoOperation::FillRandom))
    }
}
