//! How large datagrams become, and what happens when the path takes less than it did.

use crate::pair::SessionPair;
use bytes::Bytes;
use datachannel::ChannelKey;
use peerconnection::{DataChannelInit, DataChannelState, Payload, Stack};
use std::net::IpAddr;
use std::time::Duration;
use testkit::{Link, Record, Side};

const MINUTE: Duration = Duration::from_secs(60);

/// The two ends.
const ADDRESSES: [[u8; 4]; 2] = [[192, 0, 2, 1], [192, 0, 2, 2]];

/// What the largest datagram holds: seven chunks, and the headers of SCTP and DTLS.
const SEVEN_CHUNKS: std::ops::RangeInclusive<usize> = 7852..=7900;

/// A path of 10 ms there and back that carries datagrams of `mtu`.
fn link(mtu: Option<usize>) -> Link {
    let mut link = Link::delayed(Duration::from_millis(5));
    link.mtu = mtu;
    link
}

/// A pair with a channel that is open.
fn pair(mtu: Option<usize>, seed: u64) -> (SessionPair, ChannelKey) {
    let mut pair = SessionPair::new([Stack::default(), Stack::default()], &link(mtu), seed);
    let now = pair.now();
    let init = DataChannelInit::default();
    let key = pair.a.session.create_data_channel(now, "c", init).unwrap();
    pair.negotiate(Side::A);
    let is_open = |pair: &mut SessionPair| {
        pair.a.session.channel_state(key) == DataChannelState::Open && pair.b.has_opened()
    };
    assert!(pair.run_until(MINUTE, is_open));
    (pair, key)
}

/// From now on the path carries so much, both ways.
fn set_mtu(pair: &mut SessionPair, mtu: usize) {
    let [one, other] = ADDRESSES.map(IpAddr::from);
    for (from, to) in [(one, other), (other, one)] {
        pair.network.set_link(from, to, link(Some(mtu)));
    }
}

fn send(pair: &mut SessionPair, key: ChannelKey, count: u8, len: usize) {
    for number in 0..count {
        let (now, data) = (pair.now(), Bytes::from(vec![number; len]));
        let sent = pair.a.session.send(now, key, Payload::Binary, &data);
        sent.unwrap();
    }
}

/// Waits for so many messages; whether each came once, in order and whole.
fn all_arrive(pair: &mut SessionPair, count: u8, len: usize) -> bool {
    let there = pair.run_until(MINUTE, |pair| pair.b.messages.len() >= usize::from(count));
    let messages = std::mem::take(&mut pair.b.messages);
    let mut whole = messages.iter().zip(0..);
    there
        && messages.len() == usize::from(count)
        && whole.all(|((_, _, data), number)| *data == vec![number; len])
}

/// The sizes of the datagrams of A since the last call.
fn sizes(pair: &mut SessionPair) -> Vec<usize> {
    let record = pair.record.replace(Record::default()).unwrap_or_default();
    record.sent_by(Side::A).map(<[u8]>::len).collect()
}

// sctp-048, sctp-049
#[test]
fn datagrams_grow_where_the_path_carries_more() {
    let (mut pair, key) = pair(None, 1);
    sizes(&mut pair);
    send(&mut pair, key, 1, 1000);
    assert!(all_arrive(&mut pair, 1, 1000));
    // RFC 8261 §4: 1200 with the headers of IPv4 and UDP, and that of DTLS is counted.
    assert!(sizes(&mut pair).into_iter().all(|size| size <= 1200 - 28));
    send(&mut pair, key, 20, 100_000);
    assert!(all_arrive(&mut pair, 20, 100_000));
    let sizes = sizes(&mut pair);
    assert!(sizes[0] <= 1200 - 28, "{}", sizes[0]);
    assert!(SEVEN_CHUNKS.contains(sizes.iter().max().unwrap()));
    let large = sizes.iter().filter(|size| SEVEN_CHUNKS.contains(size));
    assert!(large.count() > 200);
}

// sctp-049
#[test]
fn datagrams_stay_small_where_the_path_carries_less() {
    for mtu in [1200, 1472, 2000] {
        let (mut pair, key) = pair(Some(mtu), 1);
        sizes(&mut pair);
        for _ in 0..20 {
            send(&mut pair, key, 1, 100_000);
            pair.run_for(Duration::from_secs(1));
        }
        assert!(pair.b.messages.len() == 20);
        let sizes = sizes(&mut pair);
        let probes = sizes.iter().filter(|size| **size > 1172).count();
        // Three sizes, three times each.
        assert_eq!(probes, 9, "{mtu}");
        let [from, to] = ADDRESSES.map(IpAddr::from);
        let path = pair.network.path_stats(from, to).unwrap();
        assert_eq!(path.oversized, 9, "nothing but probes is lost");
    }
}

/// A pair whose datagrams have grown, with a hundred messages under way.
fn loaded(seed: u64) -> SessionPair {
    let (mut pair, key) = pair(None, seed);
    send(&mut pair, key, 20, 50_000);
    assert!(all_arrive(&mut pair, 20, 50_000));
    send(&mut pair, key, 100, 50_000);
    pair.run_for(Duration::from_millis(4 + seed));
    assert!(pair.b.messages.len() < 100, "they are in flight");
    pair
}

fn all_arrive_soon(pair: &mut SessionPair, seed: u64) {
    let before = pair.now();
    assert!(all_arrive(pair, 100, 50_000), "seed {seed}");
    let took = pair.now() - before;
    assert!(took < Duration::from_secs(5), "seed {seed}: {took:?}");
}

// sctp-021, sctp-048, pc-023
#[test]
fn what_is_in_flight_goes_on_over_a_narrower_route() {
    for seed in 1..=10 {
        let mut pair = loaded(seed);
        pair.a.session.restart_ice();
        set_mtu(&mut pair, 1200);
        pair.negotiate(Side::A);
        all_arrive_soon(&mut pair, seed);
    }
}

// sctp-048
#[test]
fn a_path_that_takes_less_without_a_word_is_noticed() {
    for seed in 1..=10 {
        let mut pair = loaded(seed);
        set_mtu(&mut pair, 1200);
        all_arrive_soon(&mut pair, seed);
    }
}
