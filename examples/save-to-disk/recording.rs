//! The files of one recording: WebM where it can hold the video, else one file for each stream.

use examples::Outcome;
use media::{Codec, OpusHead, Recorder, Writer, annex_b, ogg};
use muonrtc::rtp::Packet;
use muonrtc::rtp::payload::sample_builder::Config;
use muonrtc::rtp::payload::{SampleBuilder, depacketizer};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Takes the packets of a call as they come.
///
/// Files are written from the task that reads packets. A disk that stalls makes it late; the tracks'
/// queues hold what comes meanwhile, and give up the oldest if that is too much.
pub(crate) enum Recording {
    /// Both streams in one file, which puts their clocks together too.
    WebM(Box<Recorder<BufWriter<File>>>, PathBuf),
    /// WebM holds no H.264: the access units as a byte stream, and Opus in Ogg beside it.
    Apart {
        video: Box<Stream>,
        audio: Option<Box<Stream>>,
    },
}

impl Recording {
    /// Makes the files; `path` is without an ending.
    pub(crate) fn create(path: &Path, video: Option<Codec>, audio: Option<Codec>) -> Outcome<Self> {
        if video != Some(Codec::H264) {
            let path = path.with_extension("webm");
            let recorder = Recorder::seekable(create(&path)?, video, audio)?;
            return Ok(Self::WebM(Box::new(recorder), path));
        }
        let video = {
            let path = path.with_extension("h264");
            let writer = annex_b::Writer::new(create(&path)?, Codec::H264)?;
            Stream::new(Codec::H264, Box::new(writer), path)?
        };
        let audio = audio.map(|codec| {
            let path = path.with_extension("ogg");
            let writer = ogg::Writer::new(create(&path)?, &OpusHead::default())?;
            Stream::new(codec, Box::new(writer), path)
        });
        Ok(Self::Apart {
            video,
            audio: audio.transpose()?,
        })
    }

    pub(crate) fn write_video(&mut self, now: Instant, packet: Packet) -> Outcome {
        match self {
            Self::WebM(recorder, _) => recorder.write_video(now, packet)?,
            Self::Apart { video, .. } => video.push(packet)?,
        }
        Ok(())
    }

    pub(crate) fn write_audio(&mut self, now: Instant, packet: Packet) -> Outcome {
        match self {
            Self::WebM(recorder, _) => recorder.write_audio(now, packet)?,
            Self::Apart { audio, .. } => {
                if let Some(audio) = audio {
                    audio.push(packet)?;
                }
            }
        }
        Ok(())
    }

    /// Whether the sender should be asked for a key frame.
    pub(crate) fn needs_keyframe(&self) -> bool {
        match self {
            Self::WebM(recorder, _) => recorder.needs_keyframe(),
            Self::Apart { video, .. } => video.needs_keyframe,
        }
    }

    /// Writes what is held back, and completes the files' headers.
    pub(crate) fn finish(&mut self) -> Outcome {
        match self {
            Self::WebM(recorder, _) => recorder.finish()?,
            Self::Apart { video, audio } => {
                video.finish()?;
                if let Some(audio) = audio {
                    audio.finish()?;
                }
            }
        }
        Ok(())
    }

    /// Where the files are.
    pub(crate) fn names(&self) -> String {
        let shown = |path: &Path| {
            let path = path.canonicalize().unwrap_or(path.to_owned());
            path.display().to_string()
        };
        match self {
            Self::WebM(_, path) => shown(path),
            Self::Apart { video, audio } => match audio {
                Some(audio) => format!("{} and {}", shown(&video.path), shown(&audio.path)),
                None => shown(&video.path),
            },
        }
    }
}

/// One stream and its file.
pub(crate) struct Stream {
    /// Packets come in any order and samples leave in theirs.
    builder: SampleBuilder,
    writer: Box<dyn Writer + Send>,
    path: PathBuf,
    needs_keyframe: bool,
}

impl Stream {
    fn new(codec: Codec, writer: Box<dyn Writer + Send>, path: PathBuf) -> Outcome<Box<Self>> {
        let (_, name) = codec.mime_type().split_once('/').unwrap_or_default();
        let depacketizer = depacketizer(name).ok_or("no payload format of that name")?;
        Ok(Box::new(Self {
            builder: SampleBuilder::new(depacketizer, Config::new(codec.clock_rate())),
            writer,
            path,
            needs_keyframe: codec.is_video(),
        }))
    }

    fn push(&mut self, packet: Packet) -> Outcome {
        self.builder.push(packet);
        self.write()
    }

    fn write(&mut self) -> Outcome {
        while let Some(sample) = self.builder.pop() {
            // A picture that refers to one that is lost shows garbage: left out, as all are from
            // there to the next key frame. Every sample of audio is such.
            let lost = self.needs_keyframe || sample.lost_before > 0;
            self.needs_keyframe = lost && !sample.keyframe;
            if !self.needs_keyframe {
                self.writer.write_sample(&sample)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Outcome {
        self.builder.flush();
        self.write()?;
        Ok(self.writer.finish()?)
    }
}

fn create(path: &Path) -> Outcome<BufWriter<File>> {
    let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(BufWriter::new(file))
}
