//! Transport-wide congestion control feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|  FMT=15 |    PT=205     |           length              |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                     SSRC of packet sender                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                      SSRC of media source                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      base sequence number     |      packet status count      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                 reference time                | fb pkt. count |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          packet chunk         |         packet chunk          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! .                                                               .
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         packet chunk          |  recv delta   |  recv delta   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! .                                                               .
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           recv delta          |  recv delta   | zero padding  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

mod chunk;

use super::body::{Body, SsrcList, TRANSPORT_FEEDBACK};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use chunk::{Chunk, Statuses, Symbol};
use smallvec::SmallVec;
use std::time::Duration;

pub(super) const FORMAT: u8 = 15;

/// One unit of an arrival, in microseconds (§3.1.5).
const TICK_MICROS: u128 = 250;

/// Units of arrival in one of the reference time: 64 ms.
const TICKS_PER_REFERENCE: u32 = 256;

/// When packets of a transport arrived, by the sequence number that all its streams share.
///
/// It holds only packets that were received, so a packet cannot make it larger than eight times
/// itself; all others up to `status_count` were not received yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransportFeedback {
    /// Who received them.
    pub sender_ssrc: u32,
    /// One of the streams they are of.
    pub media_ssrc: u32,
    /// The first sequence number it tells about.
    pub base_sequence_number: u16,
    /// How many sequence numbers it tells about.
    pub status_count: u16,
    /// The instant that arrivals are counted from, on a clock of the receiver's, in units of 64 ms;
    /// 24 bits, signed.
    pub reference_time: i32,
    /// Counts feedback packets, wrapping.
    pub feedback_count: u8,
    /// The packets received, in order of sequence number.
    pub received: SmallVec<[Received; 24]>,
}

/// A packet that arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Its transport-wide sequence number.
    pub sequence_number: u16,
    /// How long after the reference time it arrived, in units of 250 µs.
    pub offset: i32,
}

impl TransportFeedback {
    /// Feedback about nothing yet. The first arrival to be added is about `first_arrival`, on any
    /// clock of the receiver's that does not jump.
    #[must_use]
    pub fn new(
        sender_ssrc: u32,
        media_ssrc: u32,
        feedback_count: u8,
        base_sequence_number: u16,
        first_arrival: Duration,
    ) -> Self {
        Self {
            sender_ssrc,
            media_ssrc,
            base_sequence_number,
            status_count: 0,
            reference_time: reference_time(ticks(first_arrival) / TICKS_PER_REFERENCE),
            feedback_count,
            received: SmallVec::new(),
        }
    }

    /// Adds a packet, in order of sequence number; those left out were not received.
    ///
    /// `false`, and nothing is added, when the packet is not behind the last one, or arrived more
    /// than 8.19 s from it: it needs another feedback.
    pub fn push(&mut self, sequence_number: u16, arrival: Duration) -> bool {
        let offset = self.offset(arrival);
        let delta = offset.wrapping_sub(self.received.last().map_or(0, |last| last.offset));
        let ahead = sequence_number.wrapping_sub(self.base_sequence_number);
        if ahead < self.status_count || ahead == u16::MAX || i16::try_from(delta).is_err() {
            return false;
        }
        self.status_count = ahead + 1;
        self.received.push(Received {
            sequence_number,
            offset,
        });
        true
    }

    /// The instant arrivals are counted from, in units of 250 µs. It wraps at 32 bits, so that
    /// adding an [offset](Received::offset) wraps with the clock of the receiver.
    #[must_use]
    pub fn reference_ticks(&self) -> u32 {
        self.reference_time
            .cast_unsigned()
            .wrapping_mul(TICKS_PER_REFERENCE)
    }

    fn offset(&self, arrival: Duration) -> i32 {
        ticks(arrival)
            .wrapping_sub(self.reference_ticks())
            .cast_signed()
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let mut feedback = Self {
            sender_ssrc: reader.u32()?,
            media_ssrc: reader.u32()?,
            base_sequence_number: reader.u16()?,
            status_count: reader.u16()?,
            reference_time: reader.i24()?,
            feedback_count: reader.u8()?,
            received: SmallVec::new(),
        };
        feedback.parse_chunks(&mut reader)?;
        feedback.parse_deltas(&mut reader)?;
        Ok(feedback)
    }

    /// Reads which packets were received. The offset of each is the size of its delta until
    /// [`parse_deltas`](Self::parse_deltas).
    fn parse_chunks(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut index = 0;
        while index < self.status_count {
            let left = self.status_count - index;
            match Chunk::parse(reader.u16()?) {
                Chunk::Run(symbol, len) => {
                    let len = len.min(left);
                    if symbol.delta_len()? * usize::from(len) > reader.len() {
                        return Err(DecodeError::Truncated);
                    }
                    self.push_symbols(index, std::iter::repeat_n(symbol, len.into()))?;
                    index += len;
                }
                // The symbols behind the last status are ignored.
                Chunk::Vector(symbols, len) => {
                    let len = len.min(left);
                    self.push_symbols(index, symbols.into_iter().take(len.into()))?;
                    index += len;
                }
            }
        }
        Ok(())
    }

    fn push_symbols(
        &mut self,
        index: u16,
        symbols: impl Iterator<Item = Symbol>,
    ) -> Result<(), DecodeError> {
        for (ahead, symbol) in (index..=u16::MAX).zip(symbols) {
            let delta_len = symbol.delta_len()?;
            if delta_len > 0 {
                self.received.push(Received {
                    sequence_number: self.base_sequence_number.wrapping_add(ahead),
                    offset: i32::from(delta_len == 2),
                });
            }
        }
        Ok(())
    }

    fn parse_deltas(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut offset = 0_i32;
        for received in &mut self.received {
            let large = received.offset != 0;
            // 65 535 deltas of 16 bits do not overflow 32 bits.
            offset += if large {
                i32::from(reader.i16()?)
            } else {
                i32::from(reader.u8()?)
            };
            received.offset = offset;
        }
        Ok(())
    }

    fn statuses(&self) -> Statuses<'_> {
        Statuses::new(self.base_sequence_number, self.status_count, &self.received)
    }

    /// How much later each packet arrived than the one before it.
    fn deltas(&self) -> impl Iterator<Item = i32> {
        let mut before = 0;
        self.received.iter().map(move |received| {
            let delta = received.offset.wrapping_sub(before);
            before = received.offset;
            delta
        })
    }
}

/// The time in units of 250 µs, wrapping.
fn ticks(time: Duration) -> u32 {
    let [.., a, b, c, d] = (time.as_micros() / TICK_MICROS).to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// The low 24 bits, as a signed number.
fn reference_time(units: u32) -> i32 {
    (units << 8).cast_signed() >> 8
}

impl Body for TransportFeedback {
    fn packet_type(&self) -> u8 {
        TRANSPORT_FEEDBACK
    }

    fn count(&self) -> usize {
        FORMAT.into()
    }

    fn len(&self) -> usize {
        let chunks = self.statuses().chunks().count();
        let deltas = self
            .deltas()
            .map(|delta| if is_small(delta) { 1 } else { 2 });
        (16 + 2 * chunks + deltas.sum::<usize>()).next_multiple_of(4)
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        if !self.statuses().are_ordered()
            || reference_time(self.reference_time.cast_unsigned()) != self.reference_time
        {
            return Err(EncodeError::Value);
        }
        out.put_u32(self.sender_ssrc);
        out.put_u32(self.media_ssrc);
        out.put_u16(self.base_sequence_number);
        out.put_u16(self.status_count);
        out.put_int(self.reference_time.into(), 3);
        out.put_u8(self.feedback_count);
        for chunk in self.statuses().chunks() {
            out.put_u16(chunk);
        }
        for delta in self.deltas() {
            match u8::try_from(delta) {
                Ok(small) => out.put_u8(small),
                Err(_) => out.put_i16(i16::try_from(delta).map_err(|_| EncodeError::Value)?),
            }
        }
        out.fill(0);
        Ok(())
    }

    fn sender_ssrc(&self) -> Option<u32> {
        Some(self.sender_ssrc)
    }

    fn destination_ssrcs(&self, list: &mut SsrcList) {
        list.push(self.media_ssrc);
    }
}

/// Whether 8 bits without a sign hold the delta (§3.1.5).
fn is_small(delta: i32) -> bool {
    u8::try_from(delta).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::Packet;
    use crate::rtcp::packet::same_bytes;

    fn after(millis: u64) -> Duration {
        Duration::from_secs(3_600) + Duration::from_millis(millis)
    }

    fn written(feedback: &TransportFeedback) -> Vec<u8> {
        let packet = Packet::from(feedback.clone());
        let mut out = vec![0xFF; packet.encoded_len()];
        assert_eq!(packet.write(&mut out), Ok(out.len()));
        assert_eq!(Packet::parse(&out), Ok(packet));
        out
    }

    // int-015, int-016, int-017
    #[test]
    fn chunks_and_deltas_come_back() {
        let mut feedback = TransportFeedback::new(1, 2, 3, 0xFFFE, Duration::from_millis(128));
        assert!(feedback.push(0xFFFE, Duration::from_millis(129)));
        assert!(feedback.push(0, Duration::from_millis(130)));
        assert!(feedback.push(1, Duration::from_millis(100)));
        assert_eq!(feedback.status_count, 4);
        let bytes = "8fcd0006 00000001 00000002 fffe0004 00000203 d1800404 ff880000";
        same_bytes(bytes, &feedback.into());
    }

    #[test]
    fn packets_lost_and_received_in_any_pattern_come_back() {
        for step in [1, 2, 3, 20, 9_000] {
            let mut feedback = TransportFeedback::new(1, 2, 3, 60_000, after(0));
            for i in 0..u16::try_from(40_000 / u32::from(step)).unwrap().min(500) {
                let jitter = u64::from(i) * 7 % 100;
                let arrival = after(u64::from(i) * 10 + jitter);
                assert!(feedback.push(60_000_u16.wrapping_add(i * step), arrival));
            }
            written(&feedback);
        }
    }

    #[test]
    fn long_runs_take_two_bytes() {
        let mut feedback = TransportFeedback::new(1, 2, 3, 0, after(0));
        for i in 0..5_000 {
            assert!(feedback.push(i, after(0)));
        }
        assert_eq!(written(&feedback).len(), 4 + 16 + 2 + 5_000 + 2);
    }

    #[test]
    fn a_packet_out_of_order_or_too_late_needs_another_feedback() {
        let mut feedback = TransportFeedback::new(1, 2, 3, 10, after(0));
        assert!(feedback.push(12, after(0)));
        assert!(!feedback.push(12, after(1)));
        assert!(!feedback.push(11, after(1)));
        assert!(!feedback.push(9, after(1)));
        assert!(!feedback.push(13, after(9_000)));
        assert!(feedback.push(13, after(8_000)));
        assert_eq!(feedback.received.len(), 2);
        written(&feedback);
    }

    #[test]
    fn the_receivers_clock_may_wrap() {
        let late = Duration::from_millis((1 << 23) * 64 - 1);
        let mut feedback = TransportFeedback::new(1, 2, 3, 0, late);
        assert!(feedback.push(0, late));
        assert!(feedback.push(1, late + Duration::from_millis(5)));
        assert!(feedback.reference_time > 0);
        written(&feedback);
        let wrapped = TransportFeedback::new(1, 2, 3, 0, late + Duration::from_millis(5));
        assert_eq!(wrapped.reference_time, -(1 << 23));
        written(&wrapped);
    }

    // int-018, int-019
    #[test]
    fn statuses_beyond_the_count_are_ignored() {
        // One chunk of 14 bits, all set, for two packets; two deltas and two bytes of padding.
        let bytes = "8fcd0005 00000001 00000002 00050002 00000000 bfff0102";
        let Ok(Packet::TransportFeedback(feedback)) = Packet::parse(&crate::hex::decode(bytes))
        else {
            panic!("it is feedback");
        };
        let numbers = feedback
            .received
            .iter()
            .map(|one| (one.sequence_number, one.offset));
        assert!(numbers.eq([(5, 1), (6, 3)]));
    }

    #[test]
    fn a_small_packet_cannot_claim_many_arrivals() {
        let run_of_small = "8fcd0005 00000001 00000002 0000ffff 00000000 3fff3fff";
        let parsed = Packet::parse(&crate::hex::decode(run_of_small));
        assert_eq!(parsed, Err(DecodeError::Truncated));
    }

    #[test]
    fn many_lost_packets_take_no_memory() {
        let nothing = "8fcd0008 00000001 00000002 0000ffff 00000000 \
                       1fff1fff 1fff1fff 1fff1fff 1fff1fff 1fff0000";
        let bytes = crate::hex::decode(&nothing.replacen("0008", "0009", 1));
        let Ok(Packet::TransportFeedback(feedback)) = Packet::parse(&bytes) else {
            panic!("it is feedback");
        };
        assert!(feedback.received.is_empty());
        assert_eq!(feedback.status_count, u16::MAX);
    }

    #[test]
    fn the_reserved_symbol_is_refused() {
        for chunk in ["6001", "f000"] {
            let bytes = format!("8fcd0005 00000001 00000002 00000001 00000000 {chunk}0000");
            let parsed = Packet::parse(&crate::hex::decode(&bytes));
            assert_eq!(parsed, Err(DecodeError::Value), "{chunk}");
        }
    }

    #[test]
    fn what_is_out_of_order_is_not_written() {
        let mut feedback = TransportFeedback::new(1, 2, 3, 0, after(0));
        assert!(feedback.push(0, after(0)));
        assert!(feedback.push(1, after(0)));
        feedback.received.swap(0, 1);
        let packet = Packet::from(feedback);
        let mut out = vec![0; packet.encoded_len()];
        assert_eq!(packet.write(&mut out), Err(EncodeError::Value));
    }
}
