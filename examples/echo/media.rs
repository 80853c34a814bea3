//! The echo of audio and video: what a transceiver receives goes back on its own sender.
//!
//! Packets are forwarded as they are; the sender gives them a source and sequence numbers of its
//! own. Whoever looks at the echo asks for key frames, and those requests go on to the camera.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use muonrtc::rtp::Packet;
use muonrtc::rtp::payload::{Depacketizer, depacketizer};
use muonrtc::{
    Error, MediaKind, PeerConnection, RtpTransceiver, RtpTransceiverDirection, TrackLocal,
    TrackRemote,
};
use tracing::debug;

/// One transceiver whose media goes back.
#[derive(Debug)]
pub(super) struct Echo {
    transceiver: RtpTransceiver,
    /// What goes back; other connections may watch it too.
    track: TrackLocal,
    /// What comes: one track, or one for each layer of a simulcast.
    layers: Vec<TrackRemote>,
    choice: Mutex<Choice>,
}

/// Which layer goes back.
#[derive(Debug, Default)]
struct Choice {
    current: usize,
    /// The layer that takes over with its next key frame.
    wanted: Option<usize>,
}

/// Sends back what the transceivers of a connection receive, as far as they do not yet.
pub(super) async fn echo_media(
    connection: &PeerConnection,
    echoes: &mut Vec<Arc<Echo>>,
) -> Result<(), Error> {
    let served = |transceiver: &RtpTransceiver, echoes: &[Arc<Echo>]| {
        echoes.iter().any(|echo| echo.transceiver == *transceiver)
    };
    for transceiver in connection.transceivers() {
        if served(&transceiver, echoes) {
            continue;
        }
        if transceiver.direction() != RtpTransceiverDirection::SendRecv {
            transceiver.set_direction(RtpTransceiverDirection::SendRecv)?;
        }
        let track = TrackLocal::forwarding("echo", transceiver.kind());
        let sender = transceiver.sender();
        sender.set_streams(vec!["echo".to_owned()])?;
        sender.replace_track(Some(&track)).await?;
        let echo = Arc::new(Echo {
            layers: transceiver.receiver().tracks(),
            transceiver,
            track,
            choice: Mutex::default(),
        });
        echoes.push(Arc::clone(&echo));
        echo.run();
    }
    // A stopped transceiver has no section any more.
    echoes.retain(|echo| echo.transceiver.direction() != RtpTransceiverDirection::Stopped);
    Ok(())
}

/// Sends what `echoes` send on another connection too, one track for each section of its kind.
pub(super) async fn watch(connection: &PeerConnection, echoes: &[Arc<Echo>]) -> Result<(), Error> {
    let mut left: Vec<&Arc<Echo>> = echoes.iter().collect();
    for transceiver in connection.transceivers() {
        let kind = transceiver.kind();
        let Some(at) = left.iter().position(|echo| echo.track.kind() == kind) else {
            continue;
        };
        let echo = left.remove(at);
        transceiver.set_direction(RtpTransceiverDirection::SendOnly)?;
        let sender = transceiver.sender();
        sender.replace_track(Some(&echo.track)).await?;
        echo.request_keyframe();
    }
    Ok(())
}

impl Echo {
    /// Starts what carries packets one way and requests for key frames the other.
    fn run(self: &Arc<Self>) {
        for layer in 0..self.layers.len() {
            let echo = Arc::clone(self);
            super::spawn(async move { echo.forward(layer).await });
        }
        let echo = Arc::clone(self);
        super::spawn(async move { echo.answer_keyframe_requests().await });
    }

    /// Chooses the layer that is called so; it takes over with its next key frame.
    pub(super) fn choose(&self, rid: &str) -> bool {
        let mut layers = self.layers.iter();
        let Some(layer) = layers.position(|layer| layer.rid() == Some(rid)) else {
            return false;
        };
        let mut choice = self.choice();
        choice.wanted = (choice.current != layer).then_some(layer);
        drop(choice);
        self.layers[layer].request_keyframe();
        true
    }

    pub(super) fn kind(&self) -> MediaKind {
        self.track.kind()
    }

    async fn forward(&self, layer: usize) {
        let remote = &self.layers[layer];
        let mut format = Format::default();
        while let Some(packet) = remote.read_rtp().await {
            if self.takes(layer, || format.is_keyframe(remote, &packet)) {
                self.track.write_rtp(&packet);
            }
        }
        debug!(layer, "a track has ended");
    }

    /// Whether packets of this layer go back; a wanted layer takes over at a key frame.
    fn takes(&self, layer: usize, is_keyframe: impl FnOnce() -> bool) -> bool {
        let mut choice = self.choice();
        if choice.wanted == Some(layer) && is_keyframe() {
            *choice = Choice {
                current: layer,
                wanted: None,
            };
        }
        choice.current == layer
    }

    async fn answer_keyframe_requests(&self) {
        loop {
            tokio::select! {
                () = self.track.keyframe_requested() => self.request_keyframe(),
                () = self.ended() => return,
            }
        }
    }

    /// Asks the layer that is on its way, too.
    fn request_keyframe(&self) {
        let (current, wanted) = {
            let choice = self.choice();
            (choice.current, choice.wanted)
        };
        for layer in [Some(current), wanted].into_iter().flatten() {
            self.layers[layer].request_keyframe();
        }
    }

    async fn ended(&self) {
        match self.layers.first() {
            Some(layer) => while layer.next_event().await.is_some() {},
            None => std::future::pending().await,
        }
    }

    fn choice(&self) -> MutexGuard<'_, Choice> {
        self.choice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks into payloads, as far as key frames go.
#[derive(Debug, Default)]
struct Format {
    known: Option<(u8, Option<Box<dyn Depacketizer>>)>,
}

impl Format {
    fn is_keyframe(&mut self, track: &TrackRemote, packet: &Packet) -> bool {
        let number = packet.header.payload_type;
        if self
            .known
            .as_ref()
            .is_none_or(|(known, _)| *known != number)
        {
            let codec = track.codec(number);
            let format = codec.and_then(|codec| depacketizer(codec.codec.encoding_name()));
            self.known = Some((number, format));
        }
        match &self.known {
            Some((_, Some(format))) => format.is_keyframe(&packet.payload),
            _ => false,
        }
    }
}
