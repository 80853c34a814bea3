use std::fmt;

/// Why a description was rejected, and where (RFC 9429 §5.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: ParseErrorKind,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The description is longer than [`MAX_DESCRIPTION_LEN`](crate::MAX_DESCRIPTION_LEN) bytes.
    TooLong,
    /// It has more than [`MAX_LINES`](crate::MAX_LINES) lines.
    TooManyLines,
    /// Not `type=value`, or with a CR or NUL inside (RFC 8866 §5).
    NotALine,
    /// A line of this type may not stand here (RFC 8866 §5).
    Unexpected(char),
    /// A line of this type must stand here or earlier (RFC 8866 §5).
    Missing(char),
    /// The value of a line of this type does not have its form (RFC 8866 §9).
    Malformed(char),
    /// A number in a line of this type is out of range.
    OutOfRange(char),
    /// The version is not 0 (RFC 8866 §5.1).
    Version,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.kind)
    }
}

impl fmt::Display for ParseErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the description is too long"),
            Self::TooManyLines => f.write_str("the description has too many lines"),
            Self::NotALine => f.write_str("not a line of the form type=value"),
            Self::Unexpected(kind) => write!(f, "a {kind}= line may not stand here"),
            Self::Missing(kind) => write!(f, "a {kind}= line is missing"),
            Self::Malformed(kind) => write!(f, "the {kind}= line is malformed"),
            Self::OutOfRange(kind) => write!(f, "a number in the {kind}= line is out of range"),
            Self::Version => f.write_str("the version is not 0"),
        }
    }
}

impl std::error::Error for ParseError {}

/// Why the value of an attribute cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttributeError {
    /// The attribute.
    pub key: &'static str,
    /// What is wrong with it.
    pub kind: AttributeErrorKind,
}

impl AttributeError {
    pub(crate) fn new(key: &'static str, kind: AttributeErrorKind) -> Self {
        Self { key, kind }
    }

    pub(crate) fn malformed(key: &'static str) -> Self {
        Self::new(key, AttributeErrorKind::Malformed)
    }
}

/// What is wrong with the value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttributeErrorKind {
    /// It may stand once and stands twice.
    Duplicate,
    /// It does not have its form.
    Malformed,
    /// Its number is out of range.
    OutOfRange,
}

impl fmt::Display for AttributeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            AttributeErrorKind::Duplicate => "stands more than once",
            AttributeErrorKind::Malformed => "is malformed",
            AttributeErrorKind::OutOfRange => "is out of range",
        };
        write!(f, "attribute {} {what}", self.key)
    }
}

impl std::error::Error for AttributeError {}
