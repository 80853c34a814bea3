use crate::api::handle::Handle;
use crate::api::remote_track::TrackRemote;
use crate::api::transport::DtlsTransport;
use crate::error::{Error, ErrorKind};
use crate::parameters::{RtpContributingSource, RtpReceiveParameters};
use crate::session::TransceiverKey;
use crate::shared::now;
use std::fmt;
use std::sync::Arc;

/// W3C `RTCRtpReceiver` (webrtc-pc §5.3). A handle is cheap to clone and keeps the connection alive.
#[derive(Clone)]
pub struct RtpReceiver {
    handle: Arc<Handle>,
    key: TransceiverKey,
}

impl RtpReceiver {
    pub(crate) fn new(handle: Arc<Handle>, key: TransceiverKey) -> Self {
        Self { handle, key }
    }

    /// W3C `track`: the only one, or that of the first layer.
    #[must_use]
    pub fn track(&self) -> TrackRemote {
        TrackRemote::new(self.handle.clone(), self.key, 0)
    }

    /// The tracks: one, or one for each layer that the peer sends, in the order of its description.
    #[must_use]
    pub fn tracks(&self) -> Vec<TrackRemote> {
        let receiver = self.handle.shared.lock().session.receiver(self.key);
        let layers = receiver.map_or(0, |receiver| receiver.layers.len());
        let layers = u8::try_from(layers.max(1)).unwrap_or(u8::MAX);
        (0..layers)
            .map(|layer| TrackRemote::new(self.handle.clone(), self.key, layer))
            .collect()
    }

    /// W3C `getSynchronizationSources`: who sent in the last 10 s, the latest first.
    #[must_use]
    pub fn synchronization_sources(&self) -> Vec<RtpContributingSource> {
        let state = self.handle.shared.lock();
        state.session.synchronization_sources(now(), self.key)
    }

    /// W3C `getContributingSources`: whom a mixer put together in the last 10 s, the latest first.
    #[must_use]
    pub fn contributing_sources(&self) -> Vec<RtpContributingSource> {
        let state = self.handle.shared.lock();
        state.session.contributing_sources(now(), self.key)
    }

    /// ORTC `receive`: takes these streams, without descriptions; the transceiver takes no part in
    /// them after it. The tracks are [`tracks`](Self::tracks) then; nothing tells of them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`] if the transceiver is negotiated or stopped or the connection
    /// closed, [`ErrorKind::Type`] or [`ErrorKind::Range`] for parameters that cannot be.
    pub fn receive(&self, parameters: RtpReceiveParameters) -> Result<Vec<TrackRemote>, Error> {
        self.handle
            .shared
            .call(|state, now| state.session.receive_media(now, self.key, parameters))?;
        Ok(self.tracks())
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
    pub fn parameters(&self) -> Result<RtpReceiveParameters, Error> {
        let state = self.handle.shared.lock();
        state
            .session
            .receive_parameters(self.key)
            .ok_or_else(|| Error::new(ErrorKind::InvalidState, "the transceiver is stopped"))
    }
}

impl fmt::Debug for RtpReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtpReceiver").finish_non_exhaustive()
    }
}
