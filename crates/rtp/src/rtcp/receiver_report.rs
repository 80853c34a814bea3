//! RR, the receiver report (RFC 3550 §6.4.2).
//!
//! ```text
//!         0                   1                   2                   3
//!         0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//!        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! header |V=2|P|    RC   |   PT=RR=201   |             length            |
//!        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!        |                     SSRC of packet sender                     |
//!        +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! report |                              ....                             |
//! blocks +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! ```

use super::ReportBlock;
use super::body::{Body, SsrcList};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use smallvec::SmallVec;

pub(super) const TYPE: u8 = 201;

/// How a receiver that sends nothing itself receives others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiverReport {
    /// Who reports.
    pub ssrc: u32,
    /// How streams are received, 31 at most; more go into another report (RFC 3550 §6.4).
    pub reports: SmallVec<[ReportBlock; 4]>,
}

impl ReceiverReport {
    pub(super) fn parse(count: u8, body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            ssrc: reader.u32()?,
            reports: ReportBlock::parse_all(reader, count)?,
        })
    }
}

impl Body for ReceiverReport {
    fn packet_type(&self) -> u8 {
        TYPE
    }

    fn count(&self) -> usize {
        self.reports.len()
    }

    fn len(&self) -> usize {
        4 + ReportBlock::LEN * self.reports.len()
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        out.put_u32(self.ssrc);
        ReportBlock::write_all(&self.reports, out)
    }

    fn sender_ssrc(&self) -> Option<u32> {
        Some(self.ssrc)
    }

    fn destination_ssrcs(&self, list: &mut SsrcList) {
        list.extend(self.reports.iter().map(|report| report.ssrc));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EncodeError;
    use crate::rtcp::Packet;
    use crate::rtcp::packet::same_bytes;
    use smallvec::smallvec;

    /// Sent by Firefox that receives two streams.
    const FIREFOX: &str = "82c9000dd305260ed5b584da00000000000025a0000002557dfdcf3c000037d2\
                           5f6026db00000002000065a300000f867dfdcf3c000037d2";

    #[test]
    fn a_captured_report_comes_back() {
        let audio = ReportBlock {
            ssrc: 0xd5b5_84da,
            highest_sequence_number: 0x25a0,
            jitter: 0x255,
            last_sender_report: 0x7dfd_cf3c,
            delay_since_last_sender_report: 0x37d2,
            ..ReportBlock::default()
        };
        let video = ReportBlock {
            ssrc: 0x5f60_26db,
            cumulative_lost: 2,
            highest_sequence_number: 0x65a3,
            jitter: 0xf86,
            ..audio
        };
        let report = ReceiverReport {
            ssrc: 0xd305_260e,
            reports: smallvec![audio, video],
        };
        same_bytes(FIREFOX, &report.into());
    }

    // rtcp-006
    #[test]
    fn more_than_31_blocks_are_not_written() {
        let mut report = ReceiverReport::default();
        report.reports.resize(31, ReportBlock::default());
        let mut out = [0; 1000];
        assert_eq!(
            Packet::from(report.clone()).write(&mut out),
            Ok(8 + 31 * 24)
        );
        report.reports.push(ReportBlock::default());
        let written = Packet::from(report).write(&mut out);
        assert_eq!(written, Err(EncodeError::Value));
    }

    #[test]
    fn what_a_profile_adds_is_ignored() {
        let extended = [0x80, 201, 0, 2, 0, 0, 0, 7, 1, 2, 3, 4];
        let report = ReceiverReport {
            ssrc: 7,
            ..ReceiverReport::default()
        };
        assert_eq!(Packet::parse(&extended), Ok(report.into()));
    }
}
