//! Two connections behind NATs, in virtual time: a minute of it takes milliseconds.
//!
//! `cargo run --release --example vnet`. No packet leaves the process, and the same seed gives the same
//! run: what a test needs that asks whether two networks connect, and what a user of theirs would see.
//!
//! ```text
//!        stun.example      turn.example
//!      ──────┬──────────────────┬──────── the internet
//!            │                  │
//!     router 203.0.1.1   router 203.0.2.1
//!            │ 20 ms            │ 20 ms
//!          alice               bob
//! ```

mod drive;
mod topology;

use std::net::IpAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use datachannel::ChannelKey;
use drive::Drive;
use examples::{Flags, Outcome};
use muonrtc::{
    Configuration, DataChannelInit, IceCandidate, Payload, PeerConnectionState, SessionEvent,
};
use testkit::Clock;
use topology::{Behind, Server, Site, internet, site};

const HELP: &str = "\
Connects two peers over a virtual network in virtual time, and tells what happened.

Usage: cargo run --release --example vnet -- [OPTIONS]

Options:
  --alice SITE     open, full-cone, restricted, port-restricted, symmetric, udp-blocked or
                   only-tcp-443 [default: symmetric]
  --bob SITE       the same [default: restricted]
  --server SERVER  none, stun, turn-udp, turn-tcp, turn-tls or
                   turn-dtls [default: stun]
  --seed N         another run [default: 1]
  --help           print this and exit";

const NAMES: [&str; 2] = ["alice", "bob"];

/// How long two ends try.
const PATIENCE: Duration = Duration::from_secs(60);

/// Within this time of being connected the best path is selected.
const SELECTION: Duration = Duration::from_secs(2);

/// The public address of alice's router after it was restarted.
const NEW_ADDRESS: [u8; 4] = [203, 0, 1, 99];

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    examples::run(HELP, |flags| async move { run(&flags) }).await
}

#[expect(clippy::disallowed_methods, reason = "an application reads the clock")]
fn run(flags: &Flags) -> Outcome {
    let begun = Instant::now();
    let behind = [
        flags.value("--alice", Behind::Symmetric)?,
        flags.value("--bob", Behind::Restricted)?,
    ];
    let server = flags.value("--server", Server::Stun)?;
    let mut story = Story::new(behind, server, flags.value("--seed", 1)?)?;
    story.connect()?;
    if behind[0] != Behind::Open {
        story.move_alice()?;
    }
    let (virtual_time, real_time) = (story.drive.elapsed(), begun.elapsed());
    println!("{virtual_time:.1?} of virtual time in {real_time:.1?}");
    Ok(())
}

/// The two, and how much of their events has been told.
struct Story {
    drive: Drive,
    alice: Site,
    told: [usize; 2],
}

impl Story {
    fn new(behind: [Behind; 2], server: Server, seed: u64) -> Outcome<Self> {
        let clock = Clock::new();
        let mut network = internet(&clock, seed);
        let [alice, bob] = [(0, 1), (1, 2)]
            .map(|(index, number)| site(&mut network, NAMES[index], behind[index], number));
        for (name, site, behind) in [(NAMES[0], &alice, behind[0]), (NAMES[1], &bob, behind[1])] {
            println!("{name} is at {}, behind: {behind}", site.address);
        }
        println!("both know: {server}\n");
        let ends = [alice.host, bob.host].map(|host| {
            let mut configuration = Configuration::default();
            configuration.ice_servers = server.ice_servers();
            (host, configuration)
        });
        Ok(Self {
            drive: Drive::new(clock, network, seed, ends)?,
            alice,
            told: [0; 2],
        })
    }

    /// From the offer to a message and its answer.
    fn connect(&mut self) -> Outcome {
        let now = self.drive.now();
        let alice = &mut self.drive.ends[0].session;
        let channel = alice.create_data_channel(now, "chat", DataChannelInit::default())?;
        self.drive.negotiate()?;
        let connected = self.drive.run_until(PATIENCE, |drive| {
            let mut sessions = drive.ends.iter().map(|end| end.session.connection_state());
            sessions.all(|state| state == PeerConnectionState::Connected)
                || drive
                    .ends
                    .iter()
                    .any(|end| end.session.connection_state() == PeerConnectionState::Failed)
        });
        let opened = connected && self.drive.run_until(PATIENCE, |drive| has_opened(drive));
        self.tell();
        if !opened {
            return Err("they do not connect: there is no way between these two".into());
        }
        self.say("hello", channel)?;
        self.show_path();
        Ok(())
    }

    /// A message from alice to bob; tells how long it took.
    fn say(&mut self, text: &'static str, channel: ChannelKey) -> Outcome {
        let (now, sent) = (self.drive.now(), self.drive.elapsed());
        let before = self.drive.ends[1].messages.len();
        let alice = &mut self.drive.ends[0].session;
        alice.send(
            now,
            channel,
            Payload::Text,
            &Bytes::from_static(text.as_bytes()),
        )?;
        let came = self
            .drive
            .run_until(PATIENCE, |drive| drive.ends[1].messages.len() > before);
        self.tell();
        let Some((at, message)) = self.drive.ends[1].messages.last().filter(|_| came) else {
            return Err(format!("{text:?} did not come").into());
        };
        let text = String::from_utf8_lossy(&message.data);
        println!("{} bob: {text:?} after {:.0?}", stamp(*at), *at - sent);
        Ok(())
    }

    /// Alice's router restarts and has another address: all mappings are gone.
    fn move_alice(&mut self) -> Outcome {
        let network = &mut self.drive.network;
        let router = network.router(self.alice.subnet).ok_or("no router")?;
        if let Some(nat) = &mut router.nat {
            nat.external = vec![IpAddr::from(NEW_ADDRESS)];
        }
        network.restart_router(self.alice.subnet);
        println!(
            "\n{} alice's router restarts; it is {} now",
            stamp(self.drive.elapsed()),
            IpAddr::from(NEW_ADDRESS)
        );
        let noticed = self.drive.run_until(PATIENCE, |drive| {
            let mut sessions = drive.ends.iter().map(|end| end.session.connection_state());
            sessions.any(|state| state != PeerConnectionState::Connected)
        });
        self.tell();
        if noticed {
            println!("{} alice restarts ICE", stamp(self.drive.elapsed()));
            self.drive.ends[0].session.restart_ice();
            self.drive.negotiate()?;
        }
        let channel = self.drive.ends[1].messages.last().map(|(_, it)| it.key);
        let channel = channel.ok_or("no channel")?;
        self.say("still here", channel)?;
        self.show_path();
        Ok(())
    }

    /// Prints the events that were not told yet, of both in order.
    fn tell(&mut self) {
        let mut lines: Vec<(Duration, String)> = Vec::new();
        for (index, end) in self.drive.ends.iter().enumerate() {
            let new = &end.events[self.told[index]..];
            self.told[index] = end.events.len();
            for (at, event) in new {
                if let Some(text) = told(event) {
                    lines.push((*at, format!("{}: {text}", NAMES[index])));
                }
            }
        }
        lines.sort_by_key(|(at, _)| *at);
        for (at, text) in lines {
            println!("{} {text}", stamp(at));
        }
    }

    /// Data flows on the first way that works; the best one is selected a moment later.
    fn show_path(&mut self) {
        self.drive.run_until(SELECTION, |_| false);
        self.tell();
        for (name, end) in NAMES.iter().zip(&self.drive.ends) {
            if let Some(pair) = end.session.selected_candidate_pair() {
                println!("{:12} {name}'s path: {pair}", "");
            }
        }
    }
}

fn has_opened(drive: &Drive) -> bool {
    let opened = |event: &SessionEvent| matches!(event, SessionEvent::ChannelOpen(_));
    let mut ends = drive.ends.iter();
    ends.all(|end| end.events.iter().any(|(_, event)| opened(event)))
}

/// What is worth a line.
fn told(event: &SessionEvent) -> Option<String> {
    Some(match event {
        // The end of a generation's candidates has none.
        SessionEvent::IceCandidate(Some(candidate)) if candidate.address().is_none() => {
            return None;
        }
        SessionEvent::IceCandidate(Some(candidate)) => format!("candidate {}", short(candidate)),
        SessionEvent::IceCandidate(None) => "no more candidates".to_owned(),
        SessionEvent::IceCandidateError(error) => format!("{}: {}", error.url, error.text),
        SessionEvent::IceConnectionStateChange(state) => format!("ICE is {state:?}"),
        SessionEvent::ConnectionStateChange(state) => format!("the connection is {state:?}"),
        SessionEvent::ChannelOpen(_) => "the channel is open".to_owned(),
        _ => return None,
    })
}

fn short(candidate: &IceCandidate) -> String {
    let kind = candidate.candidate_type().map_or("?", |it| it.as_str());
    let address = candidate.address().unwrap_or("?");
    let port = candidate.port().unwrap_or(0);
    format!("{kind} {address}:{port}")
}

fn stamp(at: Duration) -> String {
    format!("{:9.3} s ", at.as_secs_f64())
}
