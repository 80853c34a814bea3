use crate::api::handle::Handle;
use crate::api::receiver::RtpReceiver;
use crate::api::sender::RtpSender;
use crate::api::state::{MediaKind, RtpTransceiverDirection};
use crate::error::Error;
use crate::parameters::RtpCodec;
use crate::session::TransceiverKey;
use std::fmt;
use std::sync::Arc;

/// W3C `RTCRtpTransceiver` (webrtc-pc §5.4): a sender and a receiver that share a section. A handle
/// is cheap to clone and keeps the connection alive.
#[derive(Clone)]
pub struct RtpTransceiver {
    handle: Arc<Handle>,
    key: TransceiverKey,
    kind: MediaKind,
}

impl RtpTransceiver {
    pub(crate) fn new(handle: Arc<Handle>, key: TransceiverKey) -> Self {
        let info = handle.shared.lock().session.transceiver(key);
        Self {
            handle,
            key,
            kind: info.map_or(MediaKind::Audio, |info| info.kind),
        }
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        self.kind
    }

    /// W3C `mid`; `None` before it is negotiated and after it is stopped.
    #[must_use]
    pub fn mid(&self) -> Option<String> {
        let state = self.handle.shared.lock();
        state.session.transceiver(self.key)?.mid
    }

    /// W3C `direction`: what is wanted.
    #[must_use]
    pub fn direction(&self) -> RtpTransceiverDirection {
        let state = self.handle.shared.lock();
        let info = state.session.transceiver(self.key);
        info.map_or(RtpTransceiverDirection::Stopped, |info| info.direction)
    }

    /// W3C `currentDirection`: what was negotiated last; `None` before that.
    #[must_use]
    pub fn current_direction(&self) -> Option<RtpTransceiverDirection> {
        let state = self.handle.shared.lock();
        match state.session.transceiver(self.key) {
            Some(info) => info.current_direction,
            None => Some(RtpTransceiverDirection::Stopped),
        }
    }

    /// W3C `direction`, set; takes effect with the next negotiation.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) if it is stopped or the
    /// connection closed, [`ErrorKind::Type`](crate::ErrorKind::Type) for `stopped`.
    pub fn set_direction(&self, direction: RtpTransceiverDirection) -> Result<(), Error> {
        self.handle
            .shared
            .call(|state, _| state.session.set_direction(self.key, direction))?;
        self.handle.shared.release_negotiation();
        Ok(())
    }

    /// W3C `stop`: nothing is sent from now on, and the next negotiation ends it.
    pub fn stop(&self) {
        self.handle
            .shared
            .call(|state, now| state.session.stop_transceiver(now, self.key));
        self.handle.shared.release_negotiation();
    }

    /// W3C `setCodecPreferences`: which codecs, in which order, the next offer or answer has; empty
    /// for all capabilities.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidModification`](crate::ErrorKind::InvalidModification) for a codec that
    /// is not a capability, or a list without one that carries media;
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) if it is stopped.
    pub fn set_codec_preferences(&self, codecs: Vec<RtpCodec>) -> Result<(), Error> {
        self.handle
            .shared
            .call(|state, _| state.session.set_codec_preferences(self.key, codecs))
    }

    /// W3C `sender`.
    #[must_use]
    pub fn sender(&self) -> RtpSender {
        RtpSender::new(self.handle.clone(), self.key)
    }

    /// W3C `receiver`.
    #[must_use]
    pub fn receiver(&self) -> RtpReceiver {
        RtpReceiver::new(self.handle.clone(), self.key)
    }
}

impl PartialEq for RtpTransceiver {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && Arc::ptr_eq(&self.handle, &other.handle)
    }
}

impl Eq for RtpTransceiver {}

impl fmt::Debug for RtpTransceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtpTransceiver")
            .field("kind", &self.kind)
            .field("mid", &self.mid())
            .field("direction", &self.direction())
            .field("current_direction", &self.current_direction())
            .finish_non_exhaustive()
    }
}
