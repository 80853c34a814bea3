//! CCFB, congestion control feedback (RFC 8888 §3.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P| FMT=11  |   PT = 205    |          length               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                 SSRC of RTCP packet sender                    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                   SSRC of 1st RTP Stream                      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          begin_seq            |          num_reports          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |R|ECN|  Arrival time offset    | ...                           .
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! .                                                               .
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                 Report Timestamp (32 bits)                    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::body::{Body, SsrcList, TRANSPORT_FEEDBACK};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use smallvec::SmallVec;
use std::time::Duration;

pub(super) const FORMAT: u8 = 11;

/// The most metric blocks of one stream.
const MAX_METRICS: usize = 16_384;

/// An arrival more than 8189/1024 s before the report.
const OVER_RANGE: u16 = 0x1FFE;

/// An arrival that is not known, or after the report.
const UNAVAILABLE: u16 = 0x1FFF;

/// When packets of some streams arrived, and how they were marked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CongestionControlFeedback {
    /// Who received them.
    pub sender_ssrc: u32,
    /// The streams.
    pub streams: SmallVec<[StreamMetrics; 2]>,
    /// The instant that arrivals are counted back from: the
    /// [middle](super::NtpTimestamp::middle) of an NTP timestamp.
    pub timestamp: u32,
}

/// Consecutive packets of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamMetrics {
    /// The stream.
    pub ssrc: u32,
    /// The sequence number of the first packet.
    pub begin_sequence_number: u16,
    /// What became of it and of those behind it, 16 384 at most.
    pub metrics: SmallVec<[PacketMetric; 16]>,
}

/// What became of one packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketMetric(u16);

/// The mark of explicit congestion notification (RFC 3168 §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ecn {
    /// The transport does not do ECN.
    #[default]
    NotEct,
    /// ECT(1): it does; with L4S (RFC 9331).
    Ect1,
    /// ECT(0): it does.
    Ect0,
    /// CE: congestion experienced.
    Ce,
}

impl PacketMetric {
    /// Not received yet.
    pub const LOST: Self = Self(0);

    /// Received `before` the report's instant, with this mark. `None` is an arrival that is not
    /// known, or after it.
    #[must_use]
    pub fn received(ecn: Ecn, before: Option<Duration>) -> Self {
        let offset = before.map_or(UNAVAILABLE, |before| {
            let units = (before.as_nanos() << 10) / 1_000_000_000;
            u16::try_from(units).map_or(OVER_RANGE, |units| units.min(OVER_RANGE))
        });
        Self(0x8000 | ecn.bits() << 13 | offset)
    }

    /// Whether it was received.
    #[must_use]
    pub fn is_received(self) -> bool {
        self.0 & 0x8000 != 0
    }

    /// Its mark.
    #[must_use]
    pub fn ecn(self) -> Ecn {
        Ecn::from_bits(self.0 >> 13 & 3)
    }

    /// How long before the report's instant it arrived, in steps of 1/1024 s. `None` if it was not
    /// received, the time is not known, or it is longer ago than 8189/1024 s.
    #[must_use]
    pub fn arrived_before(self) -> Option<Duration> {
        let offset = self.0 & 0x1FFF;
        if !self.is_received() || offset >= OVER_RANGE {
            return None;
        }
        Some(Duration::from_nanos(
            (u64::from(offset) * 1_000_000_000) >> 10,
        ))
    }

    /// §3.1: of a packet that was not received the other bits are ignored.
    fn from_wire(bits: u16) -> Self {
        if bits & 0x8000 == 0 {
            Self::LOST
        } else {
            Self(bits)
        }
    }
}

impl Ecn {
    fn bits(self) -> u16 {
        match self {
            Self::NotEct => 0,
            Self::Ect1 => 1,
            Self::Ect0 => 2,
            Self::Ce => 3,
        }
    }

    fn from_bits(bits: u16) -> Self {
        match bits {
            1 => Self::Ect1,
            2 => Self::Ect0,
            3 => Self::Ce,
            _ => Self::NotEct,
        }
    }
}

impl StreamMetrics {
    /// Each packet's sequence number and what became of it.
    pub fn packets(&self) -> impl Iterator<Item = (u16, PacketMetric)> {
        let numbers = (0..=u16::MAX).map(|ahead| self.begin_sequence_number.wrapping_add(ahead));
        numbers.zip(self.metrics.iter().copied())
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let ssrc = reader.u32()?;
        let begin_sequence_number = reader.u16()?;
        let count = usize::from(reader.u16()?);
        if count > MAX_METRICS {
            return Err(DecodeError::Value);
        }
        let mut metrics = Reader::new(reader.take(2 * count.next_multiple_of(2))?);
        let metrics = (0..count).map(|_| metrics.u16().map(PacketMetric::from_wire));
        Ok(Self {
            ssrc,
            begin_sequence_number,
            metrics: metrics.collect::<Result<_, _>>()?,
        })
    }

    fn len(&self) -> usize {
        8 + 2 * self.metrics.len().next_multiple_of(2)
    }

    fn write(&self, out: &mut impl BufMut) -> Result<(), EncodeError> {
        if self.metrics.len() > MAX_METRICS {
            return Err(EncodeError::Value);
        }
        out.put_u32(self.ssrc);
        out.put_u16(self.begin_sequence_number);
        out.put_u16(u16::try_from(self.metrics.len()).map_err(|_| EncodeError::Value)?);
        for metric in &self.metrics {
            out.put_u16(metric.0);
        }
        if !self.metrics.len().is_multiple_of(2) {
            out.put_u16(0);
        }
        Ok(())
    }
}

impl CongestionControlFeedback {
    pub(super) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let mut feedback = Self {
            sender_ssrc: reader.u32()?,
            ..Self::default()
        };
        while reader.len() > 4 {
            feedback.streams.push(StreamMetrics::parse(&mut reader)?);
        }
        feedback.timestamp = reader.u32()?;
        Ok(feedback)
    }
}

impl Body for CongestionControlFeedback {
    fn packet_type(&self) -> u8 {
        TRANSPORT_FEEDBACK
    }

    fn count(&self) -> usize {
        FORMAT.into()
    }

    fn len(&self) -> usize {
        8 + self.streams.iter().map(StreamMetrics::len).sum::<usize>()
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        out.put_u32(self.sender_ssrc);
        for stream in &self.streams {
            stream.write(&mut out)?;
        }
        out.put_u32(self.timestamp);
        Ok(())
    }

    fn sender_ssrc(&self) -> Option<u32> {
        Some(self.sender_ssrc)
    }

    fn destination_ssrcs(&self, list: &mut SsrcList) {
        list.extend(self.streams.iter().map(|stream| stream.ssrc));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::Packet;
    use crate::rtcp::packet::same_bytes;
    use smallvec::smallvec;

    // rtcp-026, int-022
    #[test]
    fn streams_of_odd_and_even_length_come_back() {
        let half_a_second = PacketMetric::received(Ecn::Ce, Some(Duration::from_millis(500)));
        let stream = |ssrc, metrics| StreamMetrics {
            ssrc,
            begin_sequence_number: 0xFFFF,
            metrics,
        };
        let feedback = CongestionControlFeedback {
            sender_ssrc: 1,
            streams: smallvec![
                stream(2, smallvec![half_a_second]),
                stream(3, smallvec![PacketMetric::LOST, half_a_second]),
                stream(4, smallvec![]),
            ],
            timestamp: 0x0102_0304,
        };
        let numbers = feedback.streams[1].packets().map(|(number, _)| number);
        assert!(numbers.eq([0xFFFF, 0]));
        let bytes = "8bcd000a 00000001 00000002 ffff0001 e2000000 \
                     00000003 ffff0002 0000e200 00000004 ffff0000 01020304";
        same_bytes(bytes, &feedback.into());
    }

    #[test]
    fn arrivals_out_of_range_are_said_to_be() {
        let metric = |before| PacketMetric::received(Ecn::Ect1, before);
        let step = Duration::from_nanos(976_563);
        for (before, bits) in [
            (Some(Duration::ZERO), 0),
            (Some(step), 1),
            (Some(Duration::from_millis(7_997)), 8188),
            (Some(Duration::from_secs(8)), OVER_RANGE),
            (Some(Duration::from_secs(9)), OVER_RANGE),
            (Some(Duration::from_secs(9_999)), OVER_RANGE),
            (None, UNAVAILABLE),
        ] {
            let metric = metric(before);
            assert_eq!(metric.0, 0xA000 | bits, "{before:?}");
            assert_eq!(metric.ecn(), Ecn::Ect1);
            assert_eq!(metric.arrived_before().is_some(), bits < OVER_RANGE);
        }
    }

    #[test]
    fn more_than_a_quarter_of_the_numbers_is_refused() {
        let mut packet = vec![0x8B, 205, 0x40, 0x00];
        packet.resize(4 + 4 * 0x4000, 0);
        packet[14..16].copy_from_slice(&16_385_u16.to_be_bytes());
        assert_eq!(Packet::parse(&packet), Err(DecodeError::Value));
    }
}
