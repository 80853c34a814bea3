use crate::timeline::Timeline;
use crate::webm::{Track, Writer};
use crate::{Codec, Error, Writer as _};
use rtp::payload::sample_builder::Config;
use rtp::payload::{SampleBuilder, depacketizer};
use rtp::{Packet, Sample};
use std::io::{Seek, Write};
use std::time::{Duration, Instant};

/// How far the media clock of a stream may go away from the clock of arrival before it is taken for a
/// new one, as when the sender switched to another source.
const MAX_DRIFT: Duration = Duration::from_secs(5);

/// Records RTP as WebM: one stream of video, one of audio, or both.
///
/// Give every packet as it comes to [`write_video`](Self::write_video) or
/// [`write_audio`](Self::write_audio), with the time of its arrival; at the end,
/// [`finish`](Self::finish). Packets are put in order, and together to frames; a frame that lacks a
/// packet is left out. Video begins at a keyframe, and audio that was there before it is kept.
///
/// Within a stream, times are those of the RTP timestamps. Between the two, they are those of the
/// arrival of their first packets. A stream whose SSRC changes, or whose clock jumps, goes on at the
/// time of arrival.
#[derive(Debug)]
pub struct Recorder<W> {
    writer: Writer<W>,
    video: Option<Lane>,
    audio: Option<Lane>,
    start: Option<Instant>,
}

impl<W: Write> Recorder<W> {
    /// Records to an output that is only written forward.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] if WebM does not carry a codec.
    pub fn new(inner: W, video: Option<Codec>, audio: Option<Codec>) -> Result<Self, Error> {
        Self::with_writer(Writer::new(inner, &tracks(video, audio))?, video, audio)
    }

    /// Records to a file, whose header is completed at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] if WebM does not carry a codec.
    pub fn seekable(inner: W, video: Option<Codec>, audio: Option<Codec>) -> Result<Self, Error>
    where
        W: Seek,
    {
        let writer = Writer::seekable(inner, &tracks(video, audio))?;
        Self::with_writer(writer, video, audio)
    }

    fn with_writer(
        writer: Writer<W>,
        video: Option<Codec>,
        audio: Option<Codec>,
    ) -> Result<Self, Error> {
        let second = usize::from(video.is_some());
        Ok(Self {
            writer,
            video: video.map(|codec| Lane::new(codec, 0)).transpose()?,
            audio: audio.map(|codec| Lane::new(codec, second)).transpose()?,
            start: None,
        })
    }

    /// Records a packet of the video that came at `now`.
    ///
    /// # Errors
    ///
    /// [`Error::NoTrack`] if no video is recorded, [`Error::Io`].
    pub fn write_video(&mut self, now: Instant, packet: Packet) -> Result<(), Error> {
        let arrival = self.arrival(now);
        let lane = self.video.as_mut().ok_or(Error::NoTrack(0))?;
        lane.push(arrival, packet, &mut self.writer)
    }

    /// Records a packet of the audio that came at `now`.
    ///
    /// # Errors
    ///
    /// [`Error::NoTrack`] if no audio is recorded, [`Error::Io`].
    pub fn write_audio(&mut self, now: Instant, packet: Packet) -> Result<(), Error> {
        let arrival = self.arrival(now);
        let lane = self.audio.as_mut().ok_or(Error::NoTrack(1))?;
        lane.push(arrival, packet, &mut self.writer)
    }

    /// Whether the sender of the video should be asked for a keyframe: none has come yet, or none
    /// since a frame was lost.
    pub fn needs_keyframe(&self) -> bool {
        self.video.as_ref().is_some_and(|lane| lane.needs_keyframe)
    }

    /// Records what waits for packets that did not come, and completes the file. To be called once,
    /// after the last packet.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn finish(&mut self) -> Result<(), Error> {
        for lane in [&mut self.video, &mut self.audio].into_iter().flatten() {
            lane.flush(&mut self.writer)?;
        }
        self.writer.finish()
    }

    /// The output back, as it is.
    pub fn into_inner(self) -> W {
        self.writer.into_inner()
    }

    fn arrival(&mut self, now: Instant) -> Duration {
        now.saturating_duration_since(*self.start.get_or_insert(now))
    }
}

fn tracks(video: Option<Codec>, audio: Option<Codec>) -> Vec<Track> {
    video.into_iter().chain(audio).map(Track::new).collect()
}

/// One stream on its way into the file.
#[derive(Debug)]
struct Lane {
    codec: Codec,
    track: usize,
    builder: SampleBuilder,
    timeline: Timeline,
    ssrc: Option<u32>,
    /// When the last packet came, and when the last frame was.
    arrival: Duration,
    last: Duration,
    needs_keyframe: bool,
}

impl Lane {
    fn new(codec: Codec, track: usize) -> Result<Self, Error> {
        Ok(Self {
            codec,
            track,
            builder: builder(codec)?,
            timeline: Timeline::new(codec.clock_rate()),
            ssrc: None,
            arrival: Duration::ZERO,
            last: Duration::ZERO,
            needs_keyframe: codec.is_video(),
        })
    }

    fn push<W: Write>(
        &mut self,
        arrival: Duration,
        packet: Packet,
        writer: &mut Writer<W>,
    ) -> Result<(), Error> {
        let ssrc = Some(packet.header.ssrc);
        if self.ssrc != ssrc {
            if self.ssrc.is_some() {
                self.flush(writer)?;
                self.builder = builder(self.codec)?;
                self.needs_keyframe = self.codec.is_video();
            }
            self.ssrc = ssrc;
            self.timeline.anchor(arrival, packet.header.timestamp);
        }
        self.arrival = arrival;
        self.builder.push(packet);
        self.drain(writer)
    }

    fn flush<W: Write>(&mut self, writer: &mut Writer<W>) -> Result<(), Error> {
        self.builder.flush();
        self.drain(writer)
    }

    fn drain<W: Write>(&mut self, writer: &mut Writer<W>) -> Result<(), Error> {
        while let Some(mut sample) = self.builder.pop() {
            sample.keyframe = self.codec.is_keyframe(&sample.data);
            let lost = sample.lost_before > 0 && self.codec.is_video();
            self.needs_keyframe = (self.needs_keyframe || lost) && !sample.keyframe;
            // The builder says how long ago the sample before it was, not how long this one lasts.
            sample.duration = self.codec.duration(&sample.data).unwrap_or(sample.duration);
            let time = self.place(&sample);
            writer.write_at(self.track, time, &sample)?;
        }
        Ok(())
    }

    fn place(&mut self, sample: &Sample) -> Duration {
        let mut time = self.timeline.place(sample);
        if time.abs_diff(self.arrival) > MAX_DRIFT {
            time = self.arrival;
            self.timeline.anchor(time, sample.timestamp.unwrap_or(0));
        }
        self.last = self.last.max(time);
        self.last
    }
}

fn builder(codec: Codec) -> Result<SampleBuilder, Error> {
    let (_, name) = codec.mime_type().split_once('/').unwrap_or_default();
    let depacketizer = depacketizer(name).ok_or(Error::Codec(codec))?;
    Ok(SampleBuilder::new(
        depacketizer,
        Config::new(codec.clock_rate()),
    ))
}
