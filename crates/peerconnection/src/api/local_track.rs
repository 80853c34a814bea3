use crate::api::state::MediaKind;
use crate::error::{Error, ErrorKind};
use crate::parameters::RtpCodec;
use crate::session::{SentTrack, TransceiverKey};
use crate::shared::{Outbox, Shared, now};
use rtp::payload::Packetizer;
use rtp::{Packet, Sample};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use tokio::sync::Notify;

/// The largest payload that a sample is cut into: what is left of 1200 bytes after the headers,
/// their extensions and the tag of SRTP (RFC 8834 §4.8 leaves the size to the path; 1200 pass
/// everywhere).
const MAX_PAYLOAD: usize = 1100;

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

/// What the clones of a track and the senders it is attached to share.
pub(crate) struct TrackCore {
    id: String,
    kind: MediaKind,
    codec: Option<RtpCodec>,
    senders: RwLock<Arc<[Attached]>>,
    cutter: Mutex<Option<Cutter>>,
    keyframe: Notify,
}

/// A sender that the track is attached to.
#[derive(Clone)]
struct Attached {
    shared: Weak<Shared>,
    key: TransceiverKey,
}

/// Makes packets of samples.
struct Cutter {
    packetizer: Box<dyn Packetizer>,
    clock_rate: u32,
    header: rtp::Header,
    /// Nanoseconds that have not made a tick yet, times the clock rate.
    remainder: u128,
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
            core: Arc::new(TrackCore {
                id,
                kind,
                codec,
                senders: RwLock::new(Arc::new([])),
                cutter: Mutex::new(None),
                keyframe: Notify::new(),
            }),
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
        self.core.senders().len()
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
        let mut slot = self
            .core
            .cutter
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let cutter = match &mut *slot {
            Some(cutter) => cutter,
            empty => empty.insert(self.core.new_cutter()?),
        };
        let mut header = cutter.header.clone();
        let mut count = 0;
        let core = &self.core;
        let packetizer = &mut cutter.packetizer;
        let cut = Outbox::with(|outbox| {
            packetizer.packetize(&sample.data, MAX_PAYLOAD, &mut |payload, marker| {
                header.marker = marker;
                core.write_into(outbox, None, &Packet::new(header.clone(), payload));
                header.sequence_number = header.sequence_number.wrapping_add(1);
                count += 1;
            })
        });
        cutter.header.sequence_number = header.sequence_number;
        cutter.pass(sample.duration);
        cut.map_err(|error| {
            Error::new(ErrorKind::Type, "the sample is not of the track's codec").with_source(error)
        })?;
        Ok(count)
    }

    /// Waits until a receiver asks for a key frame. Requests that nobody waited for are one.
    /// Cancel safe; of several tasks that wait, one is told.
    pub async fn keyframe_requested(&self) {
        self.core.keyframe.notified().await;
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

impl TrackCore {
    /// The senders; those whose connection is gone are forgotten.
    fn senders(&self) -> Arc<[Attached]> {
        let senders = self.senders.read().unwrap_or_else(PoisonError::into_inner);
        senders.clone()
    }

    /// Sends a packet to all senders.
    fn write(&self, rid: Option<&str>, packet: &Packet) -> usize {
        Outbox::with(|outbox| self.write_into(outbox, rid, packet))
    }

    /// Puts a packet for every sender into the outbox.
    fn write_into(&self, outbox: &mut Outbox, rid: Option<&str>, packet: &Packet) -> usize {
        let now = now();
        let mut sent = 0;
        let mut gone = false;
        for attached in &*self.senders() {
            let Some(shared) = attached.shared.upgrade() else {
                gone = true;
                continue;
            };
            let to = (shared, attached.key);
            sent += usize::from(outbox.push(now, self, to, rid, packet));
        }
        if gone {
            self.retain(|attached| attached.shared.strong_count() > 0);
        }
        sent
    }

    pub(crate) fn attach(&self, shared: &Arc<Shared>, key: TransceiverKey) {
        let attached = Attached {
            shared: Arc::downgrade(shared),
            key,
        };
        let mut senders = self.senders.write().unwrap_or_else(PoisonError::into_inner);
        let known = |own: &Attached| own.key == key && own.shared.ptr_eq(&attached.shared);
        if !senders.iter().any(known) {
            *senders = senders.iter().cloned().chain([attached]).collect();
        }
    }

    pub(crate) fn detach(&self, shared: &Arc<Shared>, key: TransceiverKey) {
        let shared = Arc::downgrade(shared);
        self.retain(|own| !(own.key == key && own.shared.ptr_eq(&shared)));
    }

    fn retain(&self, keep: impl Fn(&Attached) -> bool) {
        let mut senders = self.senders.write().unwrap_or_else(PoisonError::into_inner);
        *senders = senders.iter().filter(|own| keep(own)).cloned().collect();
    }

    pub(crate) fn note_keyframe_request(&self) {
        self.keyframe.notify_one();
    }

    fn new_cutter(&self) -> Result<Cutter, Error> {
        let unsupported = |message: String| Error::new(ErrorKind::NotSupported, message);
        let codec = self
            .codec
            .as_ref()
            .ok_or_else(|| unsupported("a forwarding track takes packets only".into()))?;
        let packetizer = rtp::payload::packetizer(codec.encoding_name()).ok_or_else(|| {
            unsupported(format!("no payload format for {} here", codec.mime_type))
        })?;
        Ok(Cutter {
            packetizer,
            clock_rate: codec.clock_rate,
            header: rtp::Header {
                // Senders replace it; all samples are one source.
                ssrc: 1,
                ..rtp::Header::default()
            },
            remainder: 0,
        })
    }
}

impl Cutter {
    /// The clock goes forward, without losing parts of ticks.
    fn pass(&mut self, duration: std::time::Duration) {
        const SECOND: u128 = 1_000_000_000;
        let passed = duration.as_nanos() * u128::from(self.clock_rate) + self.remainder;
        self.remainder = passed % SECOND;
        let [.., a, b, c, d] = (passed / SECOND).to_be_bytes();
        let ticks = u32::from_be_bytes([a, b, c, d]);
        self.header.timestamp = self.header.timestamp.wrapping_add(ticks);
    }
}

impl fmt::Debug for TrackLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}

impl fmt::Debug for TrackCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackLocal")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("senders", &self.senders().len())
            .finish_non_exhaustive()
    }
}
