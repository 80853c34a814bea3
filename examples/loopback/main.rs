//! Two peers in one process, over real UDP sockets: how fast is it here?
//!
//! `cargo run --release --example loopback`
#![expect(
    clippy::disallowed_methods,
    reason = "an application reads the clock and spawns"
)]

mod flags;
mod pattern;
mod progress;

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use flags::Flags;
use muonrtc::{
    Configuration, DataChannel, DataChannelMessage, PeerConnection, PeerConnectionEvent,
};
use pattern::Pattern;
use progress::Progress;
use serde_json::json;
use tracing_subscriber::EnvFilter;

/// Bytes of a small message.
const SMALL: usize = 64;
/// Bytes of a bulk message.
const LARGE: usize = 16 * 1024;
/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(900);

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    // Off unless RUST_LOG asks, so that it costs the measurements nothing.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let flags = match Flags::parse(std::env::args().skip(1)) {
        Ok(Some(flags)) => flags,
        Ok(None) => {
            println!("{}", flags::HELP);
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprintln!("{wrong}\n\n{}", flags::HELP);
            return ExitCode::FAILURE;
        }
    };
    match run(flags) {
        Ok(figures) if flags.json => println!("{}", figures.json()),
        Ok(figures) => figures.print(&flags),
        Err(error) => {
            eprintln!("loopback failed: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn run(flags: Flags) -> Outcome<Figures> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(flags.threads)
        .enable_all()
        .build()?;
    // Spawned, so that the work is done by the workers and not by one thread more than asked for.
    let measured = runtime.spawn(async move { tokio::time::timeout(LIMIT, measure(flags)).await });
    runtime
        .block_on(measured)?
        .map_err(|_| format!("not done after {} s", LIMIT.as_secs()))?
}

/// What a run found out.
#[derive(Debug)]
struct Figures {
    /// From the first call that makes the offer to the open channel, median.
    setup: Duration,
    /// 64 bytes there and back, median.
    round_trip: Duration,
    /// All small messages, there and back.
    messages: Duration,
    /// All bulk messages, from the first send to the last one checked.
    bulk: Duration,
    /// Bytes of the bulk messages.
    bytes: u64,
    /// Processor time of both peers during `bulk`, where the system tells.
    cpu: Option<Duration>,
    pair: String,
}

async fn measure(flags: Flags) -> Outcome<Figures> {
    let shown = !flags.json;
    let setup = set_up_time(flags.connections, shown).await?;
    let pair = Pair::connect().await?;
    let pattern = Pattern::new();

    let (near, far) = &pair.echo;
    let echo = tokio::spawn(echo(far.clone()));
    let round_trip = round_trip_time(near, &pattern, flags.rounds, shown).await?;
    let messages = exchange(near, &pattern, flags.messages, shown).await?;
    near.close();
    echo.await??;

    let before = cpu_time();
    let bulk = transfer(&pair.bulk, &pattern, flags.bytes, shown).await?;
    let cpu = cpu_time().zip(before).map(|(after, before)| after - before);

    let selected = pair.offerer.selected_candidate_pair();
    let selected = selected.map_or("unknown".to_owned(), |pair| pair.to_string());
    pair.close().await;
    Ok(Figures {
        setup,
        round_trip,
        messages,
        bulk,
        bytes: flags.bytes,
        cpu,
        pair: selected,
    })
}

/// Two connected peers and two channels between them, each as (offerer's end, answerer's end).
#[derive(Debug)]
struct Pair {
    offerer: PeerConnection,
    answerer: PeerConnection,
    echo: (DataChannel, DataChannel),
    bulk: (DataChannel, DataChannel),
    /// How long it took until the offerer's first channel was open.
    setup: Duration,
}

impl Pair {
    async fn connect() -> Outcome<Self> {
        let offerer = PeerConnection::builder(Configuration::default()).build()?;
        let answerer = PeerConnection::builder(Configuration::default()).build()?;

        let started = Instant::now();
        let echo = offerer.create_data_channel("echo", None)?;
        let bulk = offerer.create_data_channel("bulk", None)?;
        offerer.set_local_description(None).await?;
        offerer.gathering_complete().await;
        let offer = offerer.local_description().ok_or("no offer")?;
        answerer.set_remote_description(offer).await?;
        answerer.set_local_description(None).await?;
        answerer.gathering_complete().await;
        let answer = answerer.local_description().ok_or("no answer")?;
        offerer.set_remote_description(answer).await?;
        echo.opened().await?;
        let setup = started.elapsed();

        let (first, second) = (accept(&answerer).await?, accept(&answerer).await?);
        let mut far = (first, second);
        if far.0.label() != echo.label() {
            far = (far.1, far.0);
        }
        Ok(Self {
            offerer,
            answerer,
            echo: (echo, far.0),
            bulk: (bulk, far.1),
            setup,
        })
    }

    async fn close(self) {
        self.offerer.close();
        self.answerer.close();
        self.offerer.closed().await;
        self.answerer.closed().await;
    }
}

/// The next channel the other side opens.
async fn accept(connection: &PeerConnection) -> Outcome<DataChannel> {
    while let Some(event) = connection.next_event().await {
        if let PeerConnectionEvent::DataChannel(channel) = event.kind {
            return Ok(channel);
        }
    }
    Err("closed before the channel came".into())
}

/// Connects and closes again and again; the median.
async fn set_up_time(connections: u64, shown: bool) -> Outcome<Duration> {
    let mut progress = Progress::new("set-up", connections, shown);
    let mut times = Vec::new();
    for _ in 0..connections {
        let pair = Pair::connect().await?;
        times.push(pair.setup);
        pair.close().await;
        progress.advance(1);
    }
    progress.finish();
    Ok(median(times))
}

/// Sends everything back until the channel closes.
async fn echo(channel: DataChannel) -> Outcome<()> {
    while let Some(message) = channel.recv().await {
        match message {
            DataChannelMessage::Binary(bytes) => channel.send(bytes).await?,
            DataChannelMessage::Text(text) => channel.send_text(&text).await?,
        }
    }
    Ok(())
}

/// One small message at a time; the median.
async fn round_trip_time(
    channel: &DataChannel,
    pattern: &Pattern,
    rounds: u64,
    shown: bool,
) -> Outcome<Duration> {
    let mut progress = Progress::new("round trip", rounds, shown);
    let mut times = Vec::new();
    for round in 0..rounds {
        let started = Instant::now();
        channel.send(pattern.message(round, SMALL)).await?;
        receive(channel, pattern, round, SMALL).await?;
        times.push(started.elapsed());
        progress.advance(1);
    }
    progress.finish();
    Ok(median(times))
}

/// Small messages there and back, as many in flight as the channel takes.
async fn exchange(
    channel: &DataChannel,
    pattern: &Pattern,
    messages: u64,
    shown: bool,
) -> Outcome<Duration> {
    let mut progress = Progress::new("messages", messages, shown);
    let sender = tokio::spawn(send(channel.clone(), pattern.clone(), messages, SMALL));
    for number in 0..messages {
        receive(channel, pattern, number, SMALL).await?;
        progress.advance(1);
    }
    sender.await??;
    Ok(progress.finish())
}

/// Large messages one way; the last is what remains of `bytes`.
async fn transfer(
    (near, far): &(DataChannel, DataChannel),
    pattern: &Pattern,
    bytes: u64,
    shown: bool,
) -> Outcome<Duration> {
    let large = u64::try_from(LARGE)?;
    let (messages, rest) = (bytes / large, usize::try_from(bytes % large)?);
    let mut progress = Progress::new("bulk", bytes, shown);
    let (channel, contents) = (near.clone(), pattern.clone());
    let sender = tokio::spawn(async move {
        send(channel.clone(), contents.clone(), messages, LARGE).await?;
        if rest > 0 {
            channel.send(contents.message(messages, rest)).await?;
        }
        Outcome::Ok(())
    });
    for number in 0..messages {
        receive(far, pattern, number, LARGE).await?;
        progress.advance(large);
    }
    if rest > 0 {
        receive(far, pattern, messages, rest).await?;
    }
    sender.await??;
    Ok(progress.finish())
}

async fn send(channel: DataChannel, pattern: Pattern, messages: u64, len: usize) -> Outcome<()> {
    for number in 0..messages {
        channel.send(pattern.message(number, len)).await?;
    }
    Ok(())
}

/// Waits for the next message and checks that it is this one, byte for byte.
async fn receive(channel: &DataChannel, pattern: &Pattern, number: u64, len: usize) -> Outcome<()> {
    match channel.recv().await {
        Some(DataChannelMessage::Binary(bytes)) if pattern.is_message(number, len, &bytes) => {
            Ok(())
        }
        Some(DataChannelMessage::Binary(bytes)) => {
            let got = bytes.len();
            Err(format!("message {number} is not what was sent: {got} of {len} bytes came").into())
        }
        Some(DataChannelMessage::Text(_)) => Err(format!("message {number} came as text").into()),
        None => Err(format!("the channel closed before message {number}").into()),
    }
}

impl Figures {
    fn megabytes_per_second(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.bulk.as_secs_f64()
    }

    fn cpu_seconds_per_gigabyte(&self) -> Option<f64> {
        self.cpu
            .map(|cpu| cpu.as_secs_f64() / (self.bytes as f64 / 1e9))
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "throughput_mb_s": rounded(self.megabytes_per_second()),
            "cpu_s_per_gb": self.cpu_seconds_per_gigabyte().map(rounded),
            "setup_ms_p50": rounded(self.setup.as_secs_f64() * 1e3),
            "rtt_us_p50": rounded(self.round_trip.as_secs_f64() * 1e6),
            "pair": self.pair,
        })
    }

    fn print(&self, flags: &Flags) {
        let per_second = flags.messages as f64 / self.messages.as_secs_f64();
        let cpu = self
            .cpu_seconds_per_gigabyte()
            .map_or("n/a".to_owned(), |seconds| format!("{seconds:.2}"));
        let milliseconds = self.setup.as_secs_f64() * 1e3;
        let microseconds = self.round_trip.as_secs_f64() * 1e6;
        let (connections, rounds) = (flags.connections, flags.rounds);
        let (messages, bytes) = (flags.messages, flags.bytes as f64 / 1e6);
        println!("set-up      {milliseconds:9.2} ms         p50 of {connections} connections");
        println!("round trip  {microseconds:9.1} µs         p50 of {rounds} × {SMALL} bytes");
        println!(
            "messages    {per_second:9.0} /s         {messages} × {SMALL} bytes, there and back"
        );
        println!(
            "throughput  {:9.1} MB/s       {bytes:.0} MB in messages of 16 KiB, one way",
            self.megabytes_per_second()
        );
        println!("processor   {cpu:>9} CPU-s/GB   both peers together");
        println!("path        {}", self.pair);
        println!("every byte of every message was checked");
    }
}

/// Processor time of this process so far, all threads; `None` where there is no `/proc`.
fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // proc_pid_stat(5): the name stands in parentheses and may hold anything; utime and stime are
    // the 12th and 13th field after it, in ticks of which Linux shows programs 100 a second.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn rounded(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}
