//! The two stages: what alice's packets pass before everything else, and bob's after everything else.

use crate::frame::{Opener, Sealer, Secret};
use muonrtc::interceptor::{Direction, Interest, NewStage, Place, Stage, Stream, Verdict};
use muonrtc::rtp::Packet;
use muonrtc::rtp::payload::vp8;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The clock of all video (RFC 3551 §5), and of no audio here.
const VIDEO_CLOCK: u32 = 90_000;

/// Makes the stage of a sender. A secret serves one connection.
#[derive(Debug)]
pub(crate) struct Encrypt(Secret);

impl Encrypt {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self(secret.clone())
    }
}

impl NewStage for Encrypt {
    fn place(&self) -> Place {
        Place::Application
    }

    fn new_stage(&self) -> Box<dyn Stage> {
        Box::new(Encryption {
            // Without a key, nothing may leave: every packet is dropped.
            sealer: Sealer::new(self.0.clone()).ok(),
            videos: BTreeSet::new(),
        })
    }
}

#[derive(Debug)]
struct Encryption {
    sealer: Option<Sealer>,
    /// The sources that are video.
    videos: BTreeSet<u32>,
}

impl Stage for Encryption {
    fn bind(&mut self, _: Instant, stream: &Stream) -> Interest {
        if stream.direction == Direction::Incoming {
            return Interest::Nothing;
        }
        if stream.clock_rate == VIDEO_CLOCK {
            self.videos.insert(stream.ssrc);
        }
        Interest::Quiet
    }

    fn unbind(&mut self, direction: Direction, ssrc: u32) {
        if direction == Direction::Outgoing {
            self.videos.remove(&ssrc);
        }
    }

    fn handle_outgoing(&mut self, _: Instant, packet: &mut Packet) -> Verdict {
        let clear = if self.videos.contains(&packet.header.ssrc) {
            clear_of_vp8(&packet.payload)
        } else {
            0
        };
        let sealed = self
            .sealer
            .as_mut()
            .map(|sealer| sealer.seal(&packet.payload, clear));
        let Some(Ok(sealed)) = sealed else {
            return Verdict::Drop;
        };
        packet.payload = sealed;
        Verdict::Pass
    }
}

/// How much of a payload of VP8 a forwarder must see: the descriptor (RFC 7741 §4.2), which says where
/// frames begin and which may be left out, and one byte more, which says which are key frames.
fn clear_of_vp8(payload: &[u8]) -> u8 {
    let Ok((_, rest)) = vp8::Descriptor::parse(payload) else {
        return 0;
    };
    let descriptor = payload.len() - rest.len();
    u8::try_from(descriptor + usize::from(!rest.is_empty())).unwrap_or(0)
}

/// Makes the stage of a receiver.
#[derive(Debug)]
pub(crate) struct Decrypt {
    secret: Secret,
    counters: Arc<Counters>,
}

/// What the stage tells the program outside.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    refused: AtomicU64,
}

impl Counters {
    /// Packets that do not come from who has the secret.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Decrypt {
    pub(crate) fn new(secret: &Secret, counters: Arc<Counters>) -> Self {
        let secret = secret.clone();
        Self { secret, counters }
    }
}

impl NewStage for Decrypt {
    fn place(&self) -> Place {
        Place::Application
    }

    fn new_stage(&self) -> Box<dyn Stage> {
        Box::new(Decryption {
            opener: Opener::new(self.secret.clone()).ok(),
            counters: self.counters.clone(),
        })
    }
}

#[derive(Debug)]
struct Decryption {
    opener: Option<Opener>,
    counters: Arc<Counters>,
}

impl Stage for Decryption {
    fn bind(&mut self, _: Instant, stream: &Stream) -> Interest {
        match stream.direction {
            Direction::Incoming => Interest::Quiet,
            Direction::Outgoing => Interest::Nothing,
        }
    }

    fn handle_incoming(&mut self, _: Instant, packet: &mut Packet) -> Verdict {
        // A packet of padding alone, by which a forwarder measures its path, was nobody's payload.
        if packet.payload.is_empty() {
            return Verdict::Pass;
        }
        let opened = self
            .opener
            .as_ref()
            .map(|opener| opener.open(&packet.payload));
        let Some(Ok(payload)) = opened else {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            return Verdict::Drop;
        };
        packet.payload = payload;
        Verdict::Pass
    }
}
