/// The first byte of a NAL unit and of every payload (RFC 6184 §1.3, §5.3).
///
/// ```text
///  0 1 2 3 4 5 6 7
/// +-+-+-+-+-+-+-+-+
/// |F|NRI|  Type   |
/// +-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NalHeader {
    /// F: the unit may be damaged.
    pub forbidden_zero: bool,
    /// NRI: 0 if nothing refers to the unit, up to 3 for what matters most.
    pub ref_idc: u8,
    /// Type: what the unit, or the payload, holds; see [`kind`].
    pub kind: u8,
}

impl From<u8> for NalHeader {
    fn from(byte: u8) -> Self {
        Self {
            forbidden_zero: byte & 0x80 != 0,
            ref_idc: byte >> 5 & 0x03,
            kind: byte & 0x1F,
        }
    }
}

impl From<NalHeader> for u8 {
    /// The byte; bits that do not fit a field are left out.
    fn from(header: NalHeader) -> Self {
        Self::from(header.forbidden_zero) << 7 | (header.ref_idc & 0x03) << 5 | header.kind & 0x1F
    }
}

/// The types of NAL units (H.264 table 7-1) and payloads (RFC 6184 §5.2) that matter here.
pub mod kind {
    /// A slice of a picture that is no IDR picture.
    pub const SLICE: u8 = 1;
    /// A slice of an IDR picture: a decoder that has the parameter sets can begin here.
    pub const IDR_SLICE: u8 = 5;
    /// Supplemental enhancement information.
    pub const SEI: u8 = 6;
    /// A sequence parameter set.
    pub const SPS: u8 = 7;
    /// A picture parameter set.
    pub const PPS: u8 = 8;
    /// An access unit delimiter.
    pub const ACCESS_UNIT_DELIMITER: u8 = 9;
    /// Filler data.
    pub const FILLER_DATA: u8 = 12;
    /// The last type of NAL unit; those above are kinds of payload.
    pub const LAST_NAL_UNIT: u8 = 23;
    /// Several NAL units (§5.7.1).
    pub const STAP_A: u8 = 24;
    /// Several NAL units, in interleaved mode (§5.7.1).
    pub const STAP_B: u8 = 25;
    /// NAL units of several times, in interleaved mode (§5.7.2).
    pub const MTAP16: u8 = 26;
    /// NAL units of several times, in interleaved mode (§5.7.2).
    pub const MTAP24: u8 = 27;
    /// A fragment (§5.8).
    pub const FU_A: u8 = 28;
    /// A first fragment in interleaved mode (§5.8).
    pub const FU_B: u8 = 29;
}
