//! SCTP packets and chunks on the wire (RFC 9260 §3): one file per chunk, each with the RFC's bit
//! diagram, a type, `parse` and the writing side of [`WireChunk`].
//!
//! Parsing borrows from the packet and never fails in another way than [`DecodeError`]. Writing
//! goes straight into the buffer of the packet through [`Writer`].

mod abort;
mod cause;
mod checksum;
mod chunk;
mod cookie_ack;
mod cookie_echo;
mod data;
mod error;
mod forward_tsn;
mod heartbeat;
mod heartbeat_ack;
mod i_data;
mod i_forward_tsn;
mod init;
mod init_ack;
mod pad;
mod parameter;
mod re_config;
mod sack;
mod shutdown;
mod shutdown_ack;
mod shutdown_complete;
mod writer;

pub use abort::Abort;
pub use cause::{Cause, CauseCode, Causes, write_cause};
pub use checksum::checksum;
pub use chunk::{Chunk, Chunks, OnUnknown, encode};
pub use cookie_ack::CookieAck;
pub use cookie_echo::CookieEcho;
pub use data::{DATA_OVERHEAD, Data};
pub use error::OperationError;
pub use forward_tsn::{ForwardTsn, Skipped};
pub use heartbeat::Heartbeat;
pub use heartbeat_ack::HeartbeatAck;
pub use i_data::{I_DATA_OVERHEAD, IData};
pub use i_forward_tsn::{IForwardTsn, SkippedMessage};
pub use init::Init;
pub use init_ack::InitAck;
pub use pad::Pad;
pub use parameter::{Parameter, ParameterType, Parameters, write_parameter};
pub use re_config::{OutgoingReset, ReConfig, ReConfigParameter, ReConfigResult, Response};
pub use sack::{GapBlock, Sack};
pub use shutdown::Shutdown;
pub use shutdown_ack::ShutdownAck;
pub use shutdown_complete::ShutdownComplete;
pub use writer::{WireChunk, Writer};

use std::fmt;

/// Bytes before the first chunk.
pub const HEADER_LEN: usize = 12;

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// Fewer bytes than the fixed part needs.
    Truncated,
    /// A length field that contradicts what is there.
    Length,
    /// The checksum is wrong (RFC 9260 §6.8).
    Checksum,
    /// A port is 0 (RFC 9260 §3.1).
    Port,
    /// A field or a combination that its section does not allow.
    Value,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "fewer bytes than the fixed part needs",
            Self::Length => "a length field contradicts what is there",
            Self::Checksum => "the checksum is wrong",
            Self::Port => "a port is 0",
            Self::Value => "a field has a value that is not allowed",
        })
    }
}

impl std::error::Error for DecodeError {}

/// The common header (RFC 9260 §3.1).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |      Source Port Number       |    Destination Port Number    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                       Verification Tag                        |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                           Checksum                            |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The sender's port, never 0.
    pub source_port: u16,
    /// The receiver's port, never 0.
    pub destination_port: u16,
    /// The receiver's tag; 0 only with INIT.
    pub verification_tag: u32,
}

/// A packet: the header and the bytes of its chunks.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The common header.
    pub header: Header,
    chunks: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the header and verifies the checksum (RFC 9260 §6.8). Chunks are looked at by
    /// [`chunks`](Self::chunks).
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] below 12 bytes, [`DecodeError::Checksum`], [`DecodeError::Port`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::read(bytes, false)
    }

    /// The same for an end that has announced to take a checksum of 0 (RFC 9653 §5.3).
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_authenticated(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::read(bytes, true)
    }

    fn read(bytes: &'a [u8], authenticated: bool) -> Result<Self, DecodeError> {
        let (header, chunks) = bytes
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(DecodeError::Truncated)?;
        let [s0, s1, d0, d1, t0, t1, t2, t3, c0, c1, c2, c3] = *header;
        // The CRC32c travels in little-endian order (RFC 9260 Appendix A).
        let sum = u32::from_le_bytes([c0, c1, c2, c3]);
        if !(authenticated && sum == 0) && sum != checksum(bytes) {
            return Err(DecodeError::Checksum);
        }
        let header = Header {
            source_port: u16::from_be_bytes([s0, s1]),
            destination_port: u16::from_be_bytes([d0, d1]),
            verification_tag: u32::from_be_bytes([t0, t1, t2, t3]),
        };
        if header.source_port == 0 || header.destination_port == 0 {
            return Err(DecodeError::Port);
        }
        Ok(Self { header, chunks })
    }

    /// The chunks, in order.
    #[must_use]
    pub fn chunks(&self) -> Chunks<'a> {
        Chunks::new(self.chunks)
    }
}

/// Bytes up to the next multiple of four (RFC 9260 §3.2).
pub(crate) const fn padded(len: usize) -> usize {
    len.next_multiple_of(4)
}

/// Reads big-endian fields off the front of a slice.
#[derive(Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(*head)
    }
}

#[cfg(test)]
mod tests;
