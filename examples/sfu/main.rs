//! A room on a page: everybody who opens it sees and hears everybody else, and this program forwards
//! what each camera and microphone sends (a *selective forwarding unit*).
//!
//! `cargo run --release --example sfu`, then open <http://127.0.0.1:8080> in several tabs.

mod server;

use examples::{Flags, Outcome, signalling};
use server::Room;
use std::process::ExitCode;

const HELP: &str = "\
Serves a page on which everybody sees and hears everybody else.

Usage: cargo run --release --example sfu -- [OPTIONS]

Options:
  --bind ADDRESS   the address to listen on [default: 127.0.0.1]
  --port PORT      the port to listen on, 0 for any free one [default: 8080]
  --help           print this and exit

Browsers give a page on another machine the camera only over HTTPS: put a proxy in front.
RUST_LOG=debug shows who sees which layer.";

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, serve).await
}

/// Serves until Ctrl-C.
async fn serve(flags: Flags) -> Outcome {
    let listener = signalling::listen(flags.address()?).await?;
    let room = Room::open();
    // Not a graceful shutdown: that would wait for a browser to give up its idle connection.
    tokio::select! {
        served = axum::serve(listener, server::router(&room)) => served?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    room.close().await;
    Ok(())
}
