//! Associations that the descriptions agree on (draft-hancke-tsvwg-snap), in whole connections.

use crate::pair::SessionPair;
use peerconnection::{
    DataChannelInit, ErrorKind, LocalSessionDescription, SdpType, SessionDescription, Stack,
};
use std::sync::Arc;
use std::time::Duration;
use testkit::{Link, Side};

const ROUND_TRIP: Duration = Duration::from_millis(100);

fn stack(offers: bool) -> Stack {
    let mut factory = sctp::Factory::default();
    factory.offer_init = offers;
    let mut stack = Stack::default();
    stack.sctp = Arc::new(factory);
    stack
}

/// A pair whose first end has a channel, and offers INIT or not.
fn pair(offers: bool) -> SessionPair {
    let link = Link::delayed(ROUND_TRIP / 2);
    let mut pair = SessionPair::new([stack(offers), stack(false)], &link, 1);
    let now = pair.now();
    let channel = DataChannelInit::default();
    let made = pair.a.session.create_data_channel(now, "c", channel);
    made.unwrap();
    pair
}

/// The line of a side's last description.
fn init(pair: &mut SessionPair, side: Side) -> Option<String> {
    let description = pair.end(side).session.local_description().unwrap();
    let mut lines = description.sdp().lines();
    let line = lines.find(|line| line.starts_with("a=sctp-init:"));
    line.map(str::to_owned)
}

/// A pair whose channel is open at both ends, and how long that took.
fn opened(offers: bool) -> (SessionPair, Duration) {
    let mut pair = pair(offers);
    pair.negotiate(Side::A);
    let both = |pair: &mut SessionPair| pair.a.has_opened() && pair.b.has_opened();
    assert!(pair.run_until(Duration::from_secs(10), both));
    let took = pair.elapsed();
    (pair, took)
}

// sctp-050, dfx-054
#[test]
fn a_channel_opens_earlier_by_the_handshake_of_sctp() {
    let (mut plain, without) = opened(false);
    let (mut described, with) = opened(true);
    assert_eq!(init(&mut plain, Side::A), None);
    assert_eq!(init(&mut plain, Side::B), None);
    for side in [Side::A, Side::B] {
        assert!(init(&mut described, side).is_some());
    }
    println!("{without:?} without, {with:?} with");
    assert!(with + ROUND_TRIP <= without, "{with:?}, {without:?}");
}

// sctp-050
#[test]
fn later_descriptions_repeat_the_line_or_do_not_have_it() {
    for offers in [true, false] {
        let (mut pair, _) = opened(offers);
        let before = [Side::A, Side::B].map(|side| init(&mut pair, side));
        // The end that did not offer it at first offers it now, as it is agreed on.
        for from in [Side::B, Side::A] {
            pair.negotiate(from);
            let after = [Side::A, Side::B].map(|side| init(&mut pair, side));
            assert_eq!(after, before);
            assert_eq!(after[0].is_some(), offers);
        }
    }
}

/// The offer of a pair, with its line changed.
fn offer_with(pair: &mut SessionPair, change: impl Fn(&str) -> String) -> SessionDescription {
    let offer = pair.describe(Side::A);
    let edit = |line: &str| match line.starts_with("a=sctp-init:") {
        true => change(line),
        false => line.to_owned(),
    };
    let lines: Vec<String> = offer.sdp().lines().map(edit).collect();
    SessionDescription::new(SdpType::Offer, lines.join("\r\n") + "\r\n")
}

// sctp-050
#[test]
fn a_line_that_is_no_init_is_refused() {
    let (bad_base64, bad_chunk) = ("a=sctp-init:AQAAHo*=", "a=sctp-init:AQAAHols3R0AUAAA");
    for line in [bad_base64, bad_chunk] {
        let mut pair = pair(true);
        let offer = offer_with(&mut pair, |_| line.to_owned());
        let now = pair.now();
        let error = pair.b.session.set_remote_description(now, &offer);
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidAccess);
    }
}

// sctp-050
#[test]
fn an_association_that_has_begun_takes_no_other_init() {
    for offers in [true, false] {
        let (mut pair, _) = opened(offers);
        let other = "a=sctp-init:AQAAHols3R0AUAAA/////+B5ZR3AAAAEgAgABoLA";
        let offer = pair.describe(Side::A);
        let mut lines: Vec<&str> = offer.sdp().lines().collect();
        lines.retain(|line| !line.starts_with("a=sctp-init:"));
        let at = lines
            .iter()
            .position(|line| line.starts_with("a=sctp-port"));
        lines.insert(at.unwrap(), other);
        let offer = SessionDescription::new(SdpType::Offer, lines.join("\r\n") + "\r\n");
        let now = pair.now();
        let error = pair.b.session.set_remote_description(now, &offer);
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidAccess);
    }
}

// dfx-005
#[test]
fn a_peer_that_copies_our_line_or_leaves_it_out_connects_as_ever() {
    for echoes in [true, false] {
        connects_as_ever(echoes);
    }
}

fn connects_as_ever(echoes: bool) {
    let mut pair = pair(true);
    let offer = offer_with(&mut pair, |_| "a=x-unknown:1".to_owned());
    pair.hand(Side::B, &offer);
    let answer = pair.describe(Side::B);
    assert_eq!(init(&mut pair, Side::B), None);
    let own = init(&mut pair, Side::A).unwrap();
    let echoed = answer
        .sdp()
        .replace("a=sctp-port", &format!("{own}\r\na=sctp-port"));
    let echoed = SessionDescription::new(SdpType::Answer, echoed);
    pair.hand(Side::A, if echoes { &echoed } else { &answer });
    assert!(pair.run_until(Duration::from_secs(10), |pair| pair.b.has_opened()));
    // An offer of ours does not bring it up again.
    let now = pair.now();
    let session = &mut pair.a.session;
    let made = session.set_local_description(now, LocalSessionDescription::default());
    made.unwrap();
    assert_eq!(init(&mut pair, Side::A), None);
}
