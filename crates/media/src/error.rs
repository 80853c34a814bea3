use crate::Codec;
use std::fmt;
use std::io;

/// Why a file was not read or written on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    Io(io::Error),
    /// The first bytes are of no format that this build reads.
    UnknownFormat,
    /// The file ends in the middle of something, as one does whose writer was killed. What was read
    /// before it is good.
    Truncated,
    /// The format forbids what stands in the file.
    Malformed {
        /// What is wrong with it.
        what: &'static str,
        /// Where, in bytes from the start of the file: the end of what was read.
        at: u64,
    },
    /// The file says that something is larger than is accepted here.
    TooLarge {
        /// What is.
        what: &'static str,
        /// How large it says it is.
        len: u64,
        /// What is accepted.
        limit: u64,
    },
    /// The format allows it, and it is not spoken here.
    Unsupported(&'static str),
    /// The format does not carry this codec.
    Codec(Codec),
    /// The sample to be written is not of the codec of the file.
    Sample(&'static str),
    /// There is no track of this number.
    NoTrack(usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::UnknownFormat => f.write_str("the first bytes are of no known format"),
            Self::Truncated => f.write_str("the file ends in the middle of something"),
            Self::Malformed { what, at } => write!(f, "{what}, before byte {at}"),
            Self::TooLarge { what, len, limit } => {
                write!(f, "{what} of {len} bytes, of which {limit} are accepted")
            }
            Self::Unsupported(what) => write!(f, "{what} is not spoken here"),
            Self::Codec(codec) => write!(f, "the format does not carry {}", codec.mime_type()),
            Self::Sample(what) => write!(f, "the sample is not of the file's codec: {what}"),
            Self::NoTrack(track) => write!(f, "there is no track {track}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Io(error),
        }
    }
}
