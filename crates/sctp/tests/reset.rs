//! Streams that start anew (RFC 6525).

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Sctp, SctpError, SctpEvent};
use link::{Pair, kinds};
use muonrtc_sctp::packet::{Chunk, Packet, ReConfig, ReConfigParameter, ReConfigResult};

fn outgoing(streams: &[u16]) -> impl Fn(&SctpEvent) -> bool {
    let wanted = SctpEvent::OutgoingReset {
        streams: streams.to_vec(),
    };
    move |event| *event == wanted
}

fn incoming(streams: &[u16]) -> impl Fn(&SctpEvent) -> bool {
    let wanted = SctpEvent::IncomingReset {
        streams: streams.to_vec(),
    };
    move |event| *event == wanted
}

fn reset(pair: &mut Pair, at: usize, streams: &[u16]) {
    let now = pair.now;
    pair.ends[at].sctp.reset(now, streams).unwrap();
    pair.collect(at);
}

// sctp-040, sctp-042
#[test]
fn a_reset_is_told_to_both_ends_and_the_stream_starts_at_zero() {
    let mut pair = Pair::connected(1);
    for text in ["a", "b", "c"] {
        pair.send_text(0, 5, text);
    }
    reset(&mut pair, 0, &[5]);
    pair.run_until(|pair| pair.ends[0].has(outgoing(&[5])));
    assert!(pair.ends[1].has(incoming(&[5])));
    assert_eq!(pair.ends[1].texts(), ["a", "b", "c"]);
    pair.record = true;
    pair.send_text(0, 5, "d");
    pair.settle();
    assert_eq!(pair.ends[1].texts(), ["a", "b", "c", "d"]);
    let packet = Packet::parse(&pair.sent[0].2).unwrap();
    let data = muonrtc_sctp::packet::Data::parse(packet.chunks().next().unwrap().unwrap()).unwrap();
    assert_eq!(data.ssn, 0);
}

#[test]
fn a_stream_that_is_being_reset_takes_no_messages() {
    let mut pair = Pair::connected(1);
    reset(&mut pair, 0, &[5]);
    let message = |stream| Outgoing::new(stream, 51, Bytes::from_static(b"x"));
    let now = pair.now;
    let sctp = &mut pair.ends[0].sctp;
    assert_eq!(sctp.send(now, message(5)), Err(SctpError::Stream(5)));
    sctp.send(now, message(6)).unwrap();
}

// sctp-040, sctp-041, dfx-052
#[test]
fn over_a_bad_link_every_reset_comes_after_all_messages_and_ids_can_be_used_again() {
    for seed in 1..=40 {
        let mut pair = Pair::connected(seed);
        pair.weather.loss = 30;
        pair.weather.duplication = 10;
        pair.weather.jitter = std::time::Duration::from_millis(10);
        for round in 0..3 {
            for at in 0..2 {
                for stream in [1, 2, 3] {
                    for number in 0..3 {
                        pair.send_text(at, stream, &format!("{round} {stream} {number}"));
                    }
                }
                reset(&mut pair, at, &[1, 3]);
                reset(&mut pair, at, &[2]);
            }
            let done = |pair: &Pair| {
                pair.ends.iter().all(|end| {
                    let count = |incoming: bool| -> usize {
                        end.events
                            .iter()
                            .map(|event| match event {
                                SctpEvent::IncomingReset { streams } if incoming => streams.len(),
                                SctpEvent::OutgoingReset { streams } if !incoming => streams.len(),
                                SctpEvent::ResetFailed { .. } => {
                                    panic!("reset failed, seed {seed}")
                                }
                                _ => 0,
                            })
                            .sum()
                    };
                    assert!(count(true) <= 3 * (round + 1), "told twice, seed {seed}");
                    count(true) == 3 * (round + 1) && count(false) == 3 * (round + 1)
                })
            };
            pair.run_until(done);
            for end in &pair.ends {
                assert_eq!(end.messages.len(), 9 * (round + 1), "seed {seed}");
            }
        }
        for end in &pair.ends {
            for stream in 1..=3 {
                let texts: Vec<_> = end
                    .messages
                    .iter()
                    .filter(|message| message.stream == stream)
                    .map(|message| message.data.clone())
                    .collect();
                assert!(texts.is_sorted(), "seed {seed}");
            }
        }
    }
}

fn results(packet: &[u8]) -> Vec<u32> {
    let parse = |chunk: Chunk<'_>| {
        let chunk = chunk.value.to_vec();
        ReConfig { parameters: &chunk }
            .parameters()
            .filter_map(|parameter| match parameter.unwrap() {
                ReConfigParameter::Response(response) => Some(response.result),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    Packet::parse(packet)
        .unwrap()
        .chunks()
        .map(Result::unwrap)
        .filter(|chunk| chunk.kind == ReConfig::KIND)
        .flat_map(parse)
        .collect()
}

// sctp-041
#[test]
fn a_reset_that_overtakes_data_is_in_progress_until_the_data_is_there() {
    let mut pair = Pair::connected(1);
    pair.record = true;
    let mut lost = false;
    pair.filter = Some(Box::new(move |from, packet| {
        let drop = !lost && from == 0 && kinds(packet).contains(&0);
        lost |= drop;
        !drop
    }));
    pair.send_text(0, 5, "delayed");
    reset(&mut pair, 0, &[5]);
    pair.run_until(|pair| pair.ends[0].has(outgoing(&[5])));
    let answers: Vec<u32> = pair.sent.iter().flat_map(|sent| results(&sent.2)).collect();
    assert_eq!(answers.first(), Some(&ReConfigResult::IN_PROGRESS));
    assert_eq!(answers.last(), Some(&ReConfigResult::PERFORMED));
    assert_eq!(pair.ends[1].texts(), ["delayed"]);
    let events = pair.ends[1]
        .events
        .iter()
        .filter(|event| incoming(&[5])(event))
        .count();
    assert_eq!(events, 1);
}

// sctp-040
#[test]
fn a_lost_request_is_repeated_and_a_lost_answer_given_again() {
    for lose in [0, 1] {
        let mut pair = Pair::connected(1);
        let mut lost = 0;
        pair.filter = Some(Box::new(move |from, packet| {
            let drop = lost < 2 && from == lose && kinds(packet).contains(&ReConfig::KIND);
            lost += u32::from(drop);
            !drop
        }));
        reset(&mut pair, 0, &[7]);
        pair.run_until(|pair| pair.ends[0].has(outgoing(&[7])));
        let events = pair.ends[1]
            .events
            .iter()
            .filter(|event| incoming(&[7])(event))
            .count();
        assert_eq!(events, 1);
    }
}

#[test]
fn a_reset_wanted_before_the_association_is_up_happens_after_the_messages() {
    let mut pair = Pair::new(1);
    pair.send_text(0, 5, "first");
    reset(&mut pair, 0, &[5]);
    pair.connect();
    pair.run_until(|pair| pair.ends[0].has(outgoing(&[5])));
    assert_eq!(pair.ends[1].texts(), ["first"]);
}
