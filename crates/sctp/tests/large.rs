//! Messages larger than memory: sent and received in fragments, never whole.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Message, Outgoing, Reliability, Sctp, SctpConfig};
use link::{Dice, Pair, Weather, config, start};
use muonrtc_sctp::Factory;
use std::collections::BTreeMap;
use std::time::Duration;

const PARTIAL: usize = 64 * 1024;

/// Both buffers hold a mebibyte.
fn factory(interleaving: bool) -> Factory {
    let mut factory = Factory::default();
    factory.interleaving = interleaving;
    factory.receive_window = 1 << 20;
    factory.send_buffer = 1 << 20;
    factory
}

fn streaming() -> SctpConfig {
    let mut config = config();
    config.max_message = usize::MAX;
    config.partial_delivery = Some(PARTIAL);
    config
}

fn pair(seed: u64, interleaving: bool) -> Pair {
    let mut pair = Pair::with(seed, &factory(interleaving), &streaming());
    pair.connect();
    pair.run_until(Pair::both_connected);
    pair
}

/// The byte at a place of a stream's message.
fn byte(stream: u16, at: usize) -> u8 {
    (at / 977 + at * 3 + usize::from(stream)) as u8
}

fn part(stream: u16, from: usize, to: usize, len: usize) -> Outgoing {
    let data: Vec<u8> = (from..to).map(|at| byte(stream, at)).collect();
    let mut part = Outgoing::new(stream, 53, Bytes::from(data));
    (part.first, part.last) = (from == 0, to == len);
    part
}

/// What has come of each stream's message, checked as it comes.
#[derive(Default)]
struct Progress {
    of: BTreeMap<u16, usize>,
    largest: usize,
    ended: usize,
}

impl Progress {
    fn take(&mut self, message: &Message) {
        let at = self.of.entry(message.stream).or_default();
        assert_eq!(message.first, *at == 0);
        let bytes = message.data.iter().enumerate();
        let wrong = bytes
            .into_iter()
            .find(|(i, got)| **got != byte(message.stream, *at + i));
        assert_eq!(wrong, None);
        *at += message.data.len();
        self.largest = self.largest.max(message.data.len());
        if message.last {
            assert!(!message.aborted);
            self.ended += 1;
        }
    }
}

// sctp-035, F4.09
#[test]
fn a_message_of_many_times_the_buffers_goes_through() {
    for interleaving in [false, true] {
        let mut pair = pair(1, interleaving);
        let (len, step) = (12 << 20, 128 * 1024);
        let mut sent = 0;
        let mut progress = Progress::default();
        while progress.ended == 0 {
            while sent < len && pair.ends[0].sctp.send_capacity() > step {
                pair.send(0, part(1, sent, sent + step, len));
                sent += step;
            }
            let until = pair.now + Duration::from_secs(5);
            assert!(pair.step(until), "{}", progress.of[&1]);
            for message in pair.ends[1].messages.drain(..) {
                progress.take(&message);
            }
        }
        assert_eq!(progress.of[&1], len);
        assert!(progress.largest < 2 * PARTIAL, "{}", progress.largest);
    }
}

// sctp-046, F4.09
#[test]
fn small_messages_pass_between_the_fragments_where_messages_interleave() {
    let mut pair = pair(1, true);
    pair.weather.rate = Some(1_000_000);
    let len = 1_000_000;
    pair.send(0, part(1, 0, 500_000, len));
    pair.send(0, part(1, 500_000, len, len));
    pair.send_text(0, 2, "not after a second");
    pair.run_for(Duration::from_millis(300));
    let texts: Vec<_> = pair.ends[1].messages.iter().map(|m| m.stream).collect();
    assert!(texts.contains(&2), "{texts:?}");
    pair.settle();
    assert!(pair.ends[1].messages.last().unwrap().last);
}

// sctp-038, F4.09
#[test]
fn a_message_that_is_given_up_in_the_middle_is_aborted_and_the_next_one_comes() {
    for (interleaving, unordered) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut pair = pair(1, interleaving);
        let mut long = part(1, 0, 900_000, 900_000);
        long.reliability = Reliability::MaxLifetime(Duration::from_millis(400));
        long.unordered = unordered;
        pair.weather.rate = Some(500_000);
        pair.send(0, long);
        let mut next = Outgoing::new(1, 53, Bytes::from_static(b"next"));
        next.unordered = unordered;
        pair.send(0, next);
        pair.run_for(Duration::from_millis(350));
        pair.weather.loss = 60;
        pair.run_for(Duration::from_secs(1));
        pair.weather.loss = 0;
        pair.settle();
        let messages = &pair.ends[1].messages;
        assert!(messages[0].first && !messages[0].last);
        let ends: Vec<_> = messages.iter().filter(|message| message.last).collect();
        let what = format!("{interleaving} {unordered}");
        assert_eq!(ends.len(), 2, "{what}");
        assert!(
            ends[0].aborted && !ends[0].first && ends[0].data.is_empty(),
            "{what}"
        );
        assert_eq!(
            (ends[1].first, &ends[1].data[..]),
            (true, &b"next"[..]),
            "{what}"
        );
    }
}

#[test]
fn the_largest_message_counts_what_was_handed_out() {
    for interleaving in [false, true] {
        let mut config = streaming();
        config.max_message = 200_000;
        let mut pair = Pair::with(1, &factory(interleaving), &config);
        pair.connect();
        pair.run_until(Pair::both_connected);
        pair.send(0, part(1, 0, 200_000, 200_000));
        pair.settle();
        assert!(pair.ends[1].messages.last().unwrap().last);
        pair.send(0, part(1, 0, 200_001, 200_001));
        pair.settle();
        assert!(pair.ends[1].ended().is_some());
    }
}

/// Long and short messages, ordered and not, through loss and hand-overs: put together they are what
/// was sent.
fn run(seed: u64) {
    let mut dice = Dice::new(seed);
    let interleaving = dice.percent(50);
    let mut pair = pair(seed, interleaving);
    let mut sent: BTreeMap<(u16, bool), Vec<Vec<u8>>> = BTreeMap::new();
    for _ in 0..10 {
        pair.weather = Weather {
            delay: Duration::from_millis(dice.roll() % 40),
            jitter: Duration::from_millis([0, 30][dice.roll() as usize % 2]),
            loss: [0, 3, 20][dice.roll() as usize % 3],
            duplication: [0, 10][dice.roll() as usize % 2],
            ..Weather::default()
        };
        for _ in 0..3 {
            let len = 1 + dice.roll() as usize % [100, 70_000, 300_000][dice.roll() as usize % 3];
            let stream = (dice.roll() % 3) as u16;
            let unordered = stream == 2;
            let salt = dice.roll();
            let data: Vec<u8> = (0..len)
                .map(|at| ((at as u64).wrapping_mul(salt) >> 13) as u8)
                .collect();
            let mut message = Outgoing::new(stream, 53, Bytes::from(data.clone()));
            message.unordered = unordered;
            if pair.ends[0].sctp.send_capacity() > len {
                pair.send(0, message);
                sent.entry((stream, unordered)).or_default().push(data);
            }
        }
        pair.run_for(Duration::from_millis(dice.roll() % 200));
        if dice.percent(30) {
            let state = pair.ends[1].sctp.hand_over(pair.now).unwrap();
            let start = start(pair.now, seed, 9);
            let resumed = factory(interleaving).resume(start, streaming(), &state);
            pair.ends[1].sctp = resumed.unwrap();
            pair.collect(1);
        }
    }
    pair.weather = Weather::default();
    pair.run_for(Duration::from_secs(60));
    let mut open: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    let mut came: BTreeMap<(u16, bool), Vec<Vec<u8>>> = BTreeMap::new();
    for message in &pair.ends[1].messages {
        if message.first {
            assert!(open.insert(message.stream, Vec::new()).is_none());
        }
        open.get_mut(&message.stream).unwrap().extend(&message.data);
        if message.last {
            let whole = open.remove(&message.stream).unwrap();
            came.entry((message.stream, message.unordered))
                .or_default()
                .push(whole);
        }
    }
    for list in [&mut sent, &mut came] {
        list.iter_mut()
            .filter(|(name, _)| name.1)
            .for_each(|(_, all)| all.sort());
    }
    assert!(open.is_empty());
    assert!(sent == came);
}

#[test]
fn fragments_put_together_are_what_was_sent() {
    for seed in 1..=12 {
        println!("seed {seed}");
        run(seed);
    }
}
