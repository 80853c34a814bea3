//! An association is handed over to another process, which here is another object.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Sctp, SctpEvent, SctpState};
use link::{Dice, Pair, Weather, config, start};
use muonrtc_sctp::{Factory, NotReady};
use std::time::Duration;

fn pair(interleaving: bool) -> (Factory, Pair) {
    let mut factory = Factory::default();
    factory.interleaving = interleaving;
    let mut pair = Pair::with(1, &factory, &config());
    pair.connect();
    pair.run_until(Pair::both_connected);
    (factory, pair)
}

fn long(len: usize) -> Outgoing {
    Outgoing::new(0, 53, Bytes::from(vec![1; len]))
}

/// Replaces an end by one that was made of its state, with other randomness.
fn move_end(pair: &mut Pair, factory: &Factory, at: usize) {
    let state = pair.ends[at].sctp.hand_over(pair.now).unwrap();
    let start = start(pair.now, 99, 50);
    pair.ends[at].sctp = factory.resume(start, config(), &state).unwrap();
    pair.collect(at);
}

#[test]
fn every_stream_goes_on_where_it_was_in_both_directions() {
    for interleaving in [false, true] {
        let (factory, mut pair) = pair(interleaving);
        for round in 0..6 {
            for stream in [0, 1, 65_534] {
                pair.send_text(0, stream, &format!("{stream} {round}"));
                pair.send_text(1, stream, &format!("{stream} {round}"));
                let mut unordered = Outgoing::new(stream, 51, Bytes::from("u"));
                unordered.unordered = true;
                pair.send(0, unordered);
            }
            pair.send(0, long(100_000));
            pair.settle();
            for at in 0..2 {
                move_end(&mut pair, &factory, at);
                assert_eq!(pair.ends[at].sctp.state(), SctpState::Connected);
            }
        }
        assert_eq!(pair.ends[1].messages.len(), 6 * 7);
        assert_eq!(pair.ends[0].messages.len(), 6 * 3);
        for stream in [0, 1, 65_534] {
            let texts = pair.ends[0].texts();
            let of_stream = |text: &&String| text.starts_with(&format!("{stream} "));
            let rounds: Vec<_> = texts.iter().filter(of_stream).collect();
            assert!(rounds.is_sorted() && rounds.len() == 6, "{rounds:?}");
        }
        // RE-CONFIG numbers go on too.
        let now = pair.now;
        pair.ends[1].sctp.reset(now, &[1]).unwrap();
        pair.collect(1);
        pair.settle();
        assert!(pair.ends[1].has(|event| matches!(event, SctpEvent::OutgoingReset { .. })));
        assert!(pair.ends[0].has(|event| matches!(event, SctpEvent::IncomingReset { .. })));
        move_end(&mut pair, &factory, 0);
        pair.send_text(1, 1, "anew");
        pair.settle();
        assert_eq!(pair.ends[0].texts().last().unwrap(), "anew");
    }
}

#[test]
fn what_the_peer_sends_meanwhile_comes_again() {
    let (factory, mut pair) = pair(false);
    pair.settle();
    let state = pair.ends[0].sctp.hand_over(pair.now).unwrap();
    // The old process takes data and dies before anybody is told.
    pair.filter = Some(Box::new(|from, _| from == 1));
    pair.send(1, long(5000));
    pair.run_for(Duration::from_millis(100));
    pair.filter = None;
    pair.ends[0].messages.clear();
    let start = start(pair.now, 7, 7);
    pair.ends[0].sctp = factory.resume(start, config(), &state).unwrap();
    pair.settle();
    assert_eq!(pair.ends[0].messages.len(), 1);
    assert_eq!(pair.ends[0].messages[0].data.len(), 5000);
}

#[test]
fn an_association_that_is_not_up_or_has_events_says_so() {
    let (factory, mut pair) = pair(false);
    let fresh = factory.association(start(pair.now, 3, 3), config());
    assert_eq!(fresh.hand_over(pair.now), Err(NotReady::State));
    pair.settle();
    let now = pair.now;
    pair.send(0, long(100_000));
    assert!(pair.ends[0].sctp.hand_over(now).is_ok());
    while pair.ends[0].sctp.poll_event().is_none() {
        assert!(pair.step(now + Duration::from_secs(1)));
        pair.ends[0].events.clear();
        let association = &mut pair.ends[0].sctp;
        association.set_buffered_amount_low_threshold(0, 0);
        let filler = Outgoing::new(9, 53, Bytes::from("x"));
        association.send(pair.now, filler).unwrap();
        let mut buf = [0; 2000];
        while association.poll_transmit(pair.now, &mut buf).is_some() {}
        if association.hand_over(pair.now).is_err() {
            assert_eq!(association.hand_over(pair.now), Err(NotReady::Events));
        }
    }
    pair.ends[0].sctp.shutdown(pair.now);
    assert_eq!(pair.ends[0].sctp.hand_over(pair.now), Err(NotReady::State));
}

/// What is sent in one direction of a run: ordered streams, an unordered one, one that may give up.
const ORDERED: u16 = 2;
const UNORDERED: u16 = 2;
const LIMITED: u16 = 3;

fn message(dice: &mut Dice, stream: u16, number: u32) -> Outgoing {
    let len = 4 + dice.roll() as usize % [40, 3000, 60_000][dice.roll() as usize % 3];
    let mut data = number.to_be_bytes().to_vec();
    data.extend((4..len).map(|at| (at * 7 + number as usize) as u8));
    let mut message = Outgoing::new(stream, 53, Bytes::from(data));
    message.unordered = stream == UNORDERED;
    if stream == LIMITED {
        message.reliability = layer::Reliability::MaxRetransmits(1);
    }
    message
}

/// The numbers of a stream's messages as they came, whose bytes must be right.
fn numbers(messages: &[layer::Message], stream: u16) -> Vec<u32> {
    let mut numbers = Vec::new();
    for message in messages.iter().filter(|message| message.stream == stream) {
        let number = u32::from_be_bytes(message.data[..4].try_into().unwrap());
        let rest = message.data.iter().enumerate().skip(4);
        assert!(
            rest.into_iter()
                .all(|(at, &byte)| byte == (at * 7 + number as usize) as u8)
        );
        numbers.push(number);
    }
    numbers
}

/// Both ends send through any weather and move again and again, whatever they are doing.
fn run(seed: u64) {
    let mut dice = Dice::new(seed);
    let (factory, mut pair) = pair(dice.percent(50));
    let mut sent = [[0_u32; 4]; 2];
    for _ in 0..40 {
        pair.weather = Weather {
            delay: Duration::from_millis(dice.roll() % 60),
            jitter: Duration::from_millis([0, 20][dice.roll() as usize % 2]),
            loss: [0, 5, 30][dice.roll() as usize % 3],
            duplication: [0, 10][dice.roll() as usize % 2],
            ..Weather::default()
        };
        let at = dice.roll() as usize % 2;
        for _ in 0..dice.roll() % 4 {
            let stream = (dice.roll() % 4) as u16;
            let number = &mut sent[at][usize::from(stream)];
            let message = message(&mut dice, stream, *number);
            *number += 1;
            // In one piece or in two, with a hand-over between.
            if message.data.len() > 100 && dice.percent(30) {
                let half = message.data.len() / 2;
                let (mut one, mut two) = (message.clone(), message);
                one.data.truncate(half);
                two.data = two.data.split_off(half);
                (one.last, two.first) = (false, false);
                pair.send(at, one);
                move_end(&mut pair, &factory, at);
                pair.send(at, two);
            } else {
                pair.send(at, message);
            }
        }
        pair.ends[at].take = dice.percent(50);
        pair.run_for(Duration::from_micros(dice.roll() % 100_000));
        let moved = dice.roll() as usize % 2;
        move_end(&mut pair, &factory, moved);
        if dice.percent(20) {
            move_end(&mut pair, &factory, 1 - moved);
        }
    }
    pair.weather = Weather::default();
    for at in 0..2 {
        pair.ends[at].take = true;
        pair.collect(at);
    }
    pair.run_for(Duration::from_secs(60));
    for (at, sent) in sent.iter().enumerate() {
        let messages = &pair.ends[1 - at].messages;
        for stream in 0..4 {
            let mut came = numbers(messages, stream);
            let all: Vec<u32> = (0..sent[usize::from(stream)]).collect();
            match stream {
                LIMITED => assert!(came.windows(2).all(|pair| pair[0] < pair[1])),
                UNORDERED => {
                    came.sort_unstable();
                    assert_eq!(came, all, "stream {stream}");
                }
                _ => {
                    assert!(stream < ORDERED);
                    assert_eq!(came, all, "stream {stream}");
                }
            }
        }
        assert!(pair.ends[at].ended().is_none());
        let stats = pair.ends[at].sctp.stats();
        assert_eq!(
            (stats.in_flight, pair.ends[at].sctp.buffered_amount(0)),
            (0, 0)
        );
    }
}

#[test]
fn a_hand_over_at_any_moment_of_a_lossy_transfer_loses_and_repeats_nothing() {
    let seeds = match std::env::var("MUON_SEED") {
        Ok(seed) => seed.parse().unwrap()..=seed.parse().unwrap(),
        Err(_) if std::env::var_os("MUON_LONG").is_some() => 1..=2000,
        Err(_) => 1..=60,
    };
    for seed in seeds {
        println!("repeat with MUON_SEED={seed}");
        run(seed);
    }
}

#[test]
fn what_is_in_flight_is_asked_for_and_goes_on_within_a_round_trip() {
    let (factory, mut pair) = pair(false);
    pair.send(0, long(200_000));
    pair.run_for(Duration::from_millis(30));
    assert!(pair.ends[0].sctp.stats().in_flight > 20_000);
    // A quarter of it is lost; the rest has arrived, and the acknowledgements with the old process.
    let mut count = 0;
    pair.filter = Some(Box::new(move |from, _| {
        count += 1;
        from == 0 && count % 4 != 0
    }));
    pair.run_for(Duration::from_millis(100));
    pair.filter = None;
    let before = pair.now;
    move_end(&mut pair, &factory, 0);
    pair.run_until(|pair| !pair.ends[1].messages.is_empty());
    assert!(
        pair.now - before < Duration::from_millis(400),
        "{:?}",
        pair.now - before
    );
}

#[test]
fn a_reset_that_is_under_way_is_finished_by_whoever_goes_on() {
    for lost in 0..4 {
        let (factory, mut pair) = pair(lost % 2 == 1);
        for stream in [1, 3] {
            pair.send_text(0, stream, "before");
        }
        let now = pair.now;
        pair.ends[0].sctp.reset(now, &[1]).unwrap();
        // Asked for, or sent and not answered, at either end.
        let mut left = lost;
        pair.filter = Some(Box::new(move |_, _| {
            left -= 1;
            left >= 0
        }));
        pair.collect(0);
        pair.run_for(Duration::from_millis(15));
        pair.filter = None;
        for at in 0..2 {
            move_end(&mut pair, &factory, at);
        }
        pair.settle();
        pair.send_text(0, 1, "after");
        pair.settle();
        let done = |event: &SctpEvent| matches!(event, SctpEvent::OutgoingReset { .. });
        assert!(pair.ends[0].has(done), "{lost}");
        assert_eq!(pair.ends[1].texts(), ["before", "before", "after"]);
    }
}

#[test]
fn bytes_that_are_no_state_are_refused() {
    let (factory, mut pair) = pair(false);
    pair.send_text(0, 3, "x");
    pair.settle();
    pair.send(0, long(3000));
    let state = pair.ends[0].sctp.hand_over(pair.now).unwrap();
    let resume = |bytes: &[u8]| factory.resume(start(pair.now, 1, 1), config(), bytes);
    assert!(resume(&state).is_ok());
    for len in 0..state.len() {
        assert!(resume(&state[..len]).is_err(), "{len}");
    }
    let mut longer = state.clone();
    longer.push(0);
    assert!(resume(&longer).is_err());
    let mut other = state;
    other[0] = 1;
    assert!(resume(&other).is_err());
}

#[test]
fn a_damaged_state_is_refused_or_goes_on_somehow() {
    for interleaving in [false, true] {
        let (factory, mut pair) = pair(interleaving);
        pair.weather.loss = 30;
        for stream in 0..3 {
            pair.ends[1].take = false;
            pair.send(0, message(&mut Dice::new(7), stream, 5));
            pair.send(1, message(&mut Dice::new(8), stream, 6));
        }
        pair.run_for(Duration::from_millis(45));
        let states = [0, 1].map(|at| pair.ends[at].sctp.hand_over(pair.now).unwrap());
        let mut dice = Dice::new(1);
        for _ in 0..1500 {
            let mut state = states[dice.roll() as usize % 2].clone();
            for _ in 0..=dice.roll() % 3 {
                let at = dice.roll() as usize % state.len().min(400);
                state[at] ^= 1 << (dice.roll() % 8);
            }
            let start = start(pair.now, 1, 1);
            let Ok(mut damaged) = factory.resume(start, config(), &state) else {
                continue;
            };
            let mut now = pair.now;
            let mut buf = [0; 2048];
            for _ in 0..5 {
                while damaged.poll_transmit(now, &mut buf).is_some() {}
                while damaged.poll_message().is_some() {}
                now += Duration::from_secs(1);
                damaged.handle_timeout(now);
            }
        }
    }
}
