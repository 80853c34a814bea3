//! SRTCP (RFC 3711 §3.4, RFC 7714 §9).

use super::protection::{counting, hex};
use super::{SSRC, Subject, opened_rtcp, protected_rtcp, report};
use crate::TestSeed;
use layer::{SrtpProfile, UnprotectError};

/// What stays in the clear: the first header, and its SSRC.
const CLEAR_LEN: usize = 8;

pub(super) fn both_ways(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        for _ in 0..2 {
            for words in [0, 1, 3, 4, 5, 100, 250] {
                let compound = [report(SSRC, words), report(7, 4)].concat();
                for plain in [report(SSRC, words), compound] {
                    let packet = protected_rtcp(&mut *ends.a, &plain);
                    assert_eq!(packet[..CLEAR_LEN], plain[..CLEAR_LEN], "{profile:?}");
                    let hidden = &packet[CLEAR_LEN..plain.len()];
                    let shown = words > 3 && hidden == &plain[CLEAR_LEN..];
                    assert!(!shown, "{profile:?}: in the clear");
                    let got = opened_rtcp(&mut *ends.b, &packet);
                    assert!(got == Ok(plain), "{profile:?}, {words} words");
                }
            }
            ends.turn();
        }
    });
}

/// A receiver report with one block.
const PLAIN: &str = "81c90007cafebabe000102030405060708090a0b0c0d0e0f1011121314151617";

/// It as the client protects it first, when the exported block is 0, 1, 2, …; computed from the
/// standards by a program that shares nothing with an implementation.
fn standard(profile: SrtpProfile) -> Option<&'static str> {
    match profile {
        SrtpProfile::Aes128CmSha1_80 | SrtpProfile::Aes128CmSha1_32 => Some(
            "81c90007cafebabee53d1295b1a3e0bc1b59f25d2aad79db903439749931b97a\
             80000000e096ae75c38a1876fb77",
        ),
        SrtpProfile::AeadAes128Gcm => Some(
            "81c90007cafebabeb5359774d911faec0aa8999bd80d209afc2add0bd23a5591\
             c10012997d8d16193f8b327983c4ad7f80000000",
        ),
        SrtpProfile::AeadAes256Gcm => Some(
            "81c90007cafebabe05b188d727908ad97ce779f8d55f8d20b8520894250c4dc0\
             538fa3e802f0acc0ada58cd101e73bb280000000",
        ),
        _ => None,
    }
}

pub(super) fn bytes(subject: &Subject, _: &TestSeed) {
    for profile in subject.profiles() {
        let Some(packet) = standard(profile) else {
            continue;
        };
        let mut ends = subject.ends(profile, &counting(profile));
        let got = opened_rtcp(&mut *ends.b, &hex(packet));
        assert_eq!(got, Ok(hex(PLAIN)), "{profile:?}");
    }
}

pub(super) fn once(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        let plain = report(SSRC, 6);
        // RTP of the same source does not count: the two are apart.
        ends.assert_arrives(SSRC, 0);
        let packets: Vec<_> = (0..10)
            .map(|_| protected_rtcp(&mut *ends.a, &plain))
            .collect();
        for packet in packets.iter().rev() {
            assert_eq!(opened_rtcp(&mut *ends.b, packet), Ok(plain.clone()));
        }
        for packet in &packets {
            let again = opened_rtcp(&mut *ends.b, packet);
            assert_eq!(again, Err(UnprotectError::Replayed), "{profile:?}");
        }
        ends.assert_arrives(SSRC, 1);
    });
}
