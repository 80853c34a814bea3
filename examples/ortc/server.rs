//! A browser at the other end. Browsers speak in descriptions, so the page puts ours together, and
//! takes its own apart; none comes here. The module stands alone but for its neighbours, so that a
//! test can include it with `#[path]`.

#[path = "media.rs"]
pub(crate) mod media;
#[path = "parameters.rs"]
mod parameters;
#[path = "peer.rs"]
pub(crate) mod peer;
#[path = "split.rs"]
mod split;

use self::parameters::Parameters;
use self::peer::{Peer, Session};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use examples::Outcome;
use ice::conn::IceRole;
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// How long the transports may take to start.
const LIMIT: Duration = Duration::from_secs(30);

/// The page at `/`, and `POST /parameters`, which takes those of the page and replies with ours.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(async || Html(include_str!("index.html"))))
        .route(
            "/page.css",
            get(async || {
                (
                    [("content-type", "text/css")],
                    include_str!("../src/page.css"),
                )
            }),
        )
        .route("/parameters", post(exchange))
}

async fn exchange(Json(remote): Json<Parameters>) -> Response {
    // The page offers, so it controls (RFC 8445 §6.1.1).
    match Peer::gather(IceRole::Controlled).await {
        Ok(peer) => {
            let parameters = peer.parameters();
            examples::spawn(echo(peer, remote));
            Json(parameters).into_response()
        }
        Err(error) => {
            let text = json!({ "error": error.to_string() });
            (StatusCode::INTERNAL_SERVER_ERROR, Json(text)).into_response()
        }
    }
}

/// Connects, and sends back what comes.
async fn echo(peer: Peer, remote: Parameters) -> Outcome {
    let session = timeout(LIMIT, peer.start(&remote, false)).await??;
    reflect(session).await
}

/// Sends back what comes, over every channel and over RTP.
pub(crate) async fn reflect(session: Session) -> Outcome {
    let Session { channels, media } = session;
    if let Some(mut media) = media {
        examples::spawn(async move {
            while let Some(packet) = media.recv().await {
                media.send(&packet).await?;
            }
            Ok(())
        });
    }
    while let Some(channel) = channels.accept().await {
        examples::spawn(async move {
            while let Some((payload, data)) = channel.recv().await {
                channel.send(payload, data).await?;
            }
            Ok(())
        });
    }
    Ok(())
}
