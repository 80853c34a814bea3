use super::Format;
use super::format::swap;
use crate::output::Output;
use crate::timeline::{Timeline, from_ticks, to_ticks};
use crate::{Codec, Error};
use rtp::Sample;
use std::io::{Seek, Write};

/// The longest gap that is filled with silence, in seconds. Audio after a longer one follows at once.
const MAX_GAP: u64 = 60;

/// Samples of silence that are written at once.
const SILENCE: u64 = 1024;

/// Where the lengths of the chunks `fact` and `data` and of all of it stand.
const RIFF_LEN: u64 = 4;
const FACT: u64 = 46;
const DATA_LEN: u64 = 54;

/// The length of the header, in bytes.
const HEADER_LEN: u64 = 58;

/// Writes a file. Linear samples are taken in network byte order, and gaps between samples that have
/// RTP timestamps are filled with silence.
#[derive(Debug)]
pub struct Writer<W> {
    output: Output<W>,
    format: Format,
    timeline: Timeline,
    /// Samples of each channel so far.
    position: u64,
    scratch: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Writes the header of a file that is only written forward: it says that its length is not known.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] or [`Error::Unsupported`] if this is not a format of WAV, and [`Error::Io`].
    pub fn new(inner: W, format: Format) -> Result<Self, Error> {
        Self::with_output(Output::streaming(inner), format)
    }

    /// Writes the header of a file whose lengths are put in at the end.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn seekable(inner: W, format: Format) -> Result<Self, Error>
    where
        W: Seek,
    {
        Self::with_output(Output::seekable(inner), format)
    }

    fn with_output(mut output: Output<W>, format: Format) -> Result<Self, Error> {
        format.check()?;
        let mut header = b"RIFF\xFF\xFF\xFF\xFFWAVEfmt \x12\0\0\0".to_vec();
        header.extend_from_slice(&format.to_bytes());
        header.extend_from_slice(b"fact\x04\0\0\0\xFF\xFF\xFF\xFFdata\xFF\xFF\xFF\xFF");
        output.write(&header)?;
        Ok(Self {
            output,
            format,
            timeline: Timeline::new(format.sample_rate),
            position: 0,
            scratch: Vec::new(),
        })
    }

    /// The output back, as it is.
    pub fn into_inner(self) -> W {
        self.output.into_inner()
    }

    /// Writes silence up to where the sample begins.
    fn fill(&mut self, sample: &Sample) -> Result<(), Error> {
        let rate = self.format.sample_rate;
        let at = to_ticks(self.timeline.place(sample), rate);
        if at.abs_diff(self.position) > MAX_GAP * u64::from(rate) {
            let here = from_ticks(self.position, rate);
            self.timeline.restart(here, sample);
            return Ok(());
        }
        let block = usize::from(self.format.block_len());
        while self.position < at {
            let count = (at - self.position).min(SILENCE);
            let len = usize::try_from(count).unwrap_or(0) * block;
            self.scratch.clear();
            self.scratch.resize(len, self.format.silence());
            self.output.write(&self.scratch)?;
            self.position += count;
        }
        Ok(())
    }
}

impl<W: Write> crate::Writer for Writer<W> {
    fn write_sample(&mut self, sample: &Sample) -> Result<(), Error> {
        let block = usize::from(self.format.block_len());
        if !sample.data.len().is_multiple_of(block) {
            return Err(Error::Sample("it ends in the middle of a sample"));
        }
        self.fill(sample)?;
        if self.format.codec == Codec::L16 {
            self.scratch.clear();
            self.scratch.extend_from_slice(&sample.data);
            swap(&mut self.scratch);
            self.output.write(&self.scratch)?;
        } else {
            self.output.write(&sample.data)?;
        }
        self.position += (sample.data.len() / block) as u64;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        let len = self.output.position() - HEADER_LEN;
        if len % 2 == 1 {
            self.output.write(&[0])?;
        }
        let word = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
        let riff = self.output.position() - 8;
        self.output.overwrite(RIFF_LEN, &word(riff))?;
        self.output.overwrite(FACT, &word(self.position))?;
        self.output.overwrite(DATA_LEN, &word(len))?;
        self.output.flush()
    }
}
