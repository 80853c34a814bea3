//! Rollover counters (RFC 3711 §3.3.1).

use super::{Ends, SSRC, Subject, assert_opens};
use crate::TestSeed;
use layer::UnprotectError;
use std::ops::Range;

/// The rollover counter and the sequence number of an index.
fn split(index: u64) -> (u32, u16) {
    let [_, _, r0, r1, r2, r3, s0, s1] = index.to_be_bytes();
    (
        u32::from_be_bytes([r0, r1, r2, r3]),
        u16::from_be_bytes([s0, s1]),
    )
}

/// The packets of these indices, protected in this order.
fn packets(ends: &mut Ends, indices: impl IntoIterator<Item = u64>) -> Vec<(u16, Vec<u8>)> {
    let packet = |index| {
        let (_, seq) = split(index);
        (seq, ends.packet(SSRC, seq, &seq.to_be_bytes()))
    };
    indices.into_iter().map(packet).collect()
}

pub(super) fn in_order(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        assert_eq!(ends.a.local_rollover_counter(SSRC), None, "{profile:?}");
        assert_eq!(ends.b.remote_rollover_counter(SSRC), None, "{profile:?}");
        for index in (65_000..250_000).step_by(499) {
            let (roc, seq) = split(index);
            ends.assert_arrives(SSRC, seq);
            assert_eq!(ends.a.local_rollover_counter(SSRC), Some(roc));
            assert_eq!(ends.b.remote_rollover_counter(SSRC), Some(roc));
        }
    });
}

/// The indices around a wrap.
fn around(wrap: u64) -> Range<u64> {
    (wrap << 16) - 20..(wrap << 16) + 20
}

/// Both sides come to stand before a wrap, in steps that are no doubt forward.
fn approach(ends: &mut Ends, wrap: u64) {
    for before in [45_000, 20_000, 21] {
        let (_, seq) = split((wrap << 16) - before);
        ends.assert_arrives(SSRC, seq);
    }
}

pub(super) fn reordered(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, _| {
        for wrap in 1..=3_u64 {
            approach(ends, wrap);
            let mut packets = packets(ends, around(wrap));
            shuffle(&mut packets, seed, wrap);
            for (seq, packet) in packets {
                assert_opens(&mut *ends.b, &packet, SSRC, seq);
            }
            let roc = u32::try_from(wrap).ok();
            assert_eq!(ends.b.remote_rollover_counter(SSRC), roc);
        }
    });
}

pub(super) fn reordered_by_the_sender(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, _| {
        for wrap in 1..=3_u64 {
            approach(ends, wrap);
            let mut indices: Vec<u64> = around(wrap).collect();
            shuffle(&mut indices, seed, wrap);
            for (seq, packet) in packets(ends, indices) {
                assert_opens(&mut *ends.b, &packet, SSRC, seq);
            }
            let roc = u32::try_from(wrap).ok();
            assert_eq!(ends.a.local_rollover_counter(SSRC), roc);
        }
    });
}

/// Any order, the same for the same seed.
fn shuffle<T>(things: &mut [T], seed: &TestSeed, round: u64) {
    let mut random = seed.random(b"shuffle ");
    for _ in 0..round {
        random.next_u64();
    }
    for end in (2..=things.len()).rev() {
        things.swap(end - 1, random.below(end));
    }
}

/// The most packets that may be missing: the number of the next is 2^15 - 1 ahead of the last.
const MOST_LOST: u64 = (1 << 15) - 2;

pub(super) fn losses(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        let mut index = 10;
        for lost in [0, 1, 1000, 20_000, MOST_LOST, MOST_LOST, MOST_LOST, 30_000] {
            let (_, seq) = split(index);
            ends.assert_arrives(SSRC, seq);
            // What is lost is protected nevertheless, here and there.
            for missing in (index + 1..=index + lost).step_by(997) {
                let (_, seq) = split(missing);
                ends.packet(SSRC, seq, b"lost");
            }
            index += lost + 1;
        }
        let (roc, seq) = split(index);
        ends.assert_arrives(SSRC, seq);
        assert_eq!(
            ends.b.remote_rollover_counter(SSRC),
            Some(roc),
            "{profile:?}"
        );
    });
}

pub(super) fn late_joiner(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        for index in (0..200_000).step_by(20_000) {
            let (_, seq) = split(index);
            ends.packet(SSRC, seq, b"before");
        }
        let packet = ends.packet(SSRC, 3500, b"hello");
        let counter = ends.a.local_rollover_counter(SSRC);
        assert_eq!(counter, Some(3), "{profile:?}: 200000 is 3 * 2^16 + 3392");
        let refused = ends.deliver(&packet);
        assert_eq!(refused, Err(UnprotectError::Authentication), "{profile:?}");

        ends.b.set_remote_rollover_counter(SSRC, 3);
        assert_eq!(ends.b.remote_rollover_counter(SSRC), Some(3), "{profile:?}");
        let got = ends.deliver(&packet);
        assert!(got.is_ok(), "{profile:?}: {got:?}");
        for index in (200_200..300_000).step_by(20_000) {
            let (_, seq) = split(index);
            ends.assert_arrives(SSRC, seq);
        }
        // The same counter again says nothing new: what was seen stays seen.
        let seen = ends.packet(SSRC, 40_000, b"once");
        assert!(ends.deliver(&seen).is_ok(), "{profile:?}");
        ends.b.set_remote_rollover_counter(SSRC, 4);
        let refused = ends.deliver(&seen);
        assert_eq!(refused, Err(UnprotectError::Replayed), "{profile:?}");
    });
}

pub(super) fn many_sources(subject: &Subject, seed: &TestSeed) {
    subject.with_each_profile(seed, |ends, profile| {
        let sources = || (0..100_u16).map(|n| (u32::from(n).wrapping_mul(2_654_435_761), n));
        for step in 0..20_u16 {
            for (ssrc, n) in sources() {
                let start = n.wrapping_mul(601);
                ends.assert_arrives(ssrc, start.wrapping_add(step.wrapping_mul(5000)));
            }
        }
        for (ssrc, n) in sources() {
            let (roc, _) = split(u64::from(n.wrapping_mul(601)) + 19 * 5000);
            assert_eq!(ends.a.local_rollover_counter(ssrc), Some(roc));
            let counter = ends.b.remote_rollover_counter(ssrc);
            assert_eq!(counter, Some(roc), "{profile:?}, source {n}");
        }
    });
}
