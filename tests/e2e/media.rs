//! Audio and video over real loopback sockets, through the public API.

use crate::loopback::connect;
use muonrtc::rtp::extension::AudioLevel;
use muonrtc::rtp::{Header, Packet, Sample, rtcp};
use muonrtc::{
    Configuration, DtlsTransportState, IceRole, MediaKind, PeerConnection, PeerConnectionEvent,
    ReceivedTrack, RtpCodec, RtpCodecParameters, RtpEncodingParameters, RtpReceiveParameters,
    RtpSendParameters, RtpTransceiverDirection, RtpTransceiverInit, SctpTransportState,
    StatsReport, TrackEvent, TrackLocal, TrackRemote,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn peer() -> PeerConnection {
    PeerConnection::builder(Configuration::default())
        .build()
        .unwrap()
}

fn opus() -> TrackLocal {
    let codec = RtpCodec::new("audio/opus", 48_000).with_channels(2);
    TrackLocal::new("microphone", codec).unwrap()
}

fn vp8() -> TrackLocal {
    TrackLocal::new("camera", RtpCodec::new("video/VP8", 90_000)).unwrap()
}

async fn received(connection: &PeerConnection) -> ReceivedTrack {
    while let Some(event) = connection.next_event().await {
        if let PeerConnectionEvent::Track(track) = event.kind {
            return *track;
        }
    }
    panic!("the connection closed before a track came");
}

/// Writes until the reader has a packet: what is written before the connection is up is lost, as
/// media is.
async fn until_read(track: &TrackLocal, sample: &Sample, remote: &TrackRemote) -> Packet {
    loop {
        track.write_sample(sample).unwrap();
        let wait = tokio::time::timeout(Duration::from_millis(20), remote.read_rtp());
        if let Ok(packet) = wait.await {
            return packet.expect("the track goes on");
        }
    }
}

/// A VP8 key frame of one packet, as far as a forwarder looks at it.
fn key_frame() -> Sample {
    let mut frame = vec![0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00];
    frame.resize(300, 7);
    Sample::new(frame, Duration::from_millis(33))
}

/// pc-041, rtp-002: a track is told of with its stream, and packets come with one source, rising
/// sequence numbers and the payload type of the capabilities. media-005: an Opus packet is a payload,
/// and its timestamp counts 48 kHz.
#[tokio::test]
async fn audio_and_video_cross() {
    let (alice, bob) = (peer(), peer());
    let (audio, video) = (opus(), vp8());
    alice.add_track(&audio, &["home"]).unwrap();
    alice.add_track(&video, &["home"]).unwrap();
    connect(&alice, &bob).await;
    let (first, second) = (received(&bob).await, received(&bob).await);
    assert_eq!(first.track.kind(), MediaKind::Audio);
    assert_eq!(second.track.kind(), MediaKind::Video);
    assert_eq!(first.streams, ["home"]);
    assert!(first.track.muted());
    let sample = Sample::new(vec![0x78, 1, 2, 3], Duration::from_millis(20));
    let one = until_read(&audio, &sample, &first.track).await;
    assert_eq!(one.payload[..], [0x78, 1, 2, 3]);
    assert_eq!(one.header.payload_type, 111);
    let codec = first.track.codec(one.header.payload_type).unwrap();
    assert_eq!(codec.codec.mime_type, "audio/opus");
    let two = until_read(&audio, &sample, &first.track).await;
    assert_eq!(two.header.ssrc, one.header.ssrc);
    let ahead = two
        .header
        .sequence_number
        .wrapping_sub(one.header.sequence_number);
    assert!((1..100).contains(&ahead));
    assert_eq!(
        two.header.timestamp.wrapping_sub(one.header.timestamp),
        u32::from(ahead) * 960
    );
    let frame = until_read(&video, &key_frame(), &second.track).await;
    assert_eq!(frame.header.payload_type, 96);
    assert!(!second.track.muted());
    let (sent, came) = (alice.senders()[1].stats(), second.track.stats().unwrap());
    assert!(sent[0].packets >= came.packets && came.packets >= 1);
    assert_eq!(came.bytes % frame.payload.len() as u64, 0);
    let event = first.track.next_event().await.unwrap();
    assert_eq!(event.kind, TrackEvent::Unmute);
    bob.close();
    assert_eq!(
        second
            .track
            .read_rtp()
            .await
            .map(|packet| packet.header.ssrc),
        None
    );
}

/// pc-020: an offer takes the transceiver of a track that waits, and never one that was made for a
/// section of its own.
#[tokio::test]
async fn an_offer_takes_the_transceiver_of_a_track_that_waits() {
    for adds_track in [true, false] {
        let (alice, bob) = (peer(), peer());
        alice.add_track(&opus(), &[]).unwrap();
        if adds_track {
            bob.add_track(&opus(), &[]).unwrap();
        } else {
            bob.add_transceiver(&opus(), None).unwrap();
        }
        alice.set_local_description(None).await.unwrap();
        let offer = alice.local_description().unwrap();
        bob.set_remote_description(offer).await.unwrap();
        let found = bob.transceivers();
        let associated = found.iter().position(|own| own.mid().is_some());
        let associated = &found[associated.unwrap()];
        assert_eq!(associated.mid(), alice.transceivers()[0].mid());
        let (count, direction) = match adds_track {
            true => (1, RtpTransceiverDirection::SendRecv),
            false => (2, RtpTransceiverDirection::RecvOnly),
        };
        assert_eq!((found.len(), associated.direction()), (count, direction));
    }
}

/// An answer may send what its offer asked for, and the transceiver of the offer is used
/// (webrtc-pc §5.1.2).
#[tokio::test]
async fn a_section_that_only_received_is_answered_with_a_track() {
    let (alice, bob) = (peer(), peer());
    let init = RtpTransceiverInit::with_direction(RtpTransceiverDirection::RecvOnly);
    let wanted = alice.add_transceiver(MediaKind::Audio, Some(init)).unwrap();
    let track = opus();
    alice.set_local_description(None).await.unwrap();
    alice.gathering_complete().await;
    let offer = alice.local_description().unwrap();
    bob.set_remote_description(offer).await.unwrap();
    bob.add_track(&track, &[]).unwrap();
    assert_eq!(bob.transceivers().len(), 1);
    bob.set_local_description(None).await.unwrap();
    bob.gathering_complete().await;
    let answer = bob.local_description().unwrap();
    alice.set_remote_description(answer).await.unwrap();
    assert_eq!(
        wanted.current_direction(),
        Some(RtpTransceiverDirection::RecvOnly)
    );
    let remote = received(&alice).await.track;
    let sample = Sample::new(vec![0x78, 9], Duration::from_millis(20));
    let packet = until_read(&track, &sample, &remote).await;
    assert_eq!(packet.payload[..], [0x78, 9]);
}

/// pc-039, pc-042: another track goes on in the same stream, and a direction that closes mutes.
#[tokio::test]
async fn tracks_are_replaced_and_muted_without_a_break() {
    let (alice, bob) = (peer(), peer());
    let first = opus();
    let sender = alice.add_track(&first, &["a"]).unwrap();
    connect(&alice, &bob).await;
    let remote = received(&bob).await.track;
    let sample = Sample::new(vec![0x78, 1], Duration::from_millis(20));
    let before = until_read(&first, &sample, &remote).await;
    let second = opus();
    sender.replace_track(Some(&second)).await.unwrap();
    assert_eq!(first.write_rtp(&Packet::new(Header::default(), vec![1])), 0);
    let other = Sample::new(vec![0x78, 2], Duration::from_millis(20));
    let after = loop {
        let packet = until_read(&second, &other, &remote).await;
        if packet.payload[1] == 2 {
            break packet;
        }
    };
    assert_eq!(after.header.ssrc, before.header.ssrc);
    let ahead = after
        .header
        .sequence_number
        .wrapping_sub(before.header.sequence_number);
    assert!((1..1000).contains(&ahead));

    let transceiver = alice.transceivers().remove(0);
    transceiver
        .set_direction(RtpTransceiverDirection::Inactive)
        .unwrap();
    connect(&alice, &bob).await;
    let muted = loop {
        match remote.next_event().await.unwrap().kind {
            TrackEvent::Unmute => {}
            other => break other,
        }
    };
    assert_eq!(muted, TrackEvent::Mute);
    assert_eq!(second.write_sample(&other).unwrap(), 1);
    assert!(remote.muted());

    transceiver
        .set_direction(RtpTransceiverDirection::SendOnly)
        .unwrap();
    connect(&alice, &bob).await;
    let again = received(&bob).await.track;
    until_read(&second, &other, &again).await;
    assert!(!again.muted());
}

/// pc-039: what another thread writes at the same time to the track that was replaced does not come
/// between the packets of its successor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_track_sends_nothing_more() {
    let (alice, bob) = (peer(), peer());
    let tracks = [opus(), opus()];
    let sender = alice.add_track(&tracks[0], &[]).unwrap();
    connect(&alice, &bob).await;
    let remote = received(&bob).await.track;
    let first = Sample::new(vec![0x78, 0], Duration::from_millis(20));
    let start = until_read(&tracks[0], &first, &remote).await;
    let start = start.header.sequence_number;
    let packet = |round: u8, sequence_number| {
        let header = Header {
            ssrc: u32::from(round) + 1,
            sequence_number,
            ..Header::default()
        };
        Packet::new(header, vec![0x78, round])
    };
    for round in 1..=100 {
        let [before, after] = [round - 1, round].map(|at| &tracks[usize::from(at % 2)]);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for sequence_number in 1..20 {
                    before.write_rtp(&packet(round - 1, sequence_number));
                }
            });
            let replaced = sender.replace_track(Some(after));
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(replaced))
                .unwrap();
            after.write_rtp(&packet(round, 0));
        });
    }
    // Two threads may overtake each other on the way to the socket; what counts is the stream.
    let mut rounds = BTreeMap::new();
    let mut last = 0;
    while last < 100 {
        let read = tokio::time::timeout(Duration::from_secs(5), remote.read_rtp()).await;
        let packet = read.expect("the last round comes").expect("it goes on");
        last = packet.payload[1];
        rounds.insert(packet.header.sequence_number.wrapping_sub(start), last);
    }
    assert!(rounds.values().is_sorted(), "{rounds:?}");
}

/// pc-033: a stopped transceiver leaves its section to the next one.
#[tokio::test]
async fn a_section_is_recycled() {
    let (alice, bob) = (peer(), peer());
    let track = opus();
    alice.add_track(&track, &[]).unwrap();
    connect(&alice, &bob).await;
    let remote = received(&bob).await.track;
    alice.transceivers()[0].stop();
    connect(&alice, &bob).await;
    assert!(alice.transceivers().is_empty());
    assert!(bob.transceivers().is_empty());
    assert_eq!(
        remote.next_event().await.map(|event| event.kind),
        Some(TrackEvent::Ended)
    );
    let video = vp8();
    alice.add_track(&video, &[]).unwrap();
    connect(&alice, &bob).await;
    let sdp = alice.local_description().unwrap().sdp().to_owned();
    assert_eq!(sdp.matches("m=").count(), 1, "{sdp}");
    assert!(!sdp.contains("m=video 0"), "{sdp}");
    let remote = received(&bob).await.track;
    until_read(&video, &key_frame(), &remote).await;
}

/// rtp-021: layers of a simulcast are tracks of their own, told apart by their rid.
#[tokio::test]
async fn layers_of_a_simulcast_arrive_apart() {
    let (alice, bob) = (peer(), peer());
    let track = vp8();
    let mut init = RtpTransceiverInit::with_direction(RtpTransceiverDirection::SendOnly);
    init.send_encodings = ["h", "l"].map(RtpEncodingParameters::layer).to_vec();
    alice.add_transceiver(&track, Some(init)).unwrap();
    connect(&alice, &bob).await;
    let layers = [received(&bob).await.track, received(&bob).await.track];
    assert_eq!(layers[0].rid(), Some("h"));
    assert_eq!(layers[1].rid(), Some("l"));
    let mut sequence_number = 0;
    loop {
        for (rid, ssrc) in [("h", 1), ("l", 2)] {
            sequence_number += 1;
            let header = Header {
                ssrc,
                sequence_number,
                ..Header::default()
            };
            track.write_layer_rtp(rid, &Packet::new(header, rid.as_bytes().to_vec()));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        if let (Some(high), Some(low)) = (layers[0].try_read_rtp(), layers[1].try_read_rtp()) {
            assert_eq!(high.payload, "h");
            assert_eq!(low.payload, "l");
            assert_ne!(high.header.ssrc, low.header.ssrc);
            break;
        }
    }
}

/// A key frame that a receiver asks for is asked of the sender.
#[tokio::test]
async fn a_request_for_a_key_frame_reaches_the_track() {
    let (alice, bob) = (peer(), peer());
    let track = vp8();
    alice.add_track(&track, &[]).unwrap();
    connect(&alice, &bob).await;
    let remote = received(&bob).await.track;
    until_read(&track, &key_frame(), &remote).await;
    remote.request_keyframe();
    track.keyframe_requested().await;
}

/// One written packet goes to all senders of the track, each with a source of its own.
#[tokio::test]
async fn one_track_feeds_several_connections() {
    let track = vp8();
    let mut ends = Vec::new();
    for _ in 0..3 {
        let (alice, bob) = (peer(), peer());
        alice.add_track(&track, &[]).unwrap();
        connect(&alice, &bob).await;
        let remote = received(&bob).await.track;
        ends.push((alice, bob, remote));
    }
    let mut sources = BTreeSet::new();
    for (_, _, remote) in &ends {
        let packet = until_read(&track, &key_frame(), remote).await;
        sources.insert(packet.header.ssrc);
    }
    assert_eq!(sources.len(), 3);
    assert_eq!(track.sender_count(), 3);
    for (alice, _, _) in &ends {
        alice.close();
        alice.closed().await;
    }
    drop(ends);
    track.write_sample(&key_frame()).unwrap();
    assert_eq!(track.sender_count(), 0, "gone connections are forgotten");
}

/// A sender and a receiver that are told their parameters need no description of theirs.
#[tokio::test]
async fn a_sender_and_a_receiver_work_from_parameters_alone() {
    let (alice, bob) = (peer(), peer());
    let channel = alice.create_data_channel("signalling", None).unwrap();
    connect(&alice, &bob).await;
    channel.opened().await.unwrap();
    let mut codec =
        RtpCodecParameters::new(RtpCodec::new("audio/opus", 48_000).with_channels(2), 100);
    codec.rtcp_feedback = vec!["transport-cc".into()];
    let track = opus();
    let sender = alice.add_transceiver(&track, None).unwrap().sender();
    let mut encoding = RtpEncodingParameters::default();
    encoding.ssrc = 4711;
    let mut sent = RtpSendParameters::default();
    sent.codecs = vec![codec.clone()];
    sent.encodings = vec![encoding];
    sender.send(sent).unwrap();

    let mut taken = RtpReceiveParameters::default();
    taken.codecs = vec![codec];
    let receiver = bob
        .add_transceiver(MediaKind::Audio, None)
        .unwrap()
        .receiver();
    let remote = receiver.receive(taken).unwrap().remove(0);
    let sample = Sample::new(vec![0x78, 5], Duration::from_millis(20));
    let packet = until_read(&track, &sample, &remote).await;
    assert_eq!(packet.header.ssrc, 4711);
    assert_eq!(
        packet.header.payload_type, 111,
        "as the application knows it"
    );
    assert_eq!(receiver.parameters().unwrap().encodings[0].ssrc, 4711);
    // Neither side wants a description for it.
    connect(&alice, &bob).await;
    assert!(!alice.local_description().unwrap().sdp().contains("m=audio"));
    until_read(&track, &sample, &remote).await;
}

/// rtp-026: the sender of a transceiver is told what is about its stream, the track what the peer says
/// of the stream that it sends.
#[tokio::test]
async fn rtcp_is_read_where_it_belongs() {
    let (alice, bob) = (peer(), peer());
    let (there, back) = (vp8(), vp8());
    let sender = alice.add_track(&there, &[]).unwrap();
    bob.add_track(&back, &[]).unwrap();
    connect(&alice, &bob).await;
    let (at_alice, at_bob) = (received(&alice).await.track, received(&bob).await.track);
    let ours = until_read(&there, &key_frame(), &at_bob).await;
    let theirs = until_read(&back, &key_frame(), &at_alice).await;
    let (mut named, mut asked) = (false, false);
    let both = async {
        while !(named && asked) {
            at_bob.request_keyframe();
            there.write_sample(&key_frame()).unwrap();
            back.write_sample(&key_frame()).unwrap();
            let pause = tokio::time::sleep(Duration::from_millis(20));
            tokio::select! {
                packet = at_alice.read_rtcp() => match packet.unwrap() {
                    rtcp::Packet::SenderReport(report) => {
                        assert_eq!(report.ssrc, theirs.header.ssrc);
                    }
                    rtcp::Packet::SourceDescription(names) => {
                        assert_eq!(names.chunks[0].ssrc, theirs.header.ssrc);
                        named = true;
                    }
                    other => assert!(matches!(other, rtcp::Packet::ExtendedReport(_)), "{other:?}"),
                },
                packet = sender.read_rtcp() => {
                    let packet = packet.unwrap();
                    let about = packet.destination_ssrcs();
                    assert!(about.contains(&ours.header.ssrc), "{packet:?}");
                    asked |= matches!(packet, rtcp::Packet::PictureLossIndication(_));
                }
                () = pause => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), both)
        .await
        .unwrap();
}

/// pc-049: the W3C's transports are there to be asked, and the receiver knows whom it hears.
#[tokio::test]
async fn transports_and_sources_can_be_asked() {
    let (alice, bob) = (peer(), peer());
    let track = opus();
    let sender = alice.add_track(&track, &[]).unwrap();
    assert!(sender.transport().is_none());
    assert!(alice.sctp().is_none());
    let channel = alice.create_data_channel("chat", None).unwrap();
    connect(&alice, &bob).await;
    let association = alice.sctp().unwrap();
    assert_ne!(association.state(), SctpTransportState::Closed);
    channel.opened().await.unwrap();
    assert_eq!(association.state(), SctpTransportState::Connected);
    let received = received(&bob).await;
    let mut header = Header::default();
    header
        .extensions
        .set_typed(
            1,
            &AudioLevel {
                voice: true,
                level: 20,
            },
        )
        .unwrap();
    header.payload_type = 111;
    let packet = loop {
        header.sequence_number += 1;
        track.write_rtp(&Packet::new(header.clone(), vec![0x78, 1]));
        let wait = tokio::time::timeout(Duration::from_millis(20), received.track.read_rtp());
        if let Ok(packet) = wait.await {
            break packet.unwrap();
        }
    };
    let level: AudioLevel = packet.header.extensions.typed(1).unwrap();
    assert_eq!(level.level, 20, "under the application's own id");
    let heard = received.receiver.synchronization_sources();
    assert_eq!(heard[0].source, packet.header.ssrc);
    assert!((heard[0].audio_level.unwrap() - 0.1).abs() < 1e-9);

    let dtls = sender.transport().unwrap();
    assert_eq!(dtls.state(), DtlsTransportState::Connected);
    assert_eq!(dtls.remote_certificates().len(), 1);
    assert!(dtls.security().unwrap().srtp_profile.is_some());
    let ice = dtls.ice_transport();
    assert_eq!(ice.role(), IceRole::Controlling);
    assert!(!ice.local_candidates().is_empty() && !ice.remote_candidates().is_empty());
    let ours = ice.local_parameters().unwrap().username_fragment;
    let theirs = bob
        .transport()
        .unwrap()
        .ice_transport()
        .remote_parameters()
        .unwrap();
    assert_eq!(theirs.username_fragment, ours);
    let sctp = bob.sctp().unwrap();
    assert!(sctp.max_message_size().is_some());
    alice.close();
    assert_eq!(dtls.state(), DtlsTransportState::Closed);
    assert_eq!(association.state(), SctpTransportState::Closed);
}

/// dfx-069, webrtc-stats §8: every object has its entry, ids hold from report to report, references lead
/// somewhere, and the JSON is a browser's.
#[tokio::test]
async fn a_report_tells_of_every_object() {
    let (alice, bob) = (peer(), peer());
    let track = vp8();
    alice.add_track(&track, &[]).unwrap();
    let channel = alice.create_data_channel("chat", None).unwrap();
    connect(&alice, &bob).await;
    let remote = received(&bob).await.track;
    until_read(&track, &key_frame(), &remote).await;
    channel.opened().await.unwrap();
    channel.send_text("hello").await.unwrap();
    let (ours, theirs) = (
        alice.get_stats().await.unwrap(),
        bob.get_stats().await.unwrap(),
    );
    let json = |report: &StatsReport| serde_json::to_value(report).unwrap();
    for (report, wanted) in [(&ours, "outbound-rtp"), (&theirs, "inbound-rtp")] {
        let report = json(report);
        let entries = report.as_object().unwrap();
        let kinds: BTreeSet<&str> = entries
            .values()
            .map(|entry| entry["type"].as_str().unwrap())
            .collect();
        for kind in [
            "peer-connection",
            "data-channel",
            "transport",
            "candidate-pair",
            "local-candidate",
            "remote-candidate",
            "certificate",
            "codec",
            wanted,
        ] {
            assert!(kinds.contains(kind), "{kind} is missing in {kinds:?}");
        }
        for (id, entry) in entries {
            assert_eq!(entry["id"], *id);
            assert!(entry["timestamp"].as_f64().unwrap() > 1.6e12);
            for (member, value) in entry.as_object().unwrap() {
                if member.ends_with("Id") {
                    let target = value.as_str().unwrap();
                    assert!(entries.contains_key(target), "{id}: {member} leads nowhere");
                }
            }
        }
        let again = json(&if wanted == "outbound-rtp" {
            alice.get_stats().await.unwrap()
        } else {
            bob.get_stats().await.unwrap()
        });
        assert!(entries.keys().all(|id| again.get(id).is_some()));
    }
    let ours = json(&ours);
    let transport = &ours["T"];
    assert_eq!(transport["dtlsState"], "connected");
    assert_eq!(transport["iceRole"], "controlling");
    assert!(
        transport["srtpCipher"]
            .as_str()
            .unwrap()
            .starts_with("SRTP_AEAD")
    );
    let sent = ours
        .as_object()
        .unwrap()
        .values()
        .find(|it| it["type"] == "outbound-rtp");
    assert!(sent.unwrap()["packetsSent"].as_u64().unwrap() > 0);
    assert_eq!(sent.unwrap()["kind"], "video");
}
