//! Packets in any order become samples in order.

#[cfg(test)]
mod tests;

use super::Depacketizer;
use crate::{Packet, Sample};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::time::Duration;

/// Packets after the first to arrive, within which one that was sent before it may come.
const START_REORDERED: usize = 16;

/// How long a [`SampleBuilder`] waits, and for how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The clock rate of the timestamps, in Hz: 90 000 for video, 48 000 for Opus.
    pub clock_rate: u32,
    /// A missing packet is waited for until this many packets have come after it. The default,
    /// 256, is what a stream of 8 Mbit/s sends in a third of a second: time for a packet to be
    /// asked for and sent again.
    pub max_late: u16,
    /// A missing packet is waited for until the media clock has gone this much further, so that a
    /// stream of few packets waits no longer than one of many. 500 ms by default.
    pub max_delay: Duration,
    /// The packets held at most, and with that the longest frame: 2 048 by default, some 2.4 MB.
    /// A longer frame is dropped. At most 32 767.
    pub max_packets: u16,
}

impl Config {
    /// The defaults, at a clock rate in Hz.
    #[must_use]
    pub fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            max_late: 256,
            max_delay: Duration::from_millis(500),
            max_packets: 2_048,
        }
    }
}

/// What became of the packets of a [`SampleBuilder`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Samples given out.
    pub samples: u64,
    /// Frames of which something came that were not given out: packets were missing, or their
    /// payloads were not of the format.
    pub dropped_frames: u64,
    /// Packets that did not come, or too late.
    pub lost_packets: u64,
    /// Packets that came when they had been given up, or whose sequence number was far from all
    /// others.
    pub late_packets: u64,
    /// Packets that had come before.
    pub duplicate_packets: u64,
}

/// Puts the packets of one stream in order, and together to [`Sample`]s.
///
/// [`push`](Self::push) every packet as it comes, then [`pop`](Self::pop) until there is nothing
/// more. A frame that lacks a packet is dropped whole; after it, samples go on at the next frame
/// that is seen to begin. Formats that do not mark the beginning (H.264, H.265, AV1) are taken at
/// the first payload that can be one, so that the first frame after a loss may lack its parameter
/// sets.
///
/// Packets without payload (padding, which a sender uses to probe) are no loss and no sample.
///
/// ```
/// use muonrtc_rtp::payload::{SampleBuilder, depacketizer, sample_builder::Config};
/// use muonrtc_rtp::{Header, Packet};
///
/// let opus = depacketizer("opus").expect("a known format");
/// let mut builder = SampleBuilder::new(opus, Config::new(48_000));
/// for number in [1, 3, 2] {
///     let header = Header {
///         sequence_number: number,
///         timestamp: 960 * u32::from(number),
///         ..Header::default()
///     };
///     builder.push(Packet::new(header, vec![0xFC, 1, 2]));
/// }
/// let timestamps = std::iter::from_fn(|| builder.pop()).map(|sample| sample.timestamp);
/// assert!(timestamps.eq([Some(960), Some(1920), Some(2880)]));
/// ```
#[derive(Debug)]
pub struct SampleBuilder {
    config: Config,
    depacketizer: Box<dyn Depacketizer>,
    /// The packets from `first` on; `None` where one is missing. The last is never missing.
    slots: VecDeque<Option<Arrived>>,
    /// The sequence number of the first slot.
    first: Option<u16>,
    /// Whether something was taken: what comes before is late from then on.
    begun: bool,
    /// Whether the first slot is the beginning of a frame; else one is looked for.
    in_step: bool,
    /// Slots that are of the frame at the front, none of them its end.
    scanned: usize,
    /// The timestamp of a frame that was given up: the rest of it is of no use.
    void: Option<u32>,
    /// Packets lost since the last sample.
    lost: u16,
    /// The timestamp of the last sample.
    previous: Option<u32>,
    /// The sequence number after that of a packet far from all others: if it comes, the stream
    /// goes on there (RFC 3550 A.1).
    stray: Option<u16>,
    /// Whether what is missing is not waited for.
    flushing: bool,
    /// The frame under way.
    frame: BytesMut,
    stats: Stats,
}

/// What is kept of a packet. The payload of a packet of padding is empty.
#[derive(Debug)]
struct Arrived {
    timestamp: u32,
    marker: bool,
    payload: Bytes,
}

/// How far the frame at the front is there.
enum Extent {
    /// The whole frame, in so many slots.
    Whole(usize),
    /// Up to a missing packet.
    Hole,
    /// As far as packets have come.
    Open,
}

impl SampleBuilder {
    /// A builder of the samples of one stream; the depacketizer is that of its format.
    #[must_use]
    pub fn new(depacketizer: Box<dyn Depacketizer>, config: Config) -> Self {
        Self {
            config,
            depacketizer,
            slots: VecDeque::new(),
            first: None,
            begun: false,
            in_step: false,
            scanned: 0,
            void: None,
            lost: 0,
            previous: None,
            stray: None,
            flushing: false,
            frame: BytesMut::new(),
            stats: Stats::default(),
        }
    }

    /// Takes a packet of the stream.
    pub fn push(&mut self, packet: Packet) {
        self.flushing = false;
        let number = packet.header.sequence_number;
        let first = *self.first.get_or_insert(number);
        let ahead = number.wrapping_sub(first).cast_signed();
        let distance = usize::from(ahead.unsigned_abs());
        if ahead >= 0 && distance < self.max_packets() {
            self.insert(distance, packet);
        } else if ahead < 0 && !self.begun && distance + self.slots.len() <= self.max_packets() {
            // The first to arrive was not the first that was sent.
            for _ in 0..distance {
                self.slots.push_front(None);
            }
            self.first = Some(number);
            self.in_step = false;
            self.scanned = 0;
            self.insert(0, packet);
        } else if ahead < 0 && distance <= self.max_packets() {
            self.stats.late_packets += 1;
        } else if self.stray.replace(number.wrapping_add(1)) == Some(number) {
            self.restart(number);
            self.insert(0, packet);
        } else {
            self.stats.late_packets += 1;
        }
    }

    /// The next sample, if its packets have come. Its `duration` is the time since the sample
    /// before, zero for the first; `lost_before` counts the packets missing since that one.
    #[must_use]
    pub fn pop(&mut self) -> Option<Sample> {
        loop {
            if !self.in_step && !self.find_start() {
                return None;
            }
            match self.extent() {
                Extent::Whole(len) => {
                    if let Some(sample) = self.take(len) {
                        return Some(sample);
                    }
                }
                Extent::Hole if self.is_overdue(self.scanned) => self.give_up(),
                Extent::Hole | Extent::Open => return None,
            }
        }
    }

    /// Waits no longer: [`pop`](Self::pop) gives what is whole, up to the last packet. A frame
    /// whose marker bit has not come ends there too. The next packet ends this.
    pub fn flush(&mut self) {
        self.flushing = true;
    }

    /// What became of the packets so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    fn max_packets(&self) -> usize {
        usize::from(self.config.max_packets.clamp(1, 0x7FFF))
    }

    fn insert(&mut self, at: usize, packet: Packet) {
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, || None);
        }
        let slot = &mut self.slots[at];
        if slot.is_some() {
            self.stats.duplicate_packets += 1;
            return;
        }
        *slot = Some(Arrived {
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            payload: packet.payload,
        });
        self.stray = None;
    }

    /// Goes on far away from everything that is here.
    fn restart(&mut self, number: u16) {
        while !self.slots.is_empty() {
            self.drop_front();
        }
        // Going back says nothing of how much is missing.
        let gap = number.wrapping_sub(self.first.unwrap_or(number));
        self.count_lost(u16::try_from(gap.cast_signed()).unwrap_or(0));
        self.first = Some(number);
        self.begun = false;
        self.in_step = false;
        self.scanned = 0;
        self.void = None;
        self.previous = None;
    }

    /// Drops what comes before the beginning of a frame; whether there is one.
    fn find_start(&mut self) -> bool {
        while let Some(slot) = self.slots.front() {
            let wait = match slot {
                Some(arrived) if self.begins_frame(arrived) => {
                    self.in_step = true;
                    return true;
                }
                Some(_) => !self.begun && !self.flushing && self.slots.len() < START_REORDERED,
                None => !self.is_overdue(0),
            };
            if wait {
                return false;
            }
            self.drop_front();
        }
        false
    }

    fn begins_frame(&self, arrived: &Arrived) -> bool {
        !arrived.payload.is_empty()
            && self.void != Some(arrived.timestamp)
            && self.depacketizer.is_frame_start(&arrived.payload)
    }

    /// Gives up the first slot: a packet that is missing, or part of a frame that is of no use.
    fn drop_front(&mut self) {
        match self.take_front() {
            Some(arrived) if arrived.payload.is_empty() => {}
            Some(arrived) => {
                if self.void.replace(arrived.timestamp) != Some(arrived.timestamp) {
                    self.stats.dropped_frames += 1;
                }
            }
            None => self.count_lost(1),
        }
    }

    fn take_front(&mut self) -> Option<Arrived> {
        self.begun = true;
        self.first = self.first.map(|first| first.wrapping_add(1));
        self.slots.pop_front().flatten()
    }

    fn count_lost(&mut self, packets: u16) {
        self.lost = self.lost.saturating_add(packets);
        self.stats.lost_packets += u64::from(packets);
    }

    /// How far the frame that begins with the first slot is there.
    fn extent(&mut self) -> Extent {
        while let Some(slot) = self.slots.get(self.scanned) {
            let Some(arrived) = slot else {
                return Extent::Hole;
            };
            let padding = arrived.payload.is_empty();
            if padding && self.scanned == 0 {
                self.take_front();
                continue;
            }
            // Without a marker bit, another timestamp ends the frame.
            if !padding && self.timestamp() != Some(arrived.timestamp) {
                return Extent::Whole(self.scanned);
            }
            self.scanned += 1;
            if !padding
                && self
                    .depacketizer
                    .is_frame_end(&arrived.payload, arrived.marker)
            {
                return Extent::Whole(self.scanned);
            }
        }
        match self.scanned {
            1.. if self.flushing => Extent::Whole(self.scanned),
            _ => Extent::Open,
        }
    }

    /// The timestamp of the first slot.
    fn timestamp(&self) -> Option<u32> {
        let arrived = self.slots.front()?.as_ref()?;
        Some(arrived.timestamp)
    }

    /// Whether the packet missing at this slot is not waited for any longer.
    fn is_overdue(&self, at: usize) -> bool {
        if self.flushing || self.slots.len() - at > usize::from(self.config.max_late) {
            return true;
        }
        let mut after = self
            .slots
            .range(at..)
            .flatten()
            .map(|arrived| arrived.timestamp);
        let (Some(next), Some(newest)) = (after.next(), after.next_back()) else {
            return false;
        };
        self.elapsed(next, newest) > self.config.max_delay
    }

    /// The time from one timestamp to another; zero if it goes back.
    fn elapsed(&self, from: u32, to: u32) -> Duration {
        let units = u32::try_from(to.wrapping_sub(from).cast_signed()).unwrap_or(0);
        let nanos = u64::from(units) * 1_000_000_000 / u64::from(self.config.clock_rate.max(1));
        Duration::from_nanos(nanos)
    }

    /// Gives up the frame at the front, which a packet is missing from.
    fn give_up(&mut self) {
        for _ in 0..std::mem::take(&mut self.scanned) {
            self.drop_front();
        }
        self.in_step = false;
    }

    /// Puts the frame in the first `len` slots together.
    fn take(&mut self, len: usize) -> Option<Sample> {
        let timestamp = self.timestamp()?;
        let payloads = self.slots.range(..len).flatten();
        self.frame
            .reserve(payloads.map(|arrived| arrived.payload.len()).sum());
        let mut keyframe = false;
        let mut result = Ok(());
        for left in (0..len).rev() {
            let payload = self
                .take_front()
                .map(|arrived| arrived.payload)
                .unwrap_or_default();
            keyframe |= self.depacketizer.is_keyframe(&payload);
            result = result.and_then(|()| {
                (self.depacketizer).depacketize(&payload, left == 0, &mut self.frame)
            });
        }
        self.scanned = 0;
        if result.is_err() {
            self.depacketizer.reset();
            self.frame.clear();
            self.stats.dropped_frames += 1;
            return None;
        }
        if self.frame.is_empty() {
            return None;
        }
        self.stats.samples += 1;
        let previous = self.previous.replace(timestamp).unwrap_or(timestamp);
        Some(Sample {
            data: self.frame.split().freeze(),
            duration: self.elapsed(previous, timestamp),
            timestamp: Some(timestamp),
            keyframe,
            lost_before: std::mem::take(&mut self.lost),
        })
    }
}
