//! Two sessions that exchange descriptions through someone who rewrites them as the tape says, and
//! one of them gets candidates and packets from anywhere.
#![no_main]

use fuzz::Tape;
use layer::{Bound, Input, Interface, Seed, SocketId, Start};
use libfuzzer_sys::fuzz_target;
use peerconnection::{
    Configuration, DataChannelInit, IceCandidateInit, LocalSessionDescription, OfferOptions,
    SdpType, Session, SessionDescription, SessionEvent, ShellRequest, Stack,
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime};

const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 50_000);

fuzz_target!(|bytes: &[u8]| {
    let tape = Tape::new(bytes);
    let mut now = Instant::now();
    let (Some(mut one), Some(mut other)) = (session(now, 1), session(now, 2)) else {
        return;
    };
    let _ = one.create_data_channel(now, "label", DataChannelInit::default());
    drain(&mut one, now);
    while let Some(step) = tape.byte() {
        match step % 16 {
            0..=3 => {
                let (from, to) = if tape.flag() {
                    (&mut one, &mut other)
                } else {
                    (&mut other, &mut one)
                };
                negotiate(from, to, now, &tape);
            }
            4 | 5 => {
                let to = if tape.flag() { &mut one } else { &mut other };
                let kind = kind(&tape);
                let text = String::from_utf8_lossy(&tape.chunk()).into_owned();
                let _ = to.set_remote_description(now, &SessionDescription::new(kind, text));
            }
            6 | 7 => {
                let line = String::from_utf8_lossy(&tape.chunk()).into_owned();
                let init = IceCandidateInit::new(line, if tape.flag() { "0" } else { "" });
                let _ = other.add_ice_candidate(now, Some(init));
            }
            8 => {
                let _ = other.add_ice_candidate(now, None);
            }
            9..=11 => {
                let remote = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), tape.number());
                let mut packet = tape.chunk();
                other.handle_input(now, Input::new(SocketId(0), LOCAL, remote, &mut packet));
            }
            12 => {
                now += tape.duration();
                one.handle_timeout(now);
                other.handle_timeout(now);
            }
            13 => one.restart_ice(),
            14 => {
                let local = LocalSessionDescription::of_kind(kind(&tape));
                let _ = one.set_local_description(now, local);
            }
            _ if tape.byte() == Some(0) => other.close(now),
            _ => {
                let _ = other.create_data_channel(now, "", DataChannelInit::default());
            }
        }
        drain(&mut one, now);
        drain(&mut other, now);
    }
    for _ in 0..100 {
        let Some(next) = other.poll_timeout() else {
            break;
        };
        now = now.max(next);
        other.handle_timeout(now);
        drain(&mut other, now);
    }
});

fn session(now: Instant, seed: u8) -> Option<Session> {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let start = Start::new(now, wall, Seed::new([seed; 32]));
    let waker = Waker::noop().clone();
    Session::new(start, Configuration::default(), Stack::default(), waker).ok()
}

/// An offer and, if it was taken, its answer, both rewritten.
fn negotiate(from: &mut Session, to: &mut Session, now: Instant, tape: &Tape) {
    let Ok(offer) = from.create_offer(OfferOptions::default()) else {
        return;
    };
    let _ = from.set_local_description(now, LocalSessionDescription::of_kind(SdpType::Offer));
    let offer = SessionDescription::new(SdpType::Offer, rewritten(offer.sdp(), tape));
    if to.set_remote_description(now, &offer).is_err() {
        return;
    }
    let Ok(answer) = to.create_answer() else {
        return;
    };
    let _ = to.set_local_description(now, LocalSessionDescription::of_kind(SdpType::Answer));
    let answer = SessionDescription::new(SdpType::Answer, rewritten(answer.sdp(), tape));
    let _ = from.set_remote_description(now, &answer);
}

/// Lines taken out, put in twice, replaced, or with other endings.
fn rewritten(sdp: &str, tape: &Tape) -> String {
    let mut lines: Vec<String> = sdp.lines().map(str::to_owned).collect();
    for _ in 0..tape.byte().unwrap_or(0) & 7 {
        let at = usize::from(tape.byte().unwrap_or(0)) % lines.len().max(1);
        let Some(line) = lines.get(at).cloned() else {
            break;
        };
        let chunk = String::from_utf8_lossy(&tape.chunk()).into_owned();
        match tape.byte().unwrap_or(0) % 5 {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, line),
            2 => lines.insert(at, chunk),
            3 => lines[at] = chunk,
            _ => lines[at].push_str(&chunk),
        }
    }
    lines.join("\r\n") + "\r\n"
}

fn kind(tape: &Tape) -> SdpType {
    match tape.byte().unwrap_or(0) & 3 {
        0 => SdpType::Offer,
        1 => SdpType::Answer,
        2 => SdpType::Pranswer,
        _ => SdpType::Rollback,
    }
}

/// Takes all output and answers what is asked of the shell.
fn drain(session: &mut Session, now: Instant) {
    let mut buffer = vec![0; 65_536];
    loop {
        let mut moved = false;
        while session.poll_transmit(now, &mut buffer, 8).is_some() {
            moved = true;
        }
        while let Some(event) = session.poll_event() {
            moved = true;
            match event {
                SessionEvent::Request(ShellRequest::ListInterfaces { request }) => {
                    let interface = Interface::new("eth0", LOCAL.ip());
                    session.interfaces_listed(now, request, &[interface]);
                }
                SessionEvent::Request(ShellRequest::Bind { request, .. }) => {
                    session.bound(now, request, Ok(Bound::new(SocketId(0), LOCAL)));
                }
                _ => {}
            }
        }
        while let Some(message) = session.poll_message() {
            moved = true;
            session.consume(now, message.stream, message.wire_len);
        }
        if !moved {
            return;
        }
    }
}
