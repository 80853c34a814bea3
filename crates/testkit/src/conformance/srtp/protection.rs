//! What protection does to a packet.

use super::{
    Ends, HEADER_LEN, ROOM, SSRC, Subject, header, opened, protected, protected_rtcp, report,
};
use crate::{Clock, TestSeed};
use layer::{ProtectError, SrtpConfig, SrtpProfile, UnprotectError};

const ALL_PROFILES: [SrtpProfile; 4] = [
    SrtpProfile::AeadAes128Gcm,
    SrtpProfile::AeadAes256Gcm,
    SrtpProfile::Aes128CmSha1_80,
    SrtpProfile::Aes128CmSha1_32,
];

pub(super) fn profiles(subject: &Subject, seed: &TestSeed) {
    let factory = (subject.factories[0])();
    let start = seed.start(&Clock::new(), b"srtp    ");
    let listed = factory.profiles().to_vec();
    assert!(!listed.is_empty(), "there is a profile");
    for (at, profile) in listed.iter().enumerate() {
        assert!(!listed[..at].contains(profile), "{profile:?} once");
    }
    for profile in ALL_PROFILES {
        let block = seed.random(b"srtp key").bytes(profile.keying_len());
        let Some(config) = SrtpConfig::from_keying_material(profile, true, &block) else {
            panic!("{profile:?} has no keys");
        };
        let mut changed = [(); 4].map(|()| config.clone());
        changed[0].local_key.push(0);
        changed[1].local_salt.pop();
        changed[2].remote_key.pop();
        changed[3].remote_salt.push(0);
        for config in changed {
            let refused = factory.new_srtp(start, config).err();
            assert_eq!(refused, Some(ProtectError::Profile), "{profile:?}");
        }
        let made = factory.new_srtp(start, config);
        if listed.contains(&profile) {
            assert!(made.is_ok(), "{profile:?} is listed");
        } else {
            let refused = made.err();
            assert_eq!(refused, Some(ProtectError::Profile), "{profile:?}");
        }
    }
}

/// A packet with a source and an extension; its number is 65535, and of the second 0.
const PLAIN: &str = "91e0ffffdecafbadcafebabe0000002abede000110ff0000\
                     746865207061796c6f6164206f662061207061636b6574";
const PLAIN_HEADER_LEN: usize = 24;

/// The two packets as the client protects them, when the exported block is 0, 1, 2, …; computed
/// from the standards by a program that shares nothing with an implementation.
fn standard(profile: SrtpProfile) -> Option<[&'static str; 2]> {
    Some(match profile {
        SrtpProfile::Aes128CmSha1_80 => [
            "91e0ffffdecafbadcafebabe0000002abede000110ff0000\
             ddcaaf8dee281f2799941f52423bf553d58726af5b5fde\
             da54ce4a15c0bb795974",
            "91e00000decafbadcafebabe0000002abede000110ff0000\
             ada4e2bc2c2a0712b849ccfefc3df81ac141900e9c6d77\
             0d8ac7a38eea49c5931b",
        ],
        SrtpProfile::Aes128CmSha1_32 => [
            "91e0ffffdecafbadcafebabe0000002abede000110ff0000\
             ddcaaf8dee281f2799941f52423bf553d58726af5b5fde\
             da54ce4a",
            "91e00000decafbadcafebabe0000002abede000110ff0000\
             ada4e2bc2c2a0712b849ccfefc3df81ac141900e9c6d77\
             0d8ac7a3",
        ],
        SrtpProfile::AeadAes128Gcm => [
            "91e0ffffdecafbadcafebabe0000002abede000110ff0000\
             05944df196c833c65b558da8213f05eb7c8885ed222206\
             223bc651ebbcf627401b2950f07afa42",
            "91e00000decafbadcafebabe0000002abede000110ff0000\
             2704a16f5ad240ddf6f18d65abbf8272151820056aa735\
             aa02f2e356794fd4e797277fde837ffa",
        ],
        SrtpProfile::AeadAes256Gcm => [
            "91e0ffffdecafbadcafebabe0000002abede000110ff0000\
             e0014da3fb2f0b2120555066c5492ab9dbe3fc55fd44de\
             011fecae97bed5ef8573241e3aa455d0",
            "91e00000decafbadcafebabe0000002abede000110ff0000\
             914c52e2331c4cd19e7e317857941d84e770c9df716c19\
             c70c8b5333e8014ff48acbb8e270554a",
        ],
        _ => return None,
    })
}

pub(super) fn hex(text: &str) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::try_from(digit(pair[0]) << 4 | digit(pair[1])).unwrap_or(0))
        .collect()
}

/// The block 0, 1, 2, … of a profile.
pub(super) fn counting(profile: SrtpProfile) -> Vec<u8> {
    (0..=u8::MAX).take(profile.keying_len()).collect()
}

pub(super) fn bytes(subject: &Subject, _: &TestSeed) {
    for profile in subject.profiles() {
        let Some(expected) = standard(profile) else {
            continue;
        };
        let Ends { mut a, mut b } = subject.ends(profile, &counting(profile));
        let mut plain = hex(PLAIN);
        for (seq, expected) in [0xFFFF_u16, 0].into_iter().zip(expected) {
            plain[2..4].copy_from_slice(&seq.to_be_bytes());
            let (header, payload) = plain.split_at(PLAIN_HEADER_LEN);
            let packet = protected(&mut *a, header, payload);
            assert_eq!(packet, hex(expected), "{profile:?}, packet {seq}");
            let opened = opened(&mut *b, &packet);
            assert_eq!(opened, Ok(plain.clone()), "{profile:?}, packet {seq}");
        }
    }
}

/// A header with `sources` CSRCs and `words` words of extension.
fn long_header(seq: u16, sources: u8, words: u8) -> Vec<u8> {
    let mut header = header(SSRC, seq).to_vec();
    header[0] |= 0x10 | sources;
    header.extend((0..4 * usize::from(sources)).map(|_| 0x11));
    header.extend_from_slice(&[0xbe, 0xde, 0, words]);
    header.extend((0..4 * usize::from(words)).map(|_| 0));
    header
}

pub(super) fn both_ways(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        let mut random = seed.random(b"payloads");
        for _ in 0..2 {
            for (seq, len) in [0, 1, 15, 16, 17, 100, 1000, 1400].into_iter().enumerate() {
                let payload = random.bytes(len);
                let seq = u16::try_from(3 * seq).unwrap_or(0);
                let headers = [
                    header(SSRC, seq).to_vec(),
                    long_header(seq + 1, 0, 0),
                    long_header(seq + 2, 15, 9),
                ];
                for head in headers {
                    assert_carries(ends, profile, &head, &payload);
                }
            }
            ends.turn();
        }
    });
}

fn assert_carries(ends: &mut Ends, profile: SrtpProfile, head: &[u8], payload: &[u8]) {
    let packet = protected(&mut *ends.a, head, payload);
    let (shown, hidden) = packet.split_at(head.len());
    assert_eq!(shown, head, "{profile:?}: the header");
    let in_the_clear = payload.len() > 14 && hidden.starts_with(payload);
    assert!(!in_the_clear, "{profile:?}: in the clear");
    let got = ends.deliver(&packet);
    let plain = [head, payload].concat();
    assert!(got == Ok(plain), "{profile:?}, {} bytes", payload.len());
}

pub(super) fn overhead(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        for (seq, len) in [(1, 0), (2, 1), (3, 1200)] {
            let plain = HEADER_LEN + len;
            let packet = ends.packet(SSRC, seq, &vec![0; len]);
            let most = plain + ends.a.overhead();
            assert!(packet.len() <= most, "{profile:?}, {len} bytes");
            assert!(packet.len() > plain, "{profile:?}: there is a tag");
        }
        for words in [0, 1, 100] {
            let plain = report(SSRC, words);
            let packet = protected_rtcp(&mut *ends.a, &plain);
            let most = plain.len() + ends.a.rtcp_overhead();
            assert!(packet.len() <= most, "{profile:?}, {words} words of RTCP");
        }
    });
}

pub(super) fn caller_errors(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        let head = header(SSRC, 1);
        let whole = ends.packet(SSRC, 0, &[7; 100]).len();
        let a = &mut *ends.a;
        let count = a.stats().protected;
        let mut out = vec![0; ROOM];
        for room in [0, HEADER_LEN, whole - 1] {
            let refused = a.protect_into(&head, &[7; 100], &mut out[..room]);
            assert_eq!(refused, Err(ProtectError::TooSmall), "{profile:?}: {room}");
        }
        let mut other_version = head;
        other_version[0] = 0x40;
        let mut says_more = head;
        says_more[0] |= 1;
        let long = [&head[..], &[0; 4]].concat();
        for bad in [&head[..11], &other_version, &says_more, &long, &[]] {
            let refused = a.protect_into(bad, &[7; 100], &mut out);
            assert_eq!(refused, Err(ProtectError::Malformed), "{profile:?}");
        }
        let plain = report(SSRC, 3);
        let refused = a.protect_rtcp_into(&plain, &mut out[..plain.len()]);
        assert_eq!(refused, Err(ProtectError::TooSmall), "{profile:?}: RTCP");
        let refused = a.protect_rtcp_into(&plain[..7], &mut out);
        assert_eq!(refused, Err(ProtectError::Malformed), "{profile:?}: RTCP");
        assert_eq!(a.stats().protected, count, "{profile:?}: nothing protected");
        ends.assert_arrives(SSRC, 1);
    });
}

pub(super) fn reflection(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        let packet = ends.packet(SSRC, 1, b"hello");
        let refused = opened(&mut *ends.a, &packet);
        assert_eq!(refused, Err(UnprotectError::Authentication), "{profile:?}");
        let mut packet = protected_rtcp(&mut *ends.a, &report(SSRC, 2));
        let refused = ends.a.unprotect_rtcp_in_place(&mut packet);
        assert_eq!(refused, Err(UnprotectError::Authentication), "{profile:?}");
    });
}

pub(super) fn repeats(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        ends.packet(SSRC, 1, b"one");
        ends.packet(SSRC, 2, b"two");
        let mut out = [0; ROOM];
        let again = ends.a.protect_into(&header(SSRC, 1), b"another", &mut out);
        match profile {
            SrtpProfile::AeadAes128Gcm | SrtpProfile::AeadAes256Gcm => {
                assert_eq!(again, Err(ProtectError::Repeated), "{profile:?}");
            }
            _ => {}
        }
    });
}
