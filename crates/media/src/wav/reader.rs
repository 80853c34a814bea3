use super::Format;
use super::format::swap;
use crate::input::Input;
use crate::timeline::from_ticks;
use crate::{Codec, Error};
use bytes::Bytes;
use rtp::Sample;
use std::io::Read;

/// Chunks that may stand before the samples.
const MAX_CHUNKS: u32 = 1000;

/// The longest `fmt ` that is accepted, in bytes.
const MAX_FORMAT_LEN: usize = 1024;

/// Packets in a second: of 20 ms (RFC 3551 §4.2).
const PACKETS_PER_SECOND: u32 = 50;

/// Reads a file in samples of 20 ms. Linear ones are given in network byte order.
#[derive(Debug)]
pub struct Reader<R> {
    input: Input<R>,
    format: Format,
    /// Bytes that are left; `None` if the file does not say.
    left: Option<u64>,
}

impl<R: Read> Reader<R> {
    /// Reads up to the samples.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownFormat`] if the file begins otherwise, [`Error::Truncated`] if there are no
    /// samples, and as [`Format::parse`].
    pub fn new(inner: R) -> Result<Self, Error> {
        let mut input = Input::new(inner);
        let head = input.array::<12>()?;
        if !head.starts_with(b"RIFF") || !head.ends_with(b"WAVE") {
            return Err(Error::UnknownFormat);
        }
        let mut format = None;
        for _ in 0..MAX_CHUNKS {
            let [name @ .., l0, l1, l2, l3] = input.array::<8>()?;
            let len = u32::from_le_bytes([l0, l1, l2, l3]);
            let padded = u64::from(len) + u64::from(len % 2);
            match (&name, format) {
                (b"fmt ", None) => {
                    let chunk = input.bytes("fmt", padded, MAX_FORMAT_LEN)?;
                    format = Some(Format::parse(&chunk)?);
                }
                (b"data", Some(format)) => {
                    let left = (len != u32::MAX).then_some(len.into());
                    return Ok(Self {
                        input,
                        format,
                        left,
                    });
                }
                (b"data", None) => return Err(input.malformed("samples without a format")),
                _ => input.skip(padded)?,
            }
        }
        Err(input.malformed("nothing but other chunks"))
    }

    /// What the samples are.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The bytes of the next 20 ms, fewer at the end.
    fn next_packet(&mut self) -> Result<Bytes, Error> {
        let block = u64::from(self.format.block_len());
        let wanted = u64::from(self.format.sample_rate.div_ceil(PACKETS_PER_SECOND)) * block;
        let wanted = self.left.map_or(wanted, |left| left.min(wanted));
        let bytes = self.input.up_to(wanted)?;
        let whole = bytes.len() - bytes.len() % usize::from(self.format.block_len());
        self.left = self.left.map(|left| left - bytes.len() as u64);
        Ok(bytes.slice(..whole))
    }
}

impl<R: Read> crate::Reader for Reader<R> {
    fn codec(&self) -> Codec {
        self.format.codec
    }

    fn clock_rate(&self) -> u32 {
        self.format.sample_rate
    }

    fn channels(&self) -> u8 {
        self.format.channels
    }

    fn read_sample(&mut self) -> Result<Option<Sample>, Error> {
        let mut data = self.next_packet()?;
        if data.is_empty() {
            return Ok(None);
        }
        let count = data.len() as u64 / u64::from(self.format.block_len());
        if self.format.codec == Codec::L16 {
            let mut bytes = Vec::from(data);
            swap(&mut bytes);
            data = bytes.into();
        }
        let mut sample = Sample::new(data, from_ticks(count, self.format.sample_rate));
        sample.keyframe = true;
        Ok(Some(sample))
    }
}
