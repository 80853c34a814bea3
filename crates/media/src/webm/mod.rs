//! VP8, VP9, AV1 and Opus in WebM (Matroska, RFC 9559; EBML, RFC 8794).
//!
//! A file is a tree of elements, each an id, a length and either bytes or more elements:
//!
//! ```text
//! EBML                      what kind of file it is
//! Segment
//! ├─ SeekHead               where the Cues are
//! ├─ Info                   the unit of time, the duration
//! ├─ Tracks                 a TrackEntry for each: number, codec, size of the picture
//! ├─ Cluster                some seconds of all tracks
//! │  ├─ Timestamp
//! │  └─ SimpleBlock         a frame, with its time from there
//! ├─ Cluster …
//! └─ Cues                   at which time is which cluster
//! ```
//!
//! A file that is written while it is played, or whose writer cannot seek, has segments and clusters
//! of unknown length and no cues.

mod block;
mod ebml;
mod reader;
mod track;
mod writer;

pub use self::reader::{Frame, Reader};
pub use self::track::Track;
pub use self::writer::{MAX_HELD, Writer};

/// The first bytes of a file: the id of the EBML header.
pub(crate) const MAGIC: [u8; 4] = id::EBML.to_be_bytes();

/// The ids that are read or written (RFC 8794 §11.2, RFC 9559 §5), with their length marker.
mod id {
    pub(super) const EBML: u32 = 0x1A45_DFA3;
    pub(super) const EBML_VERSION: u32 = 0x4286;
    pub(super) const EBML_READ_VERSION: u32 = 0x42F7;
    pub(super) const EBML_MAX_ID_LENGTH: u32 = 0x42F2;
    pub(super) const EBML_MAX_SIZE_LENGTH: u32 = 0x42F3;
    pub(super) const DOC_TYPE: u32 = 0x4282;
    pub(super) const DOC_TYPE_VERSION: u32 = 0x4287;
    pub(super) const DOC_TYPE_READ_VERSION: u32 = 0x4285;
    pub(super) const VOID: u32 = 0xEC;
    pub(super) const SEGMENT: u32 = 0x1853_8067;
    pub(super) const SEEK_HEAD: u32 = 0x114D_9B74;
    pub(super) const SEEK: u32 = 0x4DBB;
    pub(super) const SEEK_ID: u32 = 0x53AB;
    pub(super) const SEEK_POSITION: u32 = 0x53AC;
    pub(super) const INFO: u32 = 0x1549_A966;
    pub(super) const TIMESTAMP_SCALE: u32 = 0x002A_D7B1;
    pub(super) const DURATION: u32 = 0x4489;
    pub(super) const MUXING_APP: u32 = 0x4D80;
    pub(super) const WRITING_APP: u32 = 0x5741;
    pub(super) const TRACKS: u32 = 0x1654_AE6B;
    pub(super) const TRACK_ENTRY: u32 = 0xAE;
    pub(super) const TRACK_NUMBER: u32 = 0xD7;
    pub(super) const TRACK_UID: u32 = 0x73C5;
    pub(super) const TRACK_TYPE: u32 = 0x83;
    pub(super) const FLAG_LACING: u32 = 0x9C;
    pub(super) const DEFAULT_DURATION: u32 = 0x0023_E383;
    pub(super) const LANGUAGE: u32 = 0x0022_B59C;
    pub(super) const CODEC_ID: u32 = 0x86;
    pub(super) const CODEC_PRIVATE: u32 = 0x63A2;
    pub(super) const CODEC_DELAY: u32 = 0x56AA;
    pub(super) const SEEK_PRE_ROLL: u32 = 0x56BB;
    pub(super) const CONTENT_ENCODINGS: u32 = 0x6D80;
    pub(super) const VIDEO: u32 = 0xE0;
    pub(super) const PIXEL_WIDTH: u32 = 0xB0;
    pub(super) const PIXEL_HEIGHT: u32 = 0xBA;
    pub(super) const AUDIO: u32 = 0xE1;
    pub(super) const SAMPLING_FREQUENCY: u32 = 0xB5;
    pub(super) const CHANNELS: u32 = 0x9F;
    pub(super) const CLUSTER: u32 = 0x1F43_B675;
    pub(super) const TIMESTAMP: u32 = 0xE7;
    pub(super) const SIMPLE_BLOCK: u32 = 0xA3;
    pub(super) const BLOCK_GROUP: u32 = 0xA0;
    pub(super) const BLOCK: u32 = 0xA1;
    pub(super) const BLOCK_DURATION: u32 = 0x9B;
    pub(super) const REFERENCE_BLOCK: u32 = 0xFB;
    pub(super) const CUES: u32 = 0x1C53_BB6B;
    pub(super) const CUE_POINT: u32 = 0xBB;
    pub(super) const CUE_TIME: u32 = 0xB3;
    pub(super) const CUE_TRACK_POSITIONS: u32 = 0xB7;
    pub(super) const CUE_TRACK: u32 = 0xF7;
    pub(super) const CUE_CLUSTER_POSITION: u32 = 0xF1;
}
