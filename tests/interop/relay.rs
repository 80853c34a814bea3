//! A path that loses packets, since a veth pair loses none and not every kernel can make it.
//!
//! `POST /relay {"to":"address:port","one_in":30}` opens a UDP port on that address and answers
//! `{"port":…}`. What the page sends there goes on to the server's candidate, and back, except for
//! one datagram in `one_in` in each direction, [`LOSS`] if left out. To the server the relay is a peer-reflexive
//! candidate, to the page it is the server.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::UdpSocket;

/// One datagram in this many is lost, where the page wants no other number.
const LOSS: u64 = 30;

/// The largest datagram either side sends; a larger one would be cut.
const LARGEST_DATAGRAM: usize = 2048;

pub(crate) fn router() -> Router {
    Router::new()
        .route("/relay", post(open))
        .with_state(Arc::new(Dice::default()))
}

async fn open(State(dice): State<Arc<Dice>>, Json(request): Json<Value>) -> Json<Value> {
    let to = request["to"].as_str().unwrap_or_default().parse();
    let Ok(server) = to else {
        return Json(json!({ "error": "`to` is no address" }));
    };
    let one_in = request["one_in"].as_u64().unwrap_or(LOSS).max(1);
    match relay(server, Loss { dice, one_in }).await {
        Ok(front) => Json(json!({ "port": front.port() })),
        Err(e) => Json(json!({ "error": e.to_string() })),
    }
}

/// Relays to `server` until the test ends; returns where the page sends to.
async fn relay(server: SocketAddr, loss: Loss) -> io::Result<SocketAddr> {
    let front = Arc::new(UdpSocket::bind(SocketAddr::new(server.ip(), 0)).await?);
    let address = front.local_addr()?;
    tokio::spawn(to_server(front, server, loss));
    Ok(address)
}

/// Takes what comes to `front`, and gives each of the page's sockets one towards the server.
async fn to_server(front: Arc<UdpSocket>, server: SocketAddr, loss: Loss) -> io::Result<()> {
    let mut backs: BTreeMap<SocketAddr, Arc<UdpSocket>> = BTreeMap::new();
    let mut buf = [0; LARGEST_DATAGRAM];
    loop {
        let (len, page) = front.recv_from(&mut buf).await?;
        let back = match backs.get(&page) {
            Some(back) => Arc::clone(back),
            None => {
                let back = Arc::new(UdpSocket::bind(SocketAddr::new(server.ip(), 0)).await?);
                back.connect(server).await?;
                let (front, loss) = (Arc::clone(&front), loss.clone());
                tokio::spawn(to_page(Arc::clone(&back), front, page, loss));
                backs.insert(page, Arc::clone(&back));
                back
            }
        };
        if !loss.strikes() {
            // Refused when the server has closed its socket: lost like anything else.
            let _ = back.send(&buf[..len]).await;
        }
    }
}

async fn to_page(back: Arc<UdpSocket>, front: Arc<UdpSocket>, page: SocketAddr, loss: Loss) {
    let mut buf = [0; LARGEST_DATAGRAM];
    while let Ok(len) = back.recv(&mut buf).await {
        if !loss.strikes() {
            let _ = front.send_to(&buf[..len], page).await;
        }
    }
}

/// What a relay loses.
#[derive(Clone, Debug)]
struct Loss {
    dice: Arc<Dice>,
    one_in: u64,
}

impl Loss {
    fn strikes(&self) -> bool {
        self.dice.roll().is_multiple_of(self.one_in)
    }
}

/// The same sequence of luck in every run (Steele and Vigna's SplitMix64).
#[derive(Debug, Default)]
struct Dice(AtomicU64);

impl Dice {
    fn roll(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.0.fetch_add(STEP, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
