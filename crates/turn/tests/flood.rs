//! Floods: the server keeps nothing for strangers, and others go on.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "tests"
)]

mod world;

use muonrtc_turn::Transport;
use muonrtc_turn::client::{self, Client};
use muonrtc_turn::server::{self, Event, FiveTuple, Server, StaticCredentials};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stun::{Builder, Class, Method, RequestedTransport, TransactionId};
use testkit::Clock;
use world::{PASSWORD, REALM, SERVER, USER, address, provider, server_config};

fn source(number: u32) -> FiveTuple {
    let ip = Ipv4Addr::from(0xCB00_7100 ^ (number >> 8));
    let client: SocketAddr = (ip, 1024 + (number & 0xFF) as u16).into();
    FiveTuple::new(Transport::Datagram, address(SERVER), client)
}

fn server(config: server::Config) -> (Clock, Server) {
    let clock = Clock::new();
    let server = Server::new(clock.now(), clock.wall(), config, [9; 32]);
    (clock, server)
}

/// Runs a client and the server against each other without a network; whether there is an
/// allocation.
fn allocate(now: Instant, server: &mut Server, user: &str, five_tuple: FiveTuple) -> bool {
    let config = client::Config::new(provider(), user, PASSWORD);
    let mut client = Client::new(config, address(SERVER), [1; 32]);
    client.allocate(now);
    let mut buf = [0; 1500];
    while let Some(transmit) = client.poll_transmit(now, &mut buf) {
        server.handle_input(now, five_tuple, &buf[..transmit.len]);
        while let Some(event) = server.poll_event() {
            if let Event::Bind { allocation, .. } = event {
                server.bound(now, allocation, true);
            }
        }
        while let Some(answer) = server.poll_transmit(now, &mut buf) {
            client.handle_input(now, address(SERVER), &buf[..answer.len]);
        }
    }
    client.relayed().is_some()
}

#[test]
fn requests_from_forged_sources_leave_nothing_behind_and_are_reflected_slowly() {
    let (clock, mut server) = server(server_config());
    let mut request = [0; 100];
    let id = TransactionId([7; 12]);
    let len = Builder::new(&mut request, Class::Request, Method::ALLOCATE, id)
        .attribute(&RequestedTransport::UDP)
        .finish()
        .unwrap();
    let mut answers = 0;
    let mut bytes = 0;
    let mut buf = [0; 1500];
    for number in 0..50_000 {
        server.handle_input(clock.now(), source(number), &request[..len]);
        while let Some(transmit) = server.poll_transmit(clock.now(), &mut buf) {
            answers += 1;
            bytes += transmit.len;
        }
    }
    // One second of it.
    assert_eq!(answers, 10_000);
    assert_eq!(server.stats().challenges_suppressed, 40_000);
    assert!(bytes / answers < 200, "{} bytes", bytes / answers);
    assert_eq!(server.allocations().count(), 0);
    assert_eq!(server.poll_timeout(), None);
    assert_eq!(server.poll_event(), None);
    // A second later the next one is answered.
    let later = clock.now() + Duration::from_secs(1);
    assert!(allocate(later, &mut server, USER, source(1)));
}

#[test]
fn answers_that_nobody_takes_are_bounded() {
    let (clock, mut server) = server(server_config());
    let mut request = [0; 100];
    let id = TransactionId([7; 12]);
    let len = Builder::new(&mut request, Class::Request, Method::BINDING, id)
        .finish()
        .unwrap();
    for number in 0..5000 {
        server.handle_input(clock.now(), source(number), &request[..len]);
    }
    let mut buf = [0; 1500];
    let mut waiting = 0;
    while server.poll_transmit(clock.now(), &mut buf).is_some() {
        waiting += 1;
    }
    assert_eq!(waiting, 1024);
    assert_eq!(server.stats().answers_dropped, 5000 - 1024);
}

// turn-033
#[test]
fn one_user_who_takes_all_does_not_take_the_others_place() {
    let mut config = server_config();
    let users = StaticCredentials::new(provider(), REALM)
        .with(USER, PASSWORD)
        .with("bob", PASSWORD);
    config.credentials = Arc::new(users);
    let (clock, mut server) = server(config);
    let mut allocated = 0;
    for number in 0..1000 {
        allocated += u32::from(allocate(clock.now(), &mut server, USER, source(number)));
    }
    assert_eq!(allocated, 100);
    assert_eq!(server.stats().over_quota, 900);
    assert!(allocate(clock.now(), &mut server, "bob", source(5000)));
}

#[test]
fn thousands_of_allocations_stand_end_and_leave_nothing() {
    let mut config = server_config();
    config.max_allocations_per_user = 5000;
    let (clock, mut server) = server(config);
    for number in 0..5000 {
        assert!(allocate(clock.now(), &mut server, USER, source(number)));
    }
    assert_eq!(server.stats().allocations, 5000);
    let now = clock.now() + Duration::from_secs(600);
    assert_eq!(server.poll_timeout(), Some(now));
    server.handle_timeout(now);
    let mut released = 0;
    while let Some(event) = server.poll_event() {
        released += u32::from(matches!(event, Event::Released { .. }));
    }
    assert_eq!(released, 5000);
    assert_eq!(server.poll_timeout(), None);
    assert!(allocate(now, &mut server, USER, source(1)));
}

#[test]
fn sockets_that_are_never_made_are_not_waited_for() {
    let (clock, mut server) = server(server_config());
    let config = client::Config::new(provider(), USER, PASSWORD);
    let mut buf = [0; 1500];
    for number in 0..50 {
        let mut client = Client::new(config.clone(), address(SERVER), [1; 32]);
        client.allocate(clock.now());
        while let Some(transmit) = client.poll_transmit(clock.now(), &mut buf) {
            server.handle_input(clock.now(), source(number), &buf[..transmit.len]);
            while let Some(answer) = server.poll_transmit(clock.now(), &mut buf) {
                client.handle_input(clock.now(), address(SERVER), &buf[..answer.len]);
            }
        }
    }
    assert_eq!(server.stats().allocations, 50);
    server.handle_timeout(clock.now() + Duration::from_secs(10));
    assert_eq!(server.stats().allocations, 0);
}
