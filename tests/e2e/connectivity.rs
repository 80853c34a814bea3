//! What `docs/connectivity.md` says holds for whole connections: a channel opens where the table has a
//! pair, and over a pair of that kind.

#[path = "../../examples/vnet/drive.rs"]
#[allow(dead_code, reason = "the example uses all of it")]
mod drive;
#[path = "../../examples/vnet/topology.rs"]
#[allow(dead_code, reason = "the example uses all of it")]
mod topology;

use bytes::Bytes;
use drive::Drive;
use muonrtc::{Configuration, DataChannelInit, IceCandidateType, Payload, SessionEvent};
use std::time::Duration;
use testkit::{Clock, seed};
use topology::{Behind, Server, internet, site};

const DOCUMENT: &str = include_str!("../../docs/connectivity.md");

/// Longer than an agent tries.
const LIMIT: Duration = Duration::from_secs(60);

/// The cells of the table under this heading, row by row.
fn table(heading: &str) -> Vec<Vec<String>> {
    let (_, after) = DOCUMENT.split_once(heading).unwrap();
    let lines = after.lines().skip_while(|line| !line.starts_with('|'));
    let rows = lines.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let cells = row.trim_matches('|').split('|').skip(1);
        cells.map(|cell| cell.trim().to_owned()).collect()
    })
    .collect()
}

/// Offers a channel and says something on it; the types of the selected pair as the offerer sees
/// them, or a dash where it does not come about.
fn run(behind: [Behind; 2], server: Server, seed: u64) -> String {
    let clock = Clock::new();
    let mut network = internet(&clock, seed);
    let hosts = [("one", 1), ("other", 2)];
    let mut behind = behind.into_iter();
    let ends = hosts.map(|(name, number)| {
        let site = site(&mut network, name, behind.next().unwrap(), number);
        let mut configuration = Configuration::default();
        configuration.ice_servers = server.ice_servers();
        (site.host, configuration)
    });
    let mut drive = Drive::new(clock, network, seed, ends).unwrap();
    let now = drive.now();
    let offerer = &mut drive.ends[0].session;
    let channel = offerer
        .create_data_channel(now, "e2e", DataChannelInit::default())
        .unwrap();
    drive.negotiate().unwrap();
    let opened = |drive: &mut Drive| {
        let mut events = drive.ends[0].events.iter().map(|(_, event)| event);
        events.any(|event| matches!(event, SessionEvent::ChannelOpen(_)))
    };
    if !drive.run_until(LIMIT, opened) {
        return "–".to_owned();
    }
    let (now, hello) = (drive.now(), Bytes::from_static(b"hello"));
    drive.ends[0]
        .session
        .send(now, channel, Payload::Text, &hello)
        .unwrap();
    assert!(drive.run_until(LIMIT, |drive| !drive.ends[1].messages.is_empty()));
    drive.run_until(Duration::from_secs(2), |_| false);
    let pair = drive.ends[0].session.selected_candidate_pair().unwrap();
    let [own, other] = [pair.local, pair.remote].map(|it| {
        let kind = it.candidate_type();
        kind.map_or("?", IceCandidateType::as_str)
    });
    format!("{own}/{other}")
}

fn holds(heading: &str, server: Server) {
    let seed = seed(1);
    let table = table(heading);
    let relays = |cell: &str| cell.matches("relay").count();
    let mut wrong = Vec::new();
    for (row, (one, _)) in Behind::ALL.into_iter().enumerate() {
        for (column, (other, _)) in Behind::ALL.into_iter().enumerate() {
            let (found, expected) = (run([one, other], server, seed.value()), &table[row][column]);
            // Where each end reaches the relay of the other, which one is nominated is a race.
            let race = relays(&found) == 1 && relays(expected) == 1;
            if found != *expected && !race {
                wrong.push(format!("{one} to {other}: {found} instead of {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{heading}\n{}", wrong.join("\n"));
}

#[test]
fn connections_open_as_documented_without_a_server() {
    holds("## No server", Server::Nothing);
}

#[test]
fn connections_open_as_documented_with_stun() {
    holds("## STUN", Server::Stun);
}

#[test]
fn connections_open_as_documented_with_turn_over_udp() {
    holds("## TURN over UDP", Server::TurnUdp);
}

#[test]
fn connections_open_as_documented_with_turn_over_tcp() {
    holds("## TURN over TCP", Server::TurnTcp);
}

#[test]
fn connections_open_as_documented_with_turn_over_tls() {
    holds("## TURN over TLS", Server::TurnTls);
}

#[test]
fn connections_open_as_documented_with_turn_over_dtls() {
    holds("## TURN over DTLS", Server::TurnDtls);
}
