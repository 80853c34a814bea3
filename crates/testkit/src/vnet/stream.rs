//! One end of a stream: as much of TCP (RFC 9293) as what runs over it can notice.
//!
//! Bytes arrive in order and once, however the links treat the segments; connecting takes a round
//! trip, can be refused and can time out; either side can end or reset. There is no congestion
//! control: the window is fixed.

use super::packet::{Segment, SegmentKind};
use crate::Random;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Bytes on their way and not yet acknowledged.
const WINDOW: u64 = 64 * 1024;

/// Bytes that wait for the window; [`Stream::write`] takes no more.
pub(super) const MAX_UNSENT: usize = 1024 * 1024;

/// The payload of a segment, in bytes: small enough for every path that IPv6 allows (RFC 8200 §5).
const MAX_SEGMENT: usize = 1220;

/// The first retransmission timeout (RFC 6298 §2.1), and the least after the round trip is known.
const FIRST_RTO: Duration = Duration::from_secs(1);
const MIN_RTO: Duration = Duration::from_millis(200);
const MAX_RTO: Duration = Duration::from_secs(60);

/// How long the end that closed first still answers the other one (TIME-WAIT, RFC 9293 §3.4.2: twice
/// the longest life of a segment).
const TIME_WAIT: Duration = Duration::from_secs(240);

/// Repetitions before a stream counts as dead; a connecting one gives up after 63 s.
const MAX_TRIES: u32 = 6;

/// How the bytes of a stream come out of reads. TCP promises their order and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reads {
    /// Each segment as it comes: mostly as it was written, up to 1220 bytes.
    #[default]
    AsSent,
    /// Pieces of 1 to this many bytes, from the seed of the network.
    Split(usize),
    /// All that came within this time, at once.
    Coalesced(Duration),
}

/// What a stream tells its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Connected,
    Accepted,
    Failed(io::ErrorKind),
    Read(Vec<u8>),
    Ended,
    Reset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    SynSent,
    /// Whether we have asked as well: a simultaneous open (RFC 9293 §3.5).
    SynReceived {
        asked: bool,
    },
    Open,
    Closed,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    state: State,
    born: Instant,
    /// What is not acknowledged, from `acknowledged` on.
    outgoing: VecDeque<u8>,
    acknowledged: u64,
    /// Bytes that were ever written.
    written: u64,
    /// The next byte to be sent.
    next: u64,
    /// No more is written.
    finishing: bool,
    /// We wrote no more while the peer still did.
    closed_first: bool,
    /// Both ends have ended; until when we answer a peer that has not heard that we know.
    time_wait: Option<Instant>,
    expected: u64,
    early: BTreeMap<u64, Vec<u8>>,
    remote_end: Option<u64>,
    ended: bool,
    rto: Duration,
    tries: u32,
    timer: Option<Instant>,
    pub(super) reads: Reads,
    held: Vec<u8>,
    read_at: Option<Instant>,
    pub(super) segments: VecDeque<Segment>,
    pub(super) told: VecDeque<Told>,
    random: Random,
}

impl Stream {
    /// Asks the peer for a stream.
    pub(super) fn connect(
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        random: Random,
    ) -> Self {
        let mut stream = Self::new(now, local, remote, State::SynSent, random);
        stream.emit(SegmentKind::Syn);
        stream.timer = Some(now + stream.rto);
        stream
    }

    /// Answers a peer that asks.
    pub(super) fn accept(
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        random: Random,
    ) -> Self {
        let state = State::SynReceived { asked: false };
        let mut stream = Self::new(now, local, remote, state, random);
        stream.emit(SegmentKind::SynAck);
        stream.timer = Some(now + stream.rto);
        stream
    }

    fn new(
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        state: State,
        random: Random,
    ) -> Self {
        Self {
            local,
            remote,
            state,
            born: now,
            outgoing: VecDeque::new(),
            acknowledged: 0,
            written: 0,
            next: 0,
            finishing: false,
            closed_first: false,
            time_wait: None,
            expected: 0,
            early: BTreeMap::new(),
            remote_end: None,
            ended: false,
            rto: FIRST_RTO,
            tries: 0,
            timer: None,
            reads: Reads::default(),
            held: Vec::new(),
            read_at: None,
            segments: VecDeque::new(),
            told: VecDeque::new(),
            random,
        }
    }

    /// How many bytes it takes now.
    pub(super) fn room(&self) -> usize {
        if !self.is_writable() {
            return 0;
        }
        MAX_UNSENT.saturating_sub(self.outgoing.len())
    }

    /// Whether it takes bytes at all.
    pub(super) fn is_writable(&self) -> bool {
        !self.finishing && self.state != State::Closed
    }

    /// Takes as many bytes as there is room for.
    pub(super) fn write(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.room());
        self.outgoing.extend(&bytes[..taken]);
        self.written += taken as u64;
        self.push(now);
        taken
    }

    /// Nothing more is written; what was written still arrives.
    pub(super) fn finish(&mut self, now: Instant) {
        match self.state {
            State::SynSent => self.reset(),
            _ => {
                self.closed_first |= !self.finishing && !self.ended;
                self.finishing = true;
                self.push(now);
                self.wait_if_finished(now);
            }
        }
    }

    /// Starts or restarts TIME-WAIT once both ends have ended and know it (RFC 9293 §3.10.7.4).
    fn wait_if_finished(&mut self, now: Instant) {
        if self.is_finished() && self.closed_first && self.state == State::Open {
            self.time_wait = Some(now + TIME_WAIT);
        }
    }

    /// Whether both ends have ended, and the peer has said that it heard so of ours.
    fn is_finished(&self) -> bool {
        self.finishing && self.ended && self.acknowledged > self.end()
    }

    /// Ends at once, and the peer is told.
    pub(super) fn reset(&mut self) {
        if self.state != State::Closed && self.state != State::SynSent {
            self.emit(SegmentKind::Reset);
        }
        self.state = State::Closed;
        self.timer = None;
        self.read_at = None;
        self.time_wait = None;
    }

    /// Whether nothing is left to do and the socket may be forgotten.
    pub(super) fn is_over(&self) -> bool {
        let quiet = self.segments.is_empty() && self.told.is_empty() && self.held.is_empty();
        let finished = self.is_finished() && !self.is_waiting();
        (finished || self.state == State::Closed) && quiet
    }

    /// Whether it only waits for late repetitions; a new stream may take its place (RFC 9293 §3.6.1).
    pub(super) fn is_waiting(&self) -> bool {
        self.time_wait.is_some()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let all = [self.timer, self.read_at, self.time_wait];
        all.into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.read_at.is_some_and(|at| at <= now) {
            self.release();
        }
        if self.time_wait.is_some_and(|at| at <= now) {
            self.time_wait = None;
            self.state = State::Closed;
            return;
        }
        if self.timer.is_none_or(|at| at > now) {
            return;
        }
        self.tries += 1;
        if self.tries >= MAX_TRIES {
            self.fail(io::ErrorKind::TimedOut);
            return;
        }
        self.rto = (self.rto * 2).min(MAX_RTO);
        self.timer = Some(now + self.rto);
        match self.state {
            State::SynSent => self.emit(SegmentKind::Syn),
            State::SynReceived { .. } => self.emit(SegmentKind::SynAck),
            State::Open | State::Closed => {
                // Go back to what the peer has for sure.
                self.next = self.acknowledged;
                self.push(now);
            }
        }
    }

    pub(super) fn handle_segment(&mut self, now: Instant, segment: Segment) {
        match (segment.kind, self.state) {
            (_, State::Closed) => {}
            // A late one must not kill what has ended in order (RFC 1337 §3).
            (SegmentKind::Reset, _) if self.is_waiting() => {}
            (SegmentKind::Reset, State::SynSent) => self.fail(io::ErrorKind::ConnectionRefused),
            (SegmentKind::Reset, _) => {
                self.state = State::Closed;
                self.timer = None;
                self.release();
                self.told.push_back(Told::Reset);
            }
            (SegmentKind::Syn, State::SynSent) => {
                self.state = State::SynReceived { asked: true };
                self.emit(SegmentKind::SynAck);
            }
            (SegmentKind::Syn, State::SynReceived { .. }) => self.emit(SegmentKind::SynAck),
            (SegmentKind::SynAck, State::SynSent | State::SynReceived { .. }) => {
                self.open(now);
                self.emit(SegmentKind::Data);
            }
            (SegmentKind::Syn | SegmentKind::SynAck, State::Open) => self.emit(SegmentKind::Data),
            (SegmentKind::Data | SegmentKind::Fin, State::SynSent) => {}
            (SegmentKind::Data | SegmentKind::Fin, _) => {
                if self.state != State::Open {
                    self.open(now);
                }
                self.take_acknowledgement(now, segment.acknowledged);
                self.take_bytes(now, segment);
                self.wait_if_finished(now);
            }
        }
    }

    fn open(&mut self, now: Instant) {
        let asked = !matches!(self.state, State::SynReceived { asked: false });
        self.state = State::Open;
        self.told.push_back(if asked {
            Told::Connected
        } else {
            Told::Accepted
        });
        if self.tries == 0 {
            let round_trip = now.saturating_duration_since(self.born);
            self.rto = (round_trip * 3).max(MIN_RTO);
        }
        self.tries = 0;
        self.timer = None;
        self.push(now);
    }

    fn fail(&mut self, why: io::ErrorKind) {
        let connecting = matches!(
            self.state,
            State::SynSent | State::SynReceived { asked: true }
        );
        let unnoticed = matches!(self.state, State::SynReceived { asked: false });
        self.state = State::Closed;
        self.timer = None;
        self.release();
        if connecting {
            self.told.push_back(Told::Failed(why));
        } else if !unnoticed {
            self.told.push_back(Told::Reset);
        }
    }

    fn take_acknowledgement(&mut self, now: Instant, acknowledged: u64) {
        if acknowledged <= self.acknowledged || acknowledged > self.end() + 1 {
            return;
        }
        let bytes = usize::try_from(acknowledged - self.acknowledged).unwrap_or(usize::MAX);
        self.outgoing.drain(..bytes.min(self.outgoing.len()));
        self.acknowledged = acknowledged;
        self.next = self.next.max(acknowledged);
        self.tries = 0;
        self.timer = None;
        self.push(now);
    }

    fn take_bytes(&mut self, now: Instant, segment: Segment) {
        let takes_space = !segment.bytes.is_empty() || segment.kind == SegmentKind::Fin;
        if segment.kind == SegmentKind::Fin {
            self.remote_end = Some(segment.sequence);
        } else if takes_space && segment.sequence < self.expected + WINDOW {
            self.early.insert(segment.sequence, segment.bytes);
        }
        while let Some((sequence, bytes)) = self.early.pop_first() {
            if sequence > self.expected {
                self.early.insert(sequence, bytes);
                break;
            }
            let known = usize::try_from(self.expected - sequence).unwrap_or(usize::MAX);
            if let Some(fresh) = bytes.get(known..).filter(|it| !it.is_empty()) {
                self.expected += fresh.len() as u64;
                self.read(now, fresh);
            }
        }
        if self.remote_end == Some(self.expected) && !self.ended {
            self.ended = true;
            self.release();
            self.told.push_back(Told::Ended);
        }
        if takes_space {
            self.emit(SegmentKind::Data);
        }
    }

    fn read(&mut self, now: Instant, bytes: &[u8]) {
        match self.reads {
            Reads::AsSent => self.told.push_back(Told::Read(bytes.to_vec())),
            Reads::Split(most) => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    let len = (self.random.below(most) + 1).min(rest.len());
                    self.told.push_back(Told::Read(rest[..len].to_vec()));
                    rest = &rest[len..];
                }
            }
            Reads::Coalesced(within) => {
                self.held.extend_from_slice(bytes);
                self.read_at.get_or_insert(now + within);
            }
        }
    }

    fn release(&mut self) {
        self.read_at = None;
        if !self.held.is_empty() {
            self.told
                .push_back(Told::Read(std::mem::take(&mut self.held)));
        }
    }

    /// Sends what the window admits.
    fn push(&mut self, now: Instant) {
        if self.state != State::Open {
            return;
        }
        while self.next < self.end() && self.next - self.acknowledged < WINDOW {
            let begin = usize::try_from(self.next - self.acknowledged).unwrap_or(usize::MAX);
            let bytes: Vec<u8> = self
                .outgoing
                .iter()
                .skip(begin)
                .take(MAX_SEGMENT)
                .copied()
                .collect();
            let segment = Segment {
                kind: SegmentKind::Data,
                sequence: self.next,
                acknowledged: self.acknowledging(),
                bytes,
            };
            self.next += segment.bytes.len() as u64;
            self.segments.push_back(segment);
        }
        if self.finishing && self.next == self.end() && self.acknowledged <= self.end() {
            self.emit(SegmentKind::Fin);
            self.next += 1;
        }
        if self.next > self.acknowledged && self.timer.is_none() {
            self.timer = Some(now + self.rto);
        }
    }

    /// Where the bytes that were written end; the end itself takes the number after.
    fn end(&self) -> u64 {
        self.written
    }

    fn acknowledging(&self) -> u64 {
        self.expected + u64::from(self.ended)
    }

    /// A segment without bytes.
    fn emit(&mut self, kind: SegmentKind) {
        self.segments.push_back(Segment {
            kind,
            sequence: self.next,
            acknowledged: self.acknowledging(),
            bytes: Vec::new(),
        });
    }
}
