//! Offers and answers of audio and video: sections, directions, rollback, and when they are needed.

use crate::calls::{near, parsed};
use crate::pair::SessionPair;
use peerconnection::{
    DataChannelInit, ErrorKind, LocalSessionDescription, MediaKind, RtpTransceiverDirection,
    SdpType, SignalingState,
};
use testkit::{Random, Side, for_each_seed};

use MediaKind::{Audio, Video};
use RtpTransceiverDirection::{Inactive, RecvOnly, SendOnly, SendRecv};

const DIRECTIONS: [RtpTransceiverDirection; 4] = [SendRecv, SendOnly, RecvOnly, Inactive];

/// A direction by its halves.
fn of(sends: bool, receives: bool) -> RtpTransceiverDirection {
    match (sends, receives) {
        (true, true) => SendRecv,
        (true, false) => SendOnly,
        (false, true) => RecvOnly,
        (false, false) => Inactive,
    }
}

fn sends(direction: RtpTransceiverDirection) -> bool {
    matches!(direction, SendRecv | SendOnly)
}

fn receives(direction: RtpTransceiverDirection) -> bool {
    matches!(direction, SendRecv | RecvOnly)
}

/// The kinds and ports of a side's local description, `audio`, `-video` where rejected.
fn outline(pair: &mut SessionPair, side: Side) -> Vec<String> {
    let description = pair.end(side).session.local_description().unwrap();
    parsed(&description)
        .media
        .iter()
        .map(|section| match section.is_rejected() {
            true => format!("-{}", section.kind),
            false => section.kind.clone(),
        })
        .collect()
}

/// Sets an offer of this side and hands it over, without an answer.
fn offer(pair: &mut SessionPair, from: Side) {
    let offer = pair.describe(from);
    assert_eq!(offer.kind(), SdpType::Offer);
    pair.hand(from.other(), &offer);
}

fn roll_back(pair: &mut SessionPair, side: Side, local: bool) {
    let now = pair.now();
    let session = &mut pair.end(side).session;
    let rollback = peerconnection::SessionDescription::new(SdpType::Rollback, String::new());
    if local {
        let mut description = LocalSessionDescription::default();
        description.kind = Some(SdpType::Rollback);
        session.set_local_description(now, description).unwrap();
    } else {
        session.set_remote_description(now, &rollback).unwrap();
    }
}

/// Both sides have the same sections, mids and opposite directions.
fn check_mirrored(pair: &mut SessionPair) {
    let ours = pair.infos(Side::A);
    let theirs = pair.infos(Side::B);
    for info in &ours {
        let Some(mid) = &info.mid else { continue };
        let other = theirs
            .iter()
            .find(|other| other.mid.as_ref() == Some(mid))
            .unwrap_or_else(|| panic!("nobody has section {mid}: {theirs:?}"));
        let (one, other) = (info.current_direction, other.current_direction);
        let one = one.unwrap();
        assert_eq!(other, Some(of(receives(one), sends(one))), "section {mid}");
    }
}

/// pc-019: one kind alone connects, and each transceiver has a section.
#[test]
fn one_kind_alone_connects() {
    for kind in [Audio, Video] {
        let mut pair = near(1);
        pair.add(Side::A, kind, SendRecv);
        pair.negotiate(Side::A);
        pair.connect();
        assert_eq!(pair.infos(Side::A)[0].current_direction, Some(SendOnly));
        assert_eq!(pair.infos(Side::B)[0].current_direction, Some(RecvOnly));
        assert!(pair.is_content());
    }
}

/// pc-019, sdp-009, sdp-025: many sections keep their order and share one transport.
#[test]
fn twenty_sections_share_a_transport() {
    let mut pair = near(2);
    for number in 0..20 {
        let kind = if number % 3 == 0 { Audio } else { Video };
        pair.add(Side::A, kind, DIRECTIONS[number % 4]);
    }
    pair.negotiate(Side::A);
    pair.connect();
    check_mirrored(&mut pair);
    assert_eq!(pair.infos(Side::B).len(), 20);
    let answer = pair.b.session.local_description().unwrap();
    let group = parsed(&answer).bundle().unwrap().unwrap();
    assert_eq!(group.mids.len(), 20);
    assert!(pair.is_content());
}

/// pc-021, sdp-011, pc-025, pc-041: every pair of directions, as both sides see it, with the
/// tracks that are told of, and nothing left to negotiate.
#[test]
fn directions_intersect() {
    for offered in DIRECTIONS {
        for wanted in DIRECTIONS {
            let mut pair = near(3);
            pair.add(Side::A, Audio, offered);
            offer(&mut pair, Side::A);
            let key = pair.b.session.transceivers()[0];
            pair.b.session.set_direction(key, wanted).unwrap();
            let answer = pair.describe(Side::B);
            pair.hand(Side::A, &answer);
            let case = format!("{offered:?} was offered, {wanted:?} wanted");
            let at_b = of(
                sends(wanted) && receives(offered),
                receives(wanted) && sends(offered),
            );
            let at_a = of(receives(at_b), sends(at_b));
            let (a, b) = (pair.infos(Side::A).remove(0), pair.infos(Side::B).remove(0));
            assert_eq!(b.current_direction, Some(at_b), "{case}");
            assert_eq!(a.current_direction, Some(at_a), "{case}");
            assert_eq!((a.direction, b.direction), (offered, wanted), "{case}");
            let told = |flows: bool| if flows { vec!["track 0 0"] } else { vec![] };
            assert_eq!(pair.track_events(Side::A), told(receives(at_a)), "{case}");
            assert_eq!(pair.track_events(Side::B), told(sends(offered)), "{case}");
            assert!(pair.is_content(), "{case}");
        }
    }
}

/// pc-025: whatever directions change to, one exchange settles them.
#[test]
fn one_exchange_settles_a_changed_direction() {
    for_each_seed(1..=10, |seed| {
        let mut random: Random = seed.random(b"turns   ");
        let mut pair = near(seed.value());
        let side = |random: &mut Random| [Side::A, Side::B][random.below(2)];
        pair.add(Side::A, Audio, SendRecv);
        pair.add(Side::A, Video, SendRecv);
        pair.negotiate(Side::A);
        for _ in 0..20 {
            let changed = side(&mut random);
            let at = random.below(2);
            let direction = DIRECTIONS[random.below(4)];
            let key = pair.end(changed).session.transceivers()[at];
            pair.end(changed)
                .session
                .set_direction(key, direction)
                .unwrap();
            pair.negotiate(changed);
            check_mirrored(&mut pair);
            assert!(pair.is_content(), "{direction:?} by {changed:?}");
        }
    });
}

/// pc-025: raised once for each change, and only while stable.
#[test]
fn negotiation_is_needed_once_for_each_change() {
    let mut pair = near(4);
    let needed = |pair: &mut SessionPair| {
        pair.settle();
        let events = std::mem::take(&mut pair.a.events);
        let raised = events
            .iter()
            .filter(|event| matches!(event, peerconnection::SessionEvent::NegotiationNeeded));
        raised.count()
    };
    let key = pair.add(Side::A, Audio, SendRecv);
    pair.add(Side::A, Video, SendRecv);
    assert_eq!(needed(&mut pair), 1);
    let first = pair.describe(Side::A);
    // While an offer is pending nothing is raised; what it lacks is raised after it.
    pair.add(Side::A, Audio, SendRecv);
    assert_eq!(needed(&mut pair), 0);
    pair.hand(Side::B, &first);
    let answer = pair.describe(Side::B);
    pair.hand(Side::A, &answer);
    assert_eq!(needed(&mut pair), 1);
    pair.negotiate(Side::A);
    assert_eq!(needed(&mut pair), 0);
    assert!(pair.is_content());
    pair.a.session.set_direction(key, RecvOnly).unwrap();
    assert_eq!(needed(&mut pair), 1);
    pair.a.session.set_direction(key, SendRecv).unwrap();
    assert!(pair.is_content(), "what is as it was needs nothing");
    pair.a.session.set_streams(key, vec!["one".into()]).unwrap();
    assert_eq!(needed(&mut pair), 1);
    pair.negotiate(Side::A);
    assert!(pair.is_content());
    let now = pair.now();
    pair.a.session.stop_transceiver(now, key);
    assert_eq!(needed(&mut pair), 1);
    pair.negotiate(Side::A);
    assert_eq!(needed(&mut pair), 0);
    assert!(pair.is_content());
    let data = DataChannelInit::default();
    pair.a.session.create_data_channel(now, "", data).unwrap();
    assert_eq!(needed(&mut pair), 1);
    pair.negotiate(Side::A);
    assert!(pair.is_content());
}

/// pc-019, pc-022: data first, then media, then media gone, and the sections that are left are used
/// again before new ones are made.
#[test]
fn media_comes_and_goes_beside_data() {
    let mut pair = near(5);
    let now = pair.now();
    let data = DataChannelInit::default();
    pair.a.session.create_data_channel(now, "", data).unwrap();
    pair.negotiate(Side::A);
    pair.connect();
    assert_eq!(outline(&mut pair, Side::A), ["application"]);
    let audio = pair.add(Side::A, Audio, SendRecv);
    pair.add(Side::B, Video, SendRecv);
    pair.negotiate(Side::A);
    pair.negotiate(Side::B);
    assert_eq!(
        outline(&mut pair, Side::A),
        ["application", "audio", "video"]
    );
    assert!(pair.is_content());
    pair.a.session.stop_transceiver(now, audio);
    pair.negotiate(Side::A);
    assert_eq!(
        outline(&mut pair, Side::B),
        ["application", "-audio", "video"]
    );
    pair.add(Side::B, Video, SendOnly);
    pair.negotiate(Side::B);
    assert_eq!(
        outline(&mut pair, Side::A),
        ["application", "video", "video"]
    );
    check_mirrored(&mut pair);
    assert!(pair.is_content());
    assert!(pair.a.has_opened() || pair.run_until(crate::calls::LIMIT, |p| p.a.has_opened()));
}

/// pc-019: transceivers are added, stopped and turned at random from both sides, for many rounds;
/// sections are used again, and both sides always agree.
#[test]
fn many_rounds_from_both_sides_agree() {
    for_each_seed(1..=8, |seed| {
        let mut random: Random = seed.random(b"rounds  ");
        let mut pair = near(seed.value());
        let (mut most, mut ever) = (1, 1);
        pair.add(Side::A, Audio, SendRecv);
        for round in 0..30 {
            let from = [Side::A, Side::B][random.below(2)];
            let by = [Side::A, Side::B][random.below(2)];
            let now = pair.now();
            let session = &mut pair.end(by).session;
            let keys = session.transceivers();
            match random.below(3) {
                0 if keys.len() < 6 => {
                    let kind = [Audio, Video][random.below(2)];
                    pair.add(by, kind, DIRECTIONS[random.below(4)]);
                    ever += 1;
                }
                1 if !keys.is_empty() => {
                    session.stop_transceiver(now, keys[random.below(keys.len())]);
                }
                _ if !keys.is_empty() => {
                    let key = keys[random.below(keys.len())];
                    // One that was stopped and waits for the exchange cannot be turned.
                    let _ = session.set_direction(key, DIRECTIONS[random.below(4)]);
                }
                _ => {}
            }
            pair.negotiate(from);
            if !pair.is_content() {
                pair.negotiate(from.other());
            }
            assert!(pair.is_content(), "round {round}");
            check_mirrored(&mut pair);
            let alive = pair.infos(Side::A).len();
            assert_eq!(alive, pair.infos(Side::B).len());
            most = most.max(alive);
            let description = pair.a.session.current_local_description();
            let sections = description.map_or(0, |own| parsed(&own).media.len());
            assert!(sections <= most + 2, "{sections} sections for {most}");
        }
        assert!(ever > 3);
    });
}

/// pc-015: a rolled back offer of ours leaves transceivers and mids as they were.
#[test]
fn an_offer_taken_back_leaves_nothing() {
    let mut pair = near(6);
    pair.add(Side::A, Audio, SendRecv);
    pair.negotiate(Side::A);
    pair.add(Side::A, Video, SendRecv);
    let before = pair.infos(Side::A);
    let mut offered = pair.describe(Side::A);
    assert_eq!(pair.infos(Side::A)[1].mid.as_deref(), Some("1"));
    roll_back(&mut pair, Side::A, true);
    assert_eq!(pair.infos(Side::A), before);
    assert!(pair.a.session.is_negotiation_needed());
    let again = pair.describe(Side::A);
    for text in [&mut offered, &mut again.clone()] {
        *text = crate::calls::edited(text, |sdp| {
            sdp.lines()
                .filter(|line| !line.starts_with("o=") && !line.starts_with("a=candidate"))
                .collect()
        });
    }
    pair.hand(Side::B, &again);
    let answer = pair.describe(Side::B);
    pair.hand(Side::A, &answer);
    check_mirrored(&mut pair);
    assert!(pair.is_content());
}

/// pc-015: what an offer of the peer made goes with it, its tracks end, and what was there before is
/// as it was.
#[test]
fn an_offer_of_the_peer_taken_back_leaves_nothing() {
    let mut pair = near(7);
    pair.add(Side::A, Audio, SendRecv);
    pair.negotiate(Side::A);
    let before = pair.infos(Side::B);
    let _ = pair.track_events(Side::B);
    let key = pair.add(Side::A, Video, SendRecv);
    let inactive = pair.a.session.transceivers()[0];
    pair.a.session.set_direction(inactive, Inactive).unwrap();
    offer(&mut pair, Side::A);
    assert_eq!(pair.infos(Side::B).len(), 2);
    roll_back(&mut pair, Side::B, false);
    pair.settle();
    assert_eq!(pair.infos(Side::B), before);
    assert_eq!(pair.b.session.signaling_state(), SignalingState::Stable);
    let told = pair.track_events(Side::B);
    // The audio track is announced again: the peer does send it after all (webrtc-pc §4.4.1.5).
    assert_eq!(told, ["track 1 0", "track 0 0", "end 1"]);
    roll_back(&mut pair, Side::A, true);
    pair.a.session.set_direction(key, RecvOnly).unwrap();
    pair.negotiate(Side::A);
    check_mirrored(&mut pair);
    assert!(pair.is_content());
}

/// pc-015: what never sent was never told of, and does not end.
#[test]
fn a_track_that_never_began_does_not_end() {
    let mut pair = near(8);
    pair.add(Side::A, Audio, RecvOnly);
    offer(&mut pair, Side::A);
    roll_back(&mut pair, Side::B, false);
    pair.settle();
    assert!(pair.track_events(Side::B).is_empty());
}

/// pc-014: offers that cross, with transceivers on both sides: the polite one takes its own back,
/// and after both exchanges all sections are there.
#[test]
fn offers_that_cross_are_settled() {
    for_each_seed(1..=5, |seed| {
        let mut pair = near(seed.value());
        pair.add(Side::A, Audio, SendRecv);
        pair.add(Side::A, Video, SendRecv);
        pair.add(Side::B, Video, SendOnly);
        let _ = pair.describe(Side::B);
        offer(&mut pair, Side::A);
        assert_eq!(
            pair.b.session.signaling_state(),
            SignalingState::HaveRemoteOffer
        );
        let answer = pair.describe(Side::B);
        assert_eq!(answer.kind(), SdpType::Answer);
        pair.hand(Side::A, &answer);
        pair.connect();
        assert!(pair.b.session.is_negotiation_needed());
        pair.negotiate(Side::B);
        assert_eq!(
            outline(&mut pair, Side::A),
            ["audio", "video", "video"],
            "transceivers of addTransceiver are not adopted"
        );
        check_mirrored(&mut pair);
        assert!(pair.is_content());
    });
}

/// pc-016: a provisional answer lets media flow and can still be changed; a transceiver is only
/// stopped by the final one.
#[test]
fn a_provisional_answer_can_be_changed() {
    let mut pair = near(9);
    pair.add(Side::A, Audio, SendRecv);
    offer(&mut pair, Side::A);
    let key = pair.b.session.transceivers()[0];
    let now = pair.now();
    let mut description = LocalSessionDescription::default();
    description.kind = Some(SdpType::Pranswer);
    pair.b
        .session
        .set_local_description(now, description)
        .unwrap();
    pair.settle();
    let provisional = pair.b.session.local_description().unwrap();
    assert_eq!(provisional.kind(), SdpType::Pranswer);
    pair.hand(Side::A, &provisional);
    assert_eq!(
        pair.a.session.signaling_state(),
        SignalingState::HaveRemotePranswer
    );
    assert_eq!(pair.infos(Side::A)[0].current_direction, Some(SendOnly));
    pair.connect();
    pair.b.session.set_direction(key, SendRecv).unwrap();
    let answer = pair.describe(Side::B);
    assert_eq!(answer.kind(), SdpType::Answer);
    pair.hand(Side::A, &answer);
    assert_eq!(pair.infos(Side::A)[0].current_direction, Some(SendRecv));
    assert!(pair.is_content());
}

/// pc-042: an answer that no longer receives mutes the track that it had.
#[test]
fn an_answer_that_stops_receiving_mutes() {
    let mut pair = near(10);
    let key = pair.add(Side::A, Audio, SendRecv);
    pair.negotiate(Side::A);
    pair.connect();
    assert!(pair.write(Side::A, key, 0, &crate::calls::numbered(111, 1, 20)));
    let deaf = pair.b.session.transceivers()[0];
    pair.run_for(std::time::Duration::from_millis(50));
    assert_eq!(pair.track_events(Side::B), ["track 0 0", "unmute 0"]);
    pair.b.session.set_direction(deaf, Inactive).unwrap();
    pair.negotiate(Side::A);
    assert_eq!(pair.track_events(Side::B), ["mute 0"]);
    pair.b.session.set_direction(deaf, RecvOnly).unwrap();
    pair.negotiate(Side::A);
    assert_eq!(pair.track_events(Side::B), ["track 0 0"]);
}

/// RFC 8830 §2: what cannot stand in `a=msid` is refused, and adds no lines to a description.
#[test]
fn a_stream_that_cannot_be_named_is_refused() {
    let mut pair = near(11);
    let key = pair.add(Side::A, Audio, SendRecv);
    let long = "x".repeat(65);
    for name in ["", "-", "a b", "a\r\na=inactive", "ä", long.as_str()] {
        let refused = pair.a.session.set_streams(key, vec![name.into()]);
        let kind = refused.map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::Type), "{name:?}");
    }
    let streams = vec!["{a-1}".into(), "b".into()];
    pair.a.session.set_streams(key, streams).unwrap();
    pair.negotiate(Side::A);
    assert!(pair.is_content());
    let remote = pair.b.session.transceivers()[0];
    let receiver = pair.b.session.receiver(remote).unwrap();
    assert_eq!(receiver.streams, ["{a-1}", "b"]);
}
