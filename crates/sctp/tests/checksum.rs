//! Packets without a checksum (RFC 9653), where both ends are told that the layer below
//! authenticates.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod link;

use layer::{Sctp, SctpConnect};
use link::{End, Pair, config, start};
use muonrtc_sctp::Factory;
use muonrtc_sctp::packet::{CookieEcho, Init, InitAck, Packet};

/// A pair in which each end is told, or not, that it is authenticated.
fn pair(authenticated: [bool; 2]) -> Pair {
    let mut pair = Pair::new(1);
    for (at, authenticated) in authenticated.into_iter().enumerate() {
        let mut config = config();
        config.authenticated = authenticated;
        let label = u8::try_from(at + 1).unwrap();
        pair.ends[at] = End {
            sctp: Factory::default().association(start(pair.now, 1, label), config),
            events: Vec::new(),
            messages: Vec::new(),
            consume: true,
            take: true,
        };
    }
    pair.record = true;
    pair
}

/// Which packets of an end had no checksum: those of the set-up, and those after it.
fn unsummed(pair: &Pair, from: usize) -> (usize, usize, usize) {
    let (mut setup, mut later, mut summed) = (0, 0, 0);
    for (_, _, packet) in pair.sent.iter().filter(|sent| sent.0 == from) {
        let first = Packet::parse_authenticated(packet).unwrap().chunks().next();
        let first = first.unwrap().unwrap().kind;
        let is_setup = [Init::KIND, InitAck::KIND, CookieEcho::KIND].contains(&first);
        if packet[8..12] != [0; 4] {
            summed += 1;
        } else if is_setup {
            setup += 1;
        } else {
            later += 1;
        }
    }
    (setup, later, summed)
}

// sctp-047
#[test]
fn after_the_set_up_no_packet_has_a_checksum_if_both_ends_agree() {
    let mut pair = pair([true, true]);
    pair.connect();
    pair.run_until(Pair::both_connected);
    for number in 0..20 {
        pair.send_text(0, 0, &format!("message {number}"));
        pair.settle();
    }
    assert_eq!(pair.ends[1].messages.len(), 20);
    for from in 0..2 {
        let (setup, later, summed) = unsummed(&pair, from);
        assert_eq!(setup, 0);
        assert!(later >= 20, "{later}");
        assert!(summed <= 4, "{summed}");
    }
}

// sctp-047
#[test]
fn a_peer_that_has_not_announced_it_gets_a_checksum_on_every_packet() {
    for authenticated in [[true, false], [false, true], [false, false]] {
        let mut pair = pair(authenticated);
        pair.connect();
        pair.run_until(Pair::both_connected);
        pair.send_text(0, 0, "there");
        pair.send_text(1, 0, "and back");
        pair.settle();
        assert!(pair.ends.iter().all(|end| end.messages.len() == 1));
        for from in 0..2 {
            let (setup, later, _) = unsummed(&pair, from);
            assert_eq!((setup, later), (0, 0), "{authenticated:?}");
        }
    }
}

// sctp-002, sctp-047
#[test]
fn a_checksum_of_zero_is_dropped_by_an_end_that_did_not_ask_for_it() {
    let mut pair = pair([false, false]);
    pair.ends[0]
        .sctp
        .connect(pair.now, SctpConnect::new(5000, 5000))
        .unwrap();
    let mut buf = [0; 1500];
    let len = pair.ends[0].sctp.poll_transmit(pair.now, &mut buf).unwrap();
    buf[8..12].fill(0);
    let now = pair.now;
    pair.ends[1]
        .sctp
        .connect(now, SctpConnect::new(5000, 5000))
        .unwrap();
    pair.ends[1].sctp.handle_input(now, &buf[..len]);
    assert_eq!(pair.ends[1].sctp.stats().packets_dropped, 1);
}
