//! Opus in Ogg (RFC 7845, RFC 3533).
//!
//! A file is a row of pages ([`Page`]). The first has the identification header ([`OpusHead`](crate::OpusHead)), the
//! second the comments, and each after them up to 255 segments of audio packets, with the position in
//! the audio after the last packet that ends on it.

mod page;
mod reader;
mod writer;

pub use self::page::Page;
pub use self::reader::Reader;
pub use self::writer::Writer;

/// The first bytes of a file.
pub(crate) const MAGIC: &[u8; 4] = b"OggS";
