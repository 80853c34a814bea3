//! TURN servers for pages that shall reach us through nothing else.
//!
//! `POST /turn {"server":"ours"}` starts one on the first request, ours or `coturn`, and answers with
//! its address, `{"address":"10.77.0.1:port","username":…,"credential":…,"relayed":…}`: the same port
//! for UDP and TCP. `relayed` counts the packets of ours so far, so that a page sees that it is used.

use crate::coturn::{Coturn, Ours, PASSWORD, USER};
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The address of the test's network.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// The servers that were asked for.
#[derive(Default)]
struct Servers {
    ours: OnceCell<Ours>,
    coturn: OnceCell<Coturn>,
}

pub(crate) fn router() -> Router {
    Router::new()
        .route("/turn", post(find))
        .with_state(Arc::new(Servers::default()))
}

async fn find(State(servers): State<Arc<Servers>>, Json(request): Json<Value>) -> Json<Value> {
    let (address, relayed) = match request["server"].as_str() {
        Some("ours") => {
            let ours = servers.ours.get_or_init(|| Ours::with_user_on(ADDRESS));
            let ours = ours.await;
            (ours.udp_and_tcp, Some(ours.packets_relayed()))
        }
        Some("coturn") => {
            let coturn = servers.coturn.get_or_init(|| Coturn::with_user_on(ADDRESS));
            (coturn.await.address, None)
        }
        _ => return Json(json!({ "error": "`server` is `ours` or `coturn`" })),
    };
    Json(json!({
        "address": address.to_string(),
        "username": USER,
        "credential": PASSWORD,
        "relayed": relayed,
    }))
}
