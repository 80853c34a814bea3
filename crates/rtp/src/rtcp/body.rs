use crate::EncodeError;
use smallvec::SmallVec;

/// SSRCs; a few of them stand in it without allocating.
pub type SsrcList = SmallVec<[u32; 4]>;

/// Transport layer feedback (RFC 4585 §6.2).
pub(super) const TRANSPORT_FEEDBACK: u8 = 205;

/// Payload-specific feedback (RFC 4585 §6.3).
pub(super) const PAYLOAD_FEEDBACK: u8 = 206;

/// The FMT of application layer feedback (RFC 4585 §6.4).
pub(super) const APPLICATION_FEEDBACK: u8 = 15;

/// What every packet type says about itself: all but the first word, which
/// [`frame`](super::frame) writes.
pub(super) trait Body {
    /// The packet type, PT.
    fn packet_type(&self) -> u8;

    /// The 5 bits beside the version: a count, a subtype or a feedback message type (FMT).
    fn count(&self) -> usize;

    /// The length of what follows the first word, in bytes, a multiple of 4.
    fn len(&self) -> usize;

    /// Writes what follows the first word into exactly [`len`](Self::len) bytes.
    fn write(&self, out: &mut [u8]) -> Result<(), EncodeError>;

    /// Who sent it, where the packet says.
    fn sender_ssrc(&self) -> Option<u32>;

    /// Adds every SSRC it is about.
    fn destination_ssrcs(&self, list: &mut SsrcList);
}
