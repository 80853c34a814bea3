//! A report block (RFC 3550 §6.4.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |                 SSRC_1 (SSRC of first source)                 |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | fraction lost |       cumulative number of packets lost       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           extended highest sequence number received           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                      interarrival jitter                      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         last SR (LSR)                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                   delay since last SR (DLSR)                  |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! ```

use super::{NtpTimestamp, ntp};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use smallvec::SmallVec;
use std::time::Duration;

/// What its 5 bits can count.
const MAX_COUNT: usize = 31;

/// What cumulative loss can say: 24 bits, signed.
const LOST_RANGE: std::ops::RangeInclusive<i32> = -0x80_0000..=0x7F_FFFF;

/// The blocks of one report.
pub(super) type ReportBlocks = SmallVec<[ReportBlock; 4]>;

/// How one stream is received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: u32,
    /// The part lost since the report before, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the beginning; duplicates can make it negative. 24 bits on the wire.
    pub cumulative_lost: i32,
    /// The highest sequence number received; its high 16 bits count the cycles.
    pub highest_sequence_number: u32,
    /// The interarrival jitter, in units of the stream's clock.
    pub jitter: u32,
    /// The [middle](NtpTimestamp::middle) of the last sender report's time; 0 when there was none.
    pub last_sender_report: u32,
    /// How long ago that report arrived, in 1/65 536 s.
    pub delay_since_last_sender_report: u32,
}

impl ReportBlock {
    pub(super) const LEN: usize = 24;

    /// The round trip between the sender of the stream, whose time is `now`, and who reports.
    /// `None` when it has heard no sender report yet.
    #[must_use]
    pub fn round_trip(&self, now: NtpTimestamp) -> Option<Duration> {
        ntp::round_trip(
            now,
            self.last_sender_report,
            self.delay_since_last_sender_report,
        )
    }

    /// Sets how long ago the last sender report arrived, saturating at 18 hours.
    pub fn set_delay(&mut self, delay: Duration) {
        self.delay_since_last_sender_report = ntp::short_from_duration(delay);
    }

    /// Reads `count` blocks. What follows them is profile-specific and ignored (§6.4.3).
    pub(super) fn parse_all(
        mut reader: Reader<'_>,
        count: u8,
    ) -> Result<ReportBlocks, DecodeError> {
        (0..count).map(|_| Self::parse(&mut reader)).collect()
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            ssrc: reader.u32()?,
            fraction_lost: reader.u8()?,
            cumulative_lost: reader.i24()?,
            highest_sequence_number: reader.u32()?,
            jitter: reader.u32()?,
            last_sender_report: reader.u32()?,
            delay_since_last_sender_report: reader.u32()?,
        })
    }

    pub(super) fn write_all(blocks: &[Self], mut out: &mut [u8]) -> Result<(), EncodeError> {
        if blocks.len() > MAX_COUNT {
            return Err(EncodeError::Value);
        }
        for block in blocks {
            if !LOST_RANGE.contains(&block.cumulative_lost) {
                return Err(EncodeError::Value);
            }
            out.put_u32(block.ssrc);
            out.put_u8(block.fraction_lost);
            out.put_int(block.cumulative_lost.into(), 3);
            out.put_u32(block.highest_sequence_number);
            out.put_u32(block.jitter);
            out.put_u32(block.last_sender_report);
            out.put_u32(block.delay_since_last_sender_report);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // rtcp-008
    #[test]
    fn negative_loss_has_24_bits() {
        let block = ReportBlock {
            cumulative_lost: -2,
            ..ReportBlock::default()
        };
        let mut out = [0; ReportBlock::LEN];
        ReportBlock::write_all(&[block], &mut out).unwrap();
        assert_eq!(out[4..8], [0, 0xFF, 0xFF, 0xFE]);
        assert_eq!(ReportBlock::parse(&mut Reader::new(&out)), Ok(block));
    }

    #[test]
    fn loss_beyond_24_bits_is_not_written() {
        let block = ReportBlock {
            cumulative_lost: 0x80_0000,
            ..ReportBlock::default()
        };
        let written = ReportBlock::write_all(&[block], &mut [0; ReportBlock::LEN]);
        assert_eq!(written, Err(EncodeError::Value));
    }

    #[test]
    fn a_delay_is_in_65536ths_of_a_second() {
        let mut block = ReportBlock::default();
        block.set_delay(Duration::from_millis(1500));
        assert_eq!(block.delay_since_last_sender_report, 0x0001_8000);
    }
}
