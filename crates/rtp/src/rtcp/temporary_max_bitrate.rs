//! TMMBR and TMMBN, the temporary maximum media stream bit rate request and its notification
//! (RFC 5104 §4.2).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P| FMT=3,4 |    PT=205     |          length               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of packet sender                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of media source = 0                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                              SSRC                             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | MxTBR Exp |  MxTBR Mantissa                 |Measured Overhead|
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::bitrate;
use super::body::{Body, SsrcList, TRANSPORT_FEEDBACK};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use smallvec::SmallVec;

pub(super) const REQUEST_FORMAT: u8 = 3;
pub(super) const NOTIFICATION_FORMAT: u8 = 4;

const MANTISSA_BITS: u32 = 17;
const OVERHEAD_BITS: u32 = 9;
const OVERHEAD_MASK: u32 = (1 << OVERHEAD_BITS) - 1;

type Entries = SmallVec<[TemporaryMaxBitrateEntry; 2]>;

/// TMMBR: senders are to send no more than this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemporaryMaxBitrateRequest {
    /// Who asks.
    pub sender_ssrc: u32,
    /// The limit of each stream; `ssrc` is the stream.
    pub entries: SmallVec<[TemporaryMaxBitrateEntry; 2]>,
}

/// TMMBN: the limits that bind a sender now; none if there are no entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemporaryMaxBitrateNotification {
    /// The sender that is bound.
    pub sender_ssrc: u32,
    /// Its limits; `ssrc` is who asked for it.
    pub entries: SmallVec<[TemporaryMaxBitrateEntry; 2]>,
}

/// A limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TemporaryMaxBitrateEntry {
    /// The stream that is limited, or who limits it.
    pub ssrc: u32,
    /// All bits of the stream in a second, headers included. 17 bits of it are written, the rest is
    /// rounded down; what is received beyond 64 bits is `u64::MAX`.
    pub bitrate: u64,
    /// The measured overhead of a packet, in bytes; 511 at most.
    pub overhead: u16,
}

impl TemporaryMaxBitrateEntry {
    const LEN: usize = 8;

    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let ssrc = reader.u32()?;
        let word = reader.u32()?;
        let [.., high, low] = (word & OVERHEAD_MASK).to_be_bytes();
        let rate = word >> OVERHEAD_BITS;
        let mantissa = rate & ((1 << MANTISSA_BITS) - 1);
        Ok(Self {
            ssrc,
            bitrate: bitrate::join(mantissa, rate >> MANTISSA_BITS),
            overhead: u16::from_be_bytes([high, low]),
        })
    }

    fn write(&self, out: &mut impl BufMut) -> Result<(), EncodeError> {
        let overhead = u32::from(self.overhead);
        if overhead > OVERHEAD_MASK {
            return Err(EncodeError::Value);
        }
        let (mantissa, exponent) = bitrate::split(self.bitrate, MANTISSA_BITS);
        out.put_u32(self.ssrc);
        out.put_u32((exponent << MANTISSA_BITS | mantissa) << OVERHEAD_BITS | overhead);
        Ok(())
    }
}

fn parse(body: &[u8]) -> Result<(u32, Entries), DecodeError> {
    let mut reader = Reader::new(body);
    let sender_ssrc = reader.u32()?;
    // §4.2.1.2, §4.2.2.2: the media source is 0, and ignored here.
    reader.u32()?;
    let mut entries = Entries::new();
    while !reader.is_empty() {
        entries.push(TemporaryMaxBitrateEntry::parse(&mut reader)?);
    }
    Ok((sender_ssrc, entries))
}

fn write(sender_ssrc: u32, entries: &Entries, mut out: &mut [u8]) -> Result<(), EncodeError> {
    out.put_u32(sender_ssrc);
    out.put_u32(0);
    entries.iter().try_for_each(|entry| entry.write(&mut out))
}

/// Both have the same body.
macro_rules! bitrate_message {
    ($name:ident, $format:ident) => {
        impl $name {
            pub(super) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
                let (sender_ssrc, entries) = parse(body)?;
                Ok(Self {
                    sender_ssrc,
                    entries,
                })
            }
        }

        impl Body for $name {
            fn packet_type(&self) -> u8 {
                TRANSPORT_FEEDBACK
            }

            fn count(&self) -> usize {
                $format.into()
            }

            fn len(&self) -> usize {
                8 + TemporaryMaxBitrateEntry::LEN * self.entries.len()
            }

            fn write(&self, out: &mut [u8]) -> Result<(), EncodeError> {
                write(self.sender_ssrc, &self.entries, out)
            }

            fn sender_ssrc(&self) -> Option<u32> {
                Some(self.sender_ssrc)
            }

            fn destination_ssrcs(&self, list: &mut SsrcList) {
                list.extend(self.entries.iter().map(|entry| entry.ssrc));
            }
        }
    };
}

bitrate_message!(TemporaryMaxBitrateRequest, REQUEST_FORMAT);
bitrate_message!(TemporaryMaxBitrateNotification, NOTIFICATION_FORMAT);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::Packet;
    use crate::rtcp::packet::same_bytes;
    use smallvec::smallvec;

    const ENTRY: TemporaryMaxBitrateEntry = TemporaryMaxBitrateEntry {
        ssrc: 2,
        bitrate: 0x1_8000 << 4,
        overhead: 0x101,
    };

    // rtcp-022
    #[test]
    fn request_and_notification_come_back() {
        let request = TemporaryMaxBitrateRequest {
            sender_ssrc: 1,
            entries: smallvec![ENTRY],
        };
        same_bytes(
            "83cd0004 00000001 00000000 00000002 13000101",
            &request.into(),
        );
        let notification = TemporaryMaxBitrateNotification {
            sender_ssrc: 1,
            entries: smallvec![ENTRY],
        };
        let bytes = "84cd0004 00000001 00000000 00000002 13000101";
        same_bytes(bytes, &notification.into());
    }

    #[test]
    fn an_overhead_of_ten_bits_is_not_written() {
        let request = TemporaryMaxBitrateRequest {
            sender_ssrc: 1,
            entries: smallvec![TemporaryMaxBitrateEntry {
                overhead: 512,
                ..ENTRY
            }],
        };
        let written = Packet::from(request).write(&mut [0; 64]);
        assert_eq!(written, Err(EncodeError::Value));
    }
}
