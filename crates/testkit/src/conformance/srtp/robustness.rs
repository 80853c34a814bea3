//! What strangers send, and what is too much.

use super::{Ends, ROOM, SSRC, Subject, assert_opens, opened, opened_rtcp, protected_rtcp, report};
use crate::TestSeed;
use layer::SrtpStats;

/// What was dropped, for whatever reason.
fn dropped(stats: &SrtpStats) -> u64 {
    stats.malformed + stats.unauthenticated + stats.replayed + stats.refused_sources
}

/// Every packet that differs from this one in one bit.
fn changes(packet: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..packet.len() * 8).map(|bit| {
        let mut changed = packet.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        changed
    })
}

pub(super) fn changed(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        ends.assert_arrives(SSRC, 4);
        let packet = ends.packet(SSRC, 5, &5_u16.to_be_bytes());
        for changed in changes(&packet) {
            let got = ends.deliver(&changed);
            assert!(got.is_err(), "{profile:?}: a changed packet is accepted");
        }
        assert_opens(&mut *ends.b, &packet, SSRC, 5);

        let plain = report(SSRC, 2);
        let packet = protected_rtcp(&mut *ends.a, &plain);
        for changed in changes(&packet) {
            let got = opened_rtcp(&mut *ends.b, &changed);
            assert!(got.is_err(), "{profile:?}: changed RTCP is accepted");
        }
        assert_eq!(opened_rtcp(&mut *ends.b, &packet), Ok(plain), "{profile:?}");
    });
}

pub(super) fn cut(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        let packet = ends.packet(SSRC, 5, &5_u16.to_be_bytes());
        let plain = report(SSRC, 2);
        let control = protected_rtcp(&mut *ends.a, &plain);
        for len in 0..packet.len() {
            let got = ends.deliver(&packet[..len]);
            assert!(got.is_err(), "{profile:?}: {len} bytes are accepted");
        }
        for len in 0..control.len() {
            let got = opened_rtcp(&mut *ends.b, &control[..len]);
            assert!(got.is_err(), "{profile:?}: {len} bytes of RTCP");
        }
        assert_opens(&mut *ends.b, &packet, SSRC, 5);
        assert_eq!(
            opened_rtcp(&mut *ends.b, &control),
            Ok(plain),
            "{profile:?}"
        );
    });
}

pub(super) fn strangers(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        ends.assert_arrives(SSRC, 65_000);
        let genuine = ends.packet(SSRC, 65_001, &65_001_u16.to_be_bytes());
        // The stranger has the numbers of the peer and no key.
        for seq in [65_001, 65_100, 300, 30_000, 40_000] {
            for ssrc in [SSRC, 1, 2, 3] {
                let mut forged = genuine.clone();
                forged[2..4].copy_from_slice(&u16::to_be_bytes(seq));
                forged[8..12].copy_from_slice(&u32::to_be_bytes(ssrc));
                let last = forged.len() - 1;
                forged[last] ^= 1;
                let got = ends.deliver(&forged);
                assert!(got.is_err(), "{profile:?}: a forged packet is accepted");
            }
        }
        let mut control = protected_rtcp(&mut *ends.a, &report(9, 2));
        control[10] ^= 1;
        assert!(opened_rtcp(&mut *ends.b, &control).is_err(), "{profile:?}");

        for ssrc in [1, 2, 3, 9] {
            let counter = ends.b.remote_rollover_counter(ssrc);
            assert_eq!(counter, None, "{profile:?}: a source that is not there");
        }
        assert_eq!(ends.b.remote_rollover_counter(SSRC), Some(0), "{profile:?}");
        assert_opens(&mut *ends.b, &genuine, SSRC, 65_001);
        ends.assert_arrives(SSRC, 65_100);
    });
}

pub(super) fn random_bytes(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        let Ends { b, .. } = ends;
        let mut random = seed.random(b"anything");
        let mut taken = 0;
        for round in 0..4000_usize {
            let len = random.below(if round % 8 == 0 { ROOM } else { 80 });
            let mut bytes = random.bytes(len);
            // Half of them look like RTP and RTCP at first sight.
            if let Some(first) = bytes.first_mut()
                && round % 2 == 0
            {
                *first = *first & 0x3F | 0x80;
            }
            let rtp = opened(&mut **b, &bytes);
            let rtcp = opened_rtcp(&mut **b, &bytes);
            assert!(rtp.is_err() && rtcp.is_err(), "{profile:?}: opened");
            taken += 2;
        }
        let stats = b.stats();
        assert_eq!(stats.unprotected, 0, "{profile:?}");
        if subject.claims.counts_drops {
            assert_eq!(dropped(&stats), taken, "{profile:?}: all are counted");
        }
        ends.assert_arrives(SSRC, 1);
    });
}

/// The sources that a hostile peer shows.
const FLOOD: u32 = 10_000;

pub(super) fn flood(subject: &Subject, seed: &TestSeed) {
    for profile in subject.profiles().into_iter().take(1) {
        let block = seed.random(b"srtp key").bytes(profile.keying_len());
        let mut ends = subject.ends(profile, &block);
        for seq in [60_000, 20_000] {
            ends.assert_arrives(SSRC, seq);
        }
        let old = ends.packet(SSRC, 20_001, &20_001_u16.to_be_bytes());
        assert_opens(&mut *ends.b, &old, SSRC, 20_001);
        // A sender may have a bound as well: new contexts have room.
        let mut sources = 0..FLOOD;
        while sources.start < FLOOD {
            let mut sender = subject.ends(profile, &block).a;
            for ssrc in sources.by_ref().take(500) {
                let packet = super::protected(&mut *sender, &super::header(ssrc, 1), b"flood");
                // Accepted or refused: it is authentic, and there may be a bound.
                let _ = opened(&mut *ends.b, &packet);
            }
        }
        let again = ends.deliver(&old);
        assert!(again.is_err(), "{profile:?}: what was seen stays seen");
        ends.assert_arrives(SSRC, 20_002);
        assert_eq!(ends.b.remote_rollover_counter(SSRC), Some(1), "{profile:?}");
    }
}
