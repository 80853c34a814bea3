use super::block::KEYFRAME;
use super::ebml::{Elements, known_len};
use super::{Track, id};
use crate::codec::av1;
use crate::output::Output;
use crate::timeline::{Timeline, to_ticks};
use crate::{Codec, Error};
use rtp::Sample;
use std::collections::VecDeque;
use std::io::{Seek, Write};
use std::time::Duration;

/// A cluster that has lasted this long is followed by another, also without a keyframe; in
/// milliseconds.
const MAX_CLUSTER_TIME: u64 = 5000;

/// A cluster of this many bytes is followed by another (the WebM guidelines' 5 MB).
const MAX_CLUSTER_LEN: u64 = 5_000_000;

/// Frames that are held until each video track has had a keyframe, of which the header must know: ten
/// seconds of Opus at 20 ms. When one more comes, the header is written as it is.
pub const MAX_HELD: usize = 500;

/// The most entries of the cues; when there are more, every second one is left out.
const MAX_CUES: usize = 4096;

/// The most tracks that a file has: so many that a block names its track with one byte.
const MAX_TRACKS: usize = 126;

/// How many bytes the SeekHead takes.
const SEEK_HEAD_LEN: usize = 26;

/// How many bytes the Duration takes.
const DURATION_LEN: usize = 11;

/// Writes a file of one or several tracks.
///
/// The header is written when each video track has had its first keyframe: the size of the picture
/// stands in it. Frames of a video track before its keyframe are dropped, for no decoder could use
/// them; those of other tracks are held, at most [`MAX_HELD`].
///
/// Each cluster begins with a keyframe, or after five seconds. Where the output can seek, lengths are
/// put in as soon as they are known, and [`finish`](crate::Writer::finish) adds cues and the duration.
#[derive(Debug)]
pub struct Writer<W> {
    output: Output<W>,
    tracks: Vec<State>,
    held: VecDeque<(usize, Duration, Sample)>,
    header: Option<Positions>,
    cluster: Option<Cluster>,
    /// The time and the place of clusters.
    cues: Vec<(u64, u64)>,
    /// For the start of a block.
    scratch: Elements,
    /// Of how many clusters one has a cue, and how many were passed over since.
    cue_interval: (usize, usize),
    end: Duration,
}

#[derive(Debug)]
struct State {
    track: Track,
    timeline: Timeline,
    begun: bool,
}

/// Where things stand in the file that are replaced later.
#[derive(Clone, Copy, Debug)]
struct Positions {
    /// The content of the segment.
    segment: u64,
    seek_head: u64,
    duration: u64,
}

#[derive(Clone, Copy, Debug)]
struct Cluster {
    /// The content of the cluster.
    start: u64,
    /// In milliseconds.
    time: u64,
}

impl<W: Write> Writer<W> {
    /// A file that is only written forward, so that it can be played meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] if WebM does not carry the codec of a track, [`Error::Unsupported`] for more
    /// than 126 tracks.
    pub fn new(inner: W, tracks: &[Track]) -> Result<Self, Error> {
        Self::with_output(Output::streaming(inner), tracks)
    }

    /// A file whose header is completed.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn seekable(inner: W, tracks: &[Track]) -> Result<Self, Error>
    where
        W: Seek,
    {
        Self::with_output(Output::seekable(inner), tracks)
    }

    fn with_output(output: Output<W>, tracks: &[Track]) -> Result<Self, Error> {
        if tracks.len() > MAX_TRACKS {
            return Err(Error::Unsupported("a file of so many tracks"));
        }
        let tracks = (1..).zip(tracks).map(|(number, track)| {
            super::track::codec_id(track.codec)?;
            let track = Track {
                number,
                ..track.clone()
            };
            let timeline = Timeline::new(track.codec.clock_rate());
            Ok(State {
                track,
                timeline,
                begun: false,
            })
        });
        Ok(Self {
            output,
            tracks: tracks.collect::<Result<_, Error>>()?,
            held: VecDeque::new(),
            header: None,
            cluster: None,
            scratch: Elements::default(),
            cues: Vec::new(),
            cue_interval: (1, 0),
            end: Duration::ZERO,
        })
    }

    /// The output back, as it is.
    pub fn into_inner(self) -> W {
        self.output.into_inner()
    }

    /// Writes a sample of a track, of which the first has the number 0. Its place is that of its RTP
    /// timestamp or of its turn, counted from the first sample of the track.
    ///
    /// # Errors
    ///
    /// As [`write_at`](Self::write_at).
    pub fn write(&mut self, track: usize, sample: &Sample) -> Result<(), Error> {
        let state = self.tracks.get_mut(track).ok_or(Error::NoTrack(track))?;
        let time = state.timeline.place(sample);
        self.write_at(track, time, sample)
    }

    /// Writes a sample of a track at a time that the caller knows, counted from the start of the file.
    /// Samples of one track come in order; of several, about in order.
    ///
    /// # Errors
    ///
    /// [`Error::NoTrack`], [`Error::Io`].
    pub fn write_at(&mut self, track: usize, time: Duration, sample: &Sample) -> Result<(), Error> {
        let state = self.tracks.get_mut(track).ok_or(Error::NoTrack(track))?;
        if !state.begun {
            if !sample.keyframe && state.track.codec.is_video() {
                return Ok(());
            }
            state.begun = true;
            state.track.learn(&sample.data);
        }
        if self.header.is_some() {
            return self.write_block(track, time, sample);
        }
        self.held.push_back((track, time, sample.clone()));
        let waits = |state: &State| state.track.codec.is_video() && !state.begun;
        if self.held.len() <= MAX_HELD && self.tracks.iter().any(waits) {
            return Ok(());
        }
        self.write_held()
    }

    fn write_held(&mut self) -> Result<(), Error> {
        self.write_header()?;
        while let Some((track, time, sample)) = self.held.pop_front() {
            self.write_block(track, time, &sample)?;
        }
        Ok(())
    }

    fn write_header(&mut self) -> Result<(), Error> {
        let mut ebml = Elements::default();
        ebml.unsigned(id::EBML_VERSION, 1)
            .unsigned(id::EBML_READ_VERSION, 1)
            .unsigned(id::EBML_MAX_ID_LENGTH, 4)
            .unsigned(id::EBML_MAX_SIZE_LENGTH, 8)
            .binary(id::DOC_TYPE, b"webm")
            .unsigned(id::DOC_TYPE_VERSION, 4)
            .unsigned(id::DOC_TYPE_READ_VERSION, 2);
        let mut info = Elements::default();
        info.unsigned(id::TIMESTAMP_SCALE, 1_000_000)
            .binary(id::MUXING_APP, b"muon")
            .binary(id::WRITING_APP, b"muon")
            .void(DURATION_LEN);
        let mut tracks = Elements::default();
        for state in &self.tracks {
            state.track.write(&mut tracks)?;
        }
        let mut out = Elements::default();
        out.binary(id::EBML, &ebml.0).open(id::SEGMENT);
        let start = self.output.position();
        let segment = start + out.0.len() as u64;
        out.void(SEEK_HEAD_LEN).binary(id::INFO, &info.0);
        self.header = Some(Positions {
            segment,
            seek_head: segment,
            duration: start + (out.0.len() - DURATION_LEN) as u64,
        });
        out.binary(id::TRACKS, &tracks.0);
        self.output.write(&out.0)
    }

    /// The time of the block from its cluster, in milliseconds; first begins a new cluster if it does
    /// not go into the one under way.
    fn place(&mut self, track: usize, time: Duration, keyframe: bool) -> Result<i16, Error> {
        let time = to_ticks(time, 1000);
        let video = self.tracks[track].track.codec.is_video();
        if let Some(cluster) = self.cluster {
            let relative = time.cast_signed().wrapping_sub(cluster.time.cast_signed());
            let full = time.saturating_sub(cluster.time) >= MAX_CLUSTER_TIME
                || self.output.position() - cluster.start >= MAX_CLUSTER_LEN;
            if let Ok(relative) = i16::try_from(relative)
                && !full
                && !(video && keyframe)
            {
                return Ok(relative);
            }
        }
        self.end_cluster()?;
        if video && keyframe || !self.has_video() {
            self.add_cue(time);
        }
        self.begin_cluster(time)?;
        Ok(0)
    }

    fn begin_cluster(&mut self, time: u64) -> Result<(), Error> {
        let at = self.output.position();
        let mut out = Elements::default();
        out.open(id::CLUSTER);
        let start = at + out.0.len() as u64;
        out.unsigned(id::TIMESTAMP, time);
        self.cluster = Some(Cluster { start, time });
        self.output.write(&out.0)
    }

    fn end_cluster(&mut self) -> Result<(), Error> {
        if let Some(cluster) = self.cluster.take() {
            let len = known_len(self.output.position() - cluster.start);
            self.output.overwrite(cluster.start - 8, &len)?;
        }
        Ok(())
    }

    /// Remembers a cluster that begins here for the cues; so few of them that memory stays bounded.
    fn add_cue(&mut self, time: u64) {
        let at = self.output.position();
        let (interval, passed) = &mut self.cue_interval;
        *passed += 1;
        if *passed < *interval && !self.cues.is_empty() {
            return;
        }
        *passed = 0;
        self.cues.push((time, at));
        if self.cues.len() > MAX_CUES {
            *interval *= 2;
            let mut keep = false;
            self.cues.retain(|_| {
                keep = !keep;
                keep
            });
        }
    }

    fn write_block(&mut self, track: usize, time: Duration, sample: &Sample) -> Result<(), Error> {
        let relative = self.place(track, time, sample.keyframe)?;
        let state = &self.tracks[track];
        let delimiter = match state.track.codec {
            // Blocks have no temporal delimiters (AV1 in Matroska §4.2).
            Codec::Av1 => av1::delimiter_len(&sample.data),
            _ => 0,
        };
        let data = &sample.data[delimiter..];
        let [t0, t1] = relative.to_be_bytes();
        let keyframe = sample.keyframe || !state.track.codec.is_video();
        let number = u8::try_from(state.track.number).map_err(|_| Error::NoTrack(track))?;
        let head = [0x80 | number, t0, t1, if keyframe { KEYFRAME } else { 0 }];
        self.scratch.0.clear();
        self.scratch.head(id::SIMPLE_BLOCK, head.len() + data.len());
        self.scratch.0.extend_from_slice(&head);
        self.output.write(&self.scratch.0)?;
        self.output.write(data)?;
        self.end = self.end.max(time.saturating_add(sample.duration));
        Ok(())
    }

    /// Puts in what is known only now.
    fn complete(&mut self, positions: Positions) -> Result<(), Error> {
        if !self.cues.is_empty() {
            self.write_cues(positions)?;
        }
        let mut duration = Elements::default();
        duration.float(id::DURATION, self.end.as_secs_f64() * 1000.0);
        self.output.overwrite(positions.duration, &duration.0)?;
        let len = known_len(self.output.position() - positions.segment);
        self.output.overwrite(positions.segment - 8, &len)
    }

    fn write_cues(&mut self, positions: Positions) -> Result<(), Error> {
        let at = self.output.position();
        let mut cues = Elements::default();
        for &(time, cluster) in &self.cues {
            let mut place = Elements::default();
            place
                .unsigned(id::CUE_TRACK, self.cue_track())
                .unsigned(id::CUE_CLUSTER_POSITION, cluster - positions.segment);
            let mut point = Elements::default();
            point
                .unsigned(id::CUE_TIME, time)
                .binary(id::CUE_TRACK_POSITIONS, &place.0);
            cues.binary(id::CUE_POINT, &point.0);
        }
        let mut out = Elements::default();
        out.binary(id::CUES, &cues.0);
        self.output.write(&out.0)?;
        let mut seek_head = Elements::default();
        seek_head.seek_head(id::CUES, at - positions.segment);
        self.output.overwrite(positions.seek_head, &seek_head.0)
    }

    fn has_video(&self) -> bool {
        let video = |state: &State| state.track.codec.is_video();
        self.tracks.iter().any(video)
    }

    /// Cues point into video, if there is any.
    fn cue_track(&self) -> u64 {
        let video = |state: &&State| state.track.codec.is_video();
        self.tracks
            .iter()
            .find(video)
            .map_or(1, |state| state.track.number)
    }
}

/// As the writer of the first track.
impl<W: Write> crate::Writer for Writer<W> {
    fn write_sample(&mut self, sample: &Sample) -> Result<(), Error> {
        self.write(0, sample)
    }

    fn finish(&mut self) -> Result<(), Error> {
        if self.header.is_none() {
            self.write_held()?;
        }
        self.end_cluster()?;
        if let Some(positions) = self.header
            && self.output.can_overwrite()
        {
            self.complete(positions)?;
        }
        self.output.flush()
    }
}
