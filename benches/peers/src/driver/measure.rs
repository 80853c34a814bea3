//! One measurement of one peer.

use super::case::{Bulk, Case, Work};
use super::child::{Ends, unexpected};
use crate::Result;
use crate::peer::Kind;
use crate::summary::quantile;
use crate::wire::{Command, Report, Setup};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::sleep;

/// Figures by their names.
pub(crate) type Figures = BTreeMap<String, f64>;

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// How long a transfer is measured, and idle connections are watched.
    pub(crate) measured: Duration,
    /// How long it runs before; four times as long over a path.
    pub(crate) warm_up: Duration,
    /// Messages there and back.
    pub(crate) rounds: usize,
    /// Connections that are set up one after another.
    pub(crate) set_ups: usize,
    /// Connections that are idle.
    pub(crate) idle: usize,
}

/// Pairs and rounds that are not counted: caches, pools and heaps fill up.
const WARM_UP_PAIRS: usize = 5;
const WARM_UP_ROUNDS: usize = 500;

/// After connections were made, until they are still.
const SETTLING: Duration = Duration::from_secs(2);

/// Idle connections are watched for as long at least: every 5 s each end asks whether the other still
/// listens (RFC 7675 §5.1).
const CONSENT: Duration = Duration::from_secs(5);

/// What this peer makes of this case.
pub(crate) async fn measure(kind: Kind, case: &Case, effort: Effort, seed: u64) -> Result<Figures> {
    let (ordered, path) = match case.work {
        Work::Bulk(transfer) => (transfer.ordered, transfer.path),
        _ => (true, None),
    };
    let setup = Setup {
        peer: kind,
        ordered,
        echo: matches!(case.work, Work::RoundTrips),
    };
    let mut ends = Ends::start(setup, path, seed).await?;
    let figures = match case.work {
        Work::Bulk(transfer) => bulk(&mut ends, transfer, effort).await,
        Work::RoundTrips => round_trips(&mut ends, effort.rounds).await,
        Work::SetUp => set_up(&mut ends, effort.set_ups).await,
        Work::Idle => idle(&mut ends, effort).await,
    };
    ends.end().await?;
    figures
}

fn named<const N: usize>(figures: [(&str, f64); N]) -> Figures {
    let finite = figures.into_iter().filter(|(_, figure)| figure.is_finite());
    finite
        .map(|(name, figure)| (name.to_owned(), figure))
        .collect()
}

async fn bulk(ends: &mut Ends, transfer: Bulk, effort: Effort) -> Result<Figures> {
    for pair in 0..transfer.pairs {
        ends.open(pair).await?;
    }
    let size = transfer.size;
    ends.offerer.tell(Command::Fill { size }).await?;
    let stretch = if transfer.path.is_some() { 4 } else { 1 };
    sleep(effort.warm_up * stretch).await;
    let before = ends.samples().await?;
    sleep(effort.measured).await;
    let after = ends.samples().await?;

    let bytes = (after[1].received - before[1].received) as f64;
    if bytes == 0.0 {
        return Err("nothing arrived".into());
    }
    let cpu: f64 = (0..2).map(|end| after[end].cpu - before[end].cpu).sum();
    let sender = after[0].cpu - before[0].cpu;
    Ok(named([
        ("mb_per_s", bytes / 1e6 / (after[1].at - before[1].at)),
        ("cpu_s_per_gb", cpu / (bytes / 1e9)),
        ("sender_cpu_s_per_gb", sender / (bytes / 1e9)),
    ]))
}

async fn round_trips(ends: &mut Ends, rounds: usize) -> Result<Figures> {
    ends.open(0).await?;
    ping(ends, WARM_UP_ROUNDS).await?;
    let before = ends.samples().await?;
    let mut micros = ping(ends, rounds).await?;
    let after = ends.samples().await?;
    let cpu: f64 = (0..2).map(|end| after[end].cpu - before[end].cpu).sum();
    Ok(named([
        ("p50_us", quantile(&mut micros, 0.5)),
        ("p99_us", quantile(&mut micros, 0.99)),
        ("cpu_us_per_round", cpu * 1e6 / rounds as f64),
    ]))
}

async fn ping(ends: &mut Ends, rounds: usize) -> Result<Vec<f64>> {
    ends.offerer.tell(Command::Ping { rounds }).await?;
    match ends.offerer.report().await? {
        Report::Pinged { micros } => Ok(micros),
        other => Err(unexpected(&other)),
    }
}

async fn set_up(ends: &mut Ends, pairs: usize) -> Result<Figures> {
    for pair in 0..WARM_UP_PAIRS {
        ends.open(pair).await?;
        ends.close(pair).await?;
    }
    let before = ends.samples().await?;
    let mut micros = Vec::new();
    for pair in WARM_UP_PAIRS..WARM_UP_PAIRS + pairs {
        micros.push(ends.open(pair).await?);
        ends.close(pair).await?;
    }
    let after = ends.samples().await?;
    let cpu: f64 = (0..2).map(|end| after[end].cpu - before[end].cpu).sum();
    Ok(named([
        ("p50_ms", quantile(&mut micros, 0.5) / 1e3),
        ("p99_ms", quantile(&mut micros, 0.99) / 1e3),
        ("cpu_ms_per_pair", cpu * 1e3 / pairs as f64),
    ]))
}

async fn idle(ends: &mut Ends, effort: Effort) -> Result<Figures> {
    let pairs = effort.idle;
    for pair in 0..WARM_UP_PAIRS {
        ends.open(pair).await?;
    }
    sleep(SETTLING).await;
    let before = ends.samples().await?;
    for pair in WARM_UP_PAIRS..WARM_UP_PAIRS + pairs {
        ends.open(pair).await?;
    }
    sleep(SETTLING).await;
    let settled = ends.samples().await?;
    sleep(effort.measured.max(CONSENT)).await;
    let after = ends.samples().await?;

    let memory: f64 = (0..2)
        .map(|end| settled[end].resident_kib - before[end].resident_kib)
        .sum();
    let cpu: f64 = (0..2).map(|end| after[end].cpu - settled[end].cpu).sum();
    let pair_seconds = (WARM_UP_PAIRS + pairs) as f64 * (after[0].at - settled[0].at);
    // A system that does not say how much memory a process has says 0.
    let known = settled[0].resident_kib > 0.0;
    Ok(named([
        (
            "kib_per_pair",
            if known {
                memory / pairs as f64
            } else {
                f64::NAN
            },
        ),
        ("cpu_us_per_pair_s", cpu * 1e6 / pair_seconds),
    ]))
}
