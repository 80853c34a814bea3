//! Audio and video over bad paths, in virtual time: what is lost is repaired, and both sides know
//! how it goes.

use crate::calls::{edited, near, number, numbered};
use crate::pair::{SessionPair, harsh};
use layer::SocketId;
use peerconnection::rtp::rtcp;
use peerconnection::{
    IncomingRtp, MediaKind, RtpEncodingParameters, RtpTransceiverDirection, RtpTransceiverInit,
    SessionDescription, SessionEvent, Stack, TransceiverKey,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::{Link, Packet, Record, Side, for_each_seed};

use MediaKind::Video;
use RtpTransceiverDirection::SendOnly;

/// VP8 in our capabilities.
const VP8: u8 = 96;

/// After the last packet that is looked at come so many more: nobody asks for what was lost at the
/// very end of a stream.
const TAIL: u32 = 100;

fn video(pair: &mut SessionPair, layers: &[&str]) -> TransceiverKey {
    let mut init = RtpTransceiverInit::with_direction(SendOnly);
    init.send_encodings = layers
        .iter()
        .map(|rid| RtpEncodingParameters::layer(*rid))
        .collect();
    let key = pair.a.session.add_transceiver(Video, init).unwrap();
    pair.negotiate(Side::A);
    pair.connect();
    key
}

/// Sends `count` packets, one every `pause`, and returns what came with the time that it took.
fn send(
    pair: &mut SessionPair,
    key: TransceiverKey,
    count: u32,
    pause: Duration,
) -> Vec<(IncomingRtp, Duration)> {
    let mut written: BTreeMap<u32, Instant> = BTreeMap::new();
    let mut came = Vec::new();
    let take = |pair: &mut SessionPair, came: &mut Vec<_>, written: &BTreeMap<u32, Instant>| {
        let now = pair.now();
        while let Some(incoming) = pair.b.session.poll_rtp() {
            let sent = written[&number(&incoming.packet)];
            came.push((incoming, now - sent));
        }
    };
    for place in 0..count + TAIL {
        written.insert(place, pair.now());
        assert!(pair.write(Side::A, key, 0, &numbered(VP8, place, 1000)));
        let deadline = pair.now() + pause;
        pair.run_until(pause, |pair| {
            take(pair, &mut came, &written);
            pair.now() >= deadline
        });
    }
    pair.run_until(Duration::from_secs(2), |pair| {
        take(pair, &mut came, &written);
        false
    });
    came
}

/// Each number once. Of what was sent before the first packet came the receiver knows nothing.
fn check_complete(came: &[(IncomingRtp, Duration)], count: u32) {
    let mut seen = BTreeSet::new();
    for (incoming, _) in came {
        let number = number(&incoming.packet);
        assert!(seen.insert(number), "{number} came twice");
        assert_eq!(incoming.packet.payload.len(), 1000);
        assert_eq!(incoming.packet.header.payload_type, VP8);
    }
    let missing: Vec<u32> = (10..count).filter(|own| !seen.contains(own)).collect();
    assert!(missing.is_empty(), "missing {missing:?}");
}

/// rtp-031, rtp-032: what is lost, reordered or doubled on the way comes once, in bounded time, by
/// NACK and RTX.
#[test]
fn lost_packets_are_sent_again() {
    for (loss, slowest) in [(1, 250), (5, 400), (20, 1500)] {
        for_each_seed(1..=3, |seed| {
            let link = harsh(loss, 0.05, 0.02);
            let stacks = [Stack::default(), Stack::default()];
            let mut pair = SessionPair::new(stacks, &link, seed.value());
            let key = video(&mut pair, &[]);
            let came = send(&mut pair, key, 1500, Duration::from_millis(2));
            check_complete(&came, 1500);
            let worst = came.iter().map(|(_, time)| *time).max().unwrap();
            assert!(
                worst <= Duration::from_millis(slowest),
                "{loss} %: {worst:?}"
            );
            let receiver = pair.b.session.transceivers()[0];
            let stats = pair.b.session.receiver_stats(receiver, 0).unwrap();
            assert!(
                stats.packets_repaired > 0 && stats.nack_count > 0,
                "{stats:?}"
            );
            let sent = pair.a.session.sender_stats(key).remove(0);
            assert!(sent.retransmitted_packets > 0, "{sent:?}");
            // Repair costs about what was lost, twice over at most.
            let most = u64::from(loss) * 1600 / 100 * 2 + 300;
            assert!(sent.retransmitted_packets < most, "{sent:?}");
        });
    }
}

/// Sender and receiver reports flow over a lossy path; the sender learns the round trip and the
/// part that is lost (RFC 3550 §6.4).
#[test]
fn reports_tell_round_trip_and_loss() {
    let stacks = [Stack::default(), Stack::default()];
    let mut pair = SessionPair::new(stacks, &harsh(5, 0.0, 0.0), 4);
    let key = video(&mut pair, &[]);
    pair.a.session.read_rtcp();
    pair.b.session.read_rtcp();
    send(&mut pair, key, 2000, Duration::from_millis(4));
    let mut kinds = [BTreeSet::new(), BTreeSet::new()];
    for (end, kinds) in [&mut pair.a, &mut pair.b].into_iter().zip(&mut kinds) {
        while let Some(incoming) = end.session.poll_rtcp() {
            kinds.insert(match incoming.packet {
                rtcp::Packet::SenderReport(_) => "sender report",
                rtcp::Packet::ReceiverReport(_) => "receiver report",
                rtcp::Packet::SourceDescription(_) => "description",
                _ => "feedback",
            });
        }
    }
    assert!(kinds[0].contains("receiver report"), "{kinds:?}");
    assert!(kinds[1].contains("sender report"), "{kinds:?}");
    assert!(kinds.iter().all(|kinds| kinds.contains("description")));
    let stats = pair.a.session.sender_stats(key).remove(0);
    let round_trip = stats.round_trip_time.unwrap();
    let expected = Duration::from_millis(15)..Duration::from_millis(60);
    assert!(expected.contains(&round_trip), "{round_trip:?}");
    assert!((0..=400).contains(&stats.packets_lost), "{stats:?}");
}

/// rtcp-015: reports come as often as ever where a description leaves no bandwidth for them.
#[test]
fn no_bandwidth_of_a_description_keeps_reports_away() {
    let link = Link::delayed(Duration::from_millis(5));
    let stacks = [Stack::default(), Stack::default()];
    let mut pair = SessionPair::new(stacks, &link, 6);
    let key = pair.add(Side::A, MediaKind::Audio, SendOnly);
    let starved = |description: &SessionDescription| {
        edited(description, |sdp| {
            let lines = sdp.split_inclusive("\r\n").map(|line| {
                let bandwidth = match line.starts_with("c=") {
                    true => "b=AS:1\r\nb=RS:0\r\nb=RR:0\r\n",
                    false => "",
                };
                format!("{line}{bandwidth}")
            });
            lines.collect()
        })
    };
    let offer = starved(&pair.describe(Side::A));
    assert!(offer.sdp().contains("b=RR:0"));
    pair.hand(Side::B, &offer);
    let answer = starved(&pair.describe(Side::B));
    pair.hand(Side::A, &answer);
    pair.connect();
    pair.a.session.read_rtcp();
    pair.b.session.read_rtcp();
    for number in 0..1500 {
        pair.write(Side::A, key, 0, &numbered(111, number, 50));
        pair.run_for(Duration::from_millis(20));
    }
    // RFC 3550 §6.2: every 5 s, of 30, at the longest 6.2 apart.
    for end in [&mut pair.a, &mut pair.b] {
        let came = std::iter::from_fn(|| end.session.poll_rtcp());
        let reports = came.filter(|incoming| {
            let packet = &incoming.packet;
            matches!(
                packet,
                rtcp::Packet::SenderReport(_) | rtcp::Packet::ReceiverReport(_)
            )
        });
        assert!(reports.count() >= 4);
    }
}

/// A request for a key frame reaches the encoder also where packets are lost.
#[test]
fn a_request_for_a_key_frame_crosses_a_lossy_path() {
    for_each_seed(1..=5, |seed| {
        let stacks = [Stack::default(), Stack::default()];
        let mut pair = SessionPair::new(stacks, &harsh(20, 0.0, 0.0), seed.value());
        let key = video(&mut pair, &[]);
        send(&mut pair, key, 5, Duration::from_millis(10));
        let receiver = pair.b.session.transceivers()[0];
        pair.a.events.clear();
        for _ in 0..20 {
            let now = pair.now();
            pair.b.session.request_keyframe(now, receiver, 0);
            pair.run_for(Duration::from_millis(500));
        }
        let asked =
            pair.a.events.iter().filter(
                |event| matches!(event, SessionEvent::KeyframeRequested(of, 0) if *of == key),
            );
        let asked = asked.count();
        assert!((5..=20).contains(&asked), "asked {asked} times");
    });
}

/// rtp-020, rtp-021: the layers of a simulcast stay apart on a lossy path, repairs included.
#[test]
fn layers_stay_apart() {
    for_each_seed(1..=3, |seed| {
        let stacks = [Stack::default(), Stack::default()];
        let mut pair = SessionPair::new(stacks, &harsh(5, 0.05, 0.02), seed.value());
        let key = video(&mut pair, &["h", "m", "l"]);
        let told = pair.track_events(Side::B);
        assert_eq!(told, ["track 0 0", "track 0 1", "track 0 2"]);
        let mut came = BTreeSet::new();
        for place in 0..1000 {
            for layer in 0..3_usize {
                let number = place * 3 + u32::try_from(layer).unwrap();
                let mut packet = numbered(VP8, number, 500);
                packet.header.sequence_number = u16::try_from(place).unwrap();
                packet.header.ssrc = 7 + u32::try_from(layer).unwrap();
                assert!(pair.write(Side::A, key, layer, &packet));
            }
            pair.run_for(Duration::from_millis(3));
            while let Some(incoming) = pair.b.session.poll_rtp() {
                let number = number(&incoming.packet);
                assert_eq!(u32::from(incoming.layer), number % 3);
                assert!(came.insert(number), "{number} came twice");
            }
        }
        let missing = (0..2700).filter(|number| !came.contains(number)).count();
        // What is lost before a layer's first packet came is not known to be missing.
        assert!(missing <= 15, "{missing} are missing");
    });
}

/// rtp-002, srtp: sequence numbers wrap twice, on a lossy path, and nothing is lost by it.
#[test]
fn sequence_numbers_wrap() {
    let stacks = [Stack::default(), Stack::default()];
    let mut pair = SessionPair::new(stacks, &harsh(1, 0.0, 0.0), 5);
    let key = video(&mut pair, &[]);
    let mut came: BTreeSet<u32> = BTreeSet::new();
    let count = 140_000;
    for place in 0..count {
        assert!(pair.write(Side::A, key, 0, &numbered(VP8, place, 4)));
        if place % 50 == 49 {
            pair.run_for(Duration::from_millis(25));
            while let Some(incoming) = pair.b.session.poll_rtp() {
                let number = number(&incoming.packet);
                assert!(came.insert(number), "{number} came twice");
            }
        }
    }
    let missing = (0..count - 200)
        .filter(|place| !came.contains(place))
        .count();
    assert!(missing <= 5, "{missing} are missing");
}

/// A packet that comes after it was repaired does not come twice, and one that comes far too late
/// not at all.
#[test]
fn a_late_packet_comes_once() {
    let mut pair = near(6);
    let key = video(&mut pair, &[]);
    let mut held = Vec::new();
    let mut came = Vec::new();
    let (local, remote) = addresses(&pair);
    for place in 0..3000_u32 {
        if [100, 200].contains(&place) {
            let (now, mut buffer) = (pair.now(), vec![0; 2048]);
            let packet = numbered(VP8, place, 100);
            let session = &mut pair.a.session;
            let transmit = session
                .write_rtp(now, key, 0, &packet, &mut buffer)
                .unwrap();
            buffer.truncate(transmit.len);
            held.push(Packet::new(local, remote, buffer));
        } else {
            assert!(pair.write(Side::A, key, 0, &numbered(VP8, place, 100)));
        }
        if [150, 2900].contains(&place) {
            let now = pair.now();
            let packet = held.remove(0);
            pair.b.inject(now, SocketId(0), &packet);
        }
        pair.run_for(Duration::from_millis(1));
        while let Some(incoming) = pair.b.session.poll_rtp() {
            came.push(number(&incoming.packet));
        }
    }
    pair.run_for(Duration::from_millis(50));
    while let Some(incoming) = pair.b.session.poll_rtp() {
        came.push(number(&incoming.packet));
    }
    let all = came.len();
    came.sort_unstable();
    came.dedup();
    assert_eq!(all, came.len(), "nothing comes twice");
    assert_eq!(came.len(), 3000, "both were repaired meanwhile");
}

fn addresses(pair: &SessionPair) -> (std::net::SocketAddr, std::net::SocketAddr) {
    let selected = pair.a.session.selected_candidate_pair().unwrap();
    let address = |candidate: &peerconnection::IceCandidate| {
        let address = candidate.address().unwrap().parse().unwrap();
        std::net::SocketAddr::new(address, candidate.port().unwrap())
    };
    (address(&selected.local), address(&selected.remote))
}

/// DESIGN section 5: the same seed, inputs and instants give the same bytes, with media too.
#[test]
fn the_same_seed_sends_the_same_media() {
    let stack = || {
        let provider = testkit::crypto::provider();
        let mut stack = Stack::default();
        let mut ice = ice::Factory::default();
        ice.provider = provider;
        stack.ice = Arc::new(ice);
        stack.dtls = Arc::new(dtls::Factory::new(provider));
        stack
    };
    let run = |seed: u64| -> Record {
        let link = harsh(5, 0.05, 0.02);
        let mut pair = SessionPair::new([stack(), stack()], &link, seed);
        pair.record = Some(Record::default());
        let key = video(&mut pair, &["h", "l"]);
        send(&mut pair, key, 300, Duration::from_millis(5));
        pair.record.unwrap()
    };
    for seed in 1..=3 {
        let (one, other) = (run(seed), run(seed));
        assert!(one.datagrams().len() > 300);
        assert_eq!(one.difference(&other), None, "seed {seed}");
    }
    assert!(run(1).difference(&run(2)).is_some());
}
