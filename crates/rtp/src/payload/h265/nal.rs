use crate::DecodeError;

/// The first two bytes of a NAL unit and of every payload (RFC 7798 §1.1.4, §4.2).
///
/// ```text
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |F|   Type    |  LayerId  | TID |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NalHeader {
    /// F: the unit may be damaged.
    pub forbidden_zero: bool,
    /// Type: what the unit, or the payload, holds; see [`kind`].
    pub kind: u8,
    /// LayerId: 0 in streams without layers, up to 63.
    pub layer_id: u8,
    /// TID: the temporal layer plus 1, 1 to 7.
    pub tid: u8,
}

impl NalHeader {
    /// Bytes on the wire.
    pub const LEN: usize = 2;

    /// Reads the beginning of a NAL unit or payload, and gives what follows it.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if it is short.
    pub fn parse(unit: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let (&[first, second], rest) = unit.split_first_chunk().ok_or(DecodeError::Truncated)?;
        let header = Self {
            forbidden_zero: first & 0x80 != 0,
            kind: first >> 1 & 0x3F,
            layer_id: (first & 0x01) << 5 | second >> 3,
            tid: second & 0x07,
        };
        Ok((header, rest))
    }

    /// The two bytes; bits that do not fit a field are left out.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let first = u8::from(self.forbidden_zero) << 7
            | (self.kind & 0x3F) << 1
            | self.layer_id >> 5 & 0x01;
        [first, (self.layer_id & 0x1F) << 3 | self.tid & 0x07]
    }
}

/// The types of NAL units (H.265 table 7-1) and payloads (RFC 7798 §4.4) that matter here.
pub mod kind {
    /// The last type of a slice of a picture that is no random access point.
    pub const LAST_NON_IRAP: u8 = 15;
    /// The first type of a slice of a random access picture (BLA_W_LP).
    pub const FIRST_IRAP: u8 = 16;
    /// A slice of an IDR picture that leading pictures may follow.
    pub const IDR_W_RADL: u8 = 19;
    /// A slice of an IDR picture without leading pictures.
    pub const IDR_N_LP: u8 = 20;
    /// A slice of a clean random access picture.
    pub const CRA: u8 = 21;
    /// A video parameter set.
    pub const VPS: u8 = 32;
    /// A sequence parameter set.
    pub const SPS: u8 = 33;
    /// A picture parameter set.
    pub const PPS: u8 = 34;
    /// An access unit delimiter.
    pub const ACCESS_UNIT_DELIMITER: u8 = 35;
    /// Filler data.
    pub const FILLER_DATA: u8 = 38;
    /// The last type of NAL unit; those above are kinds of payload.
    pub const LAST_NAL_UNIT: u8 = 47;
    /// Several NAL units (§4.4.2).
    pub const AP: u8 = 48;
    /// A fragment (§4.4.3).
    pub const FU: u8 = 49;
    /// One of the others, with control information (§4.4.4).
    pub const PACI: u8 = 50;
}
