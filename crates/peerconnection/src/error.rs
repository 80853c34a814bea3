use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What a call did not do, named after the W3C exception (webrtc-pc §11, WebIDL §3.14).
///
/// The kind is for programs, the message for people, and the source is the error of the layer
/// that refused, where there is one.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
    sdp_line_number: Option<usize>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// The W3C exception that an [`Error`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// `InvalidStateError`: not in this state.
    InvalidState,
    /// `InvalidAccessError`: the object or description does not support it.
    InvalidAccess,
    /// `InvalidModificationError`: it cannot be changed in this way.
    InvalidModification,
    /// `OperationError`: it failed for a reason of the operation itself.
    Operation,
    /// `TypeError`: an argument is not of the right form.
    Type,
    /// `RangeError`: an argument is out of range.
    Range,
    /// `SyntaxError`: an argument does not parse.
    Syntax,
    /// `NotSupportedError`: this build does not do it.
    NotSupported,
    /// `RTCError` with detail `sdp-syntax-error`; [`Error::sdp_line_number`] says where.
    SdpSyntax,
    /// `RTCError` with detail `data-channel-failure`.
    DataChannelFailure,
    /// `RTCError` with detail `sctp-failure`.
    SctpFailure,
    /// `RTCError` with detail `dtls-failure`.
    DtlsFailure,
    /// `RTCError` with detail `fingerprint-failure`.
    FingerprintFailure,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            sdp_line_number: None,
            source: None,
        }
    }

    pub(crate) fn with_source(
        mut self,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    pub(crate) fn at_line(mut self, line: usize) -> Self {
        self.sdp_line_number = Some(line);
        self
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::InvalidState, "the connection is closed")
    }

    pub(crate) fn from_ice(error: layer::IceError) -> Self {
        Self::new(ErrorKind::Operation, "the ICE agent refused").with_source(error)
    }

    pub(crate) fn from_dtls(error: layer::DtlsError) -> Self {
        Self::new(ErrorKind::Operation, "the DTLS session refused").with_source(error)
    }

    /// Which W3C exception it stands for.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The line of the description, counted from 1, for [`ErrorKind::SdpSyntax`].
    #[must_use]
    pub fn sdp_line_number(&self) -> Option<usize> {
        self.sdp_line_number
    }
}

impl ErrorKind {
    /// The name of the W3C exception.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidState => "InvalidStateError",
            Self::InvalidAccess => "InvalidAccessError",
            Self::InvalidModification => "InvalidModificationError",
            Self::Operation => "OperationError",
            Self::Type => "TypeError",
            Self::Range => "RangeError",
            Self::Syntax => "SyntaxError",
            Self::NotSupported => "NotSupportedError",
            Self::SdpSyntax
            | Self::DataChannelFailure
            | Self::SctpFailure
            | Self::DtlsFailure
            | Self::FingerprintFailure => "RTCError",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)?;
        match self.sdp_line_number {
            Some(line) => write!(f, " (line {line})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
