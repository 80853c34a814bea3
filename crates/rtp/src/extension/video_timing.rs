//! The video timing of libwebrtc
//! (<https://webrtc.googlesource.com/src/+/main/docs/native-code/rtp-hdrext/video-timing>).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | len=12|     flags     |     encode start ms delta     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |    encode finish ms delta     |  packetizer finish ms delta   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     pacer exit ms delta       |  network timestamp ms delta   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  network2 timestamp ms delta  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Value};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;

/// When a frame passed the stages of its sender, in milliseconds after its capture. It stands on
/// the last packet of the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoTiming {
    /// Why the frame was chosen: bit 0 by time, bit 1 by size; 255 is not valid.
    pub flags: u8,
    /// When encoding began.
    pub encode_start: u16,
    /// When it was encoded.
    pub encode_finish: u16,
    /// When it was packetised.
    pub packetization_finish: u16,
    /// When its last packet left the pacer.
    pub pacer_exit: u16,
    /// When its last packet passed a first server.
    pub network: u16,
    /// When its last packet passed a second server.
    pub network2: u16,
}

impl Extension<'_> for VideoTiming {
    const URI: &'static str = "http://www.webrtc.org/experiments/rtp-hdrext/video-timing";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(value);
        // An older form has no flags.
        let flags = if value.len() == 12 { 0 } else { reader.u8()? };
        Ok(Self {
            flags,
            encode_start: reader.u16()?,
            encode_finish: reader.u16()?,
            packetization_finish: reader.u16()?,
            pacer_exit: reader.u16()?,
            network: reader.u16()?,
            network2: reader.u16()?,
        })
    }

    fn write(&self) -> Result<Value, EncodeError> {
        let mut out = [0; 13];
        let mut fields = &mut out[..];
        fields.put_u8(self.flags);
        for delta in [
            self.encode_start,
            self.encode_finish,
            self.packetization_finish,
            self.pacer_exit,
            self.network,
            self.network2,
        ] {
            fields.put_u16(delta);
        }
        Ok(Value::from_slice(&out))
    }
}

#[cfg(test)]
mod tests {
    use super::super::same_bytes;
    use super::*;

    #[test]
    fn stages_come_back() {
        let timing = VideoTiming {
            flags: 2,
            encode_start: 1,
            encode_finish: 2,
            packetization_finish: 3,
            pacer_exit: 4,
            network: 5,
            network2: 0x0607,
        };
        let value = [2, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 6, 7];
        same_bytes(&value, &timing);
        let old = VideoTiming { flags: 0, ..timing };
        assert_eq!(VideoTiming::parse(&value[1..]), Ok(old));
        assert!(VideoTiming::parse(&value[..11]).is_err());
    }
}
