use crate::{Direction, Interest, PacketResult, Stage, Stream, Verdict};
use rtp::Packet;
use rtp::rtcp::{self, TransportFeedback};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// The room for sent packets at the beginning, a power of two.
const FIRST_ROOM: usize = 256;

/// The most packets that are remembered; what is told about older ones is ignored.
const MAX_ROOM: usize = 8192;

/// A packet this old has been reported or never will be: it does not make the room grow.
const MAX_AGE: Duration = Duration::from_secs(2);

/// Results that wait to be polled; the oldest make room.
const MAX_RESULTS: usize = 4096;

/// One unit of an arrival, in microseconds (§3.1.5).
const TICK_MICROS: u64 = 250;

/// Numbers the packets of all outgoing streams that have the extension (int-014), remembers when
/// they were sent, and puts that together with what the peer tells about them.
#[derive(Debug, Default)]
pub struct TransportSends {
    /// The id of the extension, by SSRC, and the SSRC of the media.
    streams: BTreeMap<u32, (u8, u32)>,
    /// The number of the next packet. It goes on the wire modulo 65 536.
    next: u64,
    /// Packets at their number modulo the room, a power of two.
    sent: Vec<Option<Sent>>,
    /// The last instant of the peer's clock, in ticks: as it came, and unwrapped.
    clock: Option<(u32, u64)>,
    results: VecDeque<PacketResult>,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    number: u64,
    ssrc: u32,
    len: usize,
    at: Instant,
    known: Known,
}

/// What the peer has said about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    Missing,
    Received,
}

impl TransportSends {
    /// Without streams.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn remember(&mut self, sent: Sent) {
        let crowded = |old: &Sent| {
            old.known == Known::Nothing && sent.at.saturating_duration_since(old.at) < MAX_AGE
        };
        let grow = match self.place(sent.number) {
            None => true,
            Some(at) => self.sent.len() < MAX_ROOM && self.sent[at].as_ref().is_some_and(crowded),
        };
        if grow {
            self.grow();
        }
        if let Some(at) = self.place(sent.number) {
            self.sent[at] = Some(sent);
        }
    }

    fn grow(&mut self) {
        let room = (2 * self.sent.len()).clamp(FIRST_ROOM, MAX_ROOM);
        let old = std::mem::replace(&mut self.sent, vec![None; room]);
        for sent in old.into_iter().flatten() {
            if let Some(at) = self.place(sent.number) {
                self.sent[at] = Some(sent);
            }
        }
    }

    fn place(&self, number: u64) -> Option<usize> {
        let room = u64::try_from(self.sent.len()).ok()?;
        usize::try_from(number.checked_rem(room)?).ok()
    }

    fn handle_feedback(&mut self, now: Instant, feedback: &TransportFeedback) {
        let Some(base) = self.unwrap(feedback.base_sequence_number) else {
            return;
        };
        let reference = self.follow_clock(feedback.reference_ticks());
        let mut received = feedback.received.iter().peekable();
        let room = u64::try_from(self.sent.len()).unwrap_or(0);
        let oldest = self.next.saturating_sub(room);
        // Only what is remembered is looked at, however much the feedback claims to tell.
        let end = self.next.min(base + u64::from(feedback.status_count));
        let first = base.max(oldest);
        while received
            .next_if(|one| base + ahead(feedback, one.sequence_number) < first)
            .is_some()
        {}
        for number in first..end {
            let offset = received
                .next_if(|one| base + ahead(feedback, one.sequence_number) == number)
                .map(|one| one.offset);
            let arrival = offset.map(|offset| {
                let ticks = reference.saturating_add_signed(offset.into());
                Duration::from_micros(ticks.saturating_mul(TICK_MICROS))
            });
            self.report(now, number, arrival);
        }
    }

    fn report(&mut self, now: Instant, number: u64, received: Option<Duration>) {
        let Some(at) = self.place(number) else {
            return;
        };
        let Some(sent) = self.sent[at].as_mut().filter(|sent| sent.number == number) else {
            return;
        };
        // int-018, int-021: not received is not lost, and what was told once stays.
        let known = match (sent.known, received) {
            (Known::Nothing, None) => Known::Missing,
            (Known::Nothing | Known::Missing, Some(_)) => Known::Received,
            _ => return,
        };
        sent.known = known;
        let result = PacketResult {
            ssrc: sent.ssrc,
            transport_sequence_number: number,
            len: sent.len,
            sent: sent.at,
            received,
            reported: now,
        };
        if self.results.len() == MAX_RESULTS {
            self.results.pop_front();
        }
        self.results.push_back(result);
    }

    /// The number with these low bits that was sent last.
    fn unwrap(&self, sequence_number: u16) -> Option<u64> {
        let last = self.next.checked_sub(1)?;
        let [.., high, low] = last.to_be_bytes();
        let behind = u16::from_be_bytes([high, low]).wrapping_sub(sequence_number);
        last.checked_sub(behind.into())
    }

    /// The peer's clock, unwrapped; its first value is one cycle up, so that times before it exist.
    fn follow_clock(&mut self, ticks: u32) -> u64 {
        let unwrapped = match self.clock {
            None => (1 << 32) + u64::from(ticks),
            Some((last, unwrapped)) => {
                unwrapped.saturating_add_signed(ticks.wrapping_sub(last).cast_signed().into())
            }
        };
        self.clock = Some((ticks, unwrapped));
        unwrapped
    }
}

impl Stage for TransportSends {
    fn bind(&mut self, _: Instant, stream: &Stream) -> Interest {
        if stream.direction == Direction::Incoming {
            return Interest::Nothing;
        }
        self.unbind(Direction::Outgoing, stream.ssrc);
        if let Some(id) = stream.transport_sequence_id {
            let rtx = stream.rtx.as_ref().map(|rtx| rtx.ssrc);
            for ssrc in [Some(stream.ssrc), rtx].into_iter().flatten() {
                self.streams.insert(ssrc, (id, stream.ssrc));
            }
        }
        Interest::quiet_if(stream.transport_sequence_id.is_some())
    }

    fn unbind(&mut self, direction: Direction, ssrc: u32) {
        if direction == Direction::Outgoing {
            self.streams.retain(|_, (_, media)| *media != ssrc);
        }
    }

    fn handle_outgoing(&mut self, now: Instant, packet: &mut Packet) -> Verdict {
        let Some(&(id, _)) = self.streams.get(&packet.header.ssrc) else {
            return Verdict::Pass;
        };
        let number = self.next;
        let [.., high, low] = number.to_be_bytes();
        if packet.header.extensions.set(id, &[high, low]).is_ok() {
            self.next += 1;
            self.remember(Sent {
                number,
                ssrc: packet.header.ssrc,
                len: packet.encoded_len(),
                at: now,
                known: Known::Nothing,
            });
        }
        Verdict::Pass
    }

    fn handle_incoming_rtcp(&mut self, now: Instant, packet: &rtcp::Packet) {
        if let rtcp::Packet::TransportFeedback(feedback) = packet {
            self.handle_feedback(now, feedback);
        }
    }

    fn poll_packet_result(&mut self) -> Option<PacketResult> {
        self.results.pop_front()
    }
}

/// How far a number is from the base of its feedback.
fn ahead(feedback: &TransportFeedback, sequence_number: u16) -> u64 {
    sequence_number
        .wrapping_sub(feedback.base_sequence_number)
        .into()
}
