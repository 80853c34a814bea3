//! Playing files into tracks, at their own pace and without drift.

use crate::{Outcome, codec};
use media::{Reader, Sample, webm};
use muonrtc::TrackLocal;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// One stream of a file, and the track it is played into.
#[derive(Debug)]
pub struct Clip {
    path: PathBuf,
    /// Which track of a WebM file; `None` for files that have one.
    track_of_file: Option<usize>,
    track: TrackLocal,
}

impl Clip {
    /// The streams of a file that browsers can play: one, or in WebM one of video and one of audio.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or has none.
    pub fn open(path: impl AsRef<Path>) -> Outcome<Vec<Self>> {
        let path = path.as_ref();
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let file = File::open(path).map_err(|error| named(&error))?;
        let codecs: Vec<_> = match webm::Reader::new(file) {
            Ok(reader) => {
                let numbered = reader.tracks().iter().enumerate();
                let mut codecs: Vec<_> = numbered
                    .map(|(number, track)| (Some(number), track.codec))
                    .collect();
                // The first of each kind.
                codecs.sort_by_key(|(_, codec)| !codec.is_video());
                codecs.dedup_by_key(|(_, codec)| codec.is_video());
                codecs
            }
            // Not WebM: the first bytes tell what else.
            Err(_) => vec![(
                None,
                media::open(path).map_err(|error| named(&error))?.codec(),
            )],
        };
        let clip = |(track_of_file, codec)| {
            let id = if media::Codec::is_video(codec) {
                "video"
            } else {
                "audio"
            };
            Ok(Self {
                path: path.to_owned(),
                track_of_file,
                track: TrackLocal::new(id, codec::negotiable(codec)?)?,
            })
        };
        codecs.into_iter().map(clip).collect()
    }

    /// What it is played into.
    #[must_use]
    pub fn track(&self) -> &TrackLocal {
        &self.track
    }

    /// The samples from the beginning.
    fn reader(&self) -> Outcome<Box<dyn Reader + Send>> {
        let Some(track) = self.track_of_file else {
            return Ok(media::open(&self.path)?);
        };
        let mut reader = webm::Reader::new(File::open(&self.path)?)?;
        reader.select(track)?;
        Ok(Box::new(reader))
    }

    /// How long it lasts: the sum of its samples, as few files say it.
    fn length(&self) -> Outcome<Duration> {
        let mut reader = self.reader()?;
        let mut length = Duration::ZERO;
        while let Some(sample) = reader.read_sample()? {
            length += sample.duration;
        }
        Ok(length)
    }
}

/// Plays the clips together, again and again, until the future is dropped.
///
/// # Errors
///
/// If a file cannot be read or has no sample.
#[expect(clippy::disallowed_methods, reason = "an application reads the clock")]
pub async fn play(clips: &[Clip]) -> Outcome {
    let lengths: Outcome<Vec<_>> = clips.iter().map(Clip::length).collect();
    // A picture and its sound are rarely equally long; the next round begins when both have ended.
    let round = lengths?.into_iter().max().unwrap_or_default();
    if round.is_zero() {
        return Err("nothing to play".into());
    }
    let mut start = Instant::now();
    loop {
        play_once(clips, start, round).await?;
        start += round;
    }
}

/// Plays the clips from their beginnings, which are at `start`.
async fn play_once(clips: &[Clip], start: Instant, round: Duration) -> Outcome {
    let streams: Outcome<Vec<_>> = clips.iter().map(Stream::begin).collect();
    let mut streams = streams?;
    // Always the stream whose next sample is due first.
    while let Some(stream) = streams
        .iter_mut()
        .filter(|stream| stream.next.is_some())
        .min_by_key(|stream| stream.due)
    {
        // Every sample is due at a time counted from the start. Sleeping for the duration of each
        // would add the lateness of every sleep to all that follow: seconds in an hour.
        sleep_until(start + stream.due).await;
        stream.send(round)?;
    }
    sleep_until(start + round).await;
    Ok(())
}

/// A clip that is being played.
struct Stream<'a> {
    track: &'a TrackLocal,
    reader: Box<dyn Reader + Send>,
    /// The sample that comes next; `None` at the end.
    next: Option<Sample>,
    /// When it comes, from the start of the round.
    due: Duration,
}

impl<'a> Stream<'a> {
    fn begin(clip: &'a Clip) -> Outcome<Self> {
        let mut reader = clip.reader()?;
        Ok(Self {
            track: &clip.track,
            next: reader.read_sample()?,
            reader,
            due: Duration::ZERO,
        })
    }

    fn send(&mut self, round: Duration) -> Outcome {
        let Some(mut sample) = self.next.take() else {
            return Ok(());
        };
        self.next = self.reader.read_sample()?;
        if self.next.is_none() {
            // The clock of the track goes on by the duration of each sample. The last one lasts to
            // the end of the round, or the track's clock would fall behind with every round.
            sample.duration = round.saturating_sub(self.due);
        }
        self.due += sample.duration;
        self.track.write_sample(&sample)?;
        Ok(())
    }
}
