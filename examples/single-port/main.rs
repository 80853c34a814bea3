//! Every connection behind one UDP port and one TCP port: what a server in a data centre opens in its
//! firewall.
//!
//! `cargo run --release --example single-port`, then open <http://127.0.0.1:8080>.

mod port;

use examples::{Flags, Outcome, signalling};
use std::process::ExitCode;

const HELP: &str = "\
Echoes the channels of any number of browsers, all through one UDP port and one TCP port.

Usage: cargo run --release --example single-port -- [OPTIONS]

Options:
  --media PORT     the one port of all connections, UDP and TCP, 0 for any free one [default: 4433]
  --bind ADDRESS   the address of the page [default: 127.0.0.1]
  --port PORT      the port of the page, 0 for any free one [default: 8080]
  --help           print this and exit";

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, single_port).await
}

async fn single_port(flags: Flags) -> Outcome {
    let endpoint = port::bind(flags.value("--media", 4433)?)?;
    for address in endpoint.udp_addrs() {
        println!("all connections are at {address}, UDP and TCP");
    }
    let page = include_str!("index.html");
    let make = move || port::connection(&endpoint);
    signalling::serve_with(flags.address()?, page, make, |connection| {
        examples::spawn(port::serve(connection));
        Ok(())
    })
    .await
}
