use rtp::SequenceUnwrapper;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many sequence numbers behind the highest are known to have come or not: duplicates within it
/// are seen.
pub(super) const WINDOW: u64 = 2048;

/// The window in words of 64 bits.
const WORDS: usize = 32;

/// What arrived of one stream, and what is missing in between.
#[derive(Debug)]
pub(super) struct Missing {
    unwrapper: SequenceUnwrapper,
    /// One bit for each of the last [`WINDOW`] numbers, at the number modulo the window.
    received: Box<[u64; WORDS]>,
    /// In ascending order.
    packets: VecDeque<MissingPacket>,
    /// When the first of them wants to be asked for.
    next: Option<Instant>,
    /// A number far from all others, which the next packet may confirm as a new beginning.
    restart: Option<u16>,
}

/// A packet that did not come.
#[derive(Clone, Copy, Debug)]
struct MissingPacket {
    number: u64,
    /// When to ask for it next.
    ask_at: Instant,
    /// How often it was asked for.
    tries: u32,
}

/// What a packet is to its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The next one, or one behind a gap.
    New,
    /// It was missing; whether it was asked for.
    Late { asked: bool },
    /// It has come before.
    Duplicate,
    /// So many are missing now that the stream has to begin anew.
    Gap,
    /// Too old to tell anything about it, or a first sign of a restart.
    Unknown,
}

impl Missing {
    pub(super) fn new() -> Self {
        Self {
            unwrapper: SequenceUnwrapper::default(),
            received: Box::new([0; WORDS]),
            packets: VecDeque::new(),
            next: None,
            restart: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }

    /// Takes an arrival. What it shows to be missing is asked for at `ask_at`; no more than
    /// `max` can be.
    pub(super) fn arrive(&mut self, sequence_number: u16, ask_at: Instant, max: usize) -> Arrival {
        let number = self.unwrapper.peek(sequence_number);
        let Some(highest) = self.unwrapper.highest() else {
            self.begin(sequence_number);
            return Arrival::New;
        };
        if number <= highest {
            return self.arrive_behind(number, highest, sequence_number);
        }
        let gap = number - highest - 1;
        let total = u64::try_from(self.packets.len()).unwrap_or(u64::MAX) + gap;
        if total > u64::try_from(max).unwrap_or(u64::MAX) {
            // Too much to repair: go on from here.
            self.begin(sequence_number);
            return Arrival::Gap;
        }
        self.restart = None;
        self.unwrapper.unwrap(sequence_number);
        for number in highest + 1..number {
            self.set_received(number, false);
            self.packets.push_back(MissingPacket {
                number,
                ask_at,
                tries: 0,
            });
        }
        if gap > 0 {
            self.next = Some(self.next.map_or(ask_at, |next| next.min(ask_at)));
        }
        self.set_received(number, true);
        Arrival::New
    }

    fn arrive_behind(&mut self, number: u64, highest: u64, sequence_number: u16) -> Arrival {
        if highest - number >= WINDOW {
            // Two in a row: the sender has begun anew (RFC 3550 A.1).
            if self.restart == Some(sequence_number) {
                self.begin(sequence_number);
                return Arrival::Gap;
            }
            self.restart = Some(sequence_number.wrapping_add(1));
            return Arrival::Unknown;
        }
        if self.was_received(number) {
            return Arrival::Duplicate;
        }
        self.set_received(number, true);
        match self.find(number) {
            Ok(at) => {
                let packet = self.packets.remove(at);
                let asked = packet.is_some_and(|packet| packet.tries > 0);
                Arrival::Late { asked }
            }
            // It was given up, or it is older than the first one.
            Err(_) => Arrival::Late { asked: false },
        }
    }

    /// Goes over what is due: calls `ask` with the sequence number of each packet that is asked for
    /// now, and drops the ones that were asked for `max_tries` times, or that have left the window.
    /// Returns how many were dropped.
    pub(super) fn ask(
        &mut self,
        now: Instant,
        retry: Duration,
        max_tries: u32,
        mut ask: impl FnMut(u16),
    ) -> u64 {
        if self.next.is_none_or(|next| next > now) {
            return 0;
        }
        let highest = self.unwrapper.highest().unwrap_or(0);
        let before = self.packets.len();
        let mut next: Option<Instant> = None;
        let mut wait = |until: Instant| next = Some(next.map_or(until, |next| next.min(until)));
        self.packets.retain_mut(|packet| {
            if packet.ask_at > now {
                wait(packet.ask_at);
                return true;
            }
            if packet.tries >= max_tries || highest - packet.number >= WINDOW {
                return false;
            }
            let [.., high, low] = packet.number.to_be_bytes();
            ask(u16::from_be_bytes([high, low]));
            packet.tries += 1;
            packet.ask_at = now + retry;
            wait(packet.ask_at);
            true
        });
        self.next = next;
        u64::try_from(before - self.packets.len()).unwrap_or(0)
    }

    /// When to [`ask`](Self::ask) next; the packet may have come since.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    fn begin(&mut self, sequence_number: u16) {
        self.unwrapper = SequenceUnwrapper::default();
        self.packets.clear();
        (self.next, self.restart) = (None, None);
        // What came before the beginning is taken as not received: a late packet may still pass.
        self.received.fill(0);
        let number = self.unwrapper.unwrap(sequence_number);
        self.set_received(number, true);
    }

    fn find(&self, number: u64) -> Result<usize, usize> {
        self.packets
            .binary_search_by_key(&number, |packet| packet.number)
    }

    fn was_received(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.received[word] & bit != 0
    }

    fn set_received(&mut self, number: u64, received: bool) {
        let (word, bit) = place(number);
        if received {
            self.received[word] |= bit;
        } else {
            self.received[word] &= !bit;
        }
    }
}

fn place(number: u64) -> (usize, u64) {
    let word = usize::try_from(number % WINDOW / 64).unwrap_or(0);
    (word, 1 << (number % 64))
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "an instant to count from; nothing waits for the clock"
)]
mod tests {
    use super::*;

    fn asked(missing: &mut Missing, now: Instant) -> Vec<u16> {
        let mut list = Vec::new();
        missing.ask(now, Duration::from_millis(50), 3, |number| {
            list.push(number)
        });
        list
    }

    #[test]
    fn a_gap_across_the_wrap_is_missing_until_it_comes() {
        let now = Instant::now();
        let mut missing = Missing::new();
        assert_eq!(missing.arrive(65_534, now, 100), Arrival::New);
        assert_eq!(missing.arrive(2, now, 100), Arrival::New);
        assert_eq!(asked(&mut missing, now), [65_535, 0, 1]);
        assert_eq!(missing.arrive(0, now, 100), Arrival::Late { asked: true });
        assert_eq!(missing.arrive(0, now, 100), Arrival::Duplicate);
        assert_eq!(asked(&mut missing, now), []);
        let later = now + Duration::from_millis(50);
        assert_eq!(missing.next(), Some(later));
        assert_eq!(asked(&mut missing, later), [65_535, 1]);
    }

    #[test]
    fn a_packet_is_given_up_after_its_tries() {
        let mut now = Instant::now();
        let mut missing = Missing::new();
        missing.arrive(1, now, 100);
        missing.arrive(3, now, 100);
        for _ in 0..3 {
            assert_eq!(asked(&mut missing, now), [2]);
            now += Duration::from_millis(50);
        }
        assert_eq!(missing.ask(now, Duration::ZERO, 3, |_| ()), 1);
        assert_eq!(missing.next(), None);
    }

    #[test]
    fn a_jump_beyond_the_bound_begins_anew() {
        let now = Instant::now();
        let mut missing = Missing::new();
        missing.arrive(1, now, 100);
        assert_eq!(missing.arrive(200, now, 100), Arrival::Gap);
        assert_eq!(missing.len(), 0);
        assert_eq!(missing.arrive(201, now, 100), Arrival::New);
    }

    #[test]
    fn a_sender_that_begins_anew_behind_the_window_is_followed() {
        let now = Instant::now();
        let mut missing = Missing::new();
        missing.arrive(30_000, now, 100);
        assert_eq!(missing.arrive(5, now, 100), Arrival::Unknown);
        assert_eq!(missing.arrive(6, now, 100), Arrival::Gap);
        assert_eq!(missing.arrive(7, now, 100), Arrival::New);
    }
}
