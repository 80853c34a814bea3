//! One page in the room: its connection, its camera and microphone, and its data channel.

use super::message::{Notice, Person, Request};
use super::source::Source;
use muonrtc::{
    Configuration, DataChannel, DataChannelMessage, Error, PeerConnection, SdpType,
    SessionDescription, SignalingState,
};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tracing::debug;

/// How long the answer waits for candidates; it leaves with those found so far.
const GATHERING_TIME: Duration = Duration::from_secs(5);

/// What one member may send. A page offers a camera and a microphone; every further section of it would
/// be one more on everybody's connection.
const MAX_SOURCES: usize = 2;

/// A member of the room.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) person: Person,
    pub(super) connection: PeerConnection,
    /// What it sends: a camera and a microphone, as far as the page offered them.
    pub(super) sources: Vec<Arc<Source>>,
    /// Set when it is open, which makes a member of who only connected.
    channel: OnceLock<DataChannel>,
}

impl Member {
    /// Takes the offer of a page; [`answer`](Self::answer) makes the other half.
    pub(super) async fn new(person: Person, offer: SessionDescription) -> Result<Self, Error> {
        let connection = PeerConnection::builder(Configuration::default()).build()?;
        connection.set_remote_description(offer).await?;
        let sections = connection.transceivers();
        let sources = sections.iter().take(MAX_SOURCES);
        let sources = sources.map(|each| Source::new(&person.id, each));
        Ok(Self {
            sources: sources.map(Arc::new).collect(),
            person,
            connection,
            channel: OnceLock::new(),
        })
    }

    /// The answer to the offer that the member came with, with all its candidates.
    pub(super) async fn answer(&self) -> Result<SessionDescription, Error> {
        self.connection.set_local_description(None).await?;
        let gathered = self.connection.gathering_complete();
        if tokio::time::timeout(GATHERING_TIME, gathered)
            .await
            .is_err()
        {
            debug!("gathering takes long, answering without the rest");
        }
        let made = self.connection.local_description();
        // Only a connection that was closed meanwhile has none.
        Ok(made.unwrap_or_else(|| SessionDescription::new(SdpType::Answer, "")))
    }

    /// Offers what the connection has now. Transports and candidates are those of the first answer,
    /// because all sections share them (RFC 8843), so there is nothing to wait for.
    pub(super) async fn offer(&self) -> Result<(), Error> {
        // While an answer is still on its way, the next offer waits: the connection asks again.
        if self.connection.signaling_state() != SignalingState::Stable {
            return Ok(());
        }
        self.connection.set_local_description(None).await?;
        if let Some(offer) = self.connection.local_description() {
            let sdp = offer.sdp().to_owned();
            self.tell(&Notice::Offer { sdp });
        }
        Ok(())
    }

    /// Applies the answer to an offer of ours.
    pub(super) async fn take_answer(&self, sdp: String) -> Result<(), Error> {
        let answer = SessionDescription::new(SdpType::Answer, sdp);
        self.connection.set_remote_description(answer).await
    }

    /// Gets to see and hear another member, by sections that the next offer brings.
    pub(super) fn watch(&self, other: &Self) {
        for source in &other.sources {
            let added = source.add_viewer(&other.person.id, &self.person.id, &self.connection);
            if let Err(error) = added {
                // It is leaving.
                debug!(%error, member = %self.person.id, "nothing to show it on");
            }
        }
    }

    /// The other member, or this one, is leaving.
    pub(super) fn forget(&self, other: &Self) {
        for source in &other.sources {
            source.remove_viewer(&self.person.id);
        }
    }

    pub(super) fn open(&self, channel: DataChannel) -> bool {
        self.channel.set(channel).is_ok()
    }

    pub(super) fn is_open(&self) -> bool {
        self.channel.get().is_some()
    }

    /// Sends a notice. Who reads so slowly that the buffer is full is put out of the room: it could
    /// not follow any more what happens.
    pub(super) fn tell(&self, notice: &Notice) {
        let Some(channel) = self.channel.get() else {
            return;
        };
        // Strings alone: nothing in it fails to serialise.
        let text = serde_json::to_string(notice).unwrap_or_default();
        if let Err(error) = channel.try_send_text(&text) {
            debug!(%error, member = %self.person.id, "does not listen");
            self.connection.close();
        }
    }

    /// The next request of the page that can be read; `None` after the last. Cancel safe.
    pub(super) async fn next_request(&self) -> Option<Request> {
        let Some(channel) = self.channel.get() else {
            return std::future::pending().await;
        };
        loop {
            let DataChannelMessage::Text(text) = channel.recv().await? else {
                continue;
            };
            match serde_json::from_str(&text) {
                Ok(request) => return Some(request),
                Err(error) => debug!(%error, member = %self.person.id, "not a request"),
            }
        }
    }
}
