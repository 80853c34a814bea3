//! Metrics, in the text format that Prometheus reads.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use examples::Outcome;
use std::fmt::Write;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;
use turn::conn::Server;

/// Serves `/metrics` on this port of the loopback interface.
pub(crate) async fn serve(server: Server, port: u16) -> Outcome {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("metrics: http://{}/metrics", listener.local_addr()?);
    let router = Router::new()
        .route("/metrics", get(text))
        .with_state(server);
    axum::serve(listener, router).await?;
    Ok(())
}

async fn text(State(server): State<Server>) -> String {
    let stats = server.stats();
    let machine = stats.machine;
    let mut text = String::new();
    for (kind, name, value) in [
        ("gauge", "allocations", as_u64(machine.allocations)),
        ("gauge", "streams", as_u64(stats.streams)),
        ("counter", "allocated", machine.allocated),
        ("counter", "requests_served", machine.requests_served),
        ("counter", "bindings", machine.bindings),
        ("counter", "challenges", machine.challenges),
        (
            "counter",
            "challenges_suppressed",
            machine.challenges_suppressed,
        ),
        ("counter", "unauthenticated", machine.unauthenticated),
        ("counter", "stale_nonces", machine.stale_nonces),
        ("counter", "denied_peers", machine.denied_peers),
        ("counter", "over_quota", machine.over_quota),
        ("counter", "refused", machine.refused),
        ("counter", "malformed", machine.malformed),
        (
            "counter",
            "unpermitted_to_peers",
            machine.unpermitted_to_peers,
        ),
        (
            "counter",
            "unpermitted_to_clients",
            machine.unpermitted_to_clients,
        ),
        ("counter", "packets_relayed", machine.packets_relayed),
        ("counter", "bytes_relayed", machine.bytes_relayed),
        ("counter", "lost_to_clients", stats.lost_to_clients),
        ("counter", "lost_to_peers", stats.lost_to_peers),
        ("counter", "streams_refused", stats.streams_refused),
        ("counter", "streams_idle", stats.streams_idle),
        ("counter", "streams_malformed", stats.streams_malformed),
    ] {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# TYPE turn_{name} {kind}\nturn_{name} {value}");
    }
    text
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
