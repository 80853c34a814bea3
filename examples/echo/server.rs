//! An echo server for data channels, audio and video, spoken to over plain HTTP.
//!
//! One JSON object per request and reply, and no trickle: both descriptions carry all their
//! candidates.
//!
//! | request            | body                                                | reply                             |
//! |--------------------|-----------------------------------------------------|-----------------------------------|
//! | `POST /offer`      | an offer; `session`, `negotiated`, `open` if wanted | the answer and its `session`      |
//! | `POST /make-offer` | `channels`, `audio`, `video`, `restart`; `session` if wanted | an offer of ours and its `session`; `restart` restarts ICE |
//! | `POST /answer`     | `session` and the answer to that offer              | `{}`                              |
//! | `POST /close`      | `session`                                           | `{}`, and 50 ms later we close    |
//! | `POST /layer`      | `session`, `rid`                                    | `{}`; that layer of a simulcast is echoed from its next key frame on |
//! | `POST /watch`      | an offer, and `of`, a session                       | the answer: that session's echo, on another connection |
//!
//! Whatever arrives on a channel goes back on it, and what arrives in an audio or video section goes
//! back in it ([`media`]). README.md beside this file tells the whole convention. The module stands
//! alone but for its neighbour, so that a test can include it with `#[path]`.

#[path = "media.rs"]
mod media;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::media::Echo;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use muonrtc::{
    Configuration, DataChannel, DataChannelInit, DataChannelMessage, ErrorKind, MediaKind,
    PeerConnection, PeerConnectionEvent, PeerConnectionState, SdpType, SessionDescription,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tracing::{debug, info};

/// Connections held at the same time. One more is refused with 503.
const MAX_SESSIONS: usize = 512;
/// The largest request body, in bytes. A description of data channels has some 2 KiB.
const MAX_BODY: usize = 256 * 1024;
/// How long a session may take until it is connected; after that it is given up.
const SETUP_TIME: Duration = Duration::from_secs(30);
/// How long a session may hear nothing from its peer, beyond what makes it disconnected, until it
/// is given up. A peer that only changed its network restarts ICE within that time.
const SILENCE_TIME: Duration = Duration::from_secs(8);
/// How long a reply waits for candidates; it leaves with those found so far.
const GATHERING_TIME: Duration = Duration::from_secs(5);
/// How long after `/close` the connection closes: the reply overtakes the end it announces.
const CLOSE_DELAY: Duration = Duration::from_millis(50);
/// Names an existing session, where the body does not; every description we send carries it.
const SESSION_HEADER: &str = "x-session-id";
/// The one text that is answered, with a JSON description of the channel, and not echoed.
const INFO: &str = "__info__";

/// The four requests above, with no page: merge one in, or serve it alone to programs.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/offer", post(offer))
        .route("/make-offer", post(make_offer))
        .route("/answer", post(answer))
        .route("/close", post(close))
        .route("/layer", post(layer))
        .route("/watch", post(watch))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::new(Sessions::default()))
}

async fn offer(
    State(sessions): State<Arc<Sessions>>,
    headers: HeaderMap,
    Body(request): Body<OfferRequest>,
) -> Result<Described, Failure> {
    let offer = request.description.of_type(SdpType::Offer)?;
    let session = sessions.named_or_new(request.session, &headers)?;
    let reply = session
        .answer(offer, &request.negotiated, &request.open)
        .await;
    sessions.keep_if_ok(&session, reply)
}

async fn make_offer(
    State(sessions): State<Arc<Sessions>>,
    headers: HeaderMap,
    Body(request): Body<MakeOfferRequest>,
) -> Result<Described, Failure> {
    let session = sessions.named_or_new(request.session.clone(), &headers)?;
    let reply = session.offer(&request).await;
    sessions.keep_if_ok(&session, reply)
}

async fn layer(
    State(sessions): State<Arc<Sessions>>,
    headers: HeaderMap,
    Body(request): Body<LayerRequest>,
) -> Result<Json<serde_json::Value>, Failure> {
    let session = sessions.named(request.session, &headers)?;
    let echoes = session.echoes.lock().await;
    let chosen = echoes
        .iter()
        .filter(|echo| echo.kind() == MediaKind::Video)
        .any(|echo| echo.choose(&request.rid));
    if chosen {
        Ok(Json(json!({})))
    } else {
        let text = format!("no layer is called {:?}", request.rid);
        Err(Failure::new(StatusCode::NOT_FOUND, text))
    }
}

async fn watch(
    State(sessions): State<Arc<Sessions>>,
    headers: HeaderMap,
    Body(request): Body<WatchRequest>,
) -> Result<Described, Failure> {
    let offer = request.description.of_type(SdpType::Offer)?;
    let watched = sessions.named(Some(request.of), &headers)?;
    let session = sessions.create()?;
    let reply = session.answer_watching(offer, &watched).await;
    sessions.keep_if_ok(&session, reply)
}

async fn answer(
    State(sessions): State<Arc<Sessions>>,
    headers: HeaderMap,
    Body(request): Body<AnswerRequest>,
) -> Result<Json<serde_json::Value>, Failure> {
    let answer = request.description.of_type(SdpType::Answer)?;
    let session = sessions.named(request.session, &headers)?;
    let _turn = session.negotiation.lock().await;
    session.connection.set_remote_description(answer).await?;
    Ok(Json(json!({})))
}

async fn close(
    State(sessions): State<Arc<Sessions>>,
    headers: HeaderMap,
    Body(request): Body<CloseRequest>,
) -> Result<Json<serde_json::Value>, Failure> {
    let session = sessions.named(request.session, &headers)?;
    sessions.forget(&session.id);
    spawn(async move {
        tokio::time::sleep(CLOSE_DELAY).await;
        session.connection.close();
    });
    Ok(Json(json!({})))
}

/// One connection and the name its peer knows it by.
#[derive(Debug)]
struct Session {
    id: String,
    connection: PeerConnection,
    /// One negotiation at a time: an offer may come while another is being answered.
    negotiation: tokio::sync::Mutex<()>,
    /// Whether a negotiation succeeded. Until then an error ends the session.
    negotiated: Mutex<bool>,
    /// What of audio and video goes back.
    echoes: tokio::sync::Mutex<Vec<Arc<Echo>>>,
}

impl Session {
    /// Answers an offer: the first, a renegotiation, or an ICE restart.
    async fn answer(
        &self,
        offer: SessionDescription,
        negotiated: &[ChannelRequest],
        open: &[ChannelRequest],
    ) -> Result<Described, Failure> {
        let _turn = self.negotiation.lock().await;
        // Before the answer: the peer may send on a negotiated channel as soon as it has that.
        self.create_channels(negotiated, true)?;
        self.connection.set_remote_description(offer).await?;
        self.create_channels(open, false)?;
        self.echo_media().await?;
        self.describe().await
    }

    /// Answers an offer with what another session echoes.
    async fn answer_watching(
        &self,
        offer: SessionDescription,
        watched: &Session,
    ) -> Result<Described, Failure> {
        let _turn = self.negotiation.lock().await;
        self.connection.set_remote_description(offer).await?;
        media::watch(&self.connection, &watched.echoes.lock().await).await?;
        self.describe().await
    }

    async fn echo_media(&self) -> Result<(), Failure> {
        let mut echoes = self.echoes.lock().await;
        media::echo_media(&self.connection, &mut echoes).await?;
        Ok(())
    }

    /// Makes an offer, with what was asked for added to what there is.
    async fn offer(&self, request: &MakeOfferRequest) -> Result<Described, Failure> {
        let _turn = self.negotiation.lock().await;
        self.create_channels(&request.channels, false)?;
        let kinds = [
            (request.audio, MediaKind::Audio),
            (request.video, MediaKind::Video),
        ];
        for (_, kind) in kinds.into_iter().filter(|(wanted, _)| *wanted) {
            self.connection.add_transceiver(kind, None)?;
        }
        self.echo_media().await?;
        if request.restart {
            self.connection.restart_ice();
        }
        // An offer without a section would gather no candidate and connect nothing.
        let asked = !request.channels.is_empty() || request.audio || request.video;
        if !asked && self.connection.local_description().is_none() {
            return Err(Failure::bad_request(
                "nothing to offer: ask for a data channel, audio or video",
            ));
        }
        self.describe().await
    }

    /// Sets the local description the state calls for and returns it with all its candidates.
    async fn describe(&self) -> Result<Described, Failure> {
        self.connection.set_local_description(None).await?;
        let gathered = self.connection.gathering_complete();
        if tokio::time::timeout(GATHERING_TIME, gathered)
            .await
            .is_err()
        {
            debug!(session = %self.id, "gathering takes long, replying without the rest");
        }
        let description = self
            .connection
            .local_description()
            .ok_or_else(|| Failure::new(StatusCode::CONFLICT, "closed while it was negotiated"))?;
        *locked(&self.negotiated) = true;
        Ok(Described {
            description,
            session: self.id.clone(),
        })
    }

    fn create_channels(
        &self,
        requests: &[ChannelRequest],
        negotiated: bool,
    ) -> Result<(), Failure> {
        for request in requests {
            let init = Some(request.init(negotiated));
            let channel = self.connection.create_data_channel(&request.label, init)?;
            spawn(echo(channel));
        }
        Ok(())
    }
}

/// The connections being served, by id.
#[derive(Debug, Default)]
struct Sessions {
    open: Mutex<BTreeMap<String, Arc<Session>>>,
}

impl Sessions {
    /// The session a request names, in its body or in its header.
    fn named(&self, id: Option<String>, headers: &HeaderMap) -> Result<Arc<Session>, Failure> {
        let id = id
            .or_else(|| named_by(headers))
            .ok_or_else(|| Failure::bad_request("no session named"))?;
        let session = locked(&self.open).get(&id).cloned();
        session.ok_or_else(|| {
            let text = format!("no session {id:?}: it was closed, or it failed");
            Failure::new(StatusCode::NOT_FOUND, text)
        })
    }

    /// The session a request names, or a new one if it names none.
    fn named_or_new(
        self: &Arc<Self>,
        id: Option<String>,
        headers: &HeaderMap,
    ) -> Result<Arc<Session>, Failure> {
        match id.or_else(|| named_by(headers)) {
            Some(id) => self.named(Some(id), headers),
            None => self.create(),
        }
    }

    fn create(self: &Arc<Self>) -> Result<Arc<Session>, Failure> {
        let mut open = locked(&self.open);
        if open.len() >= MAX_SESSIONS {
            let text = format!("{MAX_SESSIONS} sessions are open, which is the limit");
            return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, text));
        }
        let session = Arc::new(Session {
            id: fresh_id(),
            connection: PeerConnection::builder(Configuration::default()).build()?,
            negotiation: tokio::sync::Mutex::default(),
            negotiated: Mutex::new(false),
            echoes: tokio::sync::Mutex::default(),
        });
        open.insert(session.id.clone(), Arc::clone(&session));
        info!(session = %session.id, open = open.len(), "new session");
        spawn(Arc::clone(self).serve(Arc::clone(&session)));
        Ok(session)
    }

    /// Follows one connection to its end: echoes every channel the peer opens.
    async fn serve(self: Arc<Self>, session: Arc<Session>) {
        let mut patience = pin!(tokio::time::sleep(SETUP_TIME));
        let mut connected = false;
        loop {
            let event = tokio::select! {
                event = session.connection.next_event() => event,
                () = &mut patience, if !connected => break,
            };
            match event.map(|event| event.kind) {
                Some(PeerConnectionEvent::DataChannel(channel)) => spawn(echo(channel)),
                Some(PeerConnectionEvent::ConnectionStateChange(state)) => {
                    debug!(session = %session.id, %state, "connection state");
                    connected = state == PeerConnectionState::Connected;
                    match state {
                        PeerConnectionState::Disconnected => {
                            patience.set(tokio::time::sleep(SILENCE_TIME));
                        }
                        PeerConnectionState::Failed | PeerConnectionState::Closed => break,
                        _ => {}
                    }
                }
                Some(_) => {}
                None => break,
            }
        }
        session.connection.close();
        self.forget(&session.id);
        info!(session = %session.id, "session ended");
    }

    /// Passes `reply` on; a session whose very first negotiation failed ends with it.
    fn keep_if_ok<T>(&self, session: &Session, reply: Result<T, Failure>) -> Result<T, Failure> {
        if reply.is_err() && !*locked(&session.negotiated) {
            self.forget(&session.id);
            session.connection.close();
        }
        reply
    }

    fn forget(&self, id: &str) {
        locked(&self.open).remove(id);
    }
}

/// Sends back what comes, in the order it came: text as text, binary as binary, empty as empty.
///
/// Reads the next message only when the last one found room in the send queue, so a peer that
/// sends faster than it reads is slowed down by the association and fills no memory here.
async fn echo(channel: DataChannel) {
    while let Some(message) = channel.recv().await {
        let sent = match message {
            DataChannelMessage::Text(text) if text == INFO => {
                channel.send_text(&describe_channel(&channel)).await
            }
            DataChannelMessage::Text(text) => channel.send_text(&text).await,
            DataChannelMessage::Binary(bytes) => channel.send(bytes).await,
        };
        // Longer than the peer takes, or the channel is closing: `recv` tells which.
        if let Err(error) = sent {
            debug!(%error, "not echoed");
        }
    }
}

/// The channel as this side sees it.
fn describe_channel(channel: &DataChannel) -> String {
    let info = ChannelInfo {
        label: channel.label(),
        protocol: channel.protocol(),
        ordered: channel.ordered(),
        max_retransmits: channel.max_retransmits(),
        max_packet_life_time: channel.max_packet_life_time(),
        id: channel.id(),
        negotiated: channel.negotiated(),
    };
    // Strings, numbers and booleans: nothing in it fails to serialise.
    serde_json::to_string(&info).unwrap_or_default()
}

#[derive(Debug, Deserialize)]
struct OfferRequest {
    #[serde(flatten)]
    description: SentDescription,
    session: Option<String>,
    /// Channels both sides create, with ids agreed beforehand.
    #[serde(default)]
    negotiated: Vec<ChannelRequest>,
    /// Channels we open in-band once the association is up.
    #[serde(default)]
    open: Vec<ChannelRequest>,
}

#[derive(Debug, Deserialize)]
struct MakeOfferRequest {
    session: Option<String>,
    #[serde(default)]
    channels: Vec<ChannelRequest>,
    #[serde(default)]
    audio: bool,
    #[serde(default)]
    video: bool,
    #[serde(default)]
    restart: bool,
}

#[derive(Debug, Deserialize)]
struct LayerRequest {
    session: Option<String>,
    rid: String,
}

#[derive(Debug, Deserialize)]
struct WatchRequest {
    #[serde(flatten)]
    description: SentDescription,
    /// The session whose echo is watched.
    of: String,
}

#[derive(Debug, Deserialize)]
struct AnswerRequest {
    #[serde(flatten)]
    description: SentDescription,
    session: Option<String>,
}

#[derive(Debug, Deserialize)]
struct CloseRequest {
    session: Option<String>,
}

/// `{"type","sdp"}` as the peer sent it.
#[derive(Debug, Deserialize)]
struct SentDescription {
    #[serde(rename = "type")]
    kind: SdpType,
    sdp: String,
}

impl SentDescription {
    fn of_type(self, expected: SdpType) -> Result<SessionDescription, Failure> {
        if self.kind != expected {
            let text = format!(
                "expected a description of type {expected}, not {}",
                self.kind
            );
            return Err(Failure::bad_request(text));
        }
        Ok(SessionDescription::new(self.kind, self.sdp))
    }
}

/// `RTCDataChannelInit` and the label.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChannelRequest {
    #[serde(default)]
    label: String,
    id: Option<u16>,
    protocol: Option<String>,
    ordered: Option<bool>,
    max_retransmits: Option<u16>,
    max_packet_life_time: Option<u16>,
}

impl ChannelRequest {
    fn init(&self, negotiated: bool) -> DataChannelInit {
        let mut init = DataChannelInit::default();
        init.negotiated = negotiated;
        init.id = self.id;
        init.protocol = self.protocol.clone().unwrap_or_default();
        init.ordered = self.ordered.unwrap_or(true);
        init.max_retransmits = self.max_retransmits;
        init.max_packet_life_time = self.max_packet_life_time;
        init
    }
}

/// The answer to [`INFO`]; what is unset is `null`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ChannelInfo {
    label: String,
    protocol: String,
    ordered: bool,
    max_retransmits: Option<u16>,
    max_packet_life_time: Option<u16>,
    id: Option<u16>,
    negotiated: bool,
}

/// A description of ours and the session it belongs to.
#[derive(Debug, Serialize)]
struct Described {
    #[serde(flatten)]
    description: SessionDescription,
    session: String,
}

impl IntoResponse for Described {
    fn into_response(self) -> Response {
        let header = [(SESSION_HEADER, self.session.clone())];
        (header, Json(self)).into_response()
    }
}

/// A request that cannot be served: a status and `{"error":text}`.
#[derive(Debug)]
struct Failure {
    status: StatusCode,
    text: String,
}

impl Failure {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { status, text }
    }

    fn bad_request(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }
}

impl From<muonrtc::Error> for Failure {
    fn from(error: muonrtc::Error) -> Self {
        let status = match error.kind() {
            ErrorKind::InvalidState => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        debug!(status = %self.status, error = %self.text, "refused");
        (self.status, Json(json!({ "error": self.text }))).into_response()
    }
}

/// A JSON body of whatever content type, so that `navigator.sendBeacon` and `curl -d` work too.
struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| Failure::new(rejection.status(), rejection.body_text()))?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| Failure::bad_request(error.to_string()))
    }
}

fn named_by(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(SESSION_HEADER)?.to_str().ok()?;
    Some(id.to_owned())
}

/// 64 bits from the operating system's randomness, which seeds the hasher.
fn fresh_id() -> String {
    format!("{:016x}", RandomState::new().hash_one(MAX_SESSIONS))
}

/// What the lock protects is valid whenever it is free, so a panic elsewhere spoils nothing.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a task on its own. Each of ours ends with the connection or the channel it follows.
#[expect(clippy::disallowed_methods, reason = "an application spawns")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}
