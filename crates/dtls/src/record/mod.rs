//! The record layer (RFC 6347 §4.1, RFC 9147 §4): one file per header, and the keys of an epoch.
//!
//! Nothing here allocates once an [`Epoch`](epoch) has its keys: records are sealed into the
//! datagram that leaves and opened in the datagram that came.

pub(crate) mod epoch;
pub(crate) mod header;
pub(crate) mod layer;
pub(crate) mod number;
pub(crate) mod protection;
pub(crate) mod replay;
pub(crate) mod unified;

/// The most that a record holds (RFC 8446 §5.1).
pub(crate) const MAX_PLAINTEXT: usize = 1 << 14;

/// What a record carries (RFC 8446 §5.1, RFC 9147 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentType {
    ChangeCipherSpec = 20,
    Alert = 21,
    Handshake = 22,
    ApplicationData = 23,
    Ack = 26,
}

impl ContentType {
    pub(crate) fn of(value: u8) -> Option<Self> {
        Some(match value {
            20 => Self::ChangeCipherSpec,
            21 => Self::Alert,
            22 => Self::Handshake,
            23 => Self::ApplicationData,
            26 => Self::Ack,
            _ => return None,
        })
    }
}

/// An epoch and a number in it, which name a record for good (RFC 9147 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordNumber {
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
}
