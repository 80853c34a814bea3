//! A page and the Rust program it talks to: data channels between a browser and Muon.
//!
//! `cargo run --release --example echo`, then open <http://127.0.0.1:8080>.

mod server;

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::str::FromStr;

use axum::response::{Html, IntoResponse};
use axum::routing::get;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

const HELP: &str = "\
Serves a page whose data channels end in this program, which echoes every message.

Usage: cargo run --release --example echo -- [OPTIONS]

Options:
  --bind ADDRESS   the address to listen on [default: 127.0.0.1]
  --port PORT      the port to listen on, 0 for any free one [default: 8080]
  --help           print this and exit

RUST_LOG=debug shows what happens, RUST_LOG=muonrtc_ice=trace shows one layer closely.";

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .init();
    let outcome = match address(std::env::args().skip(1)) {
        Ok(Some(address)) => serve(address).await,
        Ok(None) => {
            println!("{HELP}");
            Ok(())
        }
        Err(wrong) => Err(format!("{wrong}\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until Ctrl-C.
async fn serve(address: SocketAddr) -> Result<(), String> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error} (--port takes another)"))?;
    let address = listener.local_addr().unwrap_or(address);
    println!("the page is at http://{address}");
    let app = server::router().route("/", get(page));
    let stop = async {
        // Without a handler for Ctrl-C the process ends at once, which is as good.
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await
        .map_err(|error| format!("the server stopped: {error}"))
}

async fn page() -> impl IntoResponse {
    // The latter two isolate the page, which makes the browser's clock precise to 5 µs.
    let headers = [
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
    ];
    (headers, Html(include_str!("index.html")))
}

/// What the flags say; `None` asks for help.
fn address(mut args: impl Iterator<Item = String>) -> Result<Option<SocketAddr>, String> {
    let mut bind = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut port = 8080;
    while let Some(flag) = args.next() {
        let (name, joined) = match flag.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (flag, None),
        };
        let mut value = || joined.clone().or_else(|| args.next()).unwrap_or_default();
        match name.as_str() {
            "--help" | "-h" => return Ok(None),
            "--bind" => bind = parsed(&name, &value())?,
            "--port" => port = parsed(&name, &value())?,
            other => return Err(format!("no such flag: {other}")),
        }
    }
    Ok(Some(SocketAddr::new(bind, port)))
}

fn parsed<T: FromStr<Err: Display>>(flag: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|error| format!("{flag} {value:?}: {error}"))
}
