//! XR, extended reports (RFC 3611).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|reserved |   PT=XR=207   |             length            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                              SSRC                             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      BT       | type-specific |         block length          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! :             type-specific block contents                      :
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::body::{Body, SsrcList};
use super::{NtpTimestamp, ntp};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use smallvec::SmallVec;
use std::time::Duration;

pub(super) const TYPE: u8 = 207;

/// Receiver reference time (§4.4).
const REFERENCE_TIME: u8 = 4;

/// Delay since the last receiver report (§4.5).
const DLRR: u8 = 5;

/// Blocks of reports beyond those of SR and RR.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtendedReport {
    /// Who reports.
    pub sender_ssrc: u32,
    /// The blocks, in order.
    pub blocks: SmallVec<[ExtendedBlock; 2]>,
}

/// A block of an extended report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtendedBlock {
    /// RRTR: the wall clock of a receiver when it sent this, so that it can learn the round trip
    /// without sending media (§4.4).
    ReceiverReferenceTime(NtpTimestamp),
    /// DLRR: the answer, for each receiver (§4.5).
    Dlrr(SmallVec<[Dlrr; 2]>),
    /// A block type that is not spoken here, as it is (§3).
    Unknown {
        /// The block type, BT.
        block_type: u8,
        /// What stands beside it.
        type_specific: u8,
        /// The contents, a multiple of 4 bytes.
        contents: SmallVec<[u8; 32]>,
    },
}

/// When the last receiver reference time of one receiver arrived (§4.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dlrr {
    /// The receiver.
    pub ssrc: u32,
    /// The [middle](NtpTimestamp::middle) of its last reference time; 0 when there was none.
    pub last_receiver_report: u32,
    /// How long ago that arrived, in 1/65 536 s.
    pub delay: u32,
}

impl Dlrr {
    const LEN: usize = 12;

    /// An answer to `reference`, which arrived `delay` ago.
    #[must_use]
    pub fn new(ssrc: u32, reference: NtpTimestamp, delay: Duration) -> Self {
        Self {
            ssrc,
            last_receiver_report: reference.middle(),
            delay: ntp::short_from_duration(delay),
        }
    }

    /// The round trip between the receiver, whose time is `now`, and who answers. `None` when it
    /// has heard no reference time yet.
    #[must_use]
    pub fn round_trip(&self, now: NtpTimestamp) -> Option<Duration> {
        ntp::round_trip(now, self.last_receiver_report, self.delay)
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            ssrc: reader.u32()?,
            last_receiver_report: reader.u32()?,
            delay: reader.u32()?,
        })
    }
}

impl ExtendedBlock {
    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let block_type = reader.u8()?;
        let type_specific = reader.u8()?;
        let len = 4 * usize::from(reader.u16()?);
        let mut contents = Reader::new(reader.take(len)?);
        match block_type {
            REFERENCE_TIME => Ok(Self::ReceiverReferenceTime(NtpTimestamp(contents.u64()?))),
            DLRR => {
                let mut list = SmallVec::new();
                while !contents.is_empty() {
                    list.push(Dlrr::parse(&mut contents)?);
                }
                Ok(Self::Dlrr(list))
            }
            _ => Ok(Self::Unknown {
                block_type,
                type_specific,
                contents: contents.rest().into(),
            }),
        }
    }

    fn contents_len(&self) -> usize {
        match self {
            Self::ReceiverReferenceTime(_) => 8,
            Self::Dlrr(list) => Dlrr::LEN * list.len(),
            Self::Unknown { contents, .. } => contents.len().next_multiple_of(4),
        }
    }

    fn write(&self, out: &mut impl BufMut) -> Result<(), EncodeError> {
        let (block_type, type_specific) = match self {
            Self::ReceiverReferenceTime(_) => (REFERENCE_TIME, 0),
            Self::Dlrr(_) => (DLRR, 0),
            &Self::Unknown {
                block_type,
                type_specific,
                ..
            } => (block_type, type_specific),
        };
        out.put_u8(block_type);
        out.put_u8(type_specific);
        out.put_u16(u16::try_from(self.contents_len() / 4).map_err(|_| EncodeError::Value)?);
        match self {
            Self::ReceiverReferenceTime(time) => out.put_u64(time.0),
            Self::Dlrr(list) => {
                for dlrr in list {
                    out.put_u32(dlrr.ssrc);
                    out.put_u32(dlrr.last_receiver_report);
                    out.put_u32(dlrr.delay);
                }
            }
            Self::Unknown { contents, .. } if contents.len().is_multiple_of(4) => {
                out.put_slice(contents)
            }
            Self::Unknown { .. } => return Err(EncodeError::Value),
        }
        Ok(())
    }
}

impl ExtendedReport {
    pub(super) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let mut report = Self {
            sender_ssrc: reader.u32()?,
            blocks: SmallVec::new(),
        };
        while !reader.is_empty() {
            report.blocks.push(ExtendedBlock::parse(&mut reader)?);
        }
        Ok(report)
    }
}

impl Body for ExtendedReport {
    fn packet_type(&self) -> u8 {
        TYPE
    }

    fn count(&self) -> usize {
        0
    }

    fn len(&self) -> usize {
        let blocks = self.blocks.iter().map(|block| 4 + block.contents_len());
        4 + blocks.sum::<usize>()
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        out.put_u32(self.sender_ssrc);
        self.blocks
            .iter()
            .try_for_each(|block| block.write(&mut out))
    }

    fn sender_ssrc(&self) -> Option<u32> {
        Some(self.sender_ssrc)
    }

    fn destination_ssrcs(&self, list: &mut SsrcList) {
        for block in &self.blocks {
            if let ExtendedBlock::Dlrr(answers) = block {
                list.extend(answers.iter().map(|answer| answer.ssrc));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::Packet;
    use crate::rtcp::packet::same_bytes;
    use smallvec::smallvec;

    // rtcp-025
    #[test]
    fn known_and_unknown_blocks_come_back() {
        let report = ExtendedReport {
            sender_ssrc: 1,
            blocks: smallvec![
                ExtendedBlock::ReceiverReferenceTime(NtpTimestamp(0x0102_0304_0506_0708)),
                ExtendedBlock::Unknown {
                    block_type: 99,
                    type_specific: 7,
                    contents: smallvec![1, 2, 3, 4],
                },
                ExtendedBlock::Dlrr(smallvec![Dlrr {
                    ssrc: 2,
                    last_receiver_report: 3,
                    delay: 4,
                }]),
            ],
        };
        let packet = Packet::from(report);
        assert_eq!(packet.destination_ssrcs()[..], [2]);
        let bytes = "80cf000a 00000001 04000002 01020304 05060708 63070001 01020304 \
                     05000003 00000002 00000003 00000004";
        same_bytes(bytes, &packet);
    }

    #[test]
    fn a_receiver_learns_the_round_trip() {
        let sent = NtpTimestamp(0x1234_5678_9abc_def0);
        let answer = Dlrr::new(1, sent, Duration::from_secs(2));
        let now = sent + Duration::from_millis(2_250);
        let round_trip = answer.round_trip(now).unwrap();
        let error = round_trip.abs_diff(Duration::from_millis(250));
        assert!(error < Duration::from_micros(40), "{round_trip:?}");
    }

    #[test]
    fn a_block_beyond_the_packet_is_refused() {
        let packet = [0x80, 207, 0, 2, 0, 0, 0, 1, 99, 0, 0, 1];
        assert_eq!(Packet::parse(&packet), Err(DecodeError::Truncated));
    }
}
