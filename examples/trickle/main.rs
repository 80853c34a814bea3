//! Candidates one by one: the offer leaves before there is any.
//!
//! `cargo run --release --example trickle`.

use examples::{Flags, Outcome};
use muonrtc::{
    Configuration, IceCandidateInit, IceServer, PeerConnection, PeerConnectionEvent, SdpType,
    SessionDescription,
};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::sleep;

const HELP: &str = "\
Connects two peers that tell each other every candidate as soon as it is found.

Usage: cargo run --release --example trickle -- [OPTIONS]

Options:
  --stun URL       a server to ask for more candidates, such as stun:stun.example.org
  --delay MS       how long the signalling takes, in milliseconds [default: 20]
  --help           print this and exit";

/// Signals on their way; an application would have a connection to a server here.
const MAX_SIGNALS: usize = 256;

/// What peers tell each other outside of the connection.
enum Signal {
    Description(SessionDescription),
    /// `None` ends them.
    Candidate(Option<IceCandidateInit>),
}

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, trickle).await
}

async fn trickle(flags: Flags) -> Outcome {
    let stun: String = flags.value("--stun", String::new())?;
    let delay = Duration::from_millis(flags.value("--delay", 20)?);
    let mut configuration = Configuration::default();
    if !stun.is_empty() {
        configuration.ice_servers = vec![IceServer::new(vec![stun])];
    }
    let offerer = PeerConnection::builder(configuration.clone()).build()?;
    let answerer = PeerConnection::builder(configuration).build()?;
    let channel = offerer.create_data_channel("trickle", None)?;

    let started = now();
    let (to_answerer, from_offerer) = mpsc::channel(MAX_SIGNALS);
    let (to_offerer, from_answerer) = mpsc::channel(MAX_SIGNALS);
    let near = Side {
        name: "offerer",
        started,
        delay,
        connection: offerer.clone(),
        out: to_answerer,
    };
    let far = Side {
        name: "answerer",
        started,
        delay,
        connection: answerer.clone(),
        out: to_offerer,
    };
    let tasks = [
        examples::spawn(near.clone().listen(from_answerer)),
        examples::spawn(far.listen(from_offerer)),
    ];

    // Nothing is waited for: the offer has no candidates yet, or few.
    near.describe().await?;
    channel.opened().await?;
    println!("{:>9.1?}  the channel is open", started.elapsed());
    if let Some(pair) = offerer.selected_candidate_pair() {
        println!("from {}", pair.local.candidate());
        println!("to   {}", pair.remote.candidate());
    }
    offerer.close();
    answerer.close();
    offerer.closed().await;
    answerer.closed().await;
    for task in tasks {
        task.abort();
    }
    Ok(())
}

/// One side of the signalling.
#[derive(Clone)]
struct Side {
    name: &'static str,
    started: Instant,
    delay: Duration,
    connection: PeerConnection,
    out: mpsc::Sender<Signal>,
}

impl Side {
    /// Sends the description that is due, and from then on every candidate as it is found: they are of
    /// use only to who knows the description.
    async fn describe(&self) -> Outcome {
        self.connection.set_local_description(None).await?;
        let description = self.connection.local_description().ok_or("not described")?;
        println!(
            "{:>9.1?}  {}: {:?}",
            self.started.elapsed(),
            self.name,
            description.kind()
        );
        self.out.send(Signal::Description(description)).await?;
        examples::spawn(self.clone().tell());
        Ok(())
    }

    /// Tells the other side every candidate.
    async fn tell(self) -> Outcome {
        while let Some(event) = self.connection.next_event().await {
            let PeerConnectionEvent::IceCandidate(candidate) = event.kind else {
                continue;
            };
            let signal = candidate.map(|candidate| {
                // An empty one ends those of its generation.
                let line = match candidate.candidate() {
                    "" => "that was all",
                    line => line,
                };
                println!("{:>9.1?}  {}: {line}", self.started.elapsed(), self.name);
                candidate.to_init()
            });
            if self.out.send(Signal::Candidate(signal)).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Applies what the other side tells, and answers an offer.
    async fn listen(self, mut signals: mpsc::Receiver<Signal>) -> Outcome {
        while let Some(signal) = signals.recv().await {
            sleep(self.delay).await;
            match signal {
                Signal::Candidate(candidate) => {
                    // After the end of the connection nobody wants it.
                    let _ = self.connection.add_ice_candidate(candidate).await;
                }
                Signal::Description(description) => {
                    let is_offer = description.kind() == SdpType::Offer;
                    self.connection.set_remote_description(description).await?;
                    if is_offer {
                        self.describe().await?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "an example measures")]
fn now() -> Instant {
    Instant::now()
}
