//! A track that is sent, and the senders that it is attached to.

use super::{Outbox, Shared, now};
use crate::api::state::MediaKind;
use crate::error::{Error, ErrorKind};
use crate::parameters::RtpCodec;
use crate::session::TransceiverKey;
use rtp::payload::Packetizer;
use rtp::{Packet, Sample};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use tokio::sync::Notify;

/// The largest payload that a sample is cut into: what is left of 1200 bytes after the headers,
/// their extensions and the tag of SRTP (RFC 8834 §4.8 leaves the size to the path; 1200 pass
/// everywhere).
const MAX_PAYLOAD: usize = 1100;

/// What the clones of a track and the senders it is attached to share.
pub(crate) struct TrackCore {
    pub(crate) id: String,
    pub(crate) kind: MediaKind,
    pub(crate) codec: Option<RtpCodec>,
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

impl TrackCore {
    pub(crate) fn new(id: String, kind: MediaKind, codec: Option<RtpCodec>) -> Self {
        Self {
            id,
            kind,
            codec,
            senders: RwLock::new(Arc::new([])),
            cutter: Mutex::new(None),
            keyframe: Notify::new(),
        }
    }

    pub(crate) fn sender_count(&self) -> usize {
        self.senders().len()
    }

    /// The senders; those whose connection is gone are forgotten.
    fn senders(&self) -> Arc<[Attached]> {
        let senders = self.senders.read().unwrap_or_else(PoisonError::into_inner);
        senders.clone()
    }

    /// Sends a packet to all senders.
    pub(crate) fn write(&self, rid: Option<&str>, packet: &Packet) -> usize {
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

    /// Cuts a sample into packets and sends them to all senders; returns how many packets it became.
    pub(crate) fn write_sample(&self, sample: &Sample) -> Result<usize, Error> {
        let mut slot = self.cutter.lock().unwrap_or_else(PoisonError::into_inner);
        let cutter = match &mut *slot {
            Some(cutter) => cutter,
            empty => empty.insert(self.new_cutter()?),
        };
        let mut header = cutter.header.clone();
        let mut count = 0;
        let packetizer = &mut cutter.packetizer;
        let cut = Outbox::with(|outbox| {
            packetizer.packetize(&sample.data, MAX_PAYLOAD, &mut |payload, marker| {
                header.marker = marker;
                self.write_into(outbox, None, &Packet::new(header.clone(), payload));
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

    /// Waits until a receiver asks for a key frame.
    pub(crate) async fn keyframe_requested(&self) {
        self.keyframe.notified().await;
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

impl fmt::Debug for TrackCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackLocal")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("senders", &self.senders().len())
            .finish_non_exhaustive()
    }
}
