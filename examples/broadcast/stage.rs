//! One publisher, and all who watch.

use examples::Outcome;
use examples::signalling::{connected, next_track, over};
use muonrtc::{MediaKind, PeerConnection, TrackLocal, TrackRemote};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;
use tracing::info;

/// What all watch. It is there before anybody publishes, and when the publisher has gone: watchers
/// stay connected, and see the next one without negotiating again.
#[derive(Debug)]
pub(crate) struct Stage {
    audio: TrackLocal,
    video: TrackLocal,
    taken: AtomicBool,
    /// Somebody has just begun to watch.
    joined: Notify,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            audio: TrackLocal::forwarding("audio", MediaKind::Audio),
            video: TrackLocal::forwarding("video", MediaKind::Video),
            taken: AtomicBool::new(false),
            joined: Notify::new(),
        }
    }
}

impl Stage {
    /// Takes whoever comes, by what is offered.
    pub(crate) fn greet(self: &Arc<Self>, connection: PeerConnection) -> Outcome {
        // Who offers to send is the publisher; who offers to receive alone, watches.
        let offer = connection.remote_description();
        match offer.is_some_and(|offer| offer.sdp().contains("a=sendonly")) {
            true => self.publish(connection),
            false => self.watch(connection),
        }
    }

    /// Sends what the connection brings to all who watch.
    fn publish(self: &Arc<Self>, connection: PeerConnection) -> Outcome {
        if self.taken.swap(true, Ordering::Relaxed) {
            return Err("somebody is broadcasting already".into());
        }
        let stage = Arc::clone(self);
        examples::spawn(async move {
            while let Some(received) = next_track(&connection).await {
                let stage = Arc::clone(&stage);
                examples::spawn(async move { stage.forward(received.track).await });
            }
            info!("the broadcast is over");
            stage.taken.store(false, Ordering::Relaxed);
            Ok(())
        });
        Ok(())
    }

    /// Adds both tracks to the connection, in the sections that the page offered to receive in.
    fn watch(self: &Arc<Self>, connection: PeerConnection) -> Outcome {
        connection.add_track(&self.video, &["broadcast"])?;
        connection.add_track(&self.audio, &["broadcast"])?;
        let stage = Arc::clone(self);
        examples::spawn(async move {
            if connected(&connection).await {
                // A decoder can begin only with a key frame, and the publisher sends one when it is
                // asked. The browser would ask too, when it finds that it cannot decode.
                stage.joined.notify_one();
                info!(watching = stage.video.sender_count(), "one more watches");
                over(&connection).await;
            }
            Ok(())
        });
        Ok(())
    }

    /// Carries packets one way and requests for key frames the other.
    async fn forward(&self, remote: TrackRemote) -> Outcome {
        let local = match remote.kind() {
            MediaKind::Audio => &self.audio,
            MediaKind::Video => &self.video,
        };
        let is_video = remote.kind() == MediaKind::Video;
        loop {
            tokio::select! {
                packet = remote.read_rtp() => match packet {
                    // Every watcher's connection protects it for itself; all share the payload.
                    Some(packet) => local.write_rtp(&packet),
                    None => return Ok(()),
                },
                // Lost so much that it cannot be repaired. However many watch and ask, the camera is
                // asked once: requests that come close to each other are one.
                () = local.keyframe_requested() => { remote.request_keyframe(); 0 }
                () = self.joined.notified(), if is_video => { remote.request_keyframe(); 0 }
            };
        }
    }
}
