//! One page sends its camera, any number of pages watch it.
//!
//! `cargo run --release --example broadcast`, then open <http://127.0.0.1:8080> in several tabs and
//! start the broadcast in one of them.

mod stage;

use examples::{Flags, Outcome, signalling};
use stage::Stage;
use std::process::ExitCode;
use std::sync::Arc;

const HELP: &str = "\
Sends the camera of one page to all others.

Usage: cargo run --release --example broadcast -- [OPTIONS]

Options:
  --bind ADDRESS   the address to listen on [default: 127.0.0.1]
  --port PORT      the port to listen on, 0 for any free one [default: 8080]
  --help           print this and exit";

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, broadcast).await
}

async fn broadcast(flags: Flags) -> Outcome {
    let page = include_str!("index.html");
    let stage = Arc::new(Stage::default());
    println!("broadcast in one tab, watch in others");
    signalling::serve(flags.address()?, page, move |connection| {
        stage.greet(connection)
    })
    .await
}
