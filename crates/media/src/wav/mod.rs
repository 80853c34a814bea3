//! Linear samples and G.711 in WAV (RIFF WAVE, RFC 2361).
//!
//! ```text
//! "RIFF" length "WAVE"
//! "fmt " length  the format: Format
//! "fact" length  count of samples, if they are not linear
//! "data" length  the samples
//! ```
//!
//! Lengths are 32 bits in little endian and count what follows them; a chunk of an odd length has one
//! more byte. A writer that cannot seek leaves lengths of all ones.

mod format;
mod reader;
mod writer;

pub use self::format::Format;
pub use self::reader::Reader;
pub use self::writer::Writer;
