//! The audio levels of contributing sources, mixer to client (RFC 6465 §3).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | len=2 |0|   level 1   |0|   level 2   |0|   level 3   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{Extension, Value};
use crate::{CsrcList, DecodeError, EncodeError};
use smallvec::SmallVec;

/// How loud each contributing source of a packet is, in the order of its CSRC list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsrcAudioLevel {
    /// The levels in -dBov: 0 is the loudest, 127 is silence. 15 at most.
    pub levels: SmallVec<[u8; CsrcList::MAX]>,
}

impl Extension<'_> for CsrcAudioLevel {
    const URI: &'static str = "urn:ietf:params:rtp-hdrext:csrc-audio-level";

    fn parse(value: &[u8]) -> Result<Self, DecodeError> {
        if value.len() > CsrcList::MAX {
            return Err(DecodeError::Length);
        }
        // The first bit of each is reserved and ignored.
        let levels = value.iter().map(|level| level & 0x7F).collect();
        Ok(Self { levels })
    }

    fn write(&self) -> Result<Value, EncodeError> {
        let fits = self.levels.iter().all(|level| *level <= 127);
        if !fits || self.levels.len() > CsrcList::MAX {
            return Err(EncodeError::Value);
        }
        Ok(self.levels[..].into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::same_bytes;
    use super::*;
    use smallvec::smallvec;

    // rtp-022
    #[test]
    fn levels_come_back() {
        let levels = CsrcAudioLevel {
            levels: smallvec![0, 127, 30],
        };
        same_bytes(&[0, 127, 30], &levels);
        assert!(CsrcAudioLevel::parse(&[0; 16]).is_err());
        let too_silent = CsrcAudioLevel {
            levels: smallvec![128],
        };
        assert!(too_silent.write().is_err());
    }
}
