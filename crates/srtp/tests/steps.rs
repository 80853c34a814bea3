//! The order in which a receiver works (RFC 3711 §3.3), and what the keystream of RTCP hangs on.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use layer::{Srtp, UnprotectError};
use muonrtc_srtp::{Factory, Suite};
use support::{
    SSRC, SUITES, context, header, protect, protect_rtcp, report, unprotect, unprotect_rtcp,
};

const PAYLOAD: &[u8] = b"a payload that is long enough to be told from chance";

/// The packet with another last bit, which is in the tag of RTP.
fn forged(packet: &[u8]) -> Vec<u8> {
    let mut forged = packet.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    forged
}

/// srtp-007: what was seen needs no authentication to be refused, and what is not authentic does
/// not move the window.
#[test]
fn the_window_is_asked_before_authentication_and_moved_after_it() {
    for suite in SUITES {
        let mut sender = context(&Factory::default(), suite);
        let mut receiver = context(&Factory::default(), suite);
        let first = protect(&mut sender, SSRC, 1, PAYLOAD).unwrap();
        let second = protect(&mut sender, SSRC, 2, PAYLOAD).unwrap();
        let far_ahead = protect(&mut sender, SSRC, 30_000, PAYLOAD).unwrap();
        assert!(unprotect(&mut receiver, &second).is_ok(), "{suite:?}");

        let seen = unprotect(&mut receiver, &forged(&second));
        assert_eq!(seen, Err(UnprotectError::Replayed), "{suite:?}");
        let ahead = unprotect(&mut receiver, &forged(&far_ahead));
        assert_eq!(ahead, Err(UnprotectError::Authentication), "{suite:?}");
        assert!(unprotect(&mut receiver, &first).is_ok(), "{suite:?}");
        let stats = receiver.stats();
        let counts = (stats.unprotected, stats.replayed, stats.unauthenticated);
        assert_eq!(counts, (2, 1, 1), "{suite:?}");
    }
}

/// srtp-008, srtp-015: the packet is not decrypted, or what was decrypted is gone, and it is
/// counted.
#[test]
fn nothing_is_released_of_a_packet_that_is_not_authentic() {
    for suite in SUITES {
        let mut sender = context(&Factory::default(), suite);
        let mut receiver = context(&Factory::default(), suite);
        let packet = protect(&mut sender, SSRC, 1, PAYLOAD).unwrap();
        let mut buffer = forged(&packet);
        let refused = receiver.unprotect_in_place(&mut buffer);
        assert_eq!(refused, Err(UnprotectError::Authentication), "{suite:?}");
        assert_eq!(buffer[..12], header(SSRC, 1));
        let shown = |part: &[u8]| buffer.windows(part.len()).any(|window| window == part);
        assert!(!PAYLOAD.chunks_exact(8).any(shown), "{suite:?}");
        assert_eq!(receiver.stats().unauthenticated, 1, "{suite:?}");
    }
}

/// srtp-015: RFC 7714 §13.2.
#[test]
fn a_shorter_tag_of_gcm_is_refused() {
    for suite in [Suite::AeadAes128Gcm, Suite::AeadAes256Gcm] {
        assert_eq!((suite.salt_len(), suite.rtp_overhead()), (12, 16));
        let mut sender = context(&Factory::default(), suite);
        let mut receiver = context(&Factory::default(), suite);
        let packet = protect(&mut sender, SSRC, 1, PAYLOAD).unwrap();
        for tag in 0..16 {
            let cut = &packet[..12 + PAYLOAD.len() + tag];
            assert!(unprotect(&mut receiver, cut).is_err(), "{tag} bytes");
        }
        assert!(unprotect(&mut receiver, &packet).is_ok());
    }
}

/// What was added to a compound of two reports: the first of `first`, the second of `second`.
fn keystream(suite: Suite, first: u32, second: u32) -> Vec<u8> {
    let compound = [report(first), report(second)].concat();
    let mut sender = context(&Factory::default(), suite);
    let packet = protect_rtcp(&mut sender, &compound).unwrap();
    let mut receiver = context(&Factory::default(), suite);
    assert_eq!(unprotect_rtcp(&mut receiver, &packet), Ok(compound.clone()));
    let hidden = packet.iter().zip(&compound).skip(8);
    hidden.map(|(hidden, plain)| hidden ^ plain).collect()
}

/// srtp-013.
#[test]
fn the_first_source_of_a_compound_makes_its_keystream() {
    for suite in SUITES {
        let of_first = keystream(suite, 7, 7);
        assert_eq!(keystream(suite, 7, 8), of_first, "{suite:?}");
        assert_ne!(keystream(suite, 8, 7), of_first, "{suite:?}");
    }
}
