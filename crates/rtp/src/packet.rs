use crate::{DecodeError, EncodeError, Header};
use bytes::Bytes;

/// An RTP packet: its header, and its payload without padding. Cloning shares the payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// The header.
    pub header: Header,
    /// The payload, shared.
    pub payload: Bytes,
}

impl Packet {
    /// A packet of a header and a payload.
    #[must_use]
    pub fn new(header: Header, payload: impl Into<Bytes>) -> Self {
        Self {
            header,
            payload: payload.into(),
        }
    }

    /// Reads a packet; the payload is a part of `packet`, not a copy.
    ///
    /// # Errors
    ///
    /// As [`Header::parse`].
    pub fn parse(packet: &Bytes) -> Result<Self, DecodeError> {
        let (header, payload) = Header::parse(packet)?;
        Ok(Self {
            header,
            payload: packet.slice(payload),
        })
    }

    /// The length on the wire, in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.header.encoded_len() + self.payload.len()
    }

    /// Writes the packet and returns its length.
    ///
    /// # Errors
    ///
    /// As [`Header::write`].
    pub fn write(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        let header = self.header.write(out)?;
        let payload = out
            .get_mut(header..header + self.payload.len())
            .ok_or(EncodeError::TooSmall)?;
        payload.copy_from_slice(&self.payload);
        Ok(header + self.payload.len())
    }
}
