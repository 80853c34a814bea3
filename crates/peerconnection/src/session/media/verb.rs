//! What the application asks of transceivers (webrtc-pc §5).

use super::parameter::{check_encodings, type_error};
use super::transceiver::{Transceiver, TransceiverKey};
use super::{MediaEvent, Transceivers, codec};
use crate::api::state::{MediaKind, RtpTransceiverDirection};
use crate::error::{Error, ErrorKind};
use crate::parameters::{RtpCodec, RtpEncodingParameters, RtpTransceiverInit};
use std::time::Instant;

/// The longest name of a stream (RFC 8830 §2).
const MAX_STREAM_NAME: usize = 64;

/// What a sender is given to send: the id of a track and what its packets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentTrack {
    pub(crate) id: String,
    pub(crate) kind: MediaKind,
    /// `None` if the packets say it by their payload types.
    pub(crate) codec: Option<RtpCodec>,
}

impl Transceivers {
    /// W3C `addTransceiver` (webrtc-pc §5.1.2).
    pub(crate) fn add_transceiver(
        &mut self,
        kind: MediaKind,
        track: Option<SentTrack>,
        init: RtpTransceiverInit,
    ) -> Result<TransceiverKey, Error> {
        if init.direction == RtpTransceiverDirection::Stopped {
            return Err(type_error("a transceiver cannot begin as stopped"));
        }
        check_streams(&init.streams)?;
        check_encodings(kind, &init.send_encodings)?;
        self.check_sources(None, &init.send_encodings)?;
        let key = self.push(kind, init.direction, &init.send_encodings);
        if let Some(transceiver) = self.get_mut(key) {
            transceiver.sender.streams = init.streams;
            transceiver
                .sender
                .set_track(track.map(|track| (track.id, track.codec)));
        }
        Ok(key)
    }

    /// W3C `addTrack`: takes a sender that never sent and has no track, or makes one (pc-034).
    pub(crate) fn add_track(
        &mut self,
        track: SentTrack,
        streams: Vec<String>,
    ) -> Result<TransceiverKey, Error> {
        check_streams(&streams)?;
        let has_it = |transceiver: &Transceiver| {
            transceiver.is_alive() && transceiver.sender.track.as_ref() == Some(&track.id)
        };
        if self.list.iter().any(has_it) {
            return Err(Error::new(
                ErrorKind::InvalidAccess,
                "a sender has this track already",
            ));
        }
        let reusable = self.list.iter().find(|transceiver| {
            transceiver.kind == track.kind
                && transceiver.is_alive()
                && transceiver.sender.track.is_none()
                && !transceiver.sent()
        });
        let key = match reusable.map(|found| found.key) {
            Some(key) => {
                if let Some(transceiver) = self.get_mut(key) {
                    let receives = transceiver.direction.receives();
                    transceiver.direction = RtpTransceiverDirection::of(true, receives);
                }
                key
            }
            None => {
                let key = self.push(track.kind, RtpTransceiverDirection::SendRecv, &[]);
                if let Some(transceiver) = self.get_mut(key) {
                    transceiver.by_add_track = true;
                }
                key
            }
        };
        if let Some(transceiver) = self.get_mut(key) {
            transceiver.sender.streams = streams;
            transceiver.sender.set_track(Some((track.id, track.codec)));
        }
        Ok(key)
    }

    /// W3C `removeTrack`.
    pub(crate) fn remove_track(&mut self, key: TransceiverKey) {
        let Some(transceiver) = self.get_mut(key).filter(|found| found.is_alive()) else {
            return;
        };
        if transceiver.sender.track.is_none() {
            return;
        }
        transceiver.sender.set_track(None);
        let receives = transceiver.direction.receives();
        transceiver.direction = RtpTransceiverDirection::of(false, receives);
    }

    /// W3C `replaceTrack` (pc-039).
    pub(crate) fn replace_track(
        &mut self,
        key: TransceiverKey,
        track: Option<SentTrack>,
    ) -> Result<(), Error> {
        let transceiver = self.alive(key)?;
        if let Some(track) = &track
            && track.kind != transceiver.kind
        {
            return Err(type_error("the track is of another kind"));
        }
        if let Some(wanted) = track.as_ref().and_then(|track| track.codec.as_ref()) {
            let codecs = &transceiver.sender.codecs;
            let name = wanted.encoding_name();
            if !codecs.is_empty() && !codecs.iter().any(|own| own.codec.is(name)) {
                return Err(Error::new(
                    ErrorKind::InvalidModification,
                    format!("{} was not negotiated", wanted.mime_type),
                ));
            }
        }
        transceiver
            .sender
            .set_track(track.map(|track| (track.id, track.codec)));
        Ok(())
    }

    /// W3C `setStreams` (pc-040).
    pub(crate) fn set_streams(
        &mut self,
        key: TransceiverKey,
        streams: Vec<String>,
    ) -> Result<(), Error> {
        check_streams(&streams)?;
        self.alive(key)?.sender.streams = streams;
        Ok(())
    }

    /// W3C `direction`.
    pub(crate) fn set_direction(
        &mut self,
        key: TransceiverKey,
        direction: RtpTransceiverDirection,
    ) -> Result<(), Error> {
        if direction == RtpTransceiverDirection::Stopped {
            return Err(type_error("a transceiver is stopped by `stop`"));
        }
        self.alive(key)?.direction = direction;
        Ok(())
    }

    /// W3C `stop` (pc-033).
    pub(crate) fn stop(&mut self, now: Instant, key: TransceiverKey) {
        let Some(transceiver) = self.get_mut(key).filter(|found| found.is_alive()) else {
            return;
        };
        transceiver.stopping = true;
        transceiver.direction = RtpTransceiverDirection::Inactive;
        if transceiver.mid.is_none() {
            self.stop_now(now, key);
        } else {
            // Nothing is sent from now on; the peer hears of it by the next offer.
            if let Some(transceiver) = self.get_mut(key) {
                transceiver.sender.set_track(None);
            }
            self.rebind(now, key);
        }
    }

    /// The end of a transceiver, agreed on or without anybody to agree with.
    pub(super) fn stop_now(&mut self, now: Instant, key: TransceiverKey) {
        self.unbind(now, key);
        let Some(transceiver) = self.get_mut(key) else {
            return;
        };
        if std::mem::replace(&mut transceiver.stopped, true) {
            return;
        }
        transceiver.stopping = true;
        transceiver.current_direction = None;
        transceiver.mid = None;
        let told = transceiver
            .fired_direction
            .take()
            .is_some_and(RtpTransceiverDirection::receives);
        if told {
            self.events.push_back(MediaEvent::TrackEnded(key));
        }
        self.list.retain(|transceiver| transceiver.key != key);
    }

    /// All of them end with the connection; nothing is told (webrtc-pc §4.4.1.6).
    pub(crate) fn close(&mut self, now: Instant) {
        let keys: Vec<TransceiverKey> = self.keys().collect();
        for key in keys {
            self.stop_now(now, key);
        }
        self.events.clear();
    }

    /// W3C `setCodecPreferences` (webrtc-pc §5.4.2).
    pub(crate) fn set_codec_preferences(
        &mut self,
        key: TransceiverKey,
        codecs: Vec<RtpCodec>,
    ) -> Result<(), Error> {
        let kind = self.alive(key)?.kind;
        let capabilities = self.capabilities.codecs(kind);
        let unknown = codecs.iter().find(|wanted| {
            !["rtx", "red", "ulpfec"].iter().any(|name| wanted.is(name))
                && !capabilities
                    .iter()
                    .any(|own| codec::matches(&own.codec, wanted))
        });
        if let Some(unknown) = unknown {
            return Err(Error::new(
                ErrorKind::InvalidModification,
                format!("{} is not a capability", unknown.mime_type),
            ));
        }
        if !codecs.is_empty() && !codecs.iter().any(codec::is_primary) {
            return Err(Error::new(
                ErrorKind::InvalidModification,
                "the preferences have no codec that carries media",
            ));
        }
        self.alive(key)?.preferences = codecs;
        Ok(())
    }

    /// A synchronization source is of one encoding: two would share the keys of SRTP, and with them
    /// the key stream (RFC 3711 §9.1).
    pub(super) fn check_sources(
        &self,
        own: Option<TransceiverKey>,
        encodings: &[RtpEncodingParameters],
    ) -> Result<(), Error> {
        let given: Vec<u32> = encodings
            .iter()
            .map(|encoding| encoding.ssrc)
            .filter(|ssrc| *ssrc != 0)
            .collect();
        let is_sent = |ssrc: u32| {
            let others = self.list.iter().filter(|other| Some(other.key) != own);
            let mut encodings = others.flat_map(|other| &other.sender.encodings);
            encodings.any(|other| other.ssrc == ssrc || other.rtx_ssrc == ssrc)
        };
        for (place, ssrc) in given.iter().enumerate() {
            if given[..place].contains(ssrc) || is_sent(*ssrc) {
                return Err(Error::new(
                    ErrorKind::InvalidAccess,
                    format!("the source {ssrc} is sent already"),
                ));
            }
        }
        Ok(())
    }

    pub(super) fn alive(&mut self, key: TransceiverKey) -> Result<&mut Transceiver, Error> {
        self.get_mut(key)
            .filter(|transceiver| transceiver.is_alive())
            .ok_or_else(|| Error::new(ErrorKind::InvalidState, "the transceiver is stopped"))
    }
}

impl Transceiver {
    /// Whether its sender has ever been used to send (webrtc-pc §5.1.2).
    fn sent(&self) -> bool {
        self.current_direction
            .is_some_and(RtpTransceiverDirection::sends)
    }
}

/// RFC 8830 §2: `msid-id` is a token of at most 64 characters, and `-` stands for no stream.
fn check_streams(streams: &[String]) -> Result<(), Error> {
    let fits = |name: &String| {
        (1..=MAX_STREAM_NAME).contains(&name.len()) && name != "-" && name.bytes().all(is_token)
    };
    match streams.iter().find(|name| !fits(name)) {
        None => Ok(()),
        Some(name) => Err(type_error(format!("{name:?} cannot name a stream"))),
    }
}

/// RFC 8866 §9, `token-char`.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte)
}
