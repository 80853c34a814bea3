//! The messages an agent sends: checks, their answers, keepalives.

use crypto::HmacKey;
use layer::IceRole;
use std::net::SocketAddr;
use stun::{
    Attribute, AttributeType, Builder, Class, DecodeError, ErrorCode, IceControlled,
    IceControlling, Method, Priority, TransactionId, UnknownAttributes, UseCandidate, Username,
    XorMappedAddress,
};

/// Says which of several nominations is the latest (draft-thatcher-ice-renomination-01 §4), in the
/// form that libwebrtc gives it: 24 bits, the larger one wins.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |0 0 0 0 0 0 0 0|                  Nomination                   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nomination(pub(crate) u32);

/// The largest nomination.
pub(crate) const MAX_NOMINATION: u32 = 0xFF_FFFF;

impl Attribute<'_> for Nomination {
    const TYPE: AttributeType = AttributeType(0xC001);

    fn parse(value: &[u8], _: &TransactionId) -> Result<Self, DecodeError> {
        let value = value
            .try_into()
            .map_err(|_| DecodeError::Attribute(Self::TYPE.0))?;
        Ok(Self(u32::from_be_bytes(value) & MAX_NOMINATION))
    }

    fn value_len(&self) -> usize {
        4
    }

    fn write(&self, value: &mut [u8], _: &TransactionId) {
        value.copy_from_slice(&self.0.to_be_bytes());
    }
}

/// What a check or its answer may carry that must be understood.
pub(crate) const UNDERSTOOD: &[AttributeType] = &[
    AttributeType::USERNAME,
    AttributeType::PRIORITY,
    AttributeType::USE_CANDIDATE,
    AttributeType::XOR_MAPPED_ADDRESS,
    AttributeType::MAPPED_ADDRESS,
    AttributeType::ERROR_CODE,
    AttributeType::UNKNOWN_ATTRIBUTES,
];

/// A connectivity check (RFC 8445 §7.2.4).
pub(crate) struct Check<'a> {
    pub(crate) id: TransactionId,
    /// `theirs:ours` (RFC 8445 §7.2.2, ice-032).
    pub(crate) username: &'a str,
    pub(crate) priority: u32,
    pub(crate) role: IceRole,
    pub(crate) tiebreaker: u64,
    pub(crate) use_candidate: bool,
    /// Which nomination it is, where several are told apart.
    pub(crate) nomination: Option<u32>,
    /// The peer's password.
    pub(crate) key: &'a dyn HmacKey,
}

impl Check<'_> {
    /// Writes it; `None` if `buf` is too small.
    pub(crate) fn write(&self, buf: &mut [u8]) -> Option<usize> {
        let mut builder = Builder::new(buf, Class::Request, Method::BINDING, self.id);
        builder
            .attribute(&Username(self.username))
            .attribute(&Priority(self.priority));
        match self.role {
            IceRole::Controlling => builder.attribute(&IceControlling(self.tiebreaker)),
            IceRole::Controlled => builder.attribute(&IceControlled(self.tiebreaker)),
        };
        // ice-036: only the controlling agent nominates (RFC 8445 §7.1.2).
        if self.use_candidate && self.role == IceRole::Controlling {
            builder.attribute(&UseCandidate);
            if let Some(nomination) = self.nomination {
                builder.attribute(&Nomination(nomination));
            }
        }
        // ice-035: the fingerprint is not optional here (RFC 8445 §7.2.4).
        builder.integrity(self.key).fingerprint().finish().ok()
    }
}

/// The answer to a check that was accepted (RFC 8445 §7.3.1.2, stun-034).
pub(crate) fn write_success(
    buf: &mut [u8],
    id: TransactionId,
    mapped: SocketAddr,
    key: &dyn HmacKey,
) -> Option<usize> {
    Builder::new(buf, Class::Success, Method::BINDING, id)
        .attribute(&XorMappedAddress(mapped))
        .integrity(key)
        .fingerprint()
        .finish()
        .ok()
}

/// The answer to one that was not; without a key where the request was not authenticated
/// (RFC 8489 §9.1.3, stun-033).
pub(crate) fn write_error(
    buf: &mut [u8],
    id: TransactionId,
    code: &ErrorCode<'_>,
    unknown: Option<&UnknownAttributes>,
    key: Option<&dyn HmacKey>,
) -> Option<usize> {
    let mut builder = Builder::new(buf, Class::Error, Method::BINDING, id);
    builder.attribute(code);
    if let Some(unknown) = unknown {
        builder.attribute(unknown);
    }
    if let Some(key) = key {
        builder.integrity(key);
    }
    builder.fingerprint().finish().ok()
}

/// A question to a STUN server: a Binding request without credentials (RFC 8445 §5.1.1.2).
pub(crate) fn write_query(buf: &mut [u8], id: TransactionId) -> Option<usize> {
    Builder::new(buf, Class::Request, Method::BINDING, id)
        .fingerprint()
        .finish()
        .ok()
}

/// A keepalive: a Binding indication with a fingerprint and nothing else (RFC 8445 §11, ice-059).
pub(crate) fn write_keepalive(buf: &mut [u8], id: TransactionId) -> Option<usize> {
    Builder::new(buf, Class::Indication, Method::BINDING, id)
        .fingerprint()
        .finish()
        .ok()
}
