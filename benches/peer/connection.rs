//! What it takes to set connections up, and to keep them.

use crate::Result;
use crate::outcome::{Outcome, microseconds, milliseconds, quantile};
use crate::pair::Pair;
use crate::process::{Cpu, resident_kib, threads};
use crate::setting::number;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Pairs that are not counted.
const WARM_UP: usize = 3;

/// A pair that takes longer is not counted.
const LIMIT: Duration = Duration::from_secs(30);

/// How long idle pairs are watched.
const WATCHED: Duration = Duration::from_secs(5);

/// `N` pairs, one after another or, with `CONC` more than 1, all at once.
pub(crate) async fn set_up() -> Result<()> {
    let pairs = number("N").unwrap_or(50);
    for _ in 0..WARM_UP {
        Pair::connect(true).await?.close().await;
    }
    if number::<usize>("CONC").unwrap_or(1) > 1 {
        at_once(pairs).await
    } else {
        in_sequence(pairs).await
    }
}

async fn in_sequence(pairs: usize) -> Result<()> {
    let (cpu, started) = (Cpu::now(), Instant::now());
    let mut times = Vec::new();
    for _ in 0..pairs {
        let pair = Pair::connect(true).await?;
        times.push(pair.set_up);
        pair.close().await;
    }
    let (cpu, time) = (Cpu::now().since(cpu), started.elapsed());
    let median = quantile(&mut times, 0.5);
    Outcome::new("connect_seq", milliseconds(median), "ms_p50", cpu)
        .with("p99_ms", milliseconds(quantile(&mut times, 0.99)))
        .with("conn_per_s", pairs as f64 / time.as_secs_f64())
        .with("cpu_ms_per_pair", milliseconds(cpu.total) / pairs as f64)
        .print();
    Ok(())
}

async fn at_once(pairs: usize) -> Result<()> {
    let (cpu, started) = (Cpu::now(), Instant::now());
    let connecting: Vec<_> = (0..pairs)
        .map(|_| tokio::spawn(timeout(LIMIT, Pair::connect(true))))
        .collect();
    let (mut times, mut kept) = (Vec::new(), Vec::new());
    for pair in connecting {
        if let Ok(Ok(pair)) = pair.await? {
            times.push(pair.set_up);
            kept.push(pair);
        }
    }
    let (cpu, time) = (Cpu::now().since(cpu), started.elapsed());
    let opened = times.len() as f64;
    let rate = opened / time.as_secs_f64();
    Outcome::new("connect_conc", rate, "conn/s", cpu)
        .with("cpu_ms_per_pair", milliseconds(cpu.total) / opened)
        .with("p50_ms", milliseconds(quantile(&mut times, 0.5)))
        .with("p99_ms", milliseconds(quantile(&mut times, 0.99)))
        .with("ok", opened)
        .with("asked", pairs as f64)
        .print();
    Ok(())
}

/// What each of `N` idle pairs holds and takes.
pub(crate) async fn idle() -> Result<()> {
    let pairs: usize = number("N").unwrap_or(200);
    let mut kept = Vec::new();
    for _ in 0..5 {
        kept.push(Pair::connect(true).await?);
    }
    sleep(Duration::from_millis(300)).await;
    let (memory, before) = (resident_kib(), threads());
    for _ in 0..pairs {
        kept.push(Pair::connect(true).await?);
    }
    sleep(Duration::from_secs(2)).await;
    let memory = (resident_kib() - memory) / pairs as f64;
    let added = threads() - before;
    let cpu = Cpu::now();
    sleep(WATCHED).await;
    let cpu = Cpu::now().since(cpu);
    let per_pair = microseconds(cpu.total) / WATCHED.as_secs_f64() / kept.len() as f64;
    Outcome::new("idle_mem", memory, "KiB/pair", cpu)
        .with("idle_cpu_us_per_s_per_pair", per_pair)
        .with("threads_added", added)
        .with("n", pairs as f64)
        .print();
    Ok(())
}
