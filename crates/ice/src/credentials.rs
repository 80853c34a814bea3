//! User name fragments and passwords (RFC 8445 §5.3, RFC 8839 §5.4).

use chacha20::ChaCha12Rng;
use chacha20::rand_core::Rng;
use layer::Credentials;

const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// 48 bits, of at least 24 (ice-015).
const FRAGMENT_LEN: usize = 8;

/// 144 bits, of at least 128 (ice-015).
const PASSWORD_LEN: usize = 24;

/// Fresh credentials.
pub(crate) fn generate(rng: &mut ChaCha12Rng) -> Credentials {
    Credentials::new(text(rng, FRAGMENT_LEN), text(rng, PASSWORD_LEN))
}

fn text(rng: &mut ChaCha12Rng, len: usize) -> String {
    let mut bytes = [0; PASSWORD_LEN];
    let bytes = &mut bytes[..len];
    rng.fill_bytes(bytes);
    bytes
        .iter()
        .map(|byte| char::from(ICE_CHARS[usize::from(byte & 63)]))
        .collect()
}

/// Whether both parts keep the grammar (RFC 8839 §5.4).
pub(crate) fn well_formed(credentials: &Credentials) -> bool {
    is_ice_text(&credentials.username_fragment, 4) && is_ice_text(&credentials.password, 22)
}

fn is_ice_text(text: &str, min: usize) -> bool {
    (min..=256).contains(&text.len()) && text.bytes().all(|byte| ICE_CHARS.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::rand_core::SeedableRng;

    // ice-015
    #[test]
    fn credentials_are_long_enough_well_formed_and_never_the_same() {
        let mut rng = ChaCha12Rng::from_seed([7; 32]);
        let first = generate(&mut rng);
        let second = generate(&mut rng);
        assert!(well_formed(&first) && well_formed(&second));
        assert!(first.username_fragment.len() * 6 >= 24);
        assert!(first.password.len() * 6 >= 128);
        assert_ne!(first, second);
    }

    // ice-015
    #[test]
    fn the_grammar_is_checked() {
        let password = "p".repeat(22);
        for (fragment, good) in [
            ("abc", false),
            ("abcd", true),
            ("ab+/", true),
            ("ab:d", false),
            ("abcé", false),
            (&*"u".repeat(256), true),
            (&*"u".repeat(257), false),
        ] {
            let credentials = Credentials::new(fragment, &*password);
            assert_eq!(well_formed(&credentials), good, "{fragment}");
        }
        assert!(!well_formed(&Credentials::new("abcd", "p".repeat(21))));
        assert!(!well_formed(&Credentials::new("abcd", "p".repeat(257))));
    }
}
