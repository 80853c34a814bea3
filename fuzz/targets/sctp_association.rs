//! Two associations, a network that does what the tape says, a user who does too, and packets of
//! the tape's own making with the right tag and checksum.
#![no_main]

use bytes::Bytes;
use fuzz::{Tape, faults, sctp_checksum, tags};
use layer::{Outgoing, Reliability};
use libfuzzer_sys::fuzz_target;
use std::time::Duration;
use testkit::{Link, Pair, SctpPeer, Side};

/// Longer than an association with the standard's limits lives without an answer.
const LONG_ENOUGH: Duration = Duration::from_secs(300);

fuzz_target!(|bytes: &[u8]| {
    let tape = Tape::new(bytes);
    let mut factory = sctp::Factory::default();
    factory.interleaving = tape.flag();
    factory.congestion = match tape.number() % 3 {
        0 => sctp::CongestionControl::Reno,
        1 => sctp::CongestionControl::Cubic,
        _ => sctp::CongestionControl::Bbr,
    };
    let mut link = Link::perfect();
    link.delay = Duration::from_millis(5);
    let seed = tape.number().into();
    let mut pair = Pair::sctp([&factory, &factory], &link, seed, |config| {
        config.max_message = 100_000;
        config.authenticated = factory.interleaving;
    });
    let fault = faults(&tape, Box::new(|_, packet| sctp_checksum(packet)));
    let (fault, tags) = tags(fault);
    pair.fault = Some(fault);
    pair.start();
    while let Some(step) = tape.byte() {
        let side = tape.side();
        match step % 8 {
            0..=2 => {
                let tag = tags[side.other() as usize].get();
                pair.inject(side, &packet(&tape, tag));
            }
            3 => pair.run_for(tape.duration()),
            _ => act(&mut pair, side, &tape),
        }
    }
    pair.fault = None;
    pair.run_for(LONG_ENOUGH);
});

/// Any chunks behind a common header that the receiver takes for its peer's.
fn packet(tape: &Tape, tag: [u8; 4]) -> Vec<u8> {
    let chunks = tape.chunk();
    let mut packet = Vec::with_capacity(12 + chunks.len());
    packet.extend(5000_u16.to_be_bytes());
    packet.extend(5000_u16.to_be_bytes());
    // An INIT comes with the tag 0 (RFC 9260 §8.5.1).
    packet.extend(if chunks.first() == Some(&1) {
        [0; 4]
    } else {
        tag
    });
    packet.extend([0; 4]);
    packet.extend(chunks);
    sctp_checksum(&mut packet);
    packet
}

fn act(pair: &mut Pair<SctpPeer>, side: Side, tape: &Tape) {
    let now = pair.now();
    let end = pair.end(side);
    let machine = &mut end.machine;
    match tape.byte().unwrap_or(0) % 16 {
        0..=5 => {
            let _ = machine.send(now, message(tape));
        }
        6 | 7 => {
            let _ = machine.reset(now, &[tape.number() & 7, tape.number() & 7]);
        }
        8 => machine.set_max_packet(usize::from(tape.number())),
        9 => machine.set_round_trip(now, tape.duration()),
        10 => machine.path_changed(now),
        11 => end.consume = !end.consume,
        12 => machine.set_buffered_amount_low_threshold(tape.number() & 7, tape.number().into()),
        13 => machine.set_priority(tape.number() & 7, tape.number()),
        14 if tape.flag() => machine.abort(now, "the tape says so"),
        _ if tape.flag() => machine.shutdown(now),
        _ => {
            let _ = (machine.stats(), machine.streams(), machine.send_capacity());
            let _ = (machine.state(), machine.buffered_amount(1));
        }
    }
    pair.settle();
}

fn message(tape: &Tape) -> Outgoing {
    let len = 1 + usize::from(tape.number());
    let mut message = Outgoing::new(tape.number() & 7, 53, Bytes::from(vec![7; len]));
    let bits = tape.byte().unwrap_or(0);
    message.unordered = bits & 1 == 1;
    message.reliability = match (bits >> 1) & 3 {
        0 | 1 => Reliability::Reliable,
        2 => Reliability::MaxRetransmits(tape.number() & 3),
        _ => Reliability::MaxLifetime(tape.duration()),
    };
    message.first = bits & 0x08 == 0;
    message.last = bits & 0x10 == 0;
    message
}
