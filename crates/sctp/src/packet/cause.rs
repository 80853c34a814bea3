use super::{DecodeError, Parameters, write_parameter};

/// An error cause of ABORT and ERROR (RFC 9260 §3.3.10).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |          Cause Code           |         Cause Length          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \                  Cause-Specific Information                   \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause<'a> {
    /// The cause code, one of [`CauseCode`] where known.
    pub code: u16,
    /// The cause-specific information.
    pub info: &'a [u8],
}

/// The cause codes of RFC 9260 §3.3.10.
#[derive(Clone, Copy, Debug)]
pub struct CauseCode;

impl CauseCode {
    /// A DATA chunk for a stream that does not exist (§3.3.10.1).
    pub const INVALID_STREAM_IDENTIFIER: u16 = 1;
    /// A mandatory parameter is missing (§3.3.10.2).
    pub const MISSING_MANDATORY_PARAMETER: u16 = 2;
    /// The cookie is too old (§3.3.10.3).
    pub const STALE_COOKIE: u16 = 3;
    /// The sender is out of resource (§3.3.10.4).
    pub const OUT_OF_RESOURCE: u16 = 4;
    /// An address that cannot be resolved (§3.3.10.5).
    pub const UNRESOLVABLE_ADDRESS: u16 = 5;
    /// A chunk type that is not known (§3.3.10.6).
    pub const UNRECOGNIZED_CHUNK_TYPE: u16 = 6;
    /// A mandatory parameter has an invalid value (§3.3.10.7).
    pub const INVALID_MANDATORY_PARAMETER: u16 = 7;
    /// Parameters that are not known (§3.3.10.8).
    pub const UNRECOGNIZED_PARAMETERS: u16 = 8;
    /// A DATA chunk without user data (§3.3.10.9).
    pub const NO_USER_DATA: u16 = 9;
    /// A cookie while the association shuts down (§3.3.10.10).
    pub const COOKIE_WHILE_SHUTTING_DOWN: u16 = 10;
    /// The owner aborted (§3.3.10.12).
    pub const USER_INITIATED_ABORT: u16 = 12;
    /// Something else was violated (§3.3.10.13).
    pub const PROTOCOL_VIOLATION: u16 = 13;
}

/// Iterates over error causes. It ends after the first error.
#[derive(Clone, Debug)]
pub struct Causes<'a>(Parameters<'a>);

impl<'a> Causes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(Parameters::new(bytes))
    }
}

impl<'a> Iterator for Causes<'a> {
    type Item = Result<Cause<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|cause| {
            cause.map(|cause| Cause {
                code: cause.kind,
                info: cause.value,
            })
        })
    }
}

/// Appends a cause to others.
pub fn write_cause(out: &mut Vec<u8>, code: u16, info: &[u8]) {
    write_parameter(out, code, info);
}
