use super::Boundary;
use crate::codec::nal;
use crate::input::MAX_FRAME_LEN;
use crate::{Codec, Error};
use bytes::{Buf, BytesMut};
use rtp::Sample;
use std::io::{self, Read};
use std::time::Duration;

/// How much is read at once, in bytes.
const CHUNK: usize = 64 << 10;

/// How long a frame lasts if neither the stream nor the user says so.
const DEFAULT_FRAME_TIME: Duration = Duration::from_nanos(33_333_333);

/// Reads a stream access unit by access unit.
///
/// A stream has no times. Frames last as long as the timing in parameter sets of H.264 says, or else
/// 1/30 s, unless [`set_frame_time`](Self::set_frame_time) was called.
#[derive(Debug)]
pub struct Reader<R> {
    inner: R,
    codec: Codec,
    boundary: Boundary,
    buffer: BytesMut,
    /// Where in the buffer the search for the next start code goes on.
    scanned: usize,
    /// Bytes given out so far.
    position: u64,
    at_end: bool,
    frame_time: Duration,
    frame_time_is_set: bool,
}

impl<R: Read> Reader<R> {
    /// Begins to read. Nothing is read yet: bytes before the first start code are passed over.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] if the codec is not H.264 or H.265.
    pub fn new(inner: R, codec: Codec) -> Result<Self, Error> {
        Ok(Self {
            inner,
            codec,
            boundary: Boundary::new(codec)?,
            buffer: BytesMut::new(),
            scanned: 0,
            position: 0,
            at_end: false,
            frame_time: DEFAULT_FRAME_TIME,
            frame_time_is_set: false,
        })
    }

    /// How long each frame lasts from now on, whatever the parameter sets say.
    pub fn set_frame_time(&mut self, frame_time: Duration) {
        self.frame_time = frame_time;
        self.frame_time_is_set = true;
    }

    fn fill(&mut self) -> Result<(), Error> {
        let len = self.buffer.len();
        if len > MAX_FRAME_LEN {
            return Err(Error::Malformed {
                what: "an access unit without end",
                at: self.position + len as u64,
            });
        }
        self.buffer.resize(len + CHUNK, 0);
        let read = loop {
            match self.inner.read(&mut self.buffer[len..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer
            .truncate(len + read.as_ref().map_or(0, |&read| read));
        self.at_end = read? == 0;
        Ok(())
    }

    /// Where the next access unit begins in the buffer, or the buffer ends with the file.
    fn next_boundary(&mut self) -> Result<usize, Error> {
        loop {
            let found = nal::start_code(&self.buffer[self.scanned..]).map(|at| at + self.scanned);
            match found {
                Some(at) if self.at_end || self.buffer.len() >= at + 3 + Boundary::LOOKED_AT => {
                    self.scanned = at + 3;
                    if self.boundary.begins_with(&self.buffer[at + 3..]) {
                        // The zero byte of a start code of four bytes belongs to what it starts.
                        let longer = at > 0 && self.buffer[at - 1] == 0;
                        return Ok(at - usize::from(longer));
                    }
                }
                Some(at) => {
                    self.scanned = at;
                    self.fill()?;
                }
                None if self.at_end => return Ok(self.buffer.len()),
                None => {
                    // The last two bytes may be the start of a start code.
                    self.scanned = self.scanned.max(self.buffer.len().saturating_sub(2));
                    self.fill()?;
                }
            }
        }
    }
}

impl<R: Read> crate::Reader for Reader<R> {
    fn codec(&self) -> Codec {
        self.codec
    }

    fn read_sample(&mut self) -> Result<Option<Sample>, Error> {
        loop {
            let end = self.next_boundary()?;
            if end == 0 {
                return Ok(None);
            }
            self.position += end as u64;
            self.scanned = self.scanned.saturating_sub(end);
            let mut unit = self.buffer.split_to(end);
            let Some(start) = nal::start_code(&unit) else {
                continue;
            };
            unit.advance(start.saturating_sub(1));
            if nal::units(&unit).next().is_none() {
                continue;
            }
            let data = unit.freeze();
            if !self.frame_time_is_set
                && let Some(frame_time) = self.codec.duration(&data)
            {
                self.frame_time = frame_time;
            }
            let mut sample = Sample::new(data, self.frame_time);
            sample.keyframe = self.codec.is_keyframe(&sample.data);
            return Ok(Some(sample));
        }
    }
}
