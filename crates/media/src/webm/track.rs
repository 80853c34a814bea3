use super::ebml::{Elements, children, float, unsigned};
use super::id;
use crate::codec::av1::{self, SequenceHeader};
use crate::{Codec, Dimensions, Error, OpusHead};
use bytes::Bytes;
use std::time::Duration;

/// What a decoder of Opus has to run before a point that is sought, in nanoseconds (RFC 7845 §4.2).
const SEEK_PRE_ROLL: u64 = 80_000_000;

/// A track of a file (RFC 9559 §5.1.4.1).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Track {
    /// Its number in the blocks; a writer numbers tracks from 1.
    pub number: u64,
    /// The codec.
    pub codec: Codec,
    /// The size of the picture. A writer takes it from the first keyframe, whatever stands here.
    pub dimensions: Option<Dimensions>,
    /// The rate of the samples of audio, in Hz.
    pub sample_rate: u32,
    /// The channels of audio.
    pub channels: u8,
    /// How long each frame lasts, if that is the same for all.
    pub frame_time: Option<Duration>,
    /// What a decoder must know beforehand: `OpusHead` for Opus, `av1C` for AV1. A writer makes it.
    pub codec_private: Bytes,
}

impl Track {
    /// A track to be written: for Opus, in stereo.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        Self {
            number: 0,
            codec,
            dimensions: None,
            sample_rate: if codec.is_video() {
                0
            } else {
                codec.clock_rate()
            },
            channels: if codec.is_video() { 0 } else { 2 },
            frame_time: None,
            codec_private: Bytes::new(),
        }
    }

    /// Reads a TrackEntry; `None` if its codec or its coding is not known here.
    pub(super) fn parse(entry: Bytes) -> Option<Self> {
        let mut track = Self::new(Codec::Vp8);
        let mut codec = None;
        for (id, content) in children(entry) {
            match id {
                id::TRACK_NUMBER => track.number = unsigned(&content),
                id::CODEC_ID => codec = codec_of(&content),
                id::CODEC_PRIVATE => track.codec_private = content,
                id::DEFAULT_DURATION => {
                    track.frame_time = Some(Duration::from_nanos(unsigned(&content)));
                }
                id::VIDEO => track.dimensions = dimensions(content),
                id::AUDIO => track.parse_audio(content),
                // Compressed or encrypted.
                id::CONTENT_ENCODINGS => return None,
                _ => {}
            }
        }
        track.codec = codec?;
        Some(track)
    }

    fn parse_audio(&mut self, audio: Bytes) {
        // The defaults of RFC 9559 §5.1.4.1.29.
        (self.sample_rate, self.channels) = (8000, 1);
        for (id, content) in children(audio) {
            match id {
                id::SAMPLING_FREQUENCY => self.sample_rate = whole(float(&content)),
                id::CHANNELS => self.channels = u8::try_from(unsigned(&content)).unwrap_or(0),
                _ => {}
            }
        }
    }

    /// Stands in Matroska as it stands in Ogg.
    fn opus_head(&self) -> OpusHead {
        OpusHead {
            channels: self.channels,
            ..OpusHead::default()
        }
    }

    /// Takes from a keyframe what the header must say.
    pub(super) fn learn(&mut self, keyframe: &[u8]) {
        self.dimensions = self.codec.dimensions(keyframe);
        if self.codec == Codec::Av1 {
            self.codec_private = av1_configuration(keyframe).unwrap_or_default().into();
        }
    }

    /// The TrackEntry.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] if WebM does not carry the codec.
    pub(super) fn write(&self, out: &mut Elements) -> Result<(), Error> {
        let mut entry = Elements::default();
        entry
            .unsigned(id::TRACK_NUMBER, self.number)
            .unsigned(id::TRACK_UID, self.number)
            .unsigned(id::TRACK_TYPE, if self.codec.is_video() { 1 } else { 2 })
            .unsigned(id::FLAG_LACING, 0)
            .binary(id::LANGUAGE, b"und")
            .binary(id::CODEC_ID, codec_id(self.codec)?);
        if self.codec.is_video() {
            let size = self.dimensions.unwrap_or(UNKNOWN_DIMENSIONS);
            let mut video = Elements::default();
            video
                .unsigned(id::PIXEL_WIDTH, size.width.into())
                .unsigned(id::PIXEL_HEIGHT, size.height.into());
            entry.binary(id::VIDEO, &video.0);
        } else {
            let mut audio = Elements::default();
            audio
                .float(id::SAMPLING_FREQUENCY, self.sample_rate.into())
                .unsigned(id::CHANNELS, self.channels.into());
            entry.binary(id::AUDIO, &audio.0);
            let delay = u64::from(self.opus_head().pre_skip) * 1_000_000_000 / 48_000;
            entry
                .unsigned(id::CODEC_DELAY, delay)
                .unsigned(id::SEEK_PRE_ROLL, SEEK_PRE_ROLL);
        }
        match self.codec {
            Codec::Opus => entry.binary(id::CODEC_PRIVATE, &self.opus_head().to_bytes()),
            _ if self.codec_private.is_empty() => &mut entry,
            _ => entry.binary(id::CODEC_PRIVATE, &self.codec_private),
        };
        out.binary(id::TRACK_ENTRY, &entry.0);
        Ok(())
    }
}

/// What stands in the header of a track that has not had a keyframe. Decoders go by the frames.
const UNKNOWN_DIMENSIONS: Dimensions = Dimensions {
    width: 640,
    height: 480,
};

fn codec_of(id: &[u8]) -> Option<Codec> {
    [Codec::Vp8, Codec::Vp9, Codec::Av1, Codec::Opus]
        .into_iter()
        .find(|&codec| codec_id(codec).is_ok_and(|known| known == id))
}

/// The names of codecs (Matroska codec mappings).
pub(super) fn codec_id(codec: Codec) -> Result<&'static [u8], Error> {
    Ok(match codec {
        Codec::Vp8 => b"V_VP8",
        Codec::Vp9 => b"V_VP9",
        Codec::Av1 => b"V_AV1",
        Codec::Opus => b"A_OPUS",
        other => return Err(Error::Codec(other)),
    })
}

fn dimensions(video: Bytes) -> Option<Dimensions> {
    let (mut width, mut height) = (0, 0);
    for (id, content) in children(video) {
        match id {
            id::PIXEL_WIDTH => width = unsigned(&content),
            id::PIXEL_HEIGHT => height = unsigned(&content),
            _ => {}
        }
    }
    Dimensions::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?)
}

/// A rate in Hz, as a whole number.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a float becomes the nearest number there is, and NaN becomes 0"
)]
fn whole(rate: f64) -> u32 {
    rate.round() as u32
}

/// The `av1C` of a stream (AV1 in ISOBMFF §2.3.3), with its sequence header.
///
/// ```text
/// +-+-------------+-----+---------+-+-+-+-+-+-+---+---------------+ - - - +
/// |1| version (1) | pro | level   |T|H|W|M|X|Y|pos| no delay (0)  | OBU   |
/// +-+-------------+-----+---------+-+-+-+-+-+-+---+---------------+ - - - +
/// T: tier; H: more than 8 bits; W: 12 bits; M: monochrome; X, Y: subsampled; pos: sample position
/// ```
fn av1_configuration(temporal_unit: &[u8]) -> Option<Vec<u8>> {
    let payload = av1::sequence_header(temporal_unit)?.payload;
    let header = SequenceHeader::parse(payload)?;
    let color = header.color;
    let mut bytes = vec![
        0x81,
        header.profile << 5 | header.level,
        u8::from(header.tier) << 7
            | u8::from(color.high_bit_depth) << 6
            | u8::from(color.twelve_bit) << 5
            | u8::from(color.monochrome) << 4
            | u8::from(color.subsampling_x) << 3
            | u8::from(color.subsampling_y) << 2
            | color.sample_position,
        0,
    ];
    av1::write_sequence_header(payload, &mut bytes);
    Some(bytes)
}
