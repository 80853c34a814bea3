use crate::Error;
use std::io::{self, Seek, SeekFrom, Write};

/// How bytes that were written are replaced, where the output can seek.
type Overwrite<W> = fn(&mut W, u64, &[u8]) -> io::Result<()>;

/// What a writer writes to: it knows how far it is, and it can go back if the output can seek.
#[derive(Debug)]
pub(crate) struct Output<W> {
    inner: W,
    position: u64,
    overwrite: Option<Overwrite<W>>,
}

impl<W: Write> Output<W> {
    /// An output that only goes forward.
    pub(crate) fn streaming(inner: W) -> Self {
        Self {
            inner,
            position: 0,
            overwrite: None,
        }
    }

    /// An output whose header can be completed at the end.
    pub(crate) fn seekable(inner: W) -> Self
    where
        W: Seek,
    {
        Self {
            inner,
            position: 0,
            overwrite: Some(overwrite::<W>),
        }
    }

    /// Bytes written so far.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.inner.write_all(bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Replaces what was written at `at`; does nothing where the output cannot seek.
    pub(crate) fn overwrite(&mut self, at: u64, bytes: &[u8]) -> Result<(), Error> {
        if let Some(overwrite) = self.overwrite {
            // From the end, so that a file that was not empty keeps what it had.
            overwrite(&mut self.inner, self.position - at, bytes)?;
        }
        Ok(())
    }

    /// Whether [`overwrite`](Self::overwrite) does something.
    pub(crate) fn can_overwrite(&self) -> bool {
        self.overwrite.is_some()
    }

    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        Ok(self.inner.flush()?)
    }

    pub(crate) fn into_inner(self) -> W {
        self.inner
    }
}

/// Replaces bytes that begin `back` bytes before where the output stands, and returns there.
fn overwrite<W: Write + Seek>(inner: &mut W, back: u64, bytes: &[u8]) -> io::Result<()> {
    let here = inner.stream_position()?;
    let at = here.checked_sub(back).ok_or(io::ErrorKind::InvalidInput)?;
    inner.seek(SeekFrom::Start(at))?;
    inner.write_all(bytes)?;
    inner.seek(SeekFrom::Start(here))?;
    Ok(())
}
