//! RTCP (RFC 3550 §6, RFC 4585, RFC 5104): one file for each packet type.

/// One RTCP packet of a compound.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Packet {
    /// A type that is not spoken here.
    Unknown(u8),
}
