//! Two pipelines joined by a virtual link, in virtual time.

#![allow(dead_code, reason = "each test file uses its part")]

use bytes::Bytes;
use muonrtc_interceptor::{
    Config, Direction, Event, PacketResult, Pipeline, PipelineStart, Rtx, Stream, Verdict,
};
use rtp::{Header, Packet, rtcp};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

pub(crate) const VIDEO: u32 = 0x1111_1111;
pub(crate) const VIDEO_RTX: u32 = 0x2222_2222;
pub(crate) const AUDIO: u32 = 0x3333_3333;
pub(crate) const VP8: u8 = 96;
pub(crate) const RTX: u8 = 97;

/// What the link does to packets, per direction.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    pub(crate) delay: Duration,
    pub(crate) jitter: Duration,
    /// 0 to 100, of RTP.
    pub(crate) loss: u64,
    /// 0 to 100, of RTCP.
    pub(crate) rtcp_loss: u64,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(25),
            jitter: Duration::ZERO,
            loss: 0,
            rtcp_loss: 0,
        }
    }
}

/// A small generator of its own, so that the link does not depend on what the machines draw.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.roll() % 100 < chance
    }
}

/// The seed of a test: from `LINK_SEED`, or the given one. It is printed, and shown on failure.
pub(crate) fn seed(default: u64) -> u64 {
    let seed = std::env::var("LINK_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default);
    println!("LINK_SEED={seed}");
    seed
}

pub(crate) fn start(now: Instant, seed: u64, label: u8) -> PipelineStart {
    let mut bytes = [label; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    PipelineStart::new(now, wall + Duration::from_secs(label.into()), bytes)
}

/// One end and what came out of it.
pub(crate) struct End {
    pub(crate) pipeline: Pipeline,
    pub(crate) received: Vec<Packet>,
    pub(crate) events: Vec<Event>,
    pub(crate) rtcp: Vec<rtcp::Packet>,
    pub(crate) results: Vec<PacketResult>,
}

impl End {
    /// The sequence numbers received of a stream, sorted.
    pub(crate) fn numbers(&self, ssrc: u32) -> Vec<u16> {
        let own = self.received.iter().filter(|p| p.header.ssrc == ssrc);
        let mut numbers: Vec<u16> = own.map(|p| p.header.sequence_number).collect();
        numbers.sort_unstable();
        numbers
    }

    pub(crate) fn count<T>(&self, pick: impl Fn(&rtcp::Packet) -> Option<T>) -> usize {
        self.rtcp.iter().filter_map(pick).count()
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Datagram {
    Rtp(Packet),
    Rtcp(Vec<u8>),
}

/// Two ends, a link, a clock. Outgoing media goes from end 0 to end 1 unless a test says otherwise.
pub(crate) struct Pair {
    pub(crate) ends: [End; 2],
    pub(crate) now: Instant,
    pub(crate) began: Instant,
    pub(crate) weather: Weather,
    dice: Dice,
    wire: BTreeMap<(Instant, u64), (usize, Datagram)>,
    count: u64,
    /// Everything that was sent: by whom, when, what.
    pub(crate) sent: Vec<(usize, Duration, Datagram)>,
    /// Calls of `handle_timeout`, per end.
    pub(crate) wakes: [usize; 2],
}

impl Pair {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, [Config::default(), Config::default()])
    }

    pub(crate) fn with(seed: u64, configs: [Config; 2]) -> Self {
        let now = Instant::now();
        let mut label = 0;
        let ends = configs.map(|config| {
            label += 1;
            End {
                pipeline: Pipeline::new(start(now, seed, label), config),
                received: Vec::new(),
                events: Vec::new(),
                rtcp: Vec::new(),
                results: Vec::new(),
            }
        });
        Self {
            ends,
            now,
            began: now,
            weather: Weather::default(),
            dice: Dice::new(seed),
            wire: BTreeMap::new(),
            count: 0,
            sent: Vec::new(),
            wakes: [0; 2],
        }
    }

    /// Binds a stream from end 0 to end 1.
    pub(crate) fn bind(&mut self, stream: &Stream) {
        for (at, direction) in [(0, Direction::Outgoing), (1, Direction::Incoming)] {
            let mut stream = stream.clone();
            stream.direction = direction;
            self.ends[at].pipeline.bind(self.now, stream).unwrap();
            self.collect(at);
        }
    }

    /// The application of an end sends a packet.
    pub(crate) fn send(&mut self, from: usize, mut packet: Packet) {
        let pipeline = &mut self.ends[from].pipeline;
        if pipeline.handle_outgoing(self.now, &mut packet) == Verdict::Pass {
            self.carry(from, Datagram::Rtp(packet));
        }
        self.collect(from);
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.began
    }

    fn carry(&mut self, from: usize, datagram: Datagram) {
        self.sent.push((from, self.elapsed(), datagram.clone()));
        let loss = match datagram {
            Datagram::Rtp(_) => self.weather.loss,
            Datagram::Rtcp(_) => self.weather.rtcp_loss,
        };
        if self.dice.percent(loss) {
            return;
        }
        let jitter = self.weather.jitter.as_micros() as u64;
        let jitter = Duration::from_micros(self.dice.roll() % (jitter + 1));
        let arrival = self.now + self.weather.delay + jitter;
        self.count += 1;
        self.wire
            .insert((arrival, self.count), (1 - from, datagram));
    }

    /// Takes all output of one end.
    pub(crate) fn collect(&mut self, at: usize) {
        let now = self.now;
        let mut buf = [0; 1500];
        while let Some(packet) = self.ends[at].pipeline.poll_transmit(now) {
            self.carry(at, Datagram::Rtp(packet));
        }
        while let Some(packet) = self.ends[at].pipeline.poll_receive(now) {
            self.ends[at].received.push(packet);
        }
        while let Some(len) = self.ends[at].pipeline.poll_rtcp(now, &mut buf) {
            self.carry(at, Datagram::Rtcp(buf[..len].to_vec()));
        }
        let end = &mut self.ends[at];
        while let Some(event) = end.pipeline.poll_event() {
            end.events.push(event);
        }
        while let Some(result) = end.pipeline.poll_packet_result() {
            end.results.push(result);
        }
    }

    fn deliver(&mut self, to: usize, datagram: Datagram) {
        let end = &mut self.ends[to];
        match datagram {
            Datagram::Rtp(packet) => {
                // Over the bytes, as on a wire.
                let mut buf = vec![0; packet.encoded_len()];
                packet.write(&mut buf).unwrap();
                let mut packet = Packet::parse(&Bytes::from(buf)).unwrap();
                if end.pipeline.handle_incoming(self.now, &mut packet) == Verdict::Pass {
                    end.received.push(packet);
                }
            }
            Datagram::Rtcp(bytes) => {
                let seen = &mut end.rtcp;
                let observe = |packet: &rtcp::Packet| seen.push(packet.clone());
                end.pipeline.handle_incoming_rtcp(self.now, &bytes, observe);
            }
        }
        self.collect(to);
    }

    /// Runs the link and the timers for a time.
    pub(crate) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let arrival = self.wire.keys().next().map(|key| key.0);
            let timers = self
                .ends
                .iter()
                .filter_map(|end| end.pipeline.poll_timeout());
            let next = timers.chain(arrival).min();
            let Some(next) = next.filter(|next| *next <= until) else {
                break;
            };
            self.now = self.now.max(next);
            if arrival.is_some_and(|arrival| arrival <= self.now) {
                let (_, (to, datagram)) = self.wire.pop_first().unwrap();
                self.deliver(to, datagram);
            }
            for at in 0..2 {
                let timeout = self.ends[at].pipeline.poll_timeout();
                if timeout.is_some_and(|timeout| timeout <= self.now) {
                    self.wakes[at] += 1;
                    self.ends[at].pipeline.handle_timeout(self.now);
                    self.collect(at);
                }
            }
        }
        self.now = until;
    }

    /// Sends `count` video packets from end 0, one each `spacing`, three to a frame.
    pub(crate) fn stream_video(&mut self, first: u16, count: u16, spacing: Duration) {
        for ahead in 0..count {
            self.send(0, video(first.wrapping_add(ahead)));
            self.run(spacing);
        }
    }

    /// The RTP packets an end has sent on an SSRC.
    pub(crate) fn sent_on(&self, from: usize, ssrc: u32) -> Vec<&Packet> {
        let packets = self
            .sent
            .iter()
            .filter_map(|(at, _, datagram)| match datagram {
                Datagram::Rtp(packet) if *at == from && packet.header.ssrc == ssrc => Some(packet),
                _ => None,
            });
        packets.collect()
    }

    /// The compounds an end has sent, with their times.
    pub(crate) fn compounds(&self, from: usize) -> Vec<(Duration, &[u8])> {
        let all = self
            .sent
            .iter()
            .filter_map(|(at, time, datagram)| match datagram {
                Datagram::Rtcp(bytes) if *at == from => Some((*time, &bytes[..])),
                _ => None,
            });
        all.collect()
    }
}

/// A video stream with all repair and feedback.
pub(crate) fn video_stream() -> Stream {
    let mut stream = Stream::new(VIDEO, Direction::Outgoing, 90_000);
    stream.rtx = Some(Rtx::new(VIDEO_RTX, vec![(VP8, RTX)]));
    stream.feedback.nack = true;
    stream.feedback.pli = true;
    stream
}

/// A packet of the video stream; its payload tells its sequence number.
pub(crate) fn video(sequence_number: u16) -> Packet {
    let header = Header {
        payload_type: VP8,
        sequence_number,
        timestamp: u32::from(sequence_number / 3) * 3000,
        marker: sequence_number % 3 == 2,
        ssrc: VIDEO,
        ..Header::default()
    };
    let mut payload = vec![0x55; 1000];
    payload[..2].copy_from_slice(&sequence_number.to_be_bytes());
    Packet::new(header, payload)
}
