//! A camera or a microphone of one member, and all who watch or hear it.
//!
//! A camera sends a *simulcast*: the same picture in several sizes, its layers. Each layer that comes
//! in ([`TrackRemote`]) is written to a track of ours ([`TrackLocal`]), to which those are attached
//! who get this layer. So a packet is protected once for each viewer, and its payload is never copied.
//! To give a viewer another layer is to replace the track of its sender, at a key frame of the new
//! layer: that is the first packet which can be decoded without those before. The sender goes on
//! with the same SSRC and the next sequence number, so the browser sees one stream that changes
//! its size.

use super::keyframe::KeyFrames;
use super::spawn;
use muonrtc::rtp::Packet;
use muonrtc::rtp::extension::{AudioLevel, Extension};
use muonrtc::{
    Capabilities, Error, MediaKind, PeerConnection, RtpSender, RtpTransceiver,
    RtpTransceiverDirection, RtpTransceiverInit, TrackLocal, TrackRemote,
};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing::debug;

/// A layer of which nothing came for so many turns is not sent any more: the browser leaves out the
/// large ones where its path or its processor is too slow for them.
const TURNS_UNTIL_QUIET: u8 = 4;
/// The quietest level there is (RFC 6464 §3), in -dBov.
const SILENCE: u8 = 127;

/// What one member sends in one section.
#[derive(Debug)]
pub(super) struct Source {
    kind: MediaKind,
    /// From the smallest to the largest, as the page offers them; a single one without simulcast.
    layers: Vec<Layer>,
    viewers: Mutex<Vec<Viewer>>,
    /// The loudest packet since it was asked for last, in -dBov.
    loudest: AtomicU8,
    /// The id of the audio level among the header extensions, if there is one.
    level_id: Option<u8>,
}

#[derive(Debug)]
struct Layer {
    /// What comes from the camera.
    remote: TrackRemote,
    /// What goes to the viewers.
    local: TrackLocal,
    /// Turns until the layer counts as quiet; 0 if it does.
    patience: AtomicU8,
}

/// Somebody who gets this source.
#[derive(Debug)]
struct Viewer {
    member: String,
    /// The section on the viewer's connection.
    transceiver: RtpTransceiver,
    /// The largest layer that is of use.
    wanted: usize,
    /// The layer that is sent.
    current: Option<usize>,
    /// The layer that takes over with its next key frame.
    next: Option<usize>,
}

impl Source {
    /// What comes in by the section of `transceiver`. Nothing is forwarded before [`run`](Self::run).
    pub(super) fn new(owner: &str, transceiver: &RtpTransceiver) -> Self {
        let kind = transceiver.kind();
        let layers = transceiver.receiver().tracks().into_iter();
        let extensions = Capabilities::default().header_extensions;
        let level = extensions.iter().find(|known| known.uri == AudioLevel::URI);
        Self {
            kind,
            layers: layers
                .map(|remote| Layer {
                    remote,
                    local: TrackLocal::forwarding(owner, kind),
                    patience: AtomicU8::new(0),
                })
                .collect(),
            viewers: Mutex::default(),
            loudest: AtomicU8::new(SILENCE),
            level_id: level.map(|level| level.id),
        }
    }

    /// Forwards each layer until its connection closes.
    pub(super) fn run(self: &Arc<Self>) {
        for layer in 0..self.layers.len() {
            let source = Arc::clone(self);
            spawn(async move { source.forward(layer).await });
        }
    }

    /// Adds a section to the viewer's connection, which then needs to be negotiated. `owner` names
    /// the stream in which the page finds the track.
    pub(super) fn add_viewer(
        &self,
        owner: &str,
        member: &str,
        connection: &PeerConnection,
    ) -> Result<(), Error> {
        let mut init = RtpTransceiverInit::with_direction(RtpTransceiverDirection::SendOnly);
        init.streams = vec![owner.to_owned()];
        let (transceiver, current) = match self.kind {
            // Sound can begin with any packet.
            MediaKind::Audio => {
                let track = &self.layers[0].local;
                (connection.add_transceiver(track, Some(init))?, Some(0))
            }
            // A picture waits for a key frame.
            MediaKind::Video => (connection.add_transceiver(self.kind, Some(init))?, None),
        };
        self.viewers().push(Viewer {
            member: member.to_owned(),
            transceiver,
            wanted: self.layers.len() - 1,
            current,
            next: None,
        });
        Ok(())
    }

    /// The viewer has left.
    pub(super) fn remove_viewer(&self, member: &str) {
        self.viewers().retain(|viewer| viewer.member != member);
    }

    /// The source has left: its sections on the connections of others end, and serve the next source.
    pub(super) fn end(&self) {
        for viewer in self.viewers().drain(..) {
            viewer.transceiver.stop();
        }
    }

    /// The viewer has no use for a larger layer than this.
    pub(super) fn want(&self, member: &str, rid: &str) {
        let mut layers = self.layers.iter();
        let Some(wanted) = layers.position(|layer| layer.remote.rid() == Some(rid)) else {
            return;
        };
        let mut viewers = self.viewers();
        for viewer in viewers.iter_mut().filter(|v| v.member == member) {
            viewer.wanted = wanted;
        }
        drop(viewers);
        self.direct();
    }

    /// One turn of the room, four in a second: chooses a layer for everybody, and asks for key frames
    /// until they are there.
    pub(super) fn turn(&self) {
        for layer in &self.layers {
            let patience = layer.patience.load(Ordering::Relaxed);
            let patience = patience.saturating_sub(1);
            layer.patience.store(patience, Ordering::Relaxed);
        }
        self.direct();
    }

    fn direct(&self) {
        if self.kind == MediaKind::Audio {
            return;
        }
        let flows = |layer: &usize| self.layers[*layer].patience.load(Ordering::Relaxed) > 0;
        for viewer in self.viewers().iter_mut() {
            // The largest that is of use; where none of those is sent, the smallest that is.
            let best = (0..=viewer.wanted).rev().find(flows);
            let best = best.or_else(|| (viewer.wanted..self.layers.len()).find(flows));
            viewer.next = best.filter(|_| best != viewer.current);
            if let Some(next) = viewer.next {
                self.layers[next].remote.request_keyframe();
            }
        }
    }

    /// The loudest packet since the last call, in -dBov; `None` for a camera.
    pub(super) fn take_loudest(&self) -> Option<u8> {
        let taken = || self.loudest.swap(SILENCE, Ordering::Relaxed);
        (self.kind == MediaKind::Audio).then(taken)
    }

    /// Carries packets of a layer one way and requests for key frames the other.
    async fn forward(&self, at: usize) {
        let layer = &self.layers[at];
        let mut key_frames = KeyFrames::default();
        loop {
            tokio::select! {
                packet = layer.remote.read_rtp() => {
                    let Some(packet) = packet else { return };
                    layer.patience.store(TURNS_UNTIL_QUIET, Ordering::Relaxed);
                    self.listen(&packet);
                    if self.is_awaited(at) && key_frames.begin_with(&layer.remote, &packet) {
                        self.switch(at).await;
                    }
                    layer.local.write_rtp(&packet);
                }
                () = layer.local.keyframe_requested() => layer.remote.request_keyframe(),
            }
        }
    }

    /// Reads the audio level that the browser measured (RFC 6464): no decoder is needed.
    fn listen(&self, packet: &Packet) {
        let extensions = &packet.header.extensions;
        let level: Option<AudioLevel> = self.level_id.and_then(|id| extensions.typed(id));
        if let Some(AudioLevel { level, .. }) = level {
            self.loudest.fetch_min(level, Ordering::Relaxed);
        }
    }

    fn is_awaited(&self, layer: usize) -> bool {
        let viewers = self.viewers();
        viewers.iter().any(|viewer| viewer.next == Some(layer))
    }

    /// Gives the layer to all who wait for it.
    async fn switch(&self, layer: usize) {
        let mut ready: Vec<RtpSender> = Vec::new();
        for viewer in self.viewers().iter_mut() {
            if viewer.next == Some(layer) {
                (viewer.current, viewer.next) = (Some(layer), None);
                ready.push(viewer.transceiver.sender());
                let rid = self.layers[layer].remote.rid();
                debug!(viewer = %viewer.member, rid, "another layer");
            }
        }
        for sender in ready {
            let track = Some(&self.layers[layer].local);
            // Fails only if the viewer is just leaving.
            if let Err(error) = sender.replace_track(track).await {
                debug!(%error, "no other layer");
            }
        }
    }

    fn viewers(&self) -> MutexGuard<'_, Vec<Viewer>> {
        self.viewers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
