//! Replay protection (RFC 3711 §3.3.2).

use super::{SSRC, Subject, assert_opens};
use crate::TestSeed;
use layer::UnprotectError;

pub(super) fn once(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        let packets = [0, 1, 2, 500].map(|seq: u16| {
            let packet = ends.packet(SSRC, seq, &seq.to_be_bytes());
            assert_opens(&mut *ends.b, &packet, SSRC, seq);
            packet
        });
        for packet in &packets {
            let again = ends.deliver(packet);
            assert_eq!(again, Err(UnprotectError::Replayed), "{profile:?}");
        }
        let stats = ends.b.stats();
        assert_eq!(stats.unprotected, 4, "{profile:?}");
        if subject.claims.counts_drops {
            assert_eq!(stats.replayed, 4, "{profile:?}");
        }
    });
}

pub(super) fn late(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        let window = subject.claims.replay_window;
        // The last is around a wrap.
        for newest in [20_000_u16, 45_000, 20] {
            let first = newest.wrapping_sub(window - 1);
            let late: Vec<_> = (0..window)
                .map(|step| {
                    let seq = first.wrapping_add(step);
                    (seq, ends.packet(SSRC, seq, &seq.to_be_bytes()))
                })
                .collect();
            for (seq, packet) in late.iter().rev() {
                assert_opens(&mut *ends.b, packet, SSRC, *seq);
            }
            for (seq, packet) in &late {
                let again = ends.deliver(packet);
                let expected = Err(UnprotectError::Replayed);
                assert_eq!(again, expected, "{profile:?}, packet {seq}");
            }
        }
    });
}

pub(super) fn long_ago(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        let old = ends.packet(SSRC, 100, b"old");
        assert!(ends.deliver(&old).is_ok(), "{profile:?}");
        ends.assert_arrives(SSRC, 30_000);
        let again = ends.deliver(&old);
        assert_eq!(again, Err(UnprotectError::Replayed), "{profile:?}");
        // Its number looks new now, and its rollover counter does not.
        for seq in [60_000, 20_000, 50_000, 99] {
            ends.assert_arrives(SSRC, seq);
            let again = ends.deliver(&old);
            assert!(again.is_err(), "{profile:?}: {again:?}");
        }
    });
}
