use crate::{Error, Reader};
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

/// How many bytes are looked at.
const LOOKED_AT: u64 = 12;

/// Opens a file of any format that this build reads, by its first bytes.
///
/// # Errors
///
/// [`Error::UnknownFormat`], [`Error::Io`], or what the format's reader says.
pub fn open(path: impl AsRef<Path>) -> Result<Box<dyn Reader + Send>, Error> {
    read(File::open(path)?)
}

/// As [`open`], from anything that can be read.
///
/// # Errors
///
/// As [`open`].
pub fn read(mut inner: impl Read + Send + 'static) -> Result<Box<dyn Reader + Send>, Error> {
    let mut first = Vec::new();
    (&mut inner).take(LOOKED_AT).read_to_end(&mut first)?;
    let whole = Cursor::new(first.clone()).chain(inner);
    #[cfg(feature = "ivf")]
    if first.starts_with(crate::ivf::MAGIC) {
        return Ok(Box::new(crate::ivf::Reader::new(whole)?));
    }
    #[cfg(feature = "ogg")]
    if first.starts_with(crate::ogg::MAGIC) {
        return Ok(Box::new(crate::ogg::Reader::new(whole)?));
    }
    #[cfg(feature = "annex-b")]
    if let Some(codec) = crate::annex_b::codec_of(&first) {
        return Ok(Box::new(crate::annex_b::Reader::new(whole, codec)?));
    }
    #[cfg(feature = "webm")]
    if first.starts_with(&crate::webm::MAGIC) {
        return Ok(Box::new(crate::webm::Reader::new(whole)?));
    }
    #[cfg(feature = "wav")]
    if first.starts_with(b"RIFF") && first.ends_with(b"WAVE") {
        return Ok(Box::new(crate::wav::Reader::new(whole)?));
    }
    drop(whole);
    Err(Error::UnknownFormat)
}
