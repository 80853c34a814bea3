//! A peer that has the keys and means harm: whatever it sends, memory is bounded, nothing panics, and
//! the streams that are in order go on.

use crate::calls::{number, numbered};
use crate::memory;
use crate::pair::SessionPair;
use layer::{NewSrtp, ProtectError, SocketId, Srtp, SrtpConfig, SrtpProfile, Start};
use peerconnection::rtp::{Extensions, Header};
use peerconnection::{
    MediaKind, RtpEncodingParameters, RtpTransceiverDirection, RtpTransceiverInit, SessionEvent,
    Stack, TransceiverKey,
};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::{Link, Packet, Random, Side, for_each_seed};

use MediaKind::{Audio, Video};
use RtpTransceiverDirection::SendRecv;

const OPUS: u8 = 111;
const VP8: u8 = 96;
const RTX: u8 = 97;

/// The ids of our offers.
const MID: u8 = 4;
const RID: u8 = 10;
const REPAIRED_RID: u8 = 11;

/// What attacks of any length may cost, in bytes: histories and tables at their bounds.
const BOUND: isize = 2_000_000;

/// Remembers the keys that it is given.
#[derive(Debug, Default)]
struct Spy {
    factory: srtp::Factory,
    keys: Mutex<Option<SrtpConfig>>,
}

impl NewSrtp for Spy {
    fn profiles(&self) -> &[SrtpProfile] {
        self.factory.profiles()
    }

    fn new_srtp(&self, start: Start, config: SrtpConfig) -> Result<Box<dyn Srtp>, ProtectError> {
        *self.keys.lock().unwrap() = Some(config.clone());
        self.factory.new_srtp(start, config)
    }
}

/// Protects for more sources than one context takes.
struct Protector {
    start: Start,
    config: SrtpConfig,
    context: Box<dyn Srtp>,
}

impl Protector {
    fn new(start: Start, config: SrtpConfig) -> Self {
        let context = srtp::Factory::default()
            .new_srtp(start, config.clone())
            .unwrap();
        Self {
            start,
            config,
            context,
        }
    }

    fn protect(&mut self, header: &[u8], payload: &[u8]) -> Option<Vec<u8>> {
        let mut out = vec![0; header.len() + payload.len() + 64];
        let len = match self.context.protect_into(header, payload, &mut out) {
            Err(ProtectError::TooManySources) => {
                *self = Self::new(self.start, self.config.clone());
                self.context.protect_into(header, payload, &mut out).ok()?
            }
            protected => protected.ok()?,
        };
        out.truncate(len);
        Some(out)
    }
}

/// A connection between A and the villain, who is at B's address and has B's keys.
struct Scene {
    pair: SessionPair,
    protector: Protector,
    /// From the villain to A.
    from: SocketAddr,
    to: SocketAddr,
    /// B's transceivers, audio and video; the streams that are in order.
    honest: [TransceiverKey; 2],
    sent: u32,
    sequence_number: u16,
}

impl Scene {
    fn new(seed: u64) -> Self {
        Self::with_videos(seed, 1)
    }

    /// The same with several sections of video, of which the first has the stream in order.
    fn with_videos(seed: u64, videos: usize) -> Self {
        let spy = Arc::new(Spy::default());
        let mut stack = Stack::default();
        stack.srtp = spy.clone();
        let link = Link::delayed(Duration::from_millis(5));
        let mut pair = SessionPair::new([Stack::default(), stack], &link, seed);
        pair.add(Side::A, Audio, SendRecv);
        for _ in 0..videos {
            pair.add(Side::A, Video, SendRecv);
        }
        let offer = pair.describe(Side::A);
        pair.hand(Side::B, &offer);
        let all = pair.b.session.transceivers();
        let honest = [all[0], all[1]];
        for key in all {
            pair.b.session.set_direction(key, SendRecv).unwrap();
        }
        let answer = pair.describe(Side::B);
        pair.hand(Side::A, &answer);
        pair.connect();
        let config = spy.keys.lock().unwrap().clone().unwrap();
        let clock = testkit::Clock::new();
        let start = clock.start(testkit::layer_seed(seed, b"villain "));
        let protector = Protector::new(start, config);
        let selected = pair.b.session.selected_candidate_pair().unwrap();
        let address = |candidate: &peerconnection::IceCandidate| {
            let address = candidate.address().unwrap().parse().unwrap();
            SocketAddr::new(address, candidate.port().unwrap())
        };
        let (from, to) = (address(&selected.local), address(&selected.remote));
        let mut scene = Self {
            pair,
            protector,
            from,
            to,
            honest,
            sent: 0,
            sequence_number: 0,
        };
        scene.check_alive();
        scene
    }

    fn inject(&mut self, bytes: Vec<u8>) {
        let now = self.pair.now();
        let packet = Packet::new(self.from, self.to, bytes);
        self.pair.a.inject(now, SocketId(0), &packet);
    }

    /// Protects and delivers a packet; what cannot even be protected is not sent.
    fn send(&mut self, header: &[u8], payload: &[u8]) -> Option<Vec<u8>> {
        let packet = self.protector.protect(header, payload)?;
        self.inject(packet.clone());
        Some(packet)
    }

    /// The same with a header that is well formed, and a sequence number of its own.
    fn send_rtp(&mut self, mut header: Header, payload: &[u8]) {
        self.sequence_number = self.sequence_number.wrapping_add(1);
        header.sequence_number = self.sequence_number;
        let mut out = [0; 2048];
        let len = header.write(&mut out).unwrap();
        assert!(self.send(&out[..len], payload).is_some());
    }

    fn send_rtcp(&mut self, compound: &[u8]) {
        let mut out = vec![0; compound.len() + 64];
        if let Ok(len) = self.protector.context.protect_rtcp_into(compound, &mut out) {
            out.truncate(len);
            self.inject(out);
        }
    }

    /// A reads what came, as an application would.
    fn read(&mut self) -> Vec<peerconnection::IncomingRtp> {
        std::iter::from_fn(|| self.pair.a.session.poll_rtp()).collect()
    }

    /// Lets time go on, and A read and send.
    fn rest(&mut self) {
        self.pair.run_for(Duration::from_millis(20));
        self.read();
        self.pair.a.events.clear();
    }

    /// The streams that are in order arrive, all of them.
    fn check_alive(&mut self) {
        self.pair.run_for(Duration::from_millis(50));
        self.read();
        let mut expected = Vec::new();
        for _ in 0..20 {
            for (key, payload_type) in self.honest.into_iter().zip([OPUS, VP8]) {
                self.sent += 1;
                let mut packet = numbered(payload_type, self.sent, 200);
                packet.header.sequence_number = u16::try_from(self.sent / 2).unwrap();
                assert!(self.pair.write(Side::B, key, 0, &packet));
                expected.push(self.sent);
            }
            self.pair.run_for(Duration::from_millis(5));
        }
        self.pair.run_for(Duration::from_millis(50));
        let ours = self.pair.a.session.transceivers();
        let came: Vec<u32> = self
            .read()
            .iter()
            .filter(|incoming| incoming.packet.payload.len() == 200)
            .map(|incoming| {
                let is_audio = incoming.packet.header.payload_type == OPUS;
                assert_eq!(incoming.transceiver, ours[usize::from(!is_audio)]);
                number(&incoming.packet)
            })
            .collect();
        assert_eq!(came, expected);
    }

    /// Attacks twice, the second time nine times longer, and compares what is held after each.
    fn check_bounded(&mut self, mut attack: impl FnMut(&mut Self, u32)) {
        let before = memory::held();
        for round in 0..1000 {
            attack(self, round);
            if round % 50 == 49 {
                self.rest();
            }
        }
        self.pair.run_for(Duration::from_secs(5));
        let short = memory::held();
        assert!(short - before < BOUND, "{} bytes", short - before);
        for round in 1000..10_000 {
            attack(self, round);
            if round % 50 == 49 {
                self.rest();
            }
        }
        self.pair.run_for(Duration::from_secs(5));
        let long = memory::held();
        // What a table keeps may vary; what grows with the attack is far more.
        assert!(long - short < 150_000, "{} bytes more", long - short);
        self.check_alive();
    }
}

fn header(payload_type: u8, ssrc: u32) -> Header {
    Header {
        payload_type,
        ssrc,
        ..Header::default()
    }
}

fn with_extension(mut header: Header, id: u8, data: &[u8]) -> Header {
    header.extensions.set(id, data).unwrap();
    header
}

/// Ten thousand sources, by payload type and by name, of a section that exists.
#[test]
fn ten_thousand_sources_are_bounded() {
    let mut scene = Scene::new(1);
    scene.check_bounded(|scene, round| {
        let plain = header(if round % 2 == 0 { VP8 } else { OPUS }, 100_000 + round);
        scene.send_rtp(plain, &[1; 20]);
        let named = with_extension(header(VP8, 200_000 + round), MID, b"1");
        scene.send_rtp(named, &[2; 20]);
        let layered = header(VP8, 300_000 + round);
        scene.send_rtp(with_extension(layered, RID, b"x"), &[3; 20]);
    });
}

/// Ten thousand sources of retransmissions, of streams that exist and of none.
#[test]
fn ten_thousand_sources_of_retransmissions_are_bounded() {
    let mut scene = Scene::new(2);
    scene.check_bounded(|scene, round| {
        let payload = [0, 1, 9, 9, 9];
        scene.send_rtp(header(RTX, 400_000 + round), &payload);
        let named = with_extension(header(RTX, 500_000 + round), MID, b"1");
        scene.send_rtp(named, &payload);
        let other = with_extension(header(RTX, 600_000 + round), REPAIRED_RID, b"none");
        scene.send_rtp(with_extension(other, MID, b"0"), &payload);
        scene.send_rtp(header(RTX, 7), &[]);
    });
}

/// A source that says another section with every packet, and sections that do not exist.
#[test]
fn a_source_that_moves_between_sections_is_bounded() {
    let mut scene = Scene::new(3);
    scene.check_bounded(|scene, round| {
        let (mid, payload_type) = [(b"0", OPUS), (b"1", VP8)][(round % 2) as usize];
        for ssrc in [9, 10 + round % 5] {
            scene.send_rtp(
                with_extension(header(payload_type, ssrc), MID, mid),
                &[1; 20],
            );
        }
        let unknown = with_extension(header(VP8, 11), MID, format!("{round}").as_bytes());
        scene.send_rtp(unknown, &[1; 20]);
        let long = [b'x'; 200];
        scene.send_rtp(with_extension(header(VP8, 12), MID, &long), &[1; 20]);
    });
}

/// Every payload type, most of which mean nothing.
#[test]
fn unknown_payload_types_are_dropped() {
    let mut scene = Scene::new(4);
    for round in 0..5 {
        for payload_type in (0..=127).filter(|own| !(64..=95).contains(own)) {
            scene.send_rtp(header(payload_type, 20 + round), &[1; 20]);
            let named = with_extension(header(payload_type, 30 + round), MID, b"0");
            scene.send_rtp(named, &[1; 20]);
        }
        scene.rest();
    }
    for incoming in scene.read() {
        assert!(incoming.packet.payload.len() <= 20);
    }
    scene.check_alive();
}

/// As many extensions as fit, of the longest, and headers that contradict themselves.
#[test]
fn headers_at_their_limits_are_harmless() {
    for_each_seed(1..=3, |seed| {
        let mut scene = Scene::new(seed.value());
        let mut random: Random = seed.random(b"headers ");
        // 255 elements of the two-byte form, then one that fills the header.
        for (elements, len) in [(255_u16, 1), (4, 255), (255, 0)] {
            let mut header = header(VP8, 40 + u32::from(elements));
            let mut extensions = Extensions::default();
            for id in 1..=elements {
                let data = vec![7; len];
                if extensions.set(u8::try_from(id).unwrap(), &data).is_err() {
                    break;
                }
            }
            header.extensions = extensions;
            scene.send_rtp(header, &[1; 20]);
        }
        for _ in 0..3000 {
            let len = 12 + random.below(200);
            let mut bytes = random.bytes(len);
            // Version 2; padding, extensions, sources and marker at random.
            bytes[0] = 0x80 | (bytes[0] & 0x3F);
            bytes[1] = [VP8, OPUS, RTX, 96 | 0x80, bytes[1]][random.below(5)];
            let cut = 12 + random.below(bytes.len() - 11);
            let (head, payload) = bytes.split_at(cut);
            let (head, payload) = (head.to_vec(), payload.to_vec());
            scene.send(&head, &payload);
        }
        scene.rest();
        scene.check_alive();
    });
}

/// Padding that is longer than the packet, of no length, or all there is; fifteen contributing
/// sources.
#[test]
fn padding_and_contributing_sources_are_harmless() {
    let mut scene = Scene::new(6);
    for (place, last) in [0_u8, 1, 20, 21, 255].into_iter().enumerate() {
        let mut head = vec![0xA0, VP8, 0, 1, 0, 0, 0, 1, 0, 0, 1];
        head.push(u8::try_from(place).unwrap());
        let mut payload = vec![5; 20];
        payload[19] = last;
        scene.send(&head, &payload);
        scene.send(&head, &[]);
        head[0] = 0x8F;
        head.extend([3; 60]);
        scene.send(&head, &payload);
    }
    scene.rest();
    scene.check_alive();
}

/// rtp, srtp: what was sent once is taken once, however often it comes.
#[test]
fn replayed_packets_are_taken_once() {
    let mut scene = Scene::new(7);
    let mut out = [0; 100];
    let mut protected = Vec::new();
    for sequence_number in 1..=50 {
        let mut header = header(VP8, 50);
        header.sequence_number = sequence_number;
        let len = header.write(&mut out).unwrap();
        protected.extend(scene.send(&out[..len], &[9; 30]));
    }
    for packet in protected.iter().cycle().take(20_000) {
        scene.inject(packet.clone());
    }
    scene.pair.settle();
    assert_eq!(scene.read().len(), 50);
    scene.check_alive();
}

/// An RTCP packet of one kind with these words after its header.
fn rtcp(count: u8, kind: u8, words: &[u32]) -> Vec<u8> {
    let mut packet = vec![0x80 | count, kind];
    packet.extend(u16::try_from(words.len()).unwrap().to_be_bytes());
    packet.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    packet
}

/// Floods of well-formed feedback: requests for key frames, for packets and for rates, reports on
/// streams that do not exist, and farewells.
#[test]
fn floods_of_feedback_are_bounded() {
    let mut scene = Scene::new(8);
    let key = scene.pair.a.session.transceivers()[1];
    scene.pair.a.session.read_rtcp();
    let ours = scene.pair.a.session.send_parameters(key).unwrap();
    let ssrc = ours.encodings[0].ssrc;
    for place in 0..200 {
        assert!(
            scene
                .pair
                .write(Side::A, key, 0, &numbered(VP8, place, 1000))
        );
    }
    scene.rest();
    scene.check_bounded(|scene, round| {
        let mut compound = rtcp(1, 201, &[60, round, 0, 0, 0, 0, 0]);
        for place in 0..10 {
            compound.extend(rtcp(1, 206, &[60, ssrc]));
            compound.extend(rtcp(4, 206, &[60, 0, ssrc, round << 24]));
            compound.extend(rtcp(1, 205, &[60, ssrc, round << 22 | 0xFFFF]));
            compound.extend(rtcp(1, 205, &[60, round + place, 0xFFFF_FFFF]));
            compound.extend(rtcp(15, 206, &[60, 0, 0x5245_4D42, 0x0100_0001, ssrc]));
            compound.extend(rtcp(15, 205, &[60, ssrc, round, 0xFFFF_0000, 0x2000_FFFF]));
        }
        compound.extend(rtcp(1, 203, &[1_000_000 + round]));
        scene.send_rtcp(&compound);
    });
    // Ten thousand requests for the same packets do not make ten thousand answers.
    let sent = scene.pair.a.session.sender_stats(key).remove(0);
    assert!(sent.retransmitted_packets < 100_000, "{sent:?}");
}

/// A thousand requests for key frames in a second are told of a few times.
#[test]
fn requests_for_key_frames_are_limited() {
    let mut scene = Scene::new(9);
    let key = scene.pair.a.session.transceivers()[1];
    let ours = scene.pair.a.session.send_parameters(key).unwrap();
    let ssrc = ours.encodings[0].ssrc;
    scene.pair.a.events.clear();
    for _ in 0..1000 {
        let mut compound = rtcp(1, 201, &[60, 1, 0, 0, 0, 0, 0]);
        compound.extend(rtcp(1, 206, &[60, ssrc]));
        scene.send_rtcp(&compound);
        scene.pair.run_for(Duration::from_millis(1));
    }
    let asked = scene.pair.a.events.iter();
    let asked = asked.filter(|event| matches!(event, SessionEvent::KeyframeRequested(..)));
    let asked = asked.count();
    assert!((1..=30).contains(&asked), "told {asked} times");
}

/// Compounds of garbage: lengths that lie, kinds that do not exist, blocks cut short.
#[test]
fn garbage_compounds_are_harmless() {
    for_each_seed(1..=3, |seed| {
        let mut scene = Scene::new(seed.value());
        let mut random: Random = seed.random(b"compound");
        scene.pair.a.session.read_rtcp();
        for round in 0..5000 {
            let mut compound = rtcp(1, 201, &[60, 1, 0, 0, 0, 0, 0]);
            for _ in 0..random.below(6) {
                let len = random.below(12);
                let kind = u8::try_from(192 + random.below(32)).unwrap();
                let mut packet = random.bytes(4 + 4 * len);
                (packet[0], packet[1]) = (0x80 | (packet[0] & 0x3F), kind);
                let told = if random.chance(0.8) {
                    len
                } else {
                    random.below(40)
                };
                packet[2..4].copy_from_slice(&u16::try_from(told).unwrap().to_be_bytes());
                compound.extend(packet);
            }
            if random.chance(0.1) {
                let len = 8 + random.below(100);
                compound = random.bytes(len);
                (compound[0], compound[1]) = (0x80, 200);
            }
            scene.send_rtcp(&compound);
            if round % 100 == 99 {
                scene.rest();
                while scene.pair.a.session.poll_rtcp().is_some() {}
            }
        }
        scene.check_alive();
    });
}

/// rtp-010, RFC 9143 §9.2: a source that no description names is of the section that its packet
/// names, then of the one it was of before, then of the only one with its payload type.
#[test]
fn a_source_that_nobody_declared_is_heard() {
    let mut scene = Scene::with_videos(12, 2);
    let [audio, one, two] = scene.pair.a.session.transceivers()[..] else {
        panic!("three sections");
    };
    let mut heard = |payload_type, ssrc, mid: Option<&[u8]>| {
        let header = header(payload_type, ssrc);
        let header = mid.map_or(header.clone(), |mid| with_extension(header, MID, mid));
        scene.send_rtp(header, &[1; 50]);
        let came = scene.read();
        came.first().map(|incoming| incoming.transceiver)
    };
    assert_eq!(heard(VP8, 70, None), None, "of either section of video");
    assert_eq!(heard(OPUS, 71, None), Some(audio));
    assert_eq!(heard(VP8, 72, Some(b"2")), Some(two));
    assert_eq!(heard(VP8, 72, None), Some(two));
    assert_eq!(heard(VP8, 72, Some(b"1")), Some(one));
    assert_eq!(heard(VP8, 72, None), Some(one));
    scene.check_alive();
}

/// A farewell of a stream does not keep it from coming back.
#[test]
fn a_stream_comes_back_after_its_farewell() {
    let mut scene = Scene::new(10);
    let sources: Vec<u32> = scene
        .honest
        .map(|key| scene.pair.b.session.send_parameters(key).unwrap())
        .iter()
        .map(|parameters| parameters.encodings[0].ssrc)
        .collect();
    for _ in 0..5 {
        for ssrc in &sources {
            let mut compound = rtcp(0, 201, &[*ssrc]);
            compound.extend(rtcp(1, 203, &[*ssrc]));
            scene.send_rtcp(&compound);
        }
        scene.check_alive();
    }
}

/// Browsers say goodbye for a layer that they leave out for a while, and go on later without its
/// name: we have acknowledged its source, so they trust us to remember (RFC 8852 §3).
#[test]
fn a_layer_comes_back_without_its_name() {
    let mut scene = Scene::new(13);
    let mut init = RtpTransceiverInit::with_direction(RtpTransceiverDirection::SendOnly);
    init.send_encodings = ["l", "h"].map(RtpEncodingParameters::layer).to_vec();
    let added = scene.pair.b.session.add_transceiver(Video, init).unwrap();
    scene.pair.negotiate(Side::B);
    scene.pair.a.events.clear();
    let mid = scene
        .pair
        .b
        .session
        .transceiver(added)
        .unwrap()
        .mid
        .unwrap();
    let section = *scene.pair.a.session.transceivers().last().unwrap();
    let named = |ssrc: u32, rid: &str| {
        let header = with_extension(header(VP8, ssrc), MID, mid.as_bytes());
        with_extension(header, RID, rid.as_bytes())
    };
    scene.send_rtp(named(71, "l"), &[0; 100]);
    scene.send_rtp(named(72, "h"), &[1; 100]);
    assert_eq!(scene.read().len(), 2);
    for round in 0..3 {
        let mut compound = rtcp(0, 201, &[71]);
        compound.extend(rtcp(2, 203, &[71, 72]));
        scene.send_rtcp(&compound);
        scene.pair.run_for(Duration::from_secs(20));
        let info = scene.pair.a.session.receiver(section).unwrap();
        assert!(info.muted, "{round}");
        for (layer, ssrc) in [(0, 71), (1, 72)] {
            scene.send_rtp(header(VP8, ssrc), &[layer; 100]);
        }
        let came = scene.read();
        let came: Vec<_> = came.iter().map(|it| (it.transceiver, it.layer)).collect();
        assert_eq!(came, [(section, 0), (section, 1)], "{round}");
        let info = scene.pair.a.session.receiver(section).unwrap();
        assert!(!info.muted, "{round}");
    }
    scene.check_alive();
}

/// Packets that come while nobody reads them are dropped at a bound.
#[test]
fn packets_that_nobody_reads_are_bounded() {
    let mut scene = Scene::new(11);
    let before = memory::held();
    for _ in 0..20_000 {
        scene.send_rtp(header(VP8, 70), &[1; 1000]);
    }
    let held = memory::held() - before;
    assert!(held < 12_000_000, "{held} bytes");
    assert!(scene.read().len() < 20_000);
    scene.check_alive();
}
