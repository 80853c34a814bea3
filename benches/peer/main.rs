//! One end of a comparison: runs the metric that it is asked for and prints one line of JSON.
//!
//! `peer METRIC`, with the settings of the metric in the environment; the README of this package
//! lists them.
#![expect(
    clippy::disallowed_methods,
    reason = "an application reads the clock and spawns"
)]

mod connection;
mod forward;
mod outcome;
mod pair;
mod process;
mod setting;
mod transfer;

use std::error::Error;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let metric = std::env::args().nth(1).ok_or("which metric?")?;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(workers) = setting::number("WORKERS") {
        builder.worker_threads(workers);
    }
    let runtime = builder.enable_all().build()?;
    // Spawned, so that the work is done by the workers and not by one thread more than asked for.
    runtime.block_on(runtime.spawn(measure(metric)))?
}

async fn measure(metric: String) -> Result<()> {
    match metric.as_str() {
        "sfu" => forward::serve().await,
        "pingpong" => transfer::round_trips().await,
        "connect" => connection::set_up().await,
        "idle" => connection::idle().await,
        bulk if bulk.starts_with("dc_") => transfer::bulk(bulk).await,
        other => Err(format!("no such metric: {other}").into()),
    }
}
