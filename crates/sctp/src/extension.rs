//! What both ends may use beyond RFC 9260.

/// The extensions that an end has announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    /// FORWARD TSN (RFC 3758).
    pub(crate) forward_tsn: bool,
    /// RE-CONFIG (RFC 6525).
    pub(crate) re_config: bool,
    /// It takes packets without a checksum, as DTLS protects them (RFC 9653).
    pub(crate) zero_checksum: bool,
    /// I-DATA and I-FORWARD-TSN (RFC 8260).
    pub(crate) interleaving: bool,
    /// PAD (RFC 4820): it takes part in path MTU discovery, and so large packets.
    pub(crate) pad: bool,
}

impl Extensions {
    /// One bit for each.
    pub(crate) fn bits(self) -> u64 {
        u64::from(self.forward_tsn)
            | u64::from(self.re_config) << 1
            | u64::from(self.zero_checksum) << 2
            | u64::from(self.interleaving) << 3
            | u64::from(self.pad) << 4
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self {
            forward_tsn: bits & 1 != 0,
            re_config: bits & 2 != 0,
            zero_checksum: bits & 4 != 0,
            interleaving: bits & 8 != 0,
            pad: bits & 16 != 0,
        }
    }
}
