//! What can be asked of transceivers.

use super::Transceivers;
use super::transceiver::TransceiverKey;
use crate::api::state::{MediaKind, RtpTransceiverDirection};
use crate::parameters::{RtpCodecParameters, RtpContributingSource};
use std::time::Instant;

/// A transceiver, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransceiverInfo {
    /// Its section's name, once negotiated.
    pub mid: Option<String>,
    /// What it is for.
    pub kind: MediaKind,
    /// What is wanted.
    pub direction: RtpTransceiverDirection,
    /// What was negotiated last.
    pub current_direction: Option<RtpTransceiverDirection>,
}

/// A sender, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SenderInfo {
    /// The id of its track.
    pub track: Option<String>,
    /// The streams that its track belongs to.
    pub streams: Vec<String>,
}

/// A receiver, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiverInfo {
    /// The id of its track.
    pub track: String,
    /// The streams that the peer puts it into.
    pub streams: Vec<String>,
    /// The layers that the peer sends, by name; empty for one stream.
    pub layers: Vec<String>,
    /// Whether no media comes.
    pub muted: bool,
}

impl Transceivers {
    /// All transceivers that are not stopped, in the order they were made.
    pub(crate) fn keys(&self) -> impl Iterator<Item = TransceiverKey> {
        self.list.iter().map(|transceiver| transceiver.key)
    }

    pub(crate) fn info(&self, key: TransceiverKey) -> Option<TransceiverInfo> {
        self.get(key).map(|transceiver| TransceiverInfo {
            mid: transceiver.mid.clone(),
            kind: transceiver.kind,
            direction: transceiver.shown_direction(),
            current_direction: transceiver.current_direction,
        })
    }

    pub(crate) fn sender_info(&self, key: TransceiverKey) -> Option<SenderInfo> {
        self.get(key).map(|transceiver| SenderInfo {
            track: transceiver.sender.track.clone(),
            streams: transceiver.sender.streams.clone(),
        })
    }

    pub(crate) fn receiver_info(&self, key: TransceiverKey) -> Option<ReceiverInfo> {
        self.get(key).map(|transceiver| ReceiverInfo {
            track: transceiver.receiver.track.clone(),
            streams: transceiver.receiver.streams.clone(),
            layers: transceiver.receiver.layers.clone(),
            muted: transceiver.receiver.muted,
        })
    }

    /// Whom a receiver has heard in the last 10 s: contributing sources, or those that send.
    pub(crate) fn heard(
        &self,
        now: Instant,
        key: TransceiverKey,
        contributing: bool,
    ) -> Vec<RtpContributingSource> {
        self.get(key).map_or_else(Vec::new, |transceiver| {
            let heard = &transceiver.receiver.heard;
            heard.lately(now, self.start, contributing)
        })
    }

    /// The layer of our sender with this name.
    pub(crate) fn encoding_of(&self, key: TransceiverKey, rid: &str) -> Option<usize> {
        let encodings = &self.get(key)?.sender.encodings;
        encodings
            .iter()
            .position(|encoding| encoding.parameters.rid == rid)
    }

    /// The codec behind a payload type that the application knows.
    pub(crate) fn codec(&self, kind: MediaKind, payload_type: u8) -> Option<RtpCodecParameters> {
        self.capabilities
            .codecs(kind)
            .iter()
            .find(|own| own.payload_type == payload_type)
            .cloned()
    }
}
