//! IVF: frames of VP8, VP9 or AV1 behind a header of 32 bytes.
//!
//! The file begins with
//!
//! ```text
//! bytes 0-3    "DKIF"
//! bytes 4-5    version (0)
//! bytes 6-7    length of this header (32)
//! bytes 8-11   codec: "VP80", "VP90", "AV01"
//! bytes 12-13  width in pixels
//! bytes 14-15  height in pixels
//! bytes 16-19  time base, denominator
//! bytes 20-23  time base, numerator
//! bytes 24-27  number of frames
//! bytes 28-31  unused
//! ```
//!
//! and each frame with
//!
//! ```text
//! bytes 0-3    length of the frame, without this header
//! bytes 4-11   when it is shown, in units of the time base
//! ```
//!
//! all in little endian. The unit of AV1 is the temporal unit.

use crate::codec::av1;
use crate::input::{Input, MAX_FRAME_LEN};
use crate::output::Output;
use crate::timeline::{Timeline, from_ticks, to_ticks};
use crate::{Codec, Dimensions, Error};
use rtp::Sample;
use std::io::{Read, Seek, Write};
use std::time::Duration;

/// The first bytes of a file.
pub(crate) const MAGIC: &[u8; 4] = b"DKIF";

/// The length of the header that is written and of the part that is read, in bytes.
const HEADER_LEN: u16 = 32;

/// How long a frame lasts if nothing says so.
const DEFAULT_FRAME_TIME: Duration = Duration::from_nanos(33_333_333);

/// A temporal delimiter with its length, 0 (AV1 §5.3, §5.6).
const TEMPORAL_DELIMITER: [u8; 2] = [0x12, 0];

/// The header of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The codec of all frames.
    pub codec: Codec,
    /// Width of the picture in pixels; 0 if the writer did not know.
    pub width: u16,
    /// Height of the picture in pixels; 0 if the writer did not know.
    pub height: u16,
    /// Units of time in a second, times [`units`](Self::units).
    pub rate: u32,
    /// What one unit of the frames' times is, in 1/[`rate`](Self::rate) s.
    pub units: u32,
    /// How many frames there are; many writers leave it 0, and no reader should trust it.
    pub frames: u32,
}

impl Header {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownFormat`] if it is not one, [`Error::Unsupported`] for an other version or
    /// codec.
    pub fn parse(bytes: &[u8; 32]) -> Result<Self, Error> {
        if !bytes.starts_with(MAGIC) {
            return Err(Error::UnknownFormat);
        }
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
        if half(4) != 0 {
            return Err(Error::Unsupported("this version of IVF"));
        }
        let codec = match &bytes[8..12] {
            b"VP80" => Codec::Vp8,
            b"VP90" => Codec::Vp9,
            b"AV01" => Codec::Av1,
            _ => return Err(Error::Unsupported("the codec of the file")),
        };
        Ok(Self {
            codec,
            width: half(12),
            height: half(14),
            rate: word(16),
            units: word(20),
            frames: word(24),
        })
    }

    /// The bytes of the header.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] if IVF has no name for the codec.
    pub fn to_bytes(&self) -> Result<[u8; 32], Error> {
        let name = match self.codec {
            Codec::Vp8 => b"VP80",
            Codec::Vp9 => b"VP90",
            Codec::Av1 => b"AV01",
            other => return Err(Error::Codec(other)),
        };
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(MAGIC);
        bytes[6..8].copy_from_slice(&HEADER_LEN.to_le_bytes());
        bytes[8..12].copy_from_slice(name);
        bytes[12..14].copy_from_slice(&self.width.to_le_bytes());
        bytes[14..16].copy_from_slice(&self.height.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.rate.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.units.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.frames.to_le_bytes());
        Ok(bytes)
    }

    fn time(&self, ticks: u64) -> Duration {
        from_ticks(ticks.saturating_mul(self.units.into()), self.rate)
    }
}

/// Reads a file frame by frame.
#[derive(Debug)]
pub struct Reader<R> {
    input: Input<R>,
    header: Header,
    /// The length and the time of the frame that comes next.
    next: Option<(u32, u64)>,
    /// How long the last frame lasts.
    frame_time: Duration,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// As [`Header::parse`], and [`Error::Malformed`] if the time base is of nothing.
    pub fn new(inner: R) -> Result<Self, Error> {
        let mut input = Input::new(inner);
        let bytes = input.array::<32>()?;
        let header = Header::parse(&bytes)?;
        if header.rate == 0 || header.units == 0 {
            return Err(input.malformed("a time base of 0"));
        }
        let more = u16::from_le_bytes([bytes[6], bytes[7]]).saturating_sub(HEADER_LEN);
        input.skip(more.into())?;
        let mut reader = Self {
            input,
            header,
            next: None,
            frame_time: DEFAULT_FRAME_TIME,
        };
        reader.next = reader.frame_header()?;
        Ok(reader)
    }

    /// The header of the file.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn frame_header(&mut self) -> Result<Option<(u32, u64)>, Error> {
        let Some([l0, l1, l2, l3, time @ ..]) = self.input.array_or_end::<12>()? else {
            return Ok(None);
        };
        let len = u32::from_le_bytes([l0, l1, l2, l3]);
        Ok(Some((len, u64::from_le_bytes(time))))
    }
}

impl<R: Read> crate::Reader for Reader<R> {
    fn codec(&self) -> Codec {
        self.header.codec
    }

    /// The next frame. It lasts until the one after it; the last, as long as the one before.
    fn read_sample(&mut self) -> Result<Option<Sample>, Error> {
        let Some((len, time)) = self.next.take() else {
            return Ok(None);
        };
        let data = self.input.bytes("frame", len.into(), MAX_FRAME_LEN)?;
        // A file that is cut here still gives this frame.
        self.next = match self.frame_header() {
            Err(Error::Truncated) => None,
            next => next?,
        };
        if let Some((_, next)) = self.next {
            self.frame_time = self.header.time(next.saturating_sub(time));
        }
        let mut sample = Sample::new(data, self.frame_time);
        sample.keyframe = self.header.codec.is_keyframe(&sample.data);
        Ok(Some(sample))
    }
}

/// Writes a file frame by frame.
///
/// The header is written with the first frame, from which it takes the size of the picture; the
/// number of frames is put in by [`finish`](crate::Writer::finish) if the output can seek, and
/// players do without.
#[derive(Debug)]
pub struct Writer<W> {
    output: Output<W>,
    codec: Codec,
    timeline: Timeline,
    frames: u32,
}

impl<W: Write> Writer<W> {
    /// A file of VP8, VP9 or AV1 that is only written forward.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] for any other codec.
    pub fn new(inner: W, codec: Codec) -> Result<Self, Error> {
        Self::with_output(Output::streaming(inner), codec)
    }

    /// A file of VP8, VP9 or AV1 whose header is completed at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] for any other codec.
    pub fn seekable(inner: W, codec: Codec) -> Result<Self, Error>
    where
        W: Seek,
    {
        Self::with_output(Output::seekable(inner), codec)
    }

    fn with_output(output: Output<W>, codec: Codec) -> Result<Self, Error> {
        if !matches!(codec, Codec::Vp8 | Codec::Vp9 | Codec::Av1) {
            return Err(Error::Codec(codec));
        }
        Ok(Self {
            output,
            codec,
            timeline: Timeline::new(codec.clock_rate()),
            frames: 0,
        })
    }

    /// The output back, as it is.
    pub fn into_inner(self) -> W {
        self.output.into_inner()
    }

    fn write_header(&mut self, dimensions: Option<Dimensions>) -> Result<(), Error> {
        let header = Header {
            codec: self.codec,
            width: dimensions.map_or(0, |size| size.width),
            height: dimensions.map_or(0, |size| size.height),
            rate: self.codec.clock_rate(),
            units: 1,
            frames: 0,
        };
        self.output.write(&header.to_bytes()?)
    }
}

impl<W: Write> crate::Writer for Writer<W> {
    /// Writes a frame. AV1 gets the temporal delimiter back that RTP leaves out.
    fn write_sample(&mut self, sample: &Sample) -> Result<(), Error> {
        if self.output.position() == 0 {
            self.write_header(self.codec.dimensions(&sample.data))?;
        }
        let delimiter: &[u8] = match self.codec {
            Codec::Av1 if av1::delimiter_len(&sample.data) == 0 => &TEMPORAL_DELIMITER,
            _ => &[],
        };
        let len = u32::try_from(delimiter.len() + sample.data.len())
            .map_err(|_| Error::Sample("it is larger than 4 GiB"))?;
        let time = to_ticks(self.timeline.place(sample), self.codec.clock_rate());
        self.output.write(&len.to_le_bytes())?;
        self.output.write(&time.to_le_bytes())?;
        self.output.write(delimiter)?;
        self.output.write(&sample.data)?;
        self.frames = self.frames.saturating_add(1);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        if self.output.position() == 0 {
            self.write_header(None)?;
        }
        self.output.overwrite(24, &self.frames.to_le_bytes())?;
        self.output.flush()
    }
}
