//! Messages over a data channel: many one way, or one there and back.

use crate::Result;
use crate::outcome::{Outcome, microseconds, quantile};
use crate::pair::Pair;
use crate::process::{Cpu, resident_kib};
use crate::setting::{number, seconds};
use bytes::Bytes;
use muonrtc::{DataChannel, DataChannelMessage};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Round trips that are not counted.
const WARM_UP: usize = 500;

/// As many messages of `SIZE` bytes as go through in `SECS`, after `WARM`; `UNORDERED=1`. With
/// `PAIRS`, the sum of so many that do it at the same time.
pub(crate) async fn bulk(metric: &str) -> Result<()> {
    let size = number("SIZE").unwrap_or(16 * 1024);
    let ordered = number::<u8>("UNORDERED").is_none_or(|unordered| unordered == 0);
    let mut pairs = Vec::new();
    for _ in 0..number("PAIRS").unwrap_or(1) {
        pairs.push(Pair::connect(ordered).await?);
    }
    let received = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for pair in &pairs {
        let (near, far) = pair.channel.clone();
        tasks.spawn(send(near, size));
        tasks.spawn(count(far, received.clone()));
    }

    sleep(seconds("WARM", 2.0)).await;
    let (bytes, cpu, started) = (received.load(Ordering::Relaxed), Cpu::now(), Instant::now());
    sleep(seconds("SECS", 10.0)).await;
    let bytes = received.load(Ordering::Relaxed) - bytes;
    let (cpu, time) = (Cpu::now().since(cpu), started.elapsed());
    tasks.abort_all();

    let per_gigabyte = |time: std::time::Duration| time.as_secs_f64() / (bytes as f64 / 1e9);
    let rate = bytes as f64 / 1e6 / time.as_secs_f64();
    Outcome::new(metric, rate, "MB/s", cpu)
        .with("cpu_s_per_gb", per_gigabyte(cpu.total))
        .with("sys_s_per_gb", per_gigabyte(cpu.system()))
        .with("rss_mib", resident_kib() / 1024.0)
        .print();
    Ok(())
}

/// Sends until the channel closes.
async fn send(channel: DataChannel, size: usize) {
    let message = Bytes::from(vec![7; size]);
    while channel.send(message.clone()).await.is_ok() {}
}

/// Adds up what comes.
async fn count(channel: DataChannel, received: Arc<AtomicU64>) {
    while let Some(message) = channel.recv().await {
        let len = match message {
            DataChannelMessage::Binary(bytes) => bytes.len(),
            DataChannelMessage::Text(text) => text.len(),
        };
        received.fetch_add(len as u64, Ordering::Relaxed);
    }
}

/// `N` messages of 64 bytes there and back, one by one.
pub(crate) async fn round_trips() -> Result<()> {
    let rounds = number("N").unwrap_or(10_000);
    let pair = Pair::connect(true).await?;
    let (near, far) = pair.channel.clone();
    let echo = tokio::spawn(echo(far));
    let message = Bytes::from_static(&[7; 64]);
    let mut times = Vec::with_capacity(rounds);
    let mut cpu = Cpu::now();
    for round in 0..WARM_UP + rounds {
        if round == WARM_UP {
            cpu = Cpu::now();
            times.clear();
        }
        let started = Instant::now();
        near.send(message.clone()).await?;
        near.recv().await.ok_or("closed before the message came")?;
        times.push(started.elapsed());
    }
    let cpu = Cpu::now().since(cpu);
    echo.abort();
    let median = quantile(&mut times, 0.5);
    Outcome::new("dc_pingpong", microseconds(median), "us_p50", cpu)
        .with("p99_us", microseconds(quantile(&mut times, 0.99)))
        .with("cpu_us_per_rt", microseconds(cpu.total) / rounds as f64)
        .print();
    Ok(())
}

/// Sends everything back.
async fn echo(channel: DataChannel) -> Result<()> {
    while let Some(message) = channel.recv().await {
        if let DataChannelMessage::Binary(bytes) = message {
            channel.send(bytes).await?;
        }
    }
    Ok(())
}
