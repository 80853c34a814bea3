//! Allocations that relay TCP (RFC 6062 §5), by requests made by hand.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "tests"
)]

mod desk;
mod world;

use desk::{Desk, OTHER_USER, client, code, get, message};
use muonrtc_turn::Transport;
use muonrtc_turn::server::{Event, FiveTuple};
use std::time::Duration;
use stun::{
    Builder, ConnectionId, EvenPort, Message, Method, RequestedTransport, TransactionId,
    XorPeerAddress,
};
use world::{PEER, SERVER, USER, address, server_config};

fn stream(number: u16) -> FiveTuple {
    FiveTuple::new(Transport::Stream, address(SERVER), client(number).client)
}

/// A desk that relays TCP, with an allocation that does.
fn relaying_tcp() -> Desk {
    let mut config = server_config();
    config.tcp = true;
    config.max_connections = 2;
    let mut desk = Desk::with(config);
    let answer = desk.request(stream(1), USER, Method::ALLOCATE, |builder| {
        builder.attribute(&RequestedTransport::TCP);
    });
    assert_eq!(code(&answer), None);
    desk
}

/// A Connect request that is not refused at once: the connection that is to be made.
fn connect(desk: &mut Desk, peer: &str) -> (TransactionId, ConnectionId) {
    let nonce = desk.nonce(stream(1));
    let id = desk.id();
    let peer = address(peer);
    let write = |builder: &mut Builder<'_>| {
        builder.attribute(&XorPeerAddress(peer));
    };
    let request = message(Method::CONNECT, id, write, Some((USER, &nonce)));
    let now = desk.now();
    desk.server.handle_input(now, stream(1), &request);
    match desk.server.poll_event() {
        Some(Event::Connect {
            connection,
            peer: wanted,
            ..
        }) => {
            assert_eq!(wanted, peer);
            (id, connection)
        }
        other => panic!("{other:?}"),
    }
}

fn next_answer(desk: &mut Desk) -> Vec<u8> {
    let mut buf = [0; 1500];
    let now = desk.now();
    let transmit = desk.server.poll_transmit(now, &mut buf).unwrap();
    buf[..transmit.len].to_vec()
}

// turn-038
#[test]
fn tcp_is_relayed_over_streams_without_what_is_for_datagrams() {
    let mut config = server_config();
    config.tcp = true;
    config.dont_fragment = true;
    let mut desk = Desk::with(config);
    let mut ask = |from, write: &dyn Fn(&mut Builder<'_>)| {
        let answer = desk.request(from, USER, Method::ALLOCATE, |builder| {
            builder.attribute(&RequestedTransport::TCP);
            write(builder);
        });
        code(&answer)
    };
    assert_eq!(ask(client(1), &|_| {}), Some(400));
    let even = |it: &mut Builder<'_>| {
        it.attribute(&EvenPort::new(false));
    };
    assert_eq!(ask(stream(1), &even), Some(400));
    let whole = |it: &mut Builder<'_>| {
        it.attribute(&stun::DontFragment);
    };
    assert_eq!(ask(stream(1), &whole), Some(400));
    assert_eq!(ask(stream(1), &|_| {}), None);
    let mut desk = Desk::new();
    let answer = desk.request(stream(1), USER, Method::ALLOCATE, |builder| {
        builder.attribute(&RequestedTransport::TCP);
    });
    assert_eq!(code(&answer), Some(442), "where it is not wanted");
}

// turn-038
#[test]
fn a_connection_is_made_once_and_taken_over_by_its_user() {
    let mut desk = relaying_tcp();
    let (id, connection) = connect(&mut desk, PEER);
    let again = desk.request(stream(1), USER, Method::CONNECT, |builder| {
        builder.attribute(&XorPeerAddress(address(PEER)));
    });
    assert_eq!(code(&again), Some(446));
    let now = desk.now();
    assert!(desk.server.connected(now, connection, true));
    let answer = next_answer(&mut desk);
    assert_eq!(get(&answer), Some(connection));
    assert_eq!(Message::parse(&answer).unwrap().transaction_id(), id);

    let mut take = |from, user, connection| {
        let answer = desk.request(from, user, Method::CONNECTION_BIND, |builder| {
            builder.attribute(&connection);
        });
        code(&answer)
    };
    assert_eq!(take(stream(2), OTHER_USER, connection), Some(441));
    assert_eq!(
        take(stream(2), USER, ConnectionId(connection.0 ^ 1)),
        Some(400)
    );
    assert_eq!(take(client(2), USER, connection), Some(400), "over UDP");
    assert_eq!(
        take(stream(1), USER, connection),
        Some(400),
        "the control stream"
    );
    assert_eq!(take(stream(2), USER, connection), None);
    assert_eq!(take(stream(3), USER, connection), Some(400), "taken");
    desk.server.connection_closed(stream(2));
    assert_eq!(desk.server.poll_event(), Some(Event::Close { connection }));
}

// turn-038
#[test]
fn what_nobody_answers_or_takes_over_is_given_up_after_thirty_seconds() {
    let mut desk = relaying_tcp();
    let (id, silent) = connect(&mut desk, PEER);
    let timeout = desk.now() + Duration::from_secs(30);
    assert_eq!(desk.server.poll_timeout(), Some(timeout));
    desk.clock.advance_to(timeout);
    desk.server.handle_timeout(timeout);
    let answer = next_answer(&mut desk);
    assert_eq!(code(&answer), Some(447));
    assert_eq!(Message::parse(&answer).unwrap().transaction_id(), id);
    let closed = Event::Close { connection: silent };
    assert_eq!(desk.server.poll_event(), Some(closed));
    assert!(!desk.server.connected(timeout, silent, true), "too late");

    let (_, pending) = connect(&mut desk, PEER);
    desk.server.connected(timeout, pending, true);
    next_answer(&mut desk);
    let later = timeout + Duration::from_secs(30);
    desk.server.handle_timeout(later);
    let closed = Event::Close {
        connection: pending,
    };
    assert_eq!(desk.server.poll_event(), Some(closed));
}

// turn-038
#[test]
fn the_bound_on_connections_holds_both_ways_and_all_end_with_the_allocation() {
    let mut desk = relaying_tcp();
    let now = desk.now();
    let allocation = desk.server.allocation_of(stream(1)).unwrap();
    let stranger = desk.server.peer_connected(now, allocation, address(PEER));
    assert_eq!(stranger, None);
    let answer = desk.request(stream(1), USER, Method::CREATE_PERMISSION, |builder| {
        builder.attribute(&XorPeerAddress(address(PEER)));
    });
    assert_eq!(code(&answer), None);
    let first = desk.server.peer_connected(now, allocation, address(PEER));
    assert!(first.is_some());
    let told = next_answer(&mut desk);
    assert_eq!(get(&told), Some(XorPeerAddress(address(PEER))));
    assert_eq!(get(&told), first);
    connect(&mut desk, "192.0.2.10:1");
    let third = desk.request(stream(1), USER, Method::CONNECT, |builder| {
        builder.attribute(&XorPeerAddress(address("192.0.2.11:1")));
    });
    assert_eq!(code(&third), Some(508));
    let more = desk.server.peer_connected(now, allocation, address(PEER));
    assert_eq!(more, None);
    let denied = desk.request(stream(1), USER, Method::CONNECT, |builder| {
        builder.attribute(&XorPeerAddress(address("10.0.0.1:22")));
    });
    assert_eq!(code(&denied), Some(403));
    desk.server.connection_closed(stream(1));
    let ended: Vec<Event> = std::iter::from_fn(|| desk.server.poll_event()).collect();
    let closed = ended.iter().filter(|it| matches!(it, Event::Close { .. }));
    assert_eq!(closed.count(), 2);
    assert_eq!(desk.server.poll_timeout(), None);
}
