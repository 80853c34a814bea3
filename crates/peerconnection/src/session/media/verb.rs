//! What the application asks of transceivers (webrtc-pc §5).

use super::transceiver::{Transceiver, TransceiverKey};
use super::{MediaEvent, Transceivers, codec};
use crate::api::state::{MediaKind, RtpTransceiverDirection};
use crate::error::{Error, ErrorKind};
use crate::parameters::{
    RtpCodec, RtpCodecParameters, RtpContributingSource, RtpEncodingParameters,
    RtpReceiveParameters, RtpSendParameters, RtpTransceiverInit,
};
use std::time::Instant;

/// The longest name of a layer: what a one-byte header extension carries (RFC 8852 §3.1).
const MAX_RID: usize = 16;

/// The longest name of a stream (RFC 8830 §2).
const MAX_STREAM_NAME: usize = 64;

/// The most encodings of a sender.
const MAX_ENCODINGS: usize = super::receiver::MAX_LAYERS;

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

/// What a sender is given to send: the id of a track and what its packets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentTrack {
    pub(crate) id: String,
    pub(crate) kind: MediaKind,
    /// `None` if the packets say it by their payload types.
    pub(crate) codec: Option<RtpCodec>,
}

fn type_error(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Type, message)
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

    /// W3C `getParameters` of the sender.
    pub(crate) fn send_parameters(&mut self, key: TransceiverKey) -> Option<RtpSendParameters> {
        let cname = self.cname.clone();
        let transceiver = self.get_mut(key)?;
        let sender = &mut transceiver.sender;
        sender.transaction += 1;
        Some(RtpSendParameters {
            transaction_id: sender.transaction.to_string(),
            mid: transceiver.mid.clone().unwrap_or_default(),
            encodings: sender
                .encodings
                .iter()
                .map(|encoding| encoding.parameters.clone())
                .collect(),
            header_extensions: sender.extensions.parameters.clone(),
            codecs: sender.codecs.clone(),
            cname,
        })
    }

    /// W3C `setParameters` (pc-036, pc-037): takes effect without negotiation.
    pub(crate) fn set_send_parameters(
        &mut self,
        key: TransceiverKey,
        parameters: RtpSendParameters,
    ) -> Result<(), Error> {
        let cname = self.cname.clone();
        let transceiver = self.alive(key)?;
        let kind = transceiver.kind;
        let sender = &mut transceiver.sender;
        if parameters.transaction_id != sender.transaction.to_string() {
            return Err(Error::new(
                ErrorKind::InvalidModification,
                "the parameters are not those that were read last",
            ));
        }
        let same = parameters.encodings.len() == sender.encodings.len()
            && parameters
                .encodings
                .iter()
                .zip(&sender.encodings)
                .all(|(new, old)| new.rid == old.parameters.rid && new.ssrc == old.parameters.ssrc)
            && parameters.codecs == sender.codecs
            && parameters.header_extensions == sender.extensions.parameters
            && parameters.cname == cname;
        if !same {
            return Err(Error::new(
                ErrorKind::InvalidModification,
                "only what an encoding is asked for can be changed",
            ));
        }
        check_wishes(kind, &parameters.encodings)?;
        for (encoding, new) in sender.encodings.iter_mut().zip(parameters.encodings) {
            encoding.parameters = new;
        }
        sender.transaction += 1;
        Ok(())
    }

    /// W3C `getParameters` of the receiver.
    pub(crate) fn receive_parameters(&self, key: TransceiverKey) -> Option<RtpReceiveParameters> {
        let transceiver = self.get(key)?;
        let receiver = &transceiver.receiver;
        Some(RtpReceiveParameters {
            mid: transceiver.mid.clone().unwrap_or_default(),
            encodings: receiver.encodings(),
            header_extensions: receiver.extensions.parameters.clone(),
            codecs: receiver.codecs.clone(),
        })
    }

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

/// pc-035.
pub(super) fn check_encodings(
    kind: MediaKind,
    encodings: &[RtpEncodingParameters],
) -> Result<(), Error> {
    if encodings.len() > MAX_ENCODINGS {
        return Err(type_error(format!("more than {MAX_ENCODINGS} encodings")));
    }
    if encodings.len() > 1 && kind == MediaKind::Audio {
        return Err(type_error("audio has one encoding"));
    }
    let names: Vec<&str> = encodings.iter().map(|own| own.rid.as_str()).collect();
    let named = names.iter().filter(|name| !name.is_empty()).count();
    if named != 0 && named != names.len() || named == 0 && names.len() > 1 {
        return Err(type_error(
            "either all encodings have a rid or there is one",
        ));
    }
    for (place, name) in names.iter().enumerate() {
        // RFC 8851 §10: alphanumeric; the rest of the grammar is not spoken by browsers.
        let fits = name.len() <= MAX_RID && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !fits || (!name.is_empty() && names[..place].contains(name)) {
            return Err(type_error(format!("{name:?} cannot be a rid here")));
        }
    }
    check_wishes(kind, encodings)
}

fn check_wishes(kind: MediaKind, encodings: &[RtpEncodingParameters]) -> Result<(), Error> {
    for encoding in encodings {
        let scale = encoding.scale_resolution_down_by;
        if kind == MediaKind::Video && scale.is_some_and(|scale| scale < 1.0 || scale.is_nan()) {
            return Err(Error::new(
                ErrorKind::Range,
                "scale_resolution_down_by is below 1.0",
            ));
        }
        let rate = encoding.max_framerate;
        if rate.is_some_and(|rate| rate < 0.0 || rate.is_nan()) {
            return Err(Error::new(ErrorKind::Range, "max_framerate is negative"));
        }
    }
    Ok(())
}
