//! SR, the sender report (RFC 3550 §6.4.1).
//!
//! ```text
//!         0                   1                   2                   3
//!         0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//!        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! header |V=2|P|    RC   |   PT=SR=200   |             length            |
//!        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!        |                         SSRC of sender                        |
//!        +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! sender |              NTP timestamp, most significant word             |
//! info   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!        |             NTP timestamp, least significant word             |
//!        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!        |                         RTP timestamp                         |
//!        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!        |                     sender's packet count                     |
//!        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!        |                      sender's octet count                     |
//!        +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! report |                              ....                             |
//! blocks +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! ```

use super::body::{Body, SsrcList};
use super::{NtpTimestamp, ReportBlock};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use smallvec::SmallVec;

pub(super) const TYPE: u8 = 200;

/// SSRC and sender info, in bytes.
const FIXED_LEN: usize = 24;

/// What a stream has sent, when, and how its sender receives others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SenderReport {
    /// The stream that reports.
    pub ssrc: u32,
    /// The wall clock when this was sent.
    pub ntp: NtpTimestamp,
    /// The same instant on the clock of the stream's RTP timestamps.
    pub rtp_timestamp: u32,
    /// RTP packets sent, wrapping.
    pub packet_count: u32,
    /// Bytes of payload sent, without headers and padding, wrapping.
    pub octet_count: u32,
    /// How streams are received, 31 at most.
    pub reports: SmallVec<[ReportBlock; 4]>,
}

impl SenderReport {
    pub(super) fn parse(count: u8, body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            ssrc: reader.u32()?,
            ntp: NtpTimestamp(reader.u64()?),
            rtp_timestamp: reader.u32()?,
            packet_count: reader.u32()?,
            octet_count: reader.u32()?,
            reports: ReportBlock::parse_all(reader, count)?,
        })
    }
}

impl Body for SenderReport {
    fn packet_type(&self) -> u8 {
        TYPE
    }

    fn count(&self) -> usize {
        self.reports.len()
    }

    fn len(&self) -> usize {
        FIXED_LEN + ReportBlock::LEN * self.reports.len()
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        out.put_u32(self.ssrc);
        out.put_u64(self.ntp.0);
        out.put_u32(self.rtp_timestamp);
        out.put_u32(self.packet_count);
        out.put_u32(self.octet_count);
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
    use crate::rtcp::packet::same_bytes;

    /// Sent by Chromium beside an Opus stream.
    const CHROMIUM: &str = "80c8000655ab8697eeab7df341641f6487abd2ef0000001400003639";

    // rtcp-007
    #[test]
    fn a_captured_report_comes_back() {
        let report = SenderReport {
            ssrc: 0x55ab_8697,
            ntp: NtpTimestamp(0xeeab_7df3_4164_1f64),
            rtp_timestamp: 0x87ab_d2ef,
            packet_count: 20,
            octet_count: 13_881,
            ..SenderReport::default()
        };
        same_bytes(CHROMIUM, &report.into());
    }
}
