use super::{
    DELAY, MINUTE, PROTOCOL, Subject, content, feed, message, received, transfer, unordered,
};
use crate::{Link, Record, Side, TestSeed};
use layer::Outgoing;
use std::collections::VecDeque;
use std::time::Duration;

/// Around one packet, around the 16-bit lengths, and the largest a browser sends.
const SIZES: [usize; 22] = [
    1, 2, 3, 4, 5, 100, 1000, 1100, 1119, 1120, 1121, 1122, 1123, 1150, 1200, 2300, 16_384, 65_535,
    65_536, 65_537, 200_000, 262_144,
];

pub(super) fn every_size(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    for (number, len) in SIZES.into_iter().enumerate() {
        for may_overtake in [false, true] {
            let mut outgoing = message(7, number, len);
            outgoing.unordered = may_overtake;
            outgoing.protocol = PROTOCOL + u32::from(may_overtake);
            let done = {
                let mut queue = VecDeque::from([outgoing]);
                pair.run_until(MINUTE, |pair| {
                    feed(pair, Side::A, &mut queue);
                    received(&pair.b) == 1
                })
            };
            assert!(done, "{len} bytes did not arrive: {pair:?}");
            let flags = pair.b.messages.iter().map(|message| message.unordered);
            let told = flags.into_iter().all(|flag| flag == may_overtake);
            assert!(told || !subject.claims.tells_unordered, "{len}");
            let got = pair.b.take_messages();
            let expected = (7, PROTOCOL + u32::from(may_overtake), content(number, len));
            assert!(
                (got[0].0, got[0].1, &got[0].2[..]) == (expected.0, expected.1, &expected.2[..]),
                "{len} bytes changed on the way"
            );
        }
    }
}

pub(super) fn ordered_hostile(subject: &Subject, seed: &TestSeed) {
    for round in 0..5 {
        let mut pair = subject.pair(&Link::hostile(), seed.value() + round);
        assert!(pair.connect(MINUTE * 2), "round {round}: {pair:?}");
        let len = |number: usize| 1 + number * 37 % 3000;
        let outgoing = (0..150).map(|number| message([0, 1, 9][number % 3], number, len(number)));
        let got = transfer(&mut pair, outgoing, MINUTE * 10);
        for (index, stream) in [0, 1, 9].into_iter().enumerate() {
            let of_stream: Vec<_> = got.iter().filter(|got| got.0 == stream).collect();
            assert_eq!(of_stream.len(), 50, "stream {stream}, round {round}");
            for (order, got) in of_stream.into_iter().enumerate() {
                let number = order * 3 + index;
                assert!(
                    got.2 == content(number, len(number)),
                    "message {order} of stream {stream} is another one, round {round}"
                );
            }
        }
        pair.run_for(MINUTE);
        assert!(pair.b.messages.is_empty(), "a message came twice: {pair:?}");
    }
}

pub(super) fn unordered_hostile(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::hostile(), seed.value());
    assert!(pair.connect(MINUTE * 2), "{pair:?}");
    let outgoing = (0..200).map(|number| unordered(3, number, 50 + number * 11));
    let mut got = transfer(&mut pair, outgoing, MINUTE * 10);
    got.sort_by_key(|got| got.2.len());
    for (number, got) in got.into_iter().enumerate() {
        let expected = content(number, 50 + number * 11);
        assert!(got.2 == expected, "message {number} is missing or changed");
    }
    pair.run_for(MINUTE);
    assert!(pair.b.messages.is_empty(), "a message came twice: {pair:?}");
}

/// Sends `lost` in a packet of its own, which is lost once, then the others.
fn transfer_after_loss(
    subject: &Subject,
    seed: &TestSeed,
    lost: Outgoing,
    others: [Outgoing; 2],
) -> Vec<usize> {
    let mut pair = subject.connected(seed.value());
    pair.a_to_b.link.loss = 1.0;
    let now = pair.now();
    assert_eq!(pair.a.machine.send(now, lost), Ok(()));
    pair.run_for(DELAY / 10);
    pair.a_to_b.link.loss = 0.0;
    let now = pair.now();
    for message in others {
        assert_eq!(pair.a.machine.send(now, message), Ok(()));
    }
    let done = pair.run_until(MINUTE, |pair| received(&pair.b) == 3);
    assert!(done, "{pair:?}");
    let got = pair.b.take_messages();
    got.iter().map(|got| got.2.len()).collect()
}

pub(super) fn overtaking(subject: &Subject, seed: &TestSeed) {
    let others = [unordered(1, 1, 900), unordered(1, 2, 901)];
    let lens = transfer_after_loss(subject, seed, unordered(1, 0, 500), others);
    assert_eq!(lens, [900, 901, 500], "the lost one comes last");
}

pub(super) fn independent_streams(subject: &Subject, seed: &TestSeed) {
    let others = [message(1, 1, 900), message(2, 2, 901)];
    let lens = transfer_after_loss(subject, seed, message(1, 0, 500), others);
    assert_eq!(lens, [901, 500, 900], "stream 2 does not wait for stream 1");
}

pub(super) fn both_ways(subject: &Subject, seed: &TestSeed) {
    const COUNT: usize = 64;
    const LEN: usize = 16_384;
    let mut pair = subject.pair(&Link::lossy(2), seed.value());
    assert!(pair.connect(MINUTE), "{pair:?}");
    let mut from_a: VecDeque<_> = (0..COUNT).map(|number| message(0, number, LEN)).collect();
    let mut from_b: VecDeque<_> = (0..COUNT)
        .map(|number| message(0, COUNT + number, LEN))
        .collect();
    let done = pair.run_until(MINUTE * 10, |pair| {
        feed(pair, Side::A, &mut from_a);
        feed(pair, Side::B, &mut from_b);
        received(&pair.a) == COUNT && received(&pair.b) == COUNT
    });
    assert!(done, "{pair:?}");
    for (number, got) in pair.b.take_messages().into_iter().enumerate() {
        assert!(got.2 == content(number, LEN), "{number} to b");
    }
    for (number, got) in pair.a.take_messages().into_iter().enumerate() {
        assert!(got.2 == content(COUNT + number, LEN), "{number} to a");
    }
}

pub(super) fn fragments(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    let whole = content(1, 100_000);
    let parts = [0..10, 10..50_000, 50_000..100_000];
    let mut queue: VecDeque<Outgoing> = parts
        .into_iter()
        .map(|range| {
            let mut part = message(4, 0, 1);
            part.first = range.start == 0;
            part.last = range.end == whole.len();
            part.data = whole.slice(range);
            part
        })
        .collect();
    queue.push_back(message(4, 2, 10));
    let done = pair.run_until(MINUTE, |pair| {
        feed(pair, Side::A, &mut queue);
        received(&pair.b) == 2
    });
    assert!(done, "{pair:?}");
    let got = pair.b.take_messages();
    assert!(got[0].2 == whole, "{} bytes of 100000", got[0].2.len());
    assert_eq!(got[1].2, content(2, 10));
}

pub(super) fn max_packet(subject: &Subject, seed: &TestSeed) {
    for limit in [600, 1150, 1400] {
        let link = Link::delayed(DELAY);
        let mut pair =
            subject.configured_pair(&link, seed.value(), |config| config.max_packet = limit);
        pair.record = Some(Record::default());
        assert!(pair.connect(MINUTE), "{pair:?}");
        transfer(&mut pair, [message(0, 0, 100_000)], MINUTE);
        let record = pair.record.take().unwrap_or_default();
        let largest = record.datagrams().iter().map(|sent| sent.bytes.len()).max();
        assert!(
            largest.is_some_and(|largest| largest <= limit),
            "a packet of {largest:?} bytes where {limit} are allowed"
        );
    }
}

pub(super) fn rate(subject: &Subject, seed: &TestSeed) {
    let mut link = Link::delayed(DELAY);
    link.rate = Some(20_000_000);
    let mut pair = subject.pair(&link, seed.value());
    assert!(pair.connect(MINUTE), "{pair:?}");
    let begin = pair.elapsed();
    let outgoing = (0..256).map(|number| message(0, number, 16_384));
    transfer(&mut pair, outgoing, MINUTE);
    let took = pair.elapsed() - begin;
    // 4 MiB at 20 Mbit/s.
    let ideal = Duration::from_millis(1678);
    assert!(took <= ideal * 3, "it took {took:?}: {pair:?}");
}
