//! Stages of the user, and where they stand.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod link;

use link::{Pair, VIDEO, VIDEO_RTX, seed, start, video, video_stream};
use muonrtc_interceptor::{
    Config, Direction, Error, Interest, Pipeline, Place, Stage, Stream, Verdict,
};
use rtp::{Header, Packet, rtcp};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Encrypts what goes out and decrypts what comes in (with a toy).
#[derive(Debug)]
struct Cipher(u8);

impl Cipher {
    fn apply(&self, packet: &mut Packet) -> Verdict {
        packet.payload = packet.payload.iter().map(|byte| byte ^ self.0).collect();
        Verdict::Pass
    }
}

impl Stage for Cipher {
    fn handle_outgoing(&mut self, _: Instant, packet: &mut Packet) -> Verdict {
        self.apply(packet)
    }

    fn handle_incoming(&mut self, _: Instant, packet: &mut Packet) -> Verdict {
        self.apply(packet)
    }
}

#[test]
fn an_encrypting_stage_next_to_the_application_sees_each_packet_once() {
    let mut pair = Pair::new(seed(41));
    for end in &mut pair.ends {
        end.pipeline
            .add(pair.now, Place::Application, Box::new(Cipher(0x5A)))
            .unwrap();
    }
    pair.weather.loss = 20;
    pair.bind(&video_stream());
    pair.stream_video(0, 500, Duration::from_millis(4));
    pair.run(Duration::from_secs(3));
    // What was repaired is decrypted like the rest.
    assert!(pair.sent_on(0, VIDEO_RTX).len() > 50);
    assert!(pair.ends[1].received.len() > 490);
    for packet in &pair.ends[1].received {
        assert_eq!(
            packet.payload[..],
            video(packet.header.sequence_number).payload[..]
        );
    }
    for packet in pair.sent_on(0, VIDEO) {
        assert_eq!(
            packet.payload[5],
            0x55 ^ 0x5A,
            "the wire has only ciphertext"
        );
    }
}

/// Writes down what passes it.
#[derive(Debug)]
struct Witness {
    name: &'static str,
    seen: Arc<Mutex<Vec<String>>>,
    verdict: Verdict,
    interest: Interest,
}

impl Witness {
    fn saw(&self, what: impl std::fmt::Display) {
        self.seen
            .lock()
            .unwrap()
            .push(format!("{} {what}", self.name));
    }
}

impl Stage for Witness {
    fn bind(&mut self, _: Instant, _: &Stream) -> Interest {
        self.saw("bind");
        self.interest
    }

    fn handle_outgoing(&mut self, _: Instant, _: &mut Packet) -> Verdict {
        self.saw("out");
        self.verdict
    }

    fn handle_incoming(&mut self, _: Instant, _: &mut Packet) -> Verdict {
        self.saw("in");
        self.verdict
    }

    fn handle_outgoing_rtcp(&mut self, _: Instant, _: &mut rtcp::Packet) {
        self.saw("rtcp out");
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Packet> {
        self.saw("polled");
        None
    }
}

struct Scene {
    pipeline: Pipeline,
    seen: Arc<Mutex<Vec<String>>>,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        let now = Instant::now();
        let pipeline = Pipeline::empty(start(now, 1, 1), &Config::default());
        let seen = Arc::default();
        Self {
            pipeline,
            seen,
            now,
        }
    }

    fn add(&mut self, place: Place, name: &'static str, verdict: Verdict, interest: Interest) {
        let seen = self.seen.clone();
        let witness = Witness {
            name,
            seen,
            verdict,
            interest,
        };
        self.pipeline
            .add(self.now, place, Box::new(witness))
            .unwrap();
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    fn bind(&mut self, direction: Direction) {
        self.pipeline
            .bind(self.now, Stream::new(VIDEO, direction, 90_000))
            .unwrap();
    }
}

#[test]
fn packets_pass_the_places_in_order_and_a_dropped_one_goes_nowhere() {
    let mut scene = Scene::new();
    scene.add(Place::Wire, "w", Verdict::Pass, Interest::Packets);
    scene.add(Place::Application, "a", Verdict::Pass, Interest::Packets);
    scene.add(Place::Repair, "r", Verdict::Pass, Interest::Packets);
    scene.bind(Direction::Outgoing);
    scene.bind(Direction::Incoming);
    assert_eq!(
        scene.seen(),
        ["a bind", "r bind", "w bind", "a bind", "r bind", "w bind"]
    );
    let now = scene.now;
    assert_eq!(
        scene.pipeline.handle_outgoing(now, &mut video(1)),
        Verdict::Pass
    );
    assert_eq!(
        scene.pipeline.handle_incoming(now, &mut video(1)),
        Verdict::Pass
    );
    assert_eq!(
        scene.seen(),
        ["a out", "r out", "w out", "w in", "r in", "a in"]
    );

    // A stage that comes later learns of the streams that are there.
    scene.add(Place::Feedback, "d", Verdict::Drop, Interest::Packets);
    assert_eq!(scene.seen(), ["d bind", "d bind"]);
    assert_eq!(
        scene.pipeline.handle_outgoing(now, &mut video(1)),
        Verdict::Drop
    );
    assert_eq!(
        scene.pipeline.handle_incoming(now, &mut video(1)),
        Verdict::Drop
    );
    assert_eq!(scene.seen(), ["a out", "r out", "d out", "w in", "d in"]);
    let stats = scene.pipeline.pipeline_stats();
    assert_eq!((stats.dropped_outgoing, stats.dropped_incoming), (1, 1));
}

#[test]
fn a_stage_is_called_and_polled_only_as_far_as_it_is_interested() {
    let mut scene = Scene::new();
    scene.add(Place::Application, "p", Verdict::Pass, Interest::Packets);
    scene.add(Place::Application, "q", Verdict::Pass, Interest::Quiet);
    scene.add(Place::Application, "n", Verdict::Pass, Interest::Nothing);
    scene.bind(Direction::Outgoing);
    let now = scene.now;
    assert_eq!(scene.pipeline.poll_transmit(now), None);
    scene.seen();
    let _ = scene.pipeline.handle_outgoing(now, &mut video(1));
    assert_eq!(scene.pipeline.poll_transmit(now), None);
    assert_eq!(scene.pipeline.poll_transmit(now), None);
    assert_eq!(scene.seen(), ["p out", "q out", "p polled"]);
}

#[test]
fn packets_of_unknown_streams_pass_untouched() {
    let mut scene = Scene::new();
    scene.add(Place::Application, "p", Verdict::Drop, Interest::Packets);
    scene.bind(Direction::Incoming);
    let mut packet = video(1);
    assert_eq!(
        scene.pipeline.handle_outgoing(scene.now, &mut packet),
        Verdict::Pass
    );
    assert_eq!(packet, video(1));
    scene.pipeline.unbind(scene.now, Direction::Incoming, VIDEO);
    assert_eq!(
        scene.pipeline.handle_incoming(scene.now, &mut packet),
        Verdict::Pass
    );
    assert_eq!(packet, video(1));
}

/// Sends every packet twice.
#[derive(Debug, Default)]
struct Twice(Option<Packet>);

impl Stage for Twice {
    fn handle_outgoing(&mut self, _: Instant, packet: &mut Packet) -> Verdict {
        self.0 = Some(packet.clone());
        Verdict::Pass
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Packet> {
        self.0.take()
    }
}

#[test]
fn what_a_stage_sends_passes_only_the_stages_behind_it() {
    let mut scene = Scene::new();
    scene.add(Place::Application, "a", Verdict::Pass, Interest::Packets);
    scene
        .pipeline
        .add(scene.now, Place::Repair, Box::new(Twice::default()))
        .unwrap();
    scene.add(Place::Wire, "w", Verdict::Pass, Interest::Quiet);
    scene.bind(Direction::Outgoing);
    assert_eq!(scene.pipeline.poll_transmit(scene.now), None);
    scene.seen();
    let _ = scene.pipeline.handle_outgoing(scene.now, &mut video(1));
    assert_eq!(scene.pipeline.poll_transmit(scene.now), Some(video(1)));
    assert_eq!(scene.pipeline.poll_transmit(scene.now), None);
    assert_eq!(scene.seen(), ["a out", "w out", "a polled", "w out"]);
}

#[test]
fn callers_are_told_where_a_bound_is_reached() {
    let now = Instant::now();
    let mut config = Config::default();
    config.max_streams = 2;
    let mut pipeline = Pipeline::new(start(now, 1, 1), config);
    pipeline.bind(now, video_stream()).unwrap();
    let mut taken = Stream::new(VIDEO_RTX, Direction::Outgoing, 90_000);
    assert_eq!(pipeline.bind(now, taken.clone()), Err(Error::SsrcInUse));
    taken.direction = Direction::Incoming;
    pipeline.bind(now, taken).unwrap();
    let third = Stream::new(3, Direction::Incoming, 90_000);
    assert_eq!(pipeline.bind(now, third), Err(Error::TooManyStreams));
    pipeline.bind(now, video_stream()).unwrap();

    for _ in 0..54 {
        pipeline
            .add(now, Place::Wire, Box::new(Twice::default()))
            .unwrap();
    }
    let more = pipeline.add(now, Place::Wire, Box::new(Twice::default()));
    assert_eq!(more, Err(Error::TooManyStages));

    let packet = || rtcp::Packet::from(rtcp::ReceiverReport::default());
    for _ in 0..Pipeline::MAX_QUEUED_RTCP {
        pipeline.send_rtcp(now, packet()).unwrap();
    }
    assert_eq!(
        pipeline.send_rtcp(now, packet()),
        Err(Error::TooManyPackets)
    );
}

/// rtp-021, rtp-030, rtp-034; rtp-004: the timestamp is that of the original.
#[test]
fn a_retransmission_carries_the_repaired_rid_and_comes_out_with_the_rid() {
    let now = Instant::now();
    let mut stream = video_stream();
    (stream.rid_id, stream.repaired_rid_id) = (Some(4), Some(5));
    let mut sender = Pipeline::new(start(now, 1, 1), Config::default());
    sender.bind(now, stream.clone()).unwrap();
    let mut original = video(9);
    original.header.extensions.set(4, b"hi").unwrap();
    original.header.extensions.set(1, b"0").unwrap();
    original.header.csrc.push(77);
    let _ = sender.handle_outgoing(now, &mut original);
    let nack = rtcp::Packet::from(rtcp::Nack::new(1, VIDEO, [9]));
    let mut bytes = [0; 16];
    nack.write(&mut bytes).unwrap();
    sender.handle_incoming_rtcp(now, &bytes, |_| ());
    let mut packet = sender.poll_transmit(now).unwrap();
    assert_eq!(
        (packet.header.ssrc, packet.header.payload_type),
        (VIDEO_RTX, link::RTX)
    );
    assert_eq!(packet.header.extensions.get(5), Some(&b"hi"[..]));
    assert_eq!(packet.header.extensions.get(4), None);
    assert_eq!(packet.header.timestamp, original.header.timestamp);

    let mut receiver = Pipeline::new(start(now, 1, 2), Config::default());
    stream.direction = Direction::Incoming;
    receiver.bind(now, stream).unwrap();
    assert_eq!(receiver.handle_incoming(now, &mut packet), Verdict::Pass);
    assert_eq!(packet, original);

    let header = Header {
        ssrc: VIDEO_RTX,
        payload_type: link::RTX,
        ..Header::default()
    };
    let mut probe = Packet::new(header, Vec::new());
    assert_eq!(receiver.handle_incoming(now, &mut probe), Verdict::Drop);
}
