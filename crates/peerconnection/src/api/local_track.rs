use crate::api::state::MediaKind;
use crate::error::{Error, ErrorKind};
use crate::parameters::RtpCodec;
use crate::session::SentTrack;
use crate::shared::TrackCore;
use rtp::{Packet, Sample};
use std::fmt;
use std::sync::Arc;

/// Media that we send: RTP packets or samples, to as many senders as there are (W3C
/// `MediaStreamTrack`, as a source).
///
/// A track is cheap to clone. [`PeerConnection::add_track`](crate::PeerConnection::add_track) and
/// [`RtpSender::replace_track`](crate::RtpSender::replace_track) attach it; one track may be
/// attached to any number of connections, which then share the payload of every packet.
#[derive(Clone)]
pub struct TrackLocal {
    core: Arc<TrackCore>,
}

impl TrackLocal {
    /// A track of one codec, which may be written in samples or packets. The payload types of
    /// packets do not matter: each sender sets the one it negotiated for the codec.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the codec's type is neither `audio/…` nor `video/…`.
    pub fn new(id: impl Into<String>, codec: RtpCodec) -> Result<Self, Error> {
        let kind = codec.kind().ok_or_else(|| {
            Error::new(
                ErrorKind::Type,
                format!("{} is neither audio nor video", codec.mime_type),
            )
        })?;
        Ok(Self::with(id.into(), kind, Some(codec)))
    }

    /// A track for packets that come from a [`TrackRemote`](crate::TrackRemote), whatever their
    /// codec: their payload types say it.
    #[must_use]
    pub fn forwarding(id: impl Into<String>, kind: MediaKind) -> Self {
        Self::with(id.into(), kind, None)
    }

    fn with(id: String, kind: MediaKind, codec: Option<RtpCodec>) -> Self {
        Self {
            core: Arc::new(TrackCore::new(id, kind, codec)),
        }
    }

    /// Its id, as the peer reads it in no place: the W3C's tracks have one.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.core.id
    }

    /// What it carries.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        self.core.kind
    }

    /// Its codec; `None` for a forwarding track.
    #[must_use]
    pub fn codec(&self) -> Option<&RtpCodec> {
        self.core.codec.as_ref()
    }

    /// How many senders it is attached to.
    #[must_use]
    pub fn sender_count(&self) -> usize {
        self.core.sender_count()
    }

    /// Sends a packet to all senders, in this call: each protects it and gives it to its socket.
    /// Returns how many did. A sender that is not connected yet, or whose direction does not send,
    /// lets the packet go.
    ///
    /// Every sender sets its own source, and goes on with its own sequence numbers and timestamps
    /// when packets of another source follow.
    pub fn write_rtp(&self, packet: &Packet) -> usize {
        self.core.write(None, packet)
    }

    /// As [`write_rtp`](Self::write_rtp), for the layer of a simulcast that is called so.
    pub fn write_layer_rtp(&self, rid: &str, packet: &Packet) -> usize {
        self.core.write(Some(rid), packet)
    }

    /// Cuts a sample into packets and sends them to all senders; returns how many packets it
    /// became. The clock goes forward by the duration of the sample.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotSupported`] if the track has no codec or its payload format is unknown here,
    /// [`ErrorKind::Type`] if the sample is not of the codec.
    pub fn write_sample(&self, sample: &Sample) -> Result<usize, Error> {
        self.core.write_sample(sample)
    }

    /// Waits until a receiver asks for a key frame. Requests that nobody waited for are one.
    /// Cancel safe; of several tasks that wait, one is told.
    pub async fn keyframe_requested(&self) {
        self.core.keyframe_requested().await;
    }

    pub(crate) fn sent(&self) -> SentTrack {
        SentTrack {
            id: self.core.id.clone(),
            kind: self.core.kind,
            codec: self.core.codec.clone(),
        }
    }

    pub(crate) fn core(&self) -> &Arc<TrackCore> {
        &self.core
    }

    pub(crate) fn of(core: Arc<TrackCore>) -> Self {
        Self { core }
    }
}

impl fmt::Debug for TrackLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}
