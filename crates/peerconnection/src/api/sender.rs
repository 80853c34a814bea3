use crate::api::handle::Handle;
use crate::api::local_track::TrackLocal;
use crate::api::transport::DtlsTransport;
use crate::error::{Error, ErrorKind};
use crate::parameters::RtpSendParameters;
use crate::session::TransceiverKey;
use interceptor::StreamStats;
use rtp::rtcp;
use std::fmt;
use std::sync::{Arc, Weak};

/// W3C `RTCRtpSender` (webrtc-pc §5.2). A handle is cheap to clone and keeps the connection alive.
#[derive(Clone)]
pub struct RtpSender {
    handle: Arc<Handle>,
    key: TransceiverKey,
}

impl RtpSender {
    pub(crate) fn new(handle: Arc<Handle>, key: TransceiverKey) -> Self {
        Self { handle, key }
    }

    /// Attaches what the session was told to send.
    pub(crate) fn attach(&self, track: Option<&TrackLocal>) {
        let shared = &self.handle.shared;
        let before = {
            let mut state = shared.lock();
            let after = track.map_or_else(Weak::new, |track| Arc::downgrade(track.core()));
            std::mem::replace(&mut state.media.sender(self.key).track, after)
        };
        if let Some(before) = before.upgrade() {
            before.detach(shared, self.key);
        }
        if let Some(track) = track {
            track.core().attach(shared, self.key);
        }
    }

    /// W3C `track`.
    #[must_use]
    pub fn track(&self) -> Option<TrackLocal> {
        let mut state = self.handle.shared.lock();
        let core = state.media.sender(self.key).track.upgrade()?;
        Some(TrackLocal::of(core))
    }

    /// W3C `replaceTrack`: another track, or none, without negotiation. The stream goes on where it
    /// was.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the track is of another kind, [`ErrorKind::InvalidModification`] if
    /// its codec was not negotiated, [`ErrorKind::InvalidState`] if the transceiver is stopped or
    /// the connection closed.
    pub async fn replace_track(&self, track: Option<&TrackLocal>) -> Result<(), Error> {
        let _turn = self.handle.shared.chain.lock().await;
        let sent = track.map(TrackLocal::sent);
        self.handle
            .shared
            .call(|state, _| state.session.replace_track(self.key, sent))?;
        self.attach(track);
        Ok(())
    }

    /// W3C `setStreams`: the streams that the peer sees the track in, after the next negotiation.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`] if the transceiver is stopped or the connection closed.
    pub fn set_streams(&self, streams: Vec<String>) -> Result<(), Error> {
        self.handle
            .shared
            .call(|state, _| state.session.set_streams(self.key, streams))?;
        self.handle.shared.release_negotiation();
        Ok(())
    }

    /// W3C `transport`; `None` until a description with a section is set.
    #[must_use]
    pub fn transport(&self) -> Option<DtlsTransport> {
        crate::api::transport::transport(&self.handle)
    }

    /// W3C `getParameters`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`] if the transceiver is stopped.
    pub fn parameters(&self) -> Result<RtpSendParameters, Error> {
        let mut state = self.handle.shared.lock();
        state
            .session
            .send_parameters(self.key)
            .ok_or_else(|| Error::new(ErrorKind::InvalidState, "the transceiver is stopped"))
    }

    /// W3C `setParameters`, with what [`parameters`](Self::parameters) gave last, changed; takes
    /// effect at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidModification`] if something else than an encoding's wishes changed or
    /// the parameters are older, [`ErrorKind::Range`] for a wish that cannot be,
    /// [`ErrorKind::InvalidState`] if the transceiver is stopped or the connection closed.
    pub fn set_parameters(&self, parameters: RtpSendParameters) -> Result<(), Error> {
        self.handle
            .shared
            .call(|state, _| state.session.set_send_parameters(self.key, parameters))
    }

    /// ORTC `send`: sends by these parameters, without descriptions; the transceiver takes no part
    /// in them after it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`] if the transceiver is negotiated or stopped or the connection
    /// closed, [`ErrorKind::Type`] or [`ErrorKind::Range`] for parameters that cannot be.
    pub fn send(&self, parameters: RtpSendParameters) -> Result<(), Error> {
        self.handle
            .shared
            .call(|state, now| state.session.send_media(now, self.key, parameters))
    }

    /// The counters of the encodings, in their order: what was sent, and what the peer reports.
    #[must_use]
    pub fn stats(&self) -> Vec<StreamStats> {
        self.handle.shared.lock().session.sender_stats(self.key)
    }

    /// The next RTCP packet about what we send; `None` when the connection is closed or the
    /// transceiver stopped. Packets are kept from the first call on. Cancel safe.
    pub async fn read_rtcp(&self) -> Option<rtcp::Packet> {
        let shared = &self.handle.shared;
        let readable = {
            let mut state = shared.lock();
            state.session.read_rtcp();
            state.media.sender(self.key).readable.clone()
        };
        loop {
            let notified = readable.notified();
            let (packet, over) = {
                let mut state = shared.lock();
                let over =
                    state.session.is_closed() || state.session.transceiver(self.key).is_none();
                (state.media.sender(self.key).rtcp.pop_front(), over)
            };
            match packet {
                Some(packet) => return Some(packet),
                None if over => return None,
                None => notified.await,
            }
        }
    }
}

impl PartialEq for RtpSender {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && Arc::ptr_eq(&self.handle, &other.handle)
    }
}

impl Eq for RtpSender {}

impl RtpSender {
    pub(crate) fn key(&self) -> TransceiverKey {
        self.key
    }

    pub(crate) fn is_of(&self, handle: &Arc<Handle>) -> bool {
        Arc::ptr_eq(&self.handle, handle)
    }
}

impl fmt::Debug for RtpSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtpSender")
            .field("track", &self.track())
            .finish_non_exhaustive()
    }
}
