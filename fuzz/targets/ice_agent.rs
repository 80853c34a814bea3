//! Two agents, a network that does what the tape says, candidates and credentials of the tape's own
//! making, and STUN messages with the right integrity around any attributes.
#![no_main]

use fuzz::{Tape, faults, stun_integrity};
use layer::{Candidate, CandidateAddress, CandidateType, Credentials, IceEvent, IceRole, Protocol};
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use testkit::{IcePair, Link, Packet, Side};

const LONG_ENOUGH: Duration = Duration::from_secs(90);
const A: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const B: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

fuzz_target!(|bytes: &[u8]| {
    let tape = Tape::new(bytes);
    let factory = ice::Factory::default();
    let seed = tape.number().into();
    let mut link = Link::perfect();
    link.delay = Duration::from_millis(5);
    let mut pair = IcePair::new([&factory, &factory], [&[A], &[B]], &link, seed, |_| {});
    let passwords = [password(&pair, Side::A), password(&pair, Side::B)];
    pair.fault = Some(faults(
        &tape,
        Box::new(move |from, message| {
            // A request is signed with the password of its receiver, a response with the sender's.
            let is_response = message.first().is_some_and(|first| first & 1 == 1);
            let of = if is_response { from } else { from.other() };
            stun_integrity(message, &passwords[of as usize]);
        }),
    ));
    if tape.flag() {
        pair.start();
    }
    while let Some(step) = tape.byte() {
        let side = tape.side();
        match step % 8 {
            0..=2 => inject(&mut pair, side, &tape),
            3 | 4 => pair.run_for(tape.duration()),
            _ => act(&mut pair, side, &tape),
        }
    }
    pair.fault = None;
    pair.run_for(LONG_ENOUGH);
});

fn password(pair: &IcePair, of: Side) -> String {
    let end = match of {
        Side::A => &pair.a,
        Side::B => &pair.b,
    };
    end.machine.local_credentials().password.clone()
}

/// A packet from anywhere; every second one is a message that the agent takes for its peer's.
fn inject(pair: &mut IcePair, to: Side, tape: &Tape) {
    let Some(local) = local(pair, to) else {
        return;
    };
    let source = match tape.byte().unwrap_or(0) {
        0..128 => SocketAddr::new(if to == Side::A { B } else { A }, 50_000),
        other => SocketAddr::new(
            IpAddr::V4(Ipv4Addr::new(198, 51, 100, other)),
            tape.number(),
        ),
    };
    let signed = tape.flag();
    let mut bytes = tape.chunk();
    if signed {
        let ours = pair.end(to).machine.local_credentials().clone();
        let theirs = pair.end(to.other()).machine.local_credentials().clone();
        let username = format!("{}:{}", ours.username_fragment, theirs.username_fragment);
        bytes = request(tape, &username, &bytes);
        stun_integrity(&mut bytes, &ours.password);
    }
    let now = pair.now();
    pair.network
        .deliver_at(now, Packet::new(source, local, bytes));
    pair.run_for(Duration::ZERO);
}

/// A Binding request with the right user name and any other attributes.
fn request(tape: &Tape, username: &str, attributes: &[u8]) -> Vec<u8> {
    let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42];
    message.extend(std::iter::repeat_n(tape.byte().unwrap_or(0), 12));
    message.extend([0, 6]);
    message.extend(u16::try_from(username.len()).unwrap_or(0).to_be_bytes());
    message.extend(username.as_bytes());
    message.resize(message.len().next_multiple_of(4), 0);
    message.extend(attributes);
    message
}

fn local(pair: &mut IcePair, side: Side) -> Option<SocketAddr> {
    let candidates = pair.end(side).machine.local_candidates();
    candidates.iter().find_map(Candidate::socket_addr)
}

fn act(pair: &mut IcePair, side: Side, tape: &Tape) {
    let now = pair.now();
    let end = pair.end(side);
    match tape.byte().unwrap_or(0) % 12 {
        0 => end.machine.gather(now),
        1 | 2 => {
            let _ = end.machine.add_remote_candidate(now, candidate(tape));
        }
        3 => {
            let role = if tape.flag() {
                IceRole::Controlling
            } else {
                IceRole::Controlled
            };
            end.machine.set_role(now, role);
        }
        4 => {
            let made = credentials(tape);
            let _ = end.machine.set_remote_credentials(now, made, tape.flag());
        }
        5 => {
            let _ = end.machine.restart(now, credentials(tape));
        }
        6 => {
            let theirs = pair.end(side.other()).machine.local_credentials().clone();
            let machine = &mut pair.end(side).machine;
            let _ = machine.set_remote_credentials(now, theirs, false);
        }
        7 => end.machine.end_of_remote_candidates(now),
        8 => {
            let _ = end.send(now, &tape.chunk());
        }
        9 if tape.flag() => end.machine.close(now),
        10 => end
            .events
            .retain(|event| matches!(event, IceEvent::Candidate(_))),
        _ => {
            let _ = (
                end.machine.stats(),
                end.machine.claims(),
                end.machine.route(),
            );
            let _ = (end.machine.selected_pair(), end.machine.remote_candidates());
        }
    }
    pair.settle();
}

fn credentials(tape: &Tape) -> Credentials {
    let chunk = String::from_utf8_lossy(&tape.chunk()).into_owned();
    let letter = char::from(b'a' + tape.byte().unwrap_or(0) % 26);
    Credentials::new(chunk, letter.to_string().repeat(22))
}

fn candidate(tape: &Tape) -> Candidate {
    let address = match tape.byte().unwrap_or(0) {
        0 => CandidateAddress::Name {
            host: String::from_utf8_lossy(&tape.chunk()).into_owned(),
            port: tape.number(),
        },
        last => CandidateAddress::Socket(SocketAddr::new(
            IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)),
            tape.number(),
        )),
    };
    let bits = tape.byte().unwrap_or(0);
    let kind = match bits & 3 {
        0 => CandidateType::Host,
        1 => CandidateType::ServerReflexive,
        2 => CandidateType::PeerReflexive,
        _ => CandidateType::Relayed,
    };
    let protocol = if bits & 0x1C == 0 {
        Protocol::Tcp
    } else {
        Protocol::Udp
    };
    let foundation = String::from_utf8_lossy(&tape.chunk()).into_owned();
    let mut candidate = Candidate::new(foundation, kind, protocol, tape.long(), address);
    candidate.component = if bits & 0xE0 == 0 { tape.number() } else { 1 };
    candidate
}
