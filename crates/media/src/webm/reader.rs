use super::block::Block;
use super::ebml::{Head, children, float, unsigned};
use super::{Track, id};
use crate::input::{Input, MAX_FRAME_LEN};
use crate::{Codec, Error};
use bytes::Bytes;
use rtp::Sample;
use std::collections::VecDeque;
use std::io::Read;
use std::time::Duration;

/// The largest header that a reader accepts, in bytes. Some files have pictures in it.
const MAX_HEADER_LEN: usize = 1 << 20;

/// What a block has around its frames, in bytes, at most.
const MAX_BLOCK_LEN: usize = MAX_FRAME_LEN + 1024;

/// The tracks that are looked at.
const MAX_TRACKS: usize = 64;

/// How long the last frame of a track lasts if nothing says so.
const DEFAULT_FRAME_TIME: Duration = Duration::from_nanos(33_333_333);

/// A frame of one of several tracks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// The index of its track in [`Reader::tracks`].
    pub track: usize,
    /// When it is shown or heard, from the start; what the decoder of Opus needs beforehand is not
    /// taken off.
    pub time: Duration,
    /// How long it lasts, if the block, the track or the frame itself says so.
    pub duration: Option<Duration>,
    /// Whether a decoder can begin here.
    pub keyframe: bool,
    /// The encoded bytes.
    pub data: Bytes,
}

/// Reads a file, forward: it may come from a pipe.
///
/// [`read_frame`](Self::read_frame) gives the frames of all tracks as they stand in the file. As a
/// [`crate::Reader`] it gives those of one track, the first of video if there is one, or the one that
/// was [selected](Self::select); to play two tracks, each at its pace, open the file twice.
#[derive(Debug)]
pub struct Reader<R> {
    input: Input<R>,
    tracks: Vec<Track>,
    selected: usize,
    /// Nanoseconds in a unit of time.
    scale: u64,
    duration: Option<Duration>,
    /// The time of the cluster, in units.
    cluster_time: u64,
    /// Frames of the last block.
    frames: VecDeque<Frame>,
    /// The frame of the selected track that is given next, when it is known how long it lasts.
    next: Option<Frame>,
    frame_time: Duration,
}

impl<R: Read> Reader<R> {
    /// Reads up to the tracks.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownFormat`] if it is no WebM or Matroska, [`Error::Unsupported`] if no track is of
    /// a codec that is known here, and the other variants if the file is broken.
    pub fn new(inner: R) -> Result<Self, Error> {
        let mut input = Input::new(inner);
        match Head::read(&mut input)? {
            Some(Head {
                id: id::EBML,
                len: Some(len),
            }) => check_ebml(input.bytes("EBML header", len, MAX_HEADER_LEN)?)?,
            _ => return Err(Error::UnknownFormat),
        }
        let mut reader = Self {
            input,
            tracks: Vec::new(),
            selected: 0,
            scale: 1_000_000,
            duration: None,
            cluster_time: 0,
            frames: VecDeque::new(),
            next: None,
            frame_time: DEFAULT_FRAME_TIME,
        };
        while reader.tracks.is_empty() {
            if !reader.read_element()? {
                return Err(Error::Truncated);
            }
        }
        let first_video = |track: &Track| track.codec.is_video();
        reader.selected = reader.tracks.iter().position(first_video).unwrap_or(0);
        Ok(reader)
    }

    /// The tracks of codecs that are known here, in the order of the file.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// How long all of it is, if the header says so.
    pub fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Chooses the track whose samples are read, by its index in [`tracks`](Self::tracks); before the
    /// first sample.
    ///
    /// # Errors
    ///
    /// [`Error::NoTrack`].
    pub fn select(&mut self, track: usize) -> Result<(), Error> {
        self.tracks.get(track).ok_or(Error::NoTrack(track))?;
        self.selected = track;
        Ok(())
    }

    /// The next frame of any track, or `None` at the end.
    ///
    /// # Errors
    ///
    /// An [`Error`] if the file cannot be read on; [`Error::Truncated`] if it ends in the middle of
    /// something.
    pub fn read_frame(&mut self) -> Result<Option<Frame>, Error> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Ok(Some(frame));
            }
            if !self.read_element()? {
                return Ok(None);
            }
        }
    }

    /// Reads the next element; `false` at the end of the file.
    ///
    /// Ids are not used at two levels of the tree, so segments and clusters are simply entered, and
    /// it need not be known where they end.
    fn read_element(&mut self) -> Result<bool, Error> {
        let Some(head) = Head::read(&mut self.input)? else {
            return Ok(false);
        };
        if matches!(head.id, id::SEGMENT | id::CLUSTER) {
            return Ok(true);
        }
        let Some(len) = head.len else {
            return Err(self.input.malformed("an element of unknown length"));
        };
        match head.id {
            id::INFO => {
                let info = self.input.bytes("info", len, MAX_HEADER_LEN)?;
                self.take_info(info);
            }
            id::TRACKS if self.tracks.is_empty() => {
                let tracks = self.input.bytes("tracks", len, MAX_HEADER_LEN)?;
                self.take_tracks(tracks)?;
            }
            id::TIMESTAMP => {
                self.cluster_time = unsigned(&self.input.bytes("timestamp", len, 8)?);
            }
            id::SIMPLE_BLOCK => {
                let block = self.input.bytes("block", len, MAX_BLOCK_LEN)?;
                self.take_block(block, None, None);
            }
            id::BLOCK_GROUP => {
                let group = self.input.bytes("block group", len, MAX_BLOCK_LEN)?;
                self.take_group(group);
            }
            _ => self.input.skip(len)?,
        }
        Ok(true)
    }

    fn take_info(&mut self, info: Bytes) {
        let mut duration = None;
        for (id, content) in children(info) {
            match id {
                id::TIMESTAMP_SCALE => self.scale = unsigned(&content).max(1),
                id::DURATION => duration = Some(float(&content)),
                _ => {}
            }
        }
        let seconds = |units: f64| units * self.scale as f64 / 1e9;
        self.duration = duration.and_then(|units| Duration::try_from_secs_f64(seconds(units)).ok());
    }

    fn take_tracks(&mut self, tracks: Bytes) -> Result<(), Error> {
        self.tracks = children(tracks)
            .filter(|(id, _)| *id == id::TRACK_ENTRY)
            .take(MAX_TRACKS)
            .filter_map(|(_, entry)| Track::parse(entry))
            .collect();
        if self.tracks.is_empty() {
            return Err(Error::Unsupported("the codec of every track"));
        }
        Ok(())
    }

    /// A BlockGroup (RFC 9559 §5.1.3.5): its block is a keyframe if it refers to no other.
    fn take_group(&mut self, group: Bytes) {
        let (mut block, mut duration, mut keyframe) = (None, None, true);
        for (id, content) in children(group) {
            match id {
                id::BLOCK => block = Some(content),
                id::BLOCK_DURATION => duration = Some(unsigned(&content)),
                id::REFERENCE_BLOCK => keyframe = false,
                _ => {}
            }
        }
        if let Some(block) = block {
            self.take_block(block, duration, Some(keyframe));
        }
    }

    /// A block that is broken or of a track that is not read is passed over.
    fn take_block(&mut self, content: Bytes, duration: Option<u64>, keyframe: Option<bool>) {
        let Some(block) = Block::parse(content) else {
            return;
        };
        let of_block = |track: &Track| track.number == block.track;
        let Some(index) = self.tracks.iter().position(of_block) else {
            return;
        };
        let track = &self.tracks[index];
        let units = self.cluster_time.saturating_add_signed(block.time.into());
        let mut time = self.time(units);
        let count = u32::try_from(block.frames.len()).unwrap_or(u32::MAX).max(1);
        let of_group = duration.map(|units| self.time(units) / count);
        for data in block.frames {
            let duration = of_group
                .or(track.frame_time)
                .or_else(|| track.codec.duration(&data));
            self.frames.push_back(Frame {
                track: index,
                time,
                duration,
                keyframe: keyframe.unwrap_or(block.keyframe),
                data,
            });
            time = time.saturating_add(duration.unwrap_or_default());
        }
    }

    fn time(&self, units: u64) -> Duration {
        Duration::from_nanos(units.saturating_mul(self.scale))
    }

    fn next_of_selected(&mut self) -> Result<Option<Frame>, Error> {
        while let Some(frame) = self.read_frame()? {
            if frame.track == self.selected {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }
}

/// The EBML header (RFC 8794 §11.2).
fn check_ebml(header: Bytes) -> Result<(), Error> {
    for (id, content) in children(header) {
        match id {
            id::DOC_TYPE if !matches!(&content[..], b"webm" | b"matroska") => {
                return Err(Error::UnknownFormat);
            }
            id::EBML_READ_VERSION if unsigned(&content) > 1 => {
                return Err(Error::Unsupported("this version of EBML"));
            }
            id::EBML_MAX_ID_LENGTH if unsigned(&content) > 4 => {
                return Err(Error::Unsupported("an id of more than four bytes"));
            }
            id::EBML_MAX_SIZE_LENGTH if unsigned(&content) > 8 => {
                return Err(Error::Unsupported("a length of more than eight bytes"));
            }
            _ => {}
        }
    }
    Ok(())
}

impl<R: Read> crate::Reader for Reader<R> {
    fn codec(&self) -> Codec {
        self.tracks[self.selected].codec
    }

    fn channels(&self) -> u8 {
        self.tracks[self.selected].channels
    }

    /// The next frame of the selected track. It lasts until the one after it, unless the file says
    /// something else.
    fn read_sample(&mut self) -> Result<Option<Sample>, Error> {
        let frame = match self.next.take() {
            Some(frame) => frame,
            None => match self.next_of_selected()? {
                Some(frame) => frame,
                None => return Ok(None),
            },
        };
        // A file that is cut here still gives this frame.
        self.next = match self.next_of_selected() {
            Err(Error::Truncated) => None,
            next => next?,
        };
        if let Some(next) = &self.next {
            self.frame_time = next.time.saturating_sub(frame.time);
        }
        let duration = frame.duration.unwrap_or(self.frame_time);
        let mut sample = Sample::new(frame.data, duration);
        sample.keyframe = frame.keyframe;
        Ok(Some(sample))
    }
}
