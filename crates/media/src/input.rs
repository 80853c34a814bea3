use crate::Error;
use bytes::Bytes;
use std::io::{self, BufRead, BufReader, Read};

/// The largest frame that a reader accepts, in bytes: several times an intra picture of 4K. A file
/// that says it has a larger one is refused before memory is taken for it.
pub const MAX_FRAME_LEN: usize = 16 << 20;

/// What a reader reads from: buffered, and it knows how far it is.
#[derive(Debug)]
pub(crate) struct Input<R> {
    inner: BufReader<R>,
    position: u64,
}

impl<R: Read> Input<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner: BufReader::with_capacity(64 << 10, inner),
            position: 0,
        }
    }

    /// The format forbids what was read last.
    pub(crate) fn malformed(&self, what: &'static str) -> Error {
        Error::Malformed {
            what,
            at: self.position,
        }
    }

    /// Whether nothing is left.
    pub(crate) fn is_at_end(&mut self) -> Result<bool, Error> {
        loop {
            match self.inner.fill_buf() {
                Ok(buffered) => return Ok(buffered.is_empty()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes)?;
        self.position += N as u64;
        Ok(bytes)
    }

    /// The next `N` bytes, or none if the file ends right here.
    pub(crate) fn array_or_end<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Error> {
        if self.is_at_end()? {
            return Ok(None);
        }
        self.array().map(Some)
    }

    /// Passes over `len` bytes.
    pub(crate) fn skip(&mut self, len: u64) -> Result<(), Error> {
        let skipped = io::copy(&mut (&mut self.inner).take(len), &mut io::sink())?;
        self.position += skipped;
        if skipped < len {
            return Err(Error::Truncated);
        }
        Ok(())
    }

    /// The next `len` bytes, fewer if the file ends before.
    pub(crate) fn up_to(&mut self, len: u64) -> Result<Bytes, Error> {
        let mut bytes = Vec::new();
        let read = (&mut self.inner).take(len).read_to_end(&mut bytes)?;
        self.position += read as u64;
        Ok(bytes.into())
    }

    /// The next `len` bytes, at most `limit`. Memory is taken as they come, so that a length that
    /// lies costs nothing.
    pub(crate) fn bytes(
        &mut self,
        what: &'static str,
        len: u64,
        limit: usize,
    ) -> Result<Bytes, Error> {
        let wanted = usize::try_from(len).unwrap_or(usize::MAX);
        if wanted > limit {
            let limit = limit as u64;
            return Err(Error::TooLarge { what, len, limit });
        }
        let mut bytes = Vec::with_capacity(wanted.min(64 << 10));
        let read = (&mut self.inner).take(len).read_to_end(&mut bytes)?;
        self.position += read as u64;
        if read < wanted {
            return Err(Error::Truncated);
        }
        Ok(bytes.into())
    }
}
