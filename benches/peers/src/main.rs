//! Muon beside other implementations: both ends of a connection as processes over loopback, each
//! measurement by every peer in turn.
//!
//! `peers run` is the driver. It starts this program again as `peers end` for each end, tells both
//! what to do over pipes, and carries their descriptions from one to the other; `peers path` is the
//! path between them where it is impaired. The README has the flags and how to read the output.
#![expect(
    clippy::disallowed_methods,
    reason = "an application reads the clock and spawns"
)]

mod driver;
mod duty;
mod end;
mod flags;
mod peer;
mod plot;
mod process;
mod record;
mod summary;
mod table;
mod wire;

use driver::Metric;
use flags::{Arguments, HELP};
use impairment::{Limits, Path};
use peer::Kind;
use record::{Journal, Record};
use std::error::Error;
use std::io::{Write, stdout};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::{ExitCode, exit};
use std::time::Duration;
use summary::Summary;
use tokio::runtime;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Where all ends are.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The payload of UDP in a frame of Ethernet, in bytes (IPv4): what an impaired path lets pass.
const ETHERNET: usize = 1472;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    let arguments = Arguments::parse(arguments)?;
    match task.as_str() {
        "run" => measure(&arguments),
        "table" => tables(&recorded(&arguments)?),
        "plot" => plot(&arguments),
        "list" => {
            list();
            Ok(())
        }
        "end" => serve(),
        "path" => carry(&arguments.rest),
        _ => {
            println!("{HELP}");
            Ok(())
        }
    }
}

fn measure(arguments: &Arguments) -> Result<()> {
    let plan = arguments.plan()?;
    let mut journal = Journal::open(arguments.path("json").as_deref())?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let records = runtime.block_on(plan.run(&mut journal))?;
    if arguments.is_set("table") {
        tables(&records)?;
    }
    Ok(())
}

fn tables(records: &[Record]) -> Result<()> {
    let report = table::report(&Summary::all(records));
    Ok(stdout().write_all(report.as_bytes())?)
}

fn recorded(arguments: &Arguments) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for file in &arguments.rest {
        records.extend(record::read(file.as_ref())?);
    }
    if records.is_empty() {
        return Err("which file?".into());
    }
    Ok(records)
}

fn plot(arguments: &Arguments) -> Result<()> {
    let folder = arguments.path("out");
    let folder = folder.unwrap_or_else(|| PathBuf::from("docs/plots"));
    let summaries = Summary::all(&recorded(arguments)?);
    for file in plot::draw(&summaries, &folder)? {
        println!("{}", file.display());
    }
    Ok(())
}

fn list() {
    let peers: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    println!("peers: {}", peers.join(", "));
    for metric in Metric::ALL {
        println!("{}:", metric.name());
        for case in metric.case_names() {
            println!("  {case}");
        }
    }
}

/// Is one end.
fn serve() -> Result<()> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    // Spawned, so that the work is done by the workers and not by one thread more.
    runtime.block_on(runtime.spawn(end::serve()))??;
    // The connections end with the process.
    exit(0)
}

/// Is the path: one way in µs, loss in thousandths, the seed of the losses.
fn carry(settings: &[String]) -> Result<()> {
    let [one_way, loss_permille, seed] = settings else {
        return Err("path takes a delay, a loss and a seed".into());
    };
    let limits = Limits {
        delay: Duration::from_micros(one_way.parse()?),
        loss: loss_permille.parse::<f64>()? / 1000.0,
        bytes_per_second: 0.0,
        queue: 0,
        largest: ETHERNET,
    };
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let path = Path::bind(ADDRESS, limits, seed.parse()?)?;
        println!("{}", serde_json::to_string(&path.ports())?);
        Ok(path.carry().await?)
    })
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
