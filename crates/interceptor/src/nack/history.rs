use bytes::Bytes;
use rtp::{Header, Packet};
use smallvec::SmallVec;
use std::time::{Duration, Instant};

/// The room a history begins with, in packets.
const FIRST_ROOM: usize = 32;

/// Bytes of a header that stand in a slot without allocating: the fixed part and 28 bytes of
/// extensions. A slot that had to allocate keeps the room.
const HEADER_ROOM: usize = 40;

/// The last packets of one outgoing stream, each at its sequence number modulo the room, which is a
/// power of two. Payloads are shared, not copied.
///
/// The room doubles only when a packet would have to make way that is younger than the history is
/// long: it becomes as large as rate and time need, and not larger than the bound.
#[derive(Debug)]
pub(super) struct History {
    slots: Vec<Option<Sent>>,
    max_packets: usize,
    max_age: Duration,
}

/// A packet that was sent. Its header stands here as on the wire, which takes less than half the
/// room of one that can be changed.
#[derive(Debug)]
struct Sent {
    sequence_number: u16,
    header: SmallVec<[u8; HEADER_ROOM]>,
    payload: Bytes,
    at: Instant,
    repeated: Option<Instant>,
}

impl History {
    pub(super) fn new(max_packets: usize, max_age: Duration) -> Self {
        Self {
            slots: Vec::new(),
            max_packets: max_packets.clamp(1, 1 << 15).next_power_of_two(),
            max_age,
        }
    }

    pub(super) fn push(&mut self, now: Instant, packet: &Packet) {
        let number = packet.header.sequence_number;
        if self.is_crowded(now, number) {
            self.grow();
        }
        let at = self.place(number);
        let sent = self.slots[at].get_or_insert_with(|| Sent {
            sequence_number: number,
            header: SmallVec::new(),
            payload: Bytes::new(),
            at: now,
            repeated: None,
        });
        sent.header.resize(packet.header.encoded_len(), 0);
        if packet.header.write(&mut sent.header).is_err() {
            // It could not be sent either.
            self.slots[at] = None;
            return;
        }
        sent.sequence_number = number;
        sent.payload = packet.payload.clone();
        (sent.at, sent.repeated) = (now, None);
    }

    /// The packet, unless it is too old or was taken less than `spacing` ago.
    pub(super) fn take(
        &mut self,
        now: Instant,
        sequence_number: u16,
        spacing: Duration,
    ) -> Option<Packet> {
        if self.slots.is_empty() {
            return None;
        }
        let at = self.place(sequence_number);
        let sent = self.slots[at].as_mut()?;
        let age = now.saturating_duration_since(sent.at);
        if sent.sequence_number != sequence_number || age > self.max_age {
            return None;
        }
        let recent = |at: Instant| now.saturating_duration_since(at) < spacing;
        if sent.repeated.is_some_and(recent) {
            return None;
        }
        let (header, _) = Header::parse(&sent.header).ok()?;
        sent.repeated = Some(now);
        Some(Packet::new(header, sent.payload.clone()))
    }

    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.slots.len()
    }

    /// Whether a packet would take the place of another one that is still young.
    fn is_crowded(&self, now: Instant, sequence_number: u16) -> bool {
        if self.slots.is_empty() {
            return true;
        }
        let young = |sent: &Sent| {
            sent.sequence_number != sequence_number
                && now.saturating_duration_since(sent.at) < self.max_age
        };
        let occupied = &self.slots[self.place(sequence_number)];
        self.slots.len() < self.max_packets && occupied.as_ref().is_some_and(young)
    }

    fn grow(&mut self) {
        let room = (2 * self.slots.len()).max(FIRST_ROOM).min(self.max_packets);
        let old = std::mem::take(&mut self.slots);
        self.slots.resize_with(room, || None);
        for sent in old.into_iter().flatten() {
            let at = self.place(sent.sequence_number);
            self.slots[at] = Some(sent);
        }
    }

    fn place(&self, sequence_number: u16) -> usize {
        usize::from(sequence_number) & (self.slots.len() - 1)
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "an instant to count from; nothing waits for the clock"
)]
mod tests {
    use super::*;
    use rtp::Header;

    fn packet(sequence_number: u16) -> Packet {
        let header = Header {
            sequence_number,
            ..Header::default()
        };
        Packet::new(header, vec![1, 2, 3])
    }

    fn filled(packets: u16, spacing: Duration) -> (History, Instant) {
        let mut history = History::new(1024, Duration::from_secs(1));
        let mut now = Instant::now();
        for number in 0..packets {
            history.push(now, &packet(number));
            now += spacing;
        }
        (history, now)
    }

    #[test]
    fn the_room_grows_as_far_as_rate_and_time_need() {
        let (slow, _) = filled(5000, Duration::from_millis(10));
        assert_eq!(slow.room(), 128);
        let (fast, _) = filled(5000, Duration::from_micros(100));
        assert_eq!(fast.room(), 1024);
    }

    #[test]
    fn a_packet_comes_back_as_it_was() {
        let now = Instant::now();
        let mut history = History::new(1024, Duration::from_secs(1));
        let mut long = packet(7);
        long.header.csrc.push(9);
        long.header.extensions.set(1, &[5; 3]).unwrap();
        long.header.extensions.set(20, &[6; 100]).unwrap();
        history.push(now, &long);
        assert_eq!(history.take(now, 7, Duration::ZERO), Some(long));
    }

    /// rtp-033: what is older than rtx-time is not sent again.
    #[test]
    fn a_packet_is_taken_once_within_the_spacing_and_not_when_it_is_old() {
        let (mut history, now) = filled(50, Duration::from_millis(10));
        let spacing = Duration::from_millis(40);
        assert!(history.take(now, 49, spacing).is_some());
        assert!(history.take(now + spacing / 2, 49, spacing).is_none());
        assert!(history.take(now + spacing, 49, spacing).is_some());
        assert!(
            history
                .take(now + Duration::from_secs(2), 49, spacing)
                .is_none()
        );
        assert!(history.take(now, 60, spacing).is_none());
    }
}
