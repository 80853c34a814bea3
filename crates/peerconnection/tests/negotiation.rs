//! Offers, answers and the signalling states, through the public API of `Session`.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use muonrtc_peerconnection::{
    Configuration, DataChannelInit, ErrorKind, IceCandidateInit, IceGatheringState,
    LocalSessionDescription, OfferOptions, SdpType, Session, SessionDescription, SessionEvent,
    ShellRequest, SignalingState, Stack,
};
use std::path::Path;
use std::task::Waker;
use std::time::Instant;
use testkit::{Clock, layer_seed};

/// What a browser might offer: audio of a codec that is not spoken here, then data, both bundled,
/// with attributes nobody here knows.
const AUDIO_AND_DATA: &str = "v=0\r\n\
    o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE 0 1\r\n\
    a=extmap-allow-mixed\r\n\
    a=msid-semantic: WMS\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:abcd\r\n\
    a=ice-pwd:abcdefghijklmnopqrstuvwx\r\n\
    a=ice-options:trickle\r\n\
    a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n\
    a=setup:actpass\r\n\
    a=mid:0\r\n\
    a=sendrecv\r\n\
    a=rtcp-mux\r\n\
    a=rtpmap:111 SPEEX/16000\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:abcd\r\n\
    a=ice-pwd:abcdefghijklmnopqrstuvwx\r\n\
    a=ice-options:trickle\r\n\
    a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n\
    a=setup:actpass\r\n\
    a=mid:1\r\n\
    a=sctp-port:5000\r\n\
    a=sctp-init:AQAAJGFiY2QAUAAA/////wAAAAHAAAAEgAgADILAD0DCgEAA\r\n\
    a=max-message-size:262144\r\n";

struct Peer {
    session: Session,
    now: Instant,
}

impl Peer {
    fn new(label: &[u8; 8]) -> Self {
        let clock = Clock::new();
        let start = clock.start(layer_seed(1, label));
        let waker = Waker::noop().clone();
        let session = Session::new(start, Configuration::default(), Stack::default(), waker);
        Self {
            session: session.unwrap(),
            now: clock.now(),
        }
    }

    fn with_channel(label: &[u8; 8]) -> Self {
        let mut peer = Self::new(label);
        peer.session
            .create_data_channel(peer.now, "a", DataChannelInit::default())
            .unwrap();
        peer
    }

    fn set_local(&mut self) -> SessionDescription {
        self.session
            .set_local_description(self.now, LocalSessionDescription::default())
            .unwrap();
        self.session.local_description().unwrap()
    }

    fn set_remote(&mut self, description: &SessionDescription) {
        self.session
            .set_remote_description(self.now, description)
            .unwrap();
    }

    fn refuses(&mut self, kind: SdpType, text: &str) -> ErrorKind {
        let before = self.session.signaling_state();
        let description = SessionDescription::new(kind, text);
        let error = self
            .session
            .set_remote_description(self.now, &description)
            .unwrap_err();
        assert_eq!(self.session.signaling_state(), before, "{error}");
        error.kind()
    }

    fn events(&mut self) -> Vec<SessionEvent> {
        std::iter::from_fn(|| self.session.poll_event()).collect()
    }
}

fn negotiate(offerer: &mut Peer, answerer: &mut Peer) -> (SessionDescription, SessionDescription) {
    let offer = offerer.set_local();
    answerer.set_remote(&offer);
    let answer = answerer.set_local();
    offerer.set_remote(&answer);
    (offer, answer)
}

fn line<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    text.lines()
        .filter(|line| line.starts_with(prefix))
        .collect()
}

/// sdp-004, sdp-018, sdp-020, sdp-021, sdp-025, sdp-048, sdp-049
#[test]
fn an_offer_describes_the_data_section() {
    let mut peer = Peer::with_channel(b"alice   ");
    let text = peer
        .session
        .create_offer(OfferOptions::default())
        .unwrap()
        .sdp()
        .to_owned();
    assert_eq!(
        line(&text, "m="),
        ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel"]
    );
    for wanted in [
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "a=mid:0",
        "a=setup:actpass",
        "a=sctp-port:5000",
        "a=max-message-size:262144",
        "a=ice-options:trickle ice2",
        "c=IN IP4 0.0.0.0",
    ] {
        assert_eq!(line(&text, wanted).len(), 1, "{wanted} in\n{text}");
    }
    assert_eq!(line(&text, "a=fingerprint:sha-256 ").len(), 1);
    assert!(line(&text, "a=tls-id:")[0].len() >= "a=tls-id:".len() + 20);
}

/// dfx-014: a first offer without sections is legal in both directions.
#[test]
fn an_offer_without_sections_is_made_and_answered() {
    let (mut alice, mut bob) = (Peer::new(b"alice   "), Peer::new(b"bob     "));
    let (offer, answer) = negotiate(&mut alice, &mut bob);
    assert!(line(offer.sdp(), "m=").is_empty() && line(answer.sdp(), "m=").is_empty());
    assert_eq!(alice.session.signaling_state(), SignalingState::Stable);
    assert_eq!(bob.session.signaling_state(), SignalingState::Stable);
}

/// pc-022: a channel made after a negotiation without data is negotiated like a first one, and one
/// that waited through it still waits.
#[test]
fn channels_can_be_made_after_a_negotiation_without_data() {
    let (mut alice, mut bob) = (Peer::new(b"alice   "), Peer::with_channel(b"bob     "));
    negotiate(&mut alice, &mut bob);
    for peer in [&mut alice, &mut bob] {
        peer.session
            .create_data_channel(peer.now, "late", DataChannelInit::default())
            .unwrap();
        assert!(peer.session.is_negotiation_needed());
        let closed = |event: &SessionEvent| matches!(event, SessionEvent::ChannelClose(..));
        assert!(!peer.events().iter().any(closed));
    }
    let (offer, answer) = negotiate(&mut alice, &mut bob);
    assert_eq!(line(offer.sdp(), "m=application 9 ").len(), 1);
    assert_eq!(line(answer.sdp(), "m=application 9 ").len(), 1);
}

/// RFC 9429 §5.2.2: our later offer names a section that the peer's offer left without a mid.
#[test]
fn a_section_without_mid_is_named_when_we_offer() {
    let offer = AUDIO_AND_DATA
        .replace("a=group:BUNDLE 0 1\r\n", "")
        .replace("a=mid:1\r\n", "");
    let mut peer = Peer::new(b"bob     ");
    peer.set_remote(&SessionDescription::new(SdpType::Offer, offer));
    peer.set_local();
    let offer = peer.set_local();
    assert_eq!(line(offer.sdp(), "a=mid:"), ["a=mid:0", "a=mid:1"]);
    assert_eq!(line(offer.sdp(), "a=group:BUNDLE"), ["a=group:BUNDLE 1"]);
}

/// pc-018, RFC 5888 §4: a mid names one section.
#[test]
fn two_sections_of_one_mid_are_refused() {
    let mut peer = Peer::new(b"bob     ");
    let text = AUDIO_AND_DATA.replace("a=mid:1", "a=mid:0");
    assert_eq!(
        peer.refuses(SdpType::Offer, &text),
        ErrorKind::InvalidAccess
    );
}

/// sdp-009, sdp-010, sdp-018, sdp-026, sdp-029, dfx-005
#[test]
fn an_answer_rejects_what_it_does_not_speak_and_echoes_nothing() {
    let mut peer = Peer::new(b"bob     ");
    peer.set_remote(&SessionDescription::new(SdpType::Offer, AUDIO_AND_DATA));
    let answer = peer.set_local();
    let text = answer.sdp();
    assert_eq!(
        line(text, "m="),
        [
            "m=audio 0 UDP/TLS/RTP/SAVPF 111",
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"
        ]
    );
    assert_eq!(line(text, "a=group:BUNDLE"), ["a=group:BUNDLE 1"]);
    assert_eq!(line(text, "a=mid:"), ["a=mid:0", "a=mid:1"]);
    assert_eq!(line(text, "a=setup:"), ["a=setup:active"]);
    for foreign in ["a=extmap-allow-mixed", "a=msid-semantic", "a=rtcp-mux"] {
        assert!(
            line(text, foreign).is_empty(),
            "{foreign} echoed in\n{text}"
        );
    }
}

/// pc-014 and RFC 9429 §5.2.2: the version in `o=` rises with every new description.
#[test]
fn each_description_raises_the_version() {
    let (mut alice, mut bob) = (Peer::with_channel(b"alice   "), Peer::new(b"bob     "));
    let version = |description: &SessionDescription| -> u64 {
        line(description.sdp(), "o=")[0]
            .split(' ')
            .nth(2)
            .unwrap()
            .parse()
            .unwrap()
    };
    let (first, first_answer) = negotiate(&mut alice, &mut bob);
    let (second, second_answer) = negotiate(&mut alice, &mut bob);
    assert!(version(&second) > version(&first));
    assert!(version(&second_answer) > version(&first_answer));
    assert_eq!(
        line(second.sdp(), "a=ice-ufrag"),
        line(first.sdp(), "a=ice-ufrag")
    );
    assert_eq!(line(second.sdp(), "a=setup:"), ["a=setup:actpass"]);
    assert_eq!(line(second_answer.sdp(), "a=setup:"), ["a=setup:active"]);
}

/// dfx-053
#[test]
fn the_old_form_is_answered_in_the_old_form() {
    let offer = AUDIO_AND_DATA
        .replace(
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "m=application 9 DTLS/SCTP 5000",
        )
        .replace("a=sctp-port:5000", "a=sctpmap:5000 webrtc-datachannel 1024");
    let mut peer = Peer::new(b"bob     ");
    peer.set_remote(&SessionDescription::new(SdpType::Offer, offer));
    let answer = peer.set_local();
    assert_eq!(
        line(answer.sdp(), "m=application"),
        ["m=application 9 DTLS/SCTP 5000"]
    );
    assert_eq!(line(answer.sdp(), "a=sctpmap:").len(), 1);
    assert!(line(answer.sdp(), "a=sctp-port:").is_empty());
}

/// pc-013
#[test]
fn a_changed_local_description_is_refused() {
    let mut peer = Peer::with_channel(b"alice   ");
    let offer = peer.session.create_offer(OfferOptions::default()).unwrap();
    let changed = offer.sdp().replace("262144", "1");
    let mut description = LocalSessionDescription::of_kind(SdpType::Offer);
    description.sdp = changed;
    let error = peer
        .session
        .set_local_description(peer.now, description)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidModification);
    peer.session
        .set_local_description(peer.now, offer.into())
        .unwrap();
}

/// pc-051: a text with a fragment or password of the caller's own is not the one that was created.
#[test]
fn credentials_are_not_the_callers_to_choose() {
    for (name, own) in [
        ("a=ice-ufrag:", "abcd"),
        ("a=ice-pwd:", "0123456789012345678901"),
    ] {
        let mut peer = Peer::with_channel(b"alice   ");
        let offer = peer.session.create_offer(OfferOptions::default()).unwrap();
        let drawn = line(offer.sdp(), name)[0];
        let mut description = LocalSessionDescription::of_kind(SdpType::Offer);
        description.sdp = offer.sdp().replace(drawn, &format!("{name}{own}"));
        assert_ne!(description.sdp, offer.sdp());
        let refused = peer.session.set_local_description(peer.now, description);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidModification);
        peer.session
            .set_local_description(peer.now, offer.into())
            .unwrap();
    }
}

/// pc-012: an offer is whole when it is made, before anything of it is set, and each is of what is
/// there by then.
#[test]
fn an_offer_can_be_used_as_soon_as_it_is_made() {
    let mut alice = Peer::new(b"alice   ");
    let early = alice.session.create_offer(OfferOptions::default()).unwrap();
    assert!(line(early.sdp(), "m=").is_empty());
    alice
        .session
        .create_data_channel(alice.now, "a", DataChannelInit::default())
        .unwrap();
    let offer = alice.session.create_offer(OfferOptions::default()).unwrap();
    assert_eq!(line(offer.sdp(), "m=").len(), 1);
    let mut bob = Peer::new(b"bob     ");
    bob.set_remote(&offer);
    let answer = bob.set_local();
    alice
        .session
        .set_local_description(alice.now, offer.into())
        .unwrap();
    alice.set_remote(&answer);
    assert_eq!(alice.session.signaling_state(), SignalingState::Stable);
}

/// pc-014, dfx-015
#[test]
fn an_offer_that_meets_ours_takes_ours_back() {
    let (mut alice, mut bob) = (
        Peer::with_channel(b"alice   "),
        Peer::with_channel(b"bob     "),
    );
    alice.set_local();
    let offer = bob.set_local();
    alice.set_remote(&offer);
    assert_eq!(
        alice.session.signaling_state(),
        SignalingState::HaveRemoteOffer
    );
    let answer = alice.set_local();
    bob.set_remote(&answer);
    assert_eq!(bob.session.signaling_state(), SignalingState::Stable);
}

/// pc-015
#[test]
fn a_rollback_returns_to_stable_and_asks_for_negotiation_again() {
    let mut peer = Peer::with_channel(b"alice   ");
    peer.set_local();
    peer.events();
    let rollback = LocalSessionDescription::of_kind(SdpType::Rollback);
    peer.session
        .set_local_description(peer.now, rollback.clone())
        .unwrap();
    assert_eq!(peer.session.signaling_state(), SignalingState::Stable);
    assert!(peer.session.local_description().is_none());
    assert!(
        peer.events()
            .iter()
            .any(|e| matches!(e, SessionEvent::NegotiationNeeded))
    );
    let error = peer
        .session
        .set_local_description(peer.now, rollback)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidState);
}

/// pc-024
#[test]
fn what_is_pending_becomes_current_with_the_answer() {
    let (mut alice, mut bob) = (Peer::with_channel(b"alice   "), Peer::new(b"bob     "));
    let offer = alice.set_local();
    let at = &alice.session;
    assert_eq!(at.pending_local_description(), Some(offer.clone()));
    assert_eq!(at.current_local_description(), None);
    bob.set_remote(&offer);
    assert_eq!(
        bob.session.pending_remote_description(),
        Some(offer.clone())
    );
    assert_eq!(bob.session.current_remote_description(), None);
    let answer = bob.set_local();
    alice.set_remote(&answer);
    for (peer, local, remote) in [(&alice, &offer, &answer), (&bob, &answer, &offer)] {
        let session = &peer.session;
        assert_eq!(session.pending_local_description(), None);
        assert_eq!(session.pending_remote_description(), None);
        assert_eq!(session.current_local_description().as_ref(), Some(local));
        assert_eq!(session.current_remote_description().as_ref(), Some(remote));
        assert_eq!(session.local_description().as_ref(), Some(local));
        assert_eq!(session.remote_description().as_ref(), Some(remote));
    }
}

/// pc-052: an identity assertion is read over, and our answer has none.
#[test]
fn an_identity_assertion_is_ignored() {
    let mut peer = Peer::new(b"bob     ");
    let text = AUDIO_AND_DATA.replace("a=extmap", "a=identity:eyJpZHAiOnsi\r\na=extmap");
    peer.set_remote(&SessionDescription::new(SdpType::Offer, text));
    let answer = peer.set_local();
    assert!(line(answer.sdp(), "a=identity").is_empty());
    assert_eq!(line(answer.sdp(), "m=application 9 ").len(), 1);
}

/// pc-023
#[test]
fn a_restart_changes_the_credentials_on_both_sides() {
    let (mut alice, mut bob) = (Peer::with_channel(b"alice   "), Peer::new(b"bob     "));
    let (first, first_answer) = negotiate(&mut alice, &mut bob);
    alice.session.restart_ice();
    let (second, second_answer) = negotiate(&mut alice, &mut bob);
    assert_ne!(
        line(second.sdp(), "a=ice-ufrag"),
        line(first.sdp(), "a=ice-ufrag")
    );
    assert_ne!(
        line(second.sdp(), "a=ice-pwd"),
        line(first.sdp(), "a=ice-pwd")
    );
    assert_ne!(
        line(second_answer.sdp(), "a=ice-ufrag"),
        line(first_answer.sdp(), "a=ice-ufrag")
    );
    let (third, _) = negotiate(&mut alice, &mut bob);
    assert_eq!(
        line(third.sdp(), "a=ice-ufrag"),
        line(second.sdp(), "a=ice-ufrag")
    );
}

/// pc-017, pc-018
#[test]
fn a_refused_description_leaves_everything_as_it_was() {
    let mut peer = Peer::new(b"bob     ");
    assert_eq!(
        peer.refuses(SdpType::Offer, "v=0\r\nnonsense"),
        ErrorKind::SdpSyntax
    );
    assert_eq!(peer.refuses(SdpType::Offer, ""), ErrorKind::SdpSyntax);
    assert_eq!(
        peer.refuses(SdpType::Answer, AUDIO_AND_DATA),
        ErrorKind::InvalidState
    );
    for needed in [
        "a=ice-ufrag:abcd\r\n",
        "a=ice-pwd:abcdefghijklmnopqrstuvwx\r\n",
    ] {
        let text = AUDIO_AND_DATA.replace(needed, "");
        assert_eq!(
            peer.refuses(SdpType::Offer, &text),
            ErrorKind::InvalidAccess,
            "{needed}"
        );
    }
    let unknown_hash = AUDIO_AND_DATA.replace("fingerprint:sha-256", "fingerprint:md5");
    assert_eq!(
        peer.refuses(SdpType::Offer, &unknown_hash),
        ErrorKind::InvalidAccess
    );
}

/// sdp-009
#[test]
fn an_answer_with_other_sections_is_refused() {
    let mut alice = Peer::with_channel(b"alice   ");
    alice.set_local();
    assert_eq!(
        alice.refuses(SdpType::Answer, AUDIO_AND_DATA),
        ErrorKind::InvalidAccess
    );
}

/// pc-029
#[test]
fn candidates_are_checked_as_the_w3c_lists() {
    let mut peer = Peer::new(b"bob     ");
    let line = "candidate:1 1 udp 2113937151 192.0.2.9 40000 typ host";
    let add = |peer: &mut Peer, candidate: Option<IceCandidateInit>| {
        peer.session
            .add_ice_candidate(peer.now, candidate)
            .map_err(|error| error.kind())
    };
    let good = IceCandidateInit::new(line, "1");
    assert_eq!(
        add(&mut peer, Some(good.clone())),
        Err(ErrorKind::InvalidState)
    );
    peer.set_remote(&SessionDescription::new(SdpType::Offer, AUDIO_AND_DATA));
    assert_eq!(add(&mut peer, Some(good.clone())), Ok(()));
    assert_eq!(add(&mut peer, None), Ok(()));
    assert_eq!(
        add(&mut peer, Some(IceCandidateInit::new(line, "7"))),
        Err(ErrorKind::Operation)
    );
    assert_eq!(
        add(
            &mut peer,
            Some(IceCandidateInit::new("candidate:what", "1"))
        ),
        Err(ErrorKind::Operation)
    );
    let mut nowhere = good.clone();
    nowhere.sdp_mid = None;
    assert_eq!(add(&mut peer, Some(nowhere)), Err(ErrorKind::Type));
    let mut stranger = good.clone();
    stranger.username_fragment = Some("other".into());
    assert_eq!(add(&mut peer, Some(stranger)), Err(ErrorKind::Operation));
    let shown = peer.session.remote_description().unwrap();
    assert!(shown.sdp().contains("192.0.2.9 40000"), "{}", shown.sdp());
}

/// pc-006
#[test]
fn nothing_works_after_close() {
    let mut peer = Peer::with_channel(b"alice   ");
    peer.session.close(peer.now);
    let closed = |result: Result<(), muonrtc_peerconnection::Error>| {
        result.unwrap_err().kind() == ErrorKind::InvalidState
    };
    assert!(closed(
        peer.session.create_offer(OfferOptions::default()).map(drop)
    ));
    assert!(closed(peer.session.create_answer().map(drop)));
    assert!(closed(
        peer.session
            .create_data_channel(peer.now, "b", DataChannelInit::default())
            .map(drop)
    ));
    assert_eq!(peer.session.signaling_state(), SignalingState::Closed);
    peer.session.close(peer.now);
}

/// pc-059: the signalling state changes before anything that the description sets in motion.
#[test]
fn the_signalling_state_is_told_first() {
    let (mut alice, mut bob) = (Peer::with_channel(b"alice   "), Peer::new(b"bob     "));
    let candidate = "a=candidate:1 1 udp 2113937151 192.0.2.9 40000 typ host\r\n";
    let offer = alice.set_local();
    bob.set_remote(&offer);
    let answer = bob.set_local();
    alice.events();
    let text = answer.sdp().to_owned() + candidate;
    alice.set_remote(&SessionDescription::new(SdpType::Answer, text));
    let told = alice.events();
    assert!(
        matches!(
            told[0],
            SessionEvent::SignalingStateChange(SignalingState::Stable)
        ),
        "{told:?}"
    );
}

/// pc-018: RFC 9429 §5.2.1 has no holdconn; the offer is refused before it is pending.
#[test]
fn an_offer_that_holds_the_connection_is_refused() {
    let mut peer = Peer::new(b"bob     ");
    let text = AUDIO_AND_DATA.replace("a=setup:actpass", "a=setup:holdconn");
    assert_eq!(
        peer.refuses(SdpType::Offer, &text),
        ErrorKind::InvalidAccess
    );
}

/// RFC 3264 §6: what an offer rejects, its answer does not accept.
#[test]
fn an_answer_that_revives_a_rejected_section_is_refused() {
    let mut peer = Peer::new(b"bob     ");
    let twice = AUDIO_AND_DATA.to_owned()
        + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n";
    peer.set_remote(&SessionDescription::new(SdpType::Offer, twice));
    peer.set_local();
    let offer = peer.set_local();
    assert_eq!(line(offer.sdp(), "m=application 0 ").len(), 1);
    let answer = offer
        .sdp()
        .replace("m=application 0 ", "m=application 9 ")
        .replace("a=setup:actpass", "a=setup:active");
    assert_eq!(
        peer.refuses(SdpType::Answer, &answer),
        ErrorKind::InvalidAccess
    );
}

/// pc-005: what the layers still do after a close is not told.
#[test]
fn gathering_that_outlives_a_close_raises_no_events() {
    let mut peer = Peer::with_channel(b"alice   ");
    peer.set_local();
    let list = peer.events().into_iter().find_map(|event| match event {
        SessionEvent::Request(ShellRequest::ListInterfaces { request }) => Some(request),
        _ => None,
    });
    peer.session.close(peer.now);
    peer.events();
    let address = std::net::IpAddr::from([192, 0, 2, 1]);
    let interfaces = [layer::Interface::new("eth0", address)];
    peer.session
        .interfaces_listed(peer.now, list.unwrap(), &interfaces);
    for event in peer.events() {
        let SessionEvent::Request(request) = event else {
            panic!("{event:?} after the close");
        };
        if let ShellRequest::Bind { request, local, .. } = request {
            let bound = layer::Bound::new(layer::SocketId(0), (local.ip(), 4000).into());
            peer.session.bound(peer.now, request, Ok(bound));
        }
    }
    let told = peer.events();
    assert!(
        told.iter().all(|e| matches!(e, SessionEvent::Request(_))),
        "{told:?}"
    );
    assert_eq!(
        peer.session.ice_gathering_state(),
        IceGatheringState::Complete
    );
}

/// sdp-009, sdp-010: with what ten real stacks sent.
#[test]
fn captured_offers_are_answered_section_by_section() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/sdp/captured");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("left out: {} is absent", folder.display());
        return;
    };
    for file in files {
        let path = file.unwrap().path();
        if !path.to_string_lossy().ends_with("-1-offer.sdp") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut peer = Peer::new(b"bob     ");
        peer.set_remote(&SessionDescription::new(SdpType::Offer, text.as_str()));
        let answer = peer.set_local();
        let sections = |text: &str| -> Vec<String> {
            line(text, "m=")
                .iter()
                .map(|m| m.split(' ').next().unwrap().to_owned())
                .collect()
        };
        assert_eq!(
            sections(answer.sdp()),
            sections(&text),
            "{}",
            path.display()
        );
        assert!(
            line(answer.sdp(), "a=setup:actpass").is_empty(),
            "{}",
            path.display()
        );
    }
}
