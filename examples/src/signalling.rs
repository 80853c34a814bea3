//! One page, and one request by which it connects: `POST /offer` takes the page's offer as JSON,
//! `{"type":"offer","sdp":…}`, and replies with the answer in the same form. Nothing trickles: both
//! descriptions carry all their candidates.
//!
//! It is the smallest part of what the `echo` example speaks. The page's half is `connect.js`
//! beside this file, which every page includes as `/connect.js`; `/page.css` is how they look.

use crate::Outcome;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use muonrtc::{
    Configuration, PeerConnection, PeerConnectionEvent, PeerConnectionState, ReceivedTrack,
    SessionDescription,
};
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tracing::debug;

/// Connections held at the same time. One more is refused with 503.
const MAX_CONNECTIONS: usize = 64;
/// The largest request body, in bytes.
const MAX_BODY: usize = 256 * 1024;
/// How long a reply waits for candidates; it leaves with those found so far.
const GATHERING_TIME: Duration = Duration::from_secs(5);

/// Serves `page` at `/` and answers offers until Ctrl-C; then it closes all connections. Says where
/// the page is, when it is there.
///
/// `greet` is called with every new connection when the offer is known and the answer is not: there
/// tracks are added, which the answer then sends where the offer can take them. It spawns what follows
/// the connection.
///
/// # Errors
///
/// If the address cannot be listened on.
pub async fn serve(
    address: SocketAddr,
    page: &'static str,
    greet: impl Fn(PeerConnection) -> Outcome + Send + Sync + 'static,
) -> Outcome {
    serve_with(address, page, own_sockets, greet).await
}

/// The same with connections that `make` makes.
///
/// # Errors
///
/// If the address cannot be listened on.
pub async fn serve_with(
    address: SocketAddr,
    page: &'static str,
    make: impl Fn() -> Outcome<PeerConnection> + Send + Sync + 'static,
    greet: impl Fn(PeerConnection) -> Outcome + Send + Sync + 'static,
) -> Outcome {
    let listener = listen(address).await?;
    let door = Door::new(make, greet);
    let app = routes(page, &door);
    // Not a graceful shutdown: that would wait for a browser to give up its idle connection.
    tokio::select! {
        served = axum::serve(listener, app) => served?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    door.close().await;
    Ok(())
}

/// Listens on `address`, and says what to do next.
///
/// # Errors
///
/// If the address cannot be listened on, with what to do about it.
pub async fn listen(address: SocketAddr) -> Outcome<TcpListener> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}; --port takes another"))?;
    let mut reached = listener.local_addr()?;
    // Every address of this machine is meant: a browser on it takes this one.
    match reached.ip() {
        IpAddr::V4(any) if any.is_unspecified() => reached.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(any) if any.is_unspecified() => reached.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    println!("open http://{reached} in a browser; Ctrl-C ends the program");
    Ok(listener)
}

/// What [`serve`] serves, for who listens himself.
pub fn router(
    page: &'static str,
    greet: impl Fn(PeerConnection) -> Outcome + Send + Sync + 'static,
) -> Router {
    routes(page, &Door::new(own_sockets, greet))
}

/// What [`serve_with`] serves, for who listens himself.
pub fn router_with(
    page: &'static str,
    make: impl Fn() -> Outcome<PeerConnection> + Send + Sync + 'static,
    greet: impl Fn(PeerConnection) -> Outcome + Send + Sync + 'static,
) -> Router {
    routes(page, &Door::new(make, greet))
}

/// A connection as it is without further ado.
fn own_sockets() -> Outcome<PeerConnection> {
    Ok(PeerConnection::builder(Configuration::default()).build()?)
}

fn routes(page: &'static str, door: &Arc<Door>) -> Router {
    // Whoever changes a page and starts the program again wants to see the change.
    let file = |kind, text: &'static str| {
        let headers = [("content-type", kind), ("cache-control", "no-store")];
        get(move || async move { (headers, text) })
    };
    Router::new()
        .route("/", file("text/html; charset=utf-8", page))
        .route(
            "/connect.js",
            file("text/javascript", include_str!("connect.js")),
        )
        .route("/page.css", file("text/css", include_str!("page.css")))
        .route("/offer", post(offer))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::clone(door))
}

/// The next track that the peer will send; `None` when the connection is over, which is then closed.
/// A simulcast brings one for each of its layers. Cancel safe.
pub async fn next_track(connection: &PeerConnection) -> Option<ReceivedTrack> {
    while let Some(event) = connection.next_event().await {
        match event.kind {
            PeerConnectionEvent::Track(received) => return Some(*received),
            PeerConnectionEvent::ConnectionStateChange(state) => {
                debug!(%state, "connection");
                if matches!(
                    state,
                    PeerConnectionState::Failed | PeerConnectionState::Closed
                ) {
                    break;
                }
            }
            _ => {}
        }
    }
    connection.close();
    None
}

/// Waits until the connection is up; `false` if it is over first. Tracks that come meanwhile are not
/// told of again. Cancel safe.
pub async fn connected(connection: &PeerConnection) -> bool {
    while let Some(event) = connection.next_event().await {
        match event.kind {
            PeerConnectionEvent::ConnectionStateChange(PeerConnectionState::Connected) => {
                return true;
            }
            PeerConnectionEvent::ConnectionStateChange(
                PeerConnectionState::Failed | PeerConnectionState::Closed,
            ) => break,
            _ => {}
        }
    }
    connection.close();
    false
}

/// Waits until the connection is over, and closes it. Cancel safe.
pub async fn over(connection: &PeerConnection) {
    while next_track(connection).await.is_some() {}
}

/// What offers come in by.
struct Door {
    make: Box<dyn Fn() -> Outcome<PeerConnection> + Send + Sync>,
    greet: Box<dyn Fn(PeerConnection) -> Outcome + Send + Sync>,
    open: Mutex<Vec<PeerConnection>>,
}

impl Door {
    fn new(
        make: impl Fn() -> Outcome<PeerConnection> + Send + Sync + 'static,
        greet: impl Fn(PeerConnection) -> Outcome + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            make: Box::new(make),
            greet: Box::new(greet),
            open: Mutex::default(),
        })
    }

    async fn answer(&self, offer: SessionDescription) -> Outcome<SessionDescription> {
        let connection = (self.make)()?;
        let answered = self.negotiate(&connection, offer).await;
        match &answered {
            Ok(_) => self.lock().push(connection),
            Err(_) => connection.close(),
        }
        answered
    }

    async fn negotiate(
        &self,
        connection: &PeerConnection,
        offer: SessionDescription,
    ) -> Outcome<SessionDescription> {
        connection.set_remote_description(offer).await?;
        (self.greet)(connection.clone())?;
        connection.set_local_description(None).await?;
        let gathered = connection.gathering_complete();
        if tokio::time::timeout(GATHERING_TIME, gathered)
            .await
            .is_err()
        {
            debug!("gathering takes long, answering without the rest");
        }
        Ok(connection
            .local_description()
            .ok_or("closed while it was negotiated")?)
    }

    /// Whether one more connection may come; those that are closed are forgotten.
    fn has_room(&self) -> bool {
        let mut open = self.lock();
        open.retain(|held| held.connection_state() != PeerConnectionState::Closed);
        open.len() < MAX_CONNECTIONS
    }

    async fn close(&self) {
        let open = std::mem::take(&mut *self.lock());
        for connection in &open {
            connection.close();
        }
        for connection in &open {
            connection.closed().await;
        }
    }

    /// What the lock protects is valid whenever it is free, so a panic elsewhere spoils nothing.
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<PeerConnection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn offer(State(door): State<Arc<Door>>, Json(offer): Json<SessionDescription>) -> Response {
    let refused = |status: StatusCode, error: String| {
        (status, Json(json!({ "error": error }))).into_response()
    };
    if !door.has_room() {
        let text = format!("{MAX_CONNECTIONS} connections are open, which is the limit");
        return refused(StatusCode::SERVICE_UNAVAILABLE, text);
    }
    match door.answer(offer).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => refused(StatusCode::BAD_REQUEST, error.to_string()),
    }
}
