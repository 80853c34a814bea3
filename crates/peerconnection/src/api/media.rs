//! The connection's methods for audio and video (webrtc-pc §5.1).

use crate::api::connection::PeerConnection;
use crate::api::event::ReceivedTrack;
use crate::api::local_track::TrackLocal;
use crate::api::receiver::RtpReceiver;
use crate::api::remote_track::TrackRemote;
use crate::api::sender::RtpSender;
use crate::api::state::MediaKind;
use crate::api::transceiver::RtpTransceiver;
use crate::error::{Error, ErrorKind};
use crate::parameters::RtpTransceiverInit;
use crate::session::TransceiverKey;
use rtp::rtcp;

/// What a transceiver is made for: a kind of media, or a track to send.
#[derive(Clone, Debug)]
pub enum TrackOrKind {
    /// A kind; there may be a track later.
    Kind(MediaKind),
    /// A track.
    Track(TrackLocal),
}

impl From<MediaKind> for TrackOrKind {
    fn from(kind: MediaKind) -> Self {
        Self::Kind(kind)
    }
}

impl From<&TrackLocal> for TrackOrKind {
    fn from(track: &TrackLocal) -> Self {
        Self::Track(track.clone())
    }
}

impl PeerConnection {
    /// W3C `addTrack`: sends the track, by a sender that is free or a new transceiver. `streams` are
    /// the ids of the streams that the peer sees it in.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidAccess`] if a sender has this track already,
    /// [`ErrorKind::InvalidState`] after [`close`](Self::close).
    pub fn add_track(&self, track: &TrackLocal, streams: &[&str]) -> Result<RtpSender, Error> {
        let streams = streams.iter().map(|id| (*id).to_owned()).collect();
        let key = self
            .handle
            .shared
            .call(|state, _| state.session.add_track(track.sent(), streams))?;
        let sender = RtpSender::new(self.handle.clone(), key);
        sender.attach(Some(track));
        self.handle.shared.release_negotiation();
        Ok(sender)
    }

    /// W3C `removeTrack`: the sender sends nothing more; the peer hears of it by the next
    /// negotiation.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidAccess`] for a sender of another connection,
    /// [`ErrorKind::InvalidState`] after [`close`](Self::close).
    pub fn remove_track(&self, sender: &RtpSender) -> Result<(), Error> {
        if !sender.is_of(&self.handle) {
            return Err(Error::new(
                ErrorKind::InvalidAccess,
                "the sender is of another connection",
            ));
        }
        self.handle
            .shared
            .call(|state, _| state.session.remove_track(sender.key()))?;
        sender.attach(None);
        self.handle.shared.release_negotiation();
        Ok(())
    }

    /// W3C `addTransceiver`, with a kind of media or a track.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] or [`ErrorKind::Range`] if the encodings contradict each other,
    /// [`ErrorKind::InvalidState`] after [`close`](Self::close).
    pub fn add_transceiver(
        &self,
        what: impl Into<TrackOrKind>,
        init: Option<RtpTransceiverInit>,
    ) -> Result<RtpTransceiver, Error> {
        let (kind, track) = match what.into() {
            TrackOrKind::Kind(kind) => (kind, None),
            TrackOrKind::Track(track) => (track.kind(), Some(track)),
        };
        let sent = track.as_ref().map(TrackLocal::sent);
        let init = init.unwrap_or_default();
        let key = self
            .handle
            .shared
            .call(|state, _| state.session.add_transceiver_with(kind, sent, init))?;
        RtpSender::new(self.handle.clone(), key).attach(track.as_ref());
        self.handle.shared.release_negotiation();
        Ok(RtpTransceiver::new(self.handle.clone(), key))
    }

    /// W3C `getTransceivers`: those that are not stopped, in the order they were made.
    #[must_use]
    pub fn transceivers(&self) -> Vec<RtpTransceiver> {
        self.media_keys()
            .into_iter()
            .map(|key| RtpTransceiver::new(self.handle.clone(), key))
            .collect()
    }

    /// W3C `getSenders`.
    #[must_use]
    pub fn senders(&self) -> Vec<RtpSender> {
        self.media_keys()
            .into_iter()
            .map(|key| RtpSender::new(self.handle.clone(), key))
            .collect()
    }

    /// W3C `getReceivers`.
    #[must_use]
    pub fn receivers(&self) -> Vec<RtpReceiver> {
        self.media_keys()
            .into_iter()
            .map(|key| RtpReceiver::new(self.handle.clone(), key))
            .collect()
    }

    /// Sends an RTCP packet with the next compound; with what the connection reports by itself.
    pub fn write_rtcp(&self, packet: rtcp::Packet) {
        self.handle
            .shared
            .call(|state, now| state.session.write_rtcp(now, packet));
    }

    fn media_keys(&self) -> Vec<TransceiverKey> {
        self.handle.shared.lock().session.transceivers()
    }

    pub(crate) fn received_track(&self, key: TransceiverKey, layer: u8) -> ReceivedTrack {
        let track = TrackRemote::new(self.handle.clone(), key, layer);
        ReceivedTrack {
            receiver: RtpReceiver::new(self.handle.clone(), key),
            streams: track.streams(),
            track,
            transceiver: RtpTransceiver::new(self.handle.clone(), key),
        }
    }
}
