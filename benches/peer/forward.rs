//! A forwarder: what one connection sends goes to all others.
//!
//! It is told what to do over a TCP connection on the loopback address, in lines of JSON: the port
//! is printed, the load generator connects and asks for one connection after another.

use crate::Result;
use crate::pair::{described, served};
use crate::process::{Cpu, resident_kib};
use muonrtc::{
    MediaKind, PeerConnection, PeerConnectionEvent, SdpType, SessionDescription, TrackLocal,
    TrackRemote,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// Serves one load generator until it says that it is enough.
pub(crate) async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("PORT {}", listener.local_addr()?.port());
    let (mut stream, _) = listener.accept().await?;
    let (requests, mut replies) = stream.split();
    let mut requests = BufReader::new(requests).lines();
    let track = TrackLocal::forwarding("forwarded", MediaKind::Video);
    let mut connections = Vec::new();
    while let Some(request) = requests.next_line().await? {
        let request: Value = serde_json::from_str(&request)?;
        let reply = match request["role"].as_str() {
            Some("stats") => statistics(),
            Some("pub") => {
                let publisher = served()?;
                tokio::spawn(forward(publisher.clone(), track.clone()));
                let answer = answer(&publisher, &request).await?;
                connections.push(publisher);
                answer
            }
            Some("sub") => {
                let subscriber = served()?;
                subscriber.add_track(&track, &["forwarded"])?;
                let answer = answer(&subscriber, &request).await?;
                connections.push(subscriber);
                answer
            }
            _ => break,
        };
        replies.write_all(format!("{reply}\n").as_bytes()).await?;
    }
    Ok(())
}

fn statistics() -> Value {
    let cpu = Cpu::now();
    json!({
        "cpu_s": cpu.total.as_secs_f64(),
        "user_s": cpu.user.as_secs_f64(),
        "rss_kib": resident_kib(),
    })
}

/// The answer to the offer in a request.
async fn answer(connection: &PeerConnection, request: &Value) -> Result<Value> {
    let offer = request["sdp"].as_str().ok_or("no offer")?;
    let offer = SessionDescription::new(SdpType::Offer, offer);
    connection.set_remote_description(offer).await?;
    let answer = described(connection, None).await?;
    Ok(json!({ "sdp": answer.sdp() }))
}

/// Writes every packet of the first track that comes.
async fn forward(publisher: PeerConnection, to: TrackLocal) {
    while let Some(event) = publisher.next_event().await {
        if let PeerConnectionEvent::Track(received) = event.kind {
            return copy(&received.track, &to).await;
        }
    }
}

async fn copy(from: &TrackRemote, to: &TrackLocal) {
    while let Some(packet) = from.read_rtp().await {
        to.write_rtp(&packet);
    }
}
