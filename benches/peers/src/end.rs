//! One end of the connections: a process that is told what to do over its standard input.

use crate::duty::{Duty, PING};
use crate::peer::muon::Muon;
use crate::peer::str0m::Str0m;
use crate::peer::webrtc::Webrtc;
use crate::peer::{Exchange, Kind, Link, Peer, Reply};
use crate::process::{cpu_seconds, resident_kib};
use crate::wire::{Command, Report, Sample, Setup};
use crate::{Result, micros};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin, stdin};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// Bytes of the send buffer of str0m where it is enlarged.
const WIDE: usize = 2 << 20;

/// Serves the driver until it closes the standard input.
pub(crate) async fn serve() -> Result<()> {
    let mut lines = BufReader::new(stdin()).lines();
    let setup = lines.next_line().await?.ok_or("no setup")?;
    let setup: Setup = serde_json::from_str(&setup)?;
    match setup.peer {
        Kind::Muon => End::new(Muon::own_ports(), setup).obey(lines).await,
        Kind::MuonEndpoint => End::new(Muon::one_port()?, setup).obey(lines).await,
        Kind::Str0m => {
            let peer = Str0m { send_buffer: None };
            End::new(peer, setup).obey(lines).await
        }
        Kind::Str0mWide => {
            let send_buffer = Some(WIDE);
            End::new(Str0m { send_buffer }, setup).obey(lines).await
        }
        Kind::Webrtc => End::new(Webrtc { wide: false }, setup).obey(lines).await,
        Kind::WebrtcWide => End::new(Webrtc { wide: true }, setup).obey(lines).await,
        #[cfg(feature = "libdatachannel")]
        Kind::Libdatachannel => {
            let peer = crate::peer::libdatachannel::Libdatachannel;
            End::new(peer, setup).obey(lines).await
        }
        #[cfg(not(feature = "libdatachannel"))]
        Kind::Libdatachannel => Err("this program was built without it".into()),
    }
}

/// One end with the connections that it has.
struct End<P: Peer> {
    peer: Arc<P>,
    setup: Setup,
    began: Instant,
    received: Arc<AtomicU64>,
    reports: UnboundedSender<Report>,
    /// Offers whose answer has not come.
    unanswered: BTreeMap<usize, oneshot::Sender<String>>,
    links: Arc<Links<P::Link>>,
}

/// The connections whose channel is open.
struct Links<L>(Mutex<BTreeMap<usize, L>>);

impl<L> Links<L> {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, L>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Peer> End<P> {
    fn new(peer: P, setup: Setup) -> Self {
        let (reports, outgoing) = unbounded_channel();
        tokio::spawn(print(outgoing));
        Self {
            peer: Arc::new(peer),
            setup,
            began: Instant::now(),
            received: Arc::default(),
            reports,
            unanswered: BTreeMap::new(),
            links: Arc::new(Links(Mutex::new(BTreeMap::new()))),
        }
    }

    async fn obey(mut self, mut lines: Lines<BufReader<Stdin>>) -> Result<()> {
        while let Some(line) = lines.next_line().await? {
            match serde_json::from_str(&line)? {
                Command::Open { pair } => self.open(pair),
                Command::Offer { pair, sdp } => self.answer(pair, sdp),
                Command::Answer { pair, sdp } => {
                    if let Some(waiting) = self.unanswered.remove(&pair) {
                        // The connection may have failed since.
                        let _ = waiting.send(sdp);
                    }
                }
                Command::Fill { size } => {
                    for link in self.links.lock().values_mut() {
                        link.assign(Duty::Fill(size));
                    }
                }
                Command::Ping { rounds } => self.ping(rounds)?,
                Command::Sample => self.reports.send(Report::Sampled(self.sample()))?,
                Command::Close { pair } => self.close(pair)?,
            }
        }
        Ok(())
    }

    fn open(&mut self, pair: usize) {
        let (answer, answered) = oneshot::channel();
        self.unanswered.insert(pair, answer);
        let exchange = Exchange {
            pair,
            reports: self.reports.clone(),
            answer: answered,
        };
        let (peer, ordered) = (self.peer.clone(), self.setup.ordered);
        let (reports, links) = (self.reports.clone(), self.links.clone());
        tokio::spawn(async move {
            let began = Instant::now();
            let opened = peer.offer(ordered, exchange).await;
            let micros = micros(began.elapsed());
            let report = match opened {
                Ok(link) => {
                    links.lock().insert(pair, link);
                    Report::Opened { pair, micros }
                }
                Err(error) => failed(error.as_ref()),
            };
            let _ = reports.send(report);
        });
    }

    fn answer(&self, pair: usize, offer: String) {
        let reply = Reply {
            pair,
            reports: self.reports.clone(),
        };
        let duty = if self.setup.echo {
            Duty::Echo
        } else {
            Duty::Count(self.received.clone())
        };
        let (peer, reports, links) = (self.peer.clone(), self.reports.clone(), self.links.clone());
        tokio::spawn(async move {
            let began = Instant::now();
            let report = match peer.answer(offer, reply).await {
                Ok(mut link) => {
                    let micros = micros(began.elapsed());
                    link.assign(duty);
                    links.lock().insert(pair, link);
                    Report::Opened { pair, micros }
                }
                Err(error) => failed(error.as_ref()),
            };
            let _ = reports.send(report);
        });
    }

    fn ping(&self, rounds: usize) -> Result<()> {
        let mut links = self.links.lock();
        let link = links.values_mut().next().ok_or("no connection")?;
        let (times, measured) = oneshot::channel();
        link.assign(Duty::Ping { rounds, times });
        let reports = self.reports.clone();
        tokio::spawn(async move {
            let report = match measured.await {
                Ok(times) if times.len() == rounds => Report::Pinged {
                    micros: times.into_iter().map(micros).collect(),
                },
                _ => Report::Failed {
                    reason: format!("messages of {PING} bytes did not come back"),
                },
            };
            let _ = reports.send(report);
        });
        Ok(())
    }

    fn sample(&self) -> Sample {
        Sample {
            at: self.began.elapsed().as_secs_f64(),
            cpu: cpu_seconds(),
            resident_kib: resident_kib(),
            received: self.received.load(Ordering::Relaxed),
        }
    }

    fn close(&self, pair: usize) -> Result<()> {
        let link = self.links.lock().remove(&pair).ok_or("no such pair")?;
        let reports = self.reports.clone();
        tokio::spawn(async move {
            link.close().await;
            let _ = reports.send(Report::Closed { pair });
        });
        Ok(())
    }
}

fn failed(error: &dyn std::error::Error) -> Report {
    Report::Failed {
        reason: error.to_string(),
    }
}

/// Writes each report as a line.
async fn print(mut reports: UnboundedReceiver<Report>) {
    while let Some(report) = reports.recv().await {
        let Ok(line) = serde_json::to_string(&report) else {
            continue;
        };
        let mut output = std::io::stdout().lock();
        // Without a driver there is nobody to report to.
        let _ = writeln!(output, "{line}").and_then(|()| output.flush());
    }
}
