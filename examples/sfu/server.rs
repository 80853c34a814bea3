//! The page, and the one request by which it joins: `POST /join` takes a name and an offer, and
//! replies with the answer and the id of the new member.
//!
//! All that follows goes over the data channel `room` of that connection: see [`message`]. So there
//! is no second transport to set up, to secure or to keep alive, and who closes the page has left.
//! The module stands alone but for its neighbours, so that a test can include it with `#[path]`.

#[path = "keyframe.rs"]
mod keyframe;
#[path = "member.rs"]
mod member;
#[path = "message.rs"]
mod message;
#[path = "room.rs"]
mod room;
#[path = "source.rs"]
mod source;
#[path = "speaker.rs"]
mod speaker;

pub(crate) use self::room::Room;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use muonrtc::SessionDescription;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The largest request body, in bytes. An offer of one camera and one microphone has some 10 KiB.
const MAX_BODY: usize = 256 * 1024;

/// The page of a room.
pub(crate) fn router(room: &Arc<Room>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/join", post(join))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::clone(room))
}

async fn page() -> impl IntoResponse {
    (
        [("cache-control", "no-store")],
        Html(include_str!("index.html")),
    )
}

#[derive(Debug, Deserialize)]
struct JoinRequest {
    name: String,
    offer: SessionDescription,
}

async fn join(State(room): State<Arc<Room>>, Json(request): Json<JoinRequest>) -> Response {
    match room.join(&request.name, request.offer).await {
        Ok((id, answer)) => Json(json!({ "id": id, "answer": answer })).into_response(),
        Err(refusal) => {
            let status = match refusal {
                room::Refusal::Full => StatusCode::SERVICE_UNAVAILABLE,
                room::Refusal::Offer(_) => StatusCode::BAD_REQUEST,
            };
            (status, Json(json!({ "error": refusal.to_string() }))).into_response()
        }
    }
}

/// Runs a task on its own. Each of ours ends with the connection or the room it follows.
#[expect(clippy::disallowed_methods, reason = "an application spawns")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}
