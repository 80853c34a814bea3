//! Allocations: how they are made, kept, given back, and refused.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "tests"
)]

mod world;

use muonrtc_turn::client::{Advice, Ending, Event, Failure, State};
use muonrtc_turn::server::{self, Reason, TurnRest};
use muonrtc_turn::{AddressFamily, client};
use std::sync::Arc;
use std::time::Duration;
use stun::{
    AlternateServer, AttributeType, Builder, Class, ErrorCode, Message, Method, PasswordAlgorithm,
    XorMappedAddress, XorRelayedAddress,
};
use testkit::Link;
use world::{World, address, client_config, provider, server_config, stream};

const MINUTE: Duration = Duration::from_secs(60);

fn failure(world: &World) -> Option<Failure> {
    world.events.iter().find_map(|event| match event {
        Event::Ended(Ending::Failed(failure)) => Some(failure.clone()),
        _ => None,
    })
}

/// Runs an attempt that fails.
fn refused(mut world: World) -> Failure {
    world.client.allocate(world.now());
    world.run_until(2 * MINUTE, |world| failure(world).is_some());
    assert_eq!(world.client.state(), State::Ended);
    assert_eq!(world.client.poll_timeout(), None);
    failure(&world).unwrap()
}

// turn-001, turn-003, turn-029, stun-036
#[test]
fn the_first_request_is_bare_and_the_second_one_allocates() {
    let mut world = World::new();
    world.client.allocate(world.now());
    let mut buf = [0; 1500];
    let transmit = world.client.poll_transmit(world.now(), &mut buf).unwrap();
    let message = Message::parse(&buf[..transmit.len]).unwrap();
    assert_eq!(message.method(), Method::ALLOCATE);
    let kinds: Vec<AttributeType> = message.attributes().map(|raw| raw.kind).collect();
    assert_eq!(kinds, [AttributeType::REQUESTED_TRANSPORT]);
    world.up.send(world.now(), buf[..transmit.len].to_vec());

    assert!(world.run_until(MINUTE, |world| world.client.relayed().is_some()));
    let relayed = world.client.relayed().unwrap();
    assert_eq!(relayed.ip(), address(world::SERVER).ip());
    assert!(relayed.port() >= 49152);
    assert_eq!(world.client.mapped(), Some(address(world::CLIENT)));
    assert_eq!(world.clock.elapsed(), Duration::from_millis(40));
    assert_eq!(world.server.stats().challenges, 1);
    assert_eq!(world.server.stats().allocated, 1);
}

#[test]
fn an_allocation_comes_about_over_bad_links_and_only_one() {
    testkit::for_each_seed(0..30, |seed| {
        for link in [Link::lossy(15), Link::hostile(), Link::mobile()] {
            let mut world = World::with(client_config(), server_config(), link, seed.value());
            world.allocate();
            let stats = world.server.stats();
            assert_eq!((stats.allocated, stats.allocations), (1, 1));
        }
    });
}

// turn-027
#[test]
fn a_repeated_allocate_request_gets_the_same_answer() {
    let mut world = World::new();
    world.client.allocate(world.now());
    world.run_until(MINUTE, |world| !world.sockets.is_empty());
    // The answer is lost.
    world.down.cut();
    assert!(world.run_until(MINUTE, |world| world.client.relayed().is_some()));
    assert_eq!(world.server.stats().allocated, 1);
    let relayed = world.server.allocations().next().unwrap().relayed;
    assert_eq!(world.client.relayed(), relayed);
}

// turn-010, turn-028
#[test]
fn an_allocation_is_refreshed_as_long_as_it_is_wanted() {
    let mut world = World::allocated();
    world.run_for(Duration::from_secs(4 * 3600));
    assert_eq!(world.client.state(), State::Allocated);
    assert_eq!(world.server.stats().allocated, 1);
    // The nonce got old several times, and each time the request was made good.
    assert!(world.client.stats().stale_nonces >= 3);
}

// turn-028
#[test]
fn the_lifetime_is_what_the_server_grants() {
    for (asked, granted) in [(60, 600), (1000, 1000), (7200, 3600)] {
        let mut config = client_config();
        config.lifetime = Some(Duration::from_secs(asked));
        let link = Link::perfect();
        let mut world = World::with(config, server_config(), link, 1);
        world.allocate();
        let expires = world.server.allocations().next().unwrap().expires;
        assert_eq!(expires - world.now(), Duration::from_secs(granted));
    }
}

// turn-010
#[test]
fn an_allocation_that_is_not_refreshed_ends_on_both_sides() {
    let mut world = World::allocated();
    world.up.link.loss = 1.0;
    world.run_for(Duration::from_secs(601));
    assert_eq!(failure(&world), Some(Failure::TimedOut));
    assert_eq!(world.server.stats().allocations, 0);
    assert!(world.sockets.is_empty());
    assert_eq!(world.server.poll_timeout(), None);
}

// turn-010
#[test]
fn an_allocation_that_the_server_has_lost_ends_at_the_next_request() {
    let mut world = World::allocated();
    let allocation = world.server.allocations().next().unwrap().allocation;
    world.server.revoke(allocation);
    world
        .client
        .permit(world.now(), address(world::PEER).ip())
        .unwrap();
    world.run_until(MINUTE, |world| failure(world).is_some());
    assert_eq!(failure(&world), Some(Failure::AllocationMismatch));
}

// turn-010
#[test]
fn closing_gives_the_allocation_back() {
    let mut world = World::allocated();
    world.client.close(world.now());
    assert_eq!(world.client.state(), State::Closing);
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.events.last(), Some(&Event::Ended(Ending::Closed)));
    assert!(world.sockets.is_empty());
    let released = world.server_events.last().unwrap();
    assert!(
        matches!(released, server::Event::Released { reason, .. } if *reason == Reason::Deleted)
    );
}

#[test]
fn closing_ends_in_bounded_time_without_an_answer() {
    for allocated in [true, false] {
        let mut world = if allocated {
            World::allocated()
        } else {
            World::new()
        };
        world.client.allocate(world.now());
        world.up.link.loss = 1.0;
        world.client.close(world.now());
        let closed = Event::Ended(Ending::Closed);
        assert!(world.run_until(Duration::from_secs(4), |world| {
            world.events.last() == Some(&closed)
        }));
    }
}

#[test]
fn closing_while_the_answer_is_on_its_way_leaves_nothing_behind() {
    let mut world = World::new();
    world.client.allocate(world.now());
    world.run_until(MINUTE, |world| !world.sockets.is_empty());
    world.client.close(world.now());
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.events, [Event::Ended(Ending::Closed)]);
    assert_eq!(world.server.stats().allocations, 0);
}

// stun-036
#[test]
fn a_wrong_password_or_user_is_refused_after_one_attempt() {
    for (user, password) in [(world::USER, "wrong"), ("mallory", world::PASSWORD)] {
        let config = client::Config::new(provider(), user, password);
        let world = World::with(config, server_config(), Link::perfect(), 1);
        let failure = refused(world);
        // A name nobody has is hidden by its hash and refused all the same.
        assert_eq!(failure, Failure::Unauthenticated);
        assert_eq!(failure.advice(), Advice::GiveUp);
    }
}

// stun-021
#[test]
fn a_silent_server_is_given_up_after_39_5_s() {
    let mut world = World::new();
    world.up.link.loss = 1.0;
    world.client.allocate(world.now());
    world.run_until(MINUTE, |world| failure(world).is_some());
    assert_eq!(failure(&world), Some(Failure::TimedOut));
    assert_eq!(world.clock.elapsed(), Duration::from_millis(39_500));
    assert_eq!(world.client.stats().requests_sent, 7);
}

// turn-033, turn-009
#[test]
fn quota_and_capacity_are_told_apart() {
    let mut config = server_config();
    config.max_allocations_per_user = 0;
    let failure = refused(World::with(client_config(), config, Link::perfect(), 1));
    assert_eq!(failure, Failure::AllocationQuotaReached);
    assert_eq!(failure.advice(), Advice::Wait(MINUTE));

    let mut config = server_config();
    config.max_allocations = 0;
    let failure = refused(World::with(client_config(), config, Link::perfect(), 1));
    assert_eq!(failure, Failure::InsufficientCapacity);
}

#[test]
fn another_port_is_tried_when_one_cannot_be_bound() {
    let mut world = World::new();
    world.bind_failures = 3;
    world.allocate();
    let mut world = World::new();
    world.bind_failures = 100;
    let failure = {
        world.client.allocate(world.now());
        world.run_until(MINUTE, |world| failure(world).is_some());
        failure(&world)
    };
    assert_eq!(failure, Some(Failure::InsufficientCapacity));
    assert_eq!(world.bind_failures, 84);
    assert_eq!(world.server.stats().allocations, 0);
}

// turn-007
#[test]
fn an_address_family_that_the_server_has_not_is_refused() {
    let mut config = client_config();
    config.family = Some(AddressFamily::Ipv6);
    let failure = refused(World::with(config, server_config(), Link::perfect(), 1));
    assert_eq!(failure, Failure::AddressFamilyNotSupported);
}

#[test]
fn an_ipv6_address_is_relayed_where_it_is_offered() {
    let mut client = client_config();
    client.family = Some(AddressFamily::Ipv6);
    let mut server = server_config();
    server
        .relays
        .push(server::Relay::new("2001:db8::1".parse().unwrap()));
    let mut world = World::with(client, server, Link::perfect(), 1);
    world.allocate();
    assert!(world.client.relayed().unwrap().is_ipv6());
    let peer = address("[2001:db8::9]:5000");
    world.permit(peer);
    world.send(peer, b"six").unwrap();
    assert!(world.peer_send(peer, b"back"));
    world.run_for(MINUTE);
    assert_eq!(world.at_peer[0].bytes, b"six");
    assert_eq!(world.at_client, [(peer, b"back".to_vec())]);
}

// turn-007
#[test]
fn a_server_that_cannot_set_df_is_asked_again_without() {
    let mut config = client_config();
    config.dont_fragment = true;
    let mut world = World::with(config.clone(), server_config(), Link::perfect(), 1);
    world.allocate();
    assert_eq!(
        world
            .client
            .room(world.now(), address(world::PEER))
            .headroom,
        36
    );
    let mut server = server_config();
    server.dont_fragment = true;
    let mut world = World::with(config, server, Link::perfect(), 1);
    world.allocate();
    assert_eq!(
        world
            .client
            .room(world.now(), address(world::PEER))
            .headroom,
        40
    );
    world.permit(address(world::PEER));
    world.send(address(world::PEER), b"whole").unwrap();
    world.run_for(MINUTE);
    assert_eq!(world.at_peer[0].bytes, b"whole");
}

// turn-039
#[test]
fn issued_credentials_work_until_they_expire() {
    let rest = TurnRest::new("shared secret");
    let clock = testkit::Clock::new();
    let expires = clock.wall() + Duration::from_secs(3600);
    let (username, password) = rest.issue(&provider(), "alice", expires);
    let client = client::Config::new(provider(), username, password);
    let mut server = server_config();
    server.credentials = Arc::new(rest);
    let mut world = World::with(client, server, Link::perfect(), 1);
    world.allocate();
    assert_eq!(world.server.allocations().next().unwrap().user, "alice");
    world.run_for(Duration::from_secs(3500));
    assert_eq!(world.client.state(), State::Allocated);
    world.run_for(Duration::from_secs(1500));
    assert_eq!(failure(&world), Some(Failure::Unauthenticated));
    assert_eq!(world.server.stats().allocations, 0);
}

// stun-032, stun-038, stun-039
#[test]
fn the_strongest_algorithm_is_used_and_the_name_is_hidden() {
    let mut world = World::new();
    world.client.allocate(world.now());
    world.run_until(MINUTE, |world| world.server.stats().challenges == 1);
    world.run_until(MINUTE, |world| world.down.in_flight() == 0);
    let (_, bytes) = {
        world.settle();
        let arrival = world.up.next_arrival().unwrap();
        world.up.receive(arrival).unwrap()
    };
    let message = Message::parse(&bytes).unwrap();
    let has = |kind| message.attributes().any(|raw| raw.kind == kind);
    assert!(has(AttributeType::USERHASH) && !has(AttributeType::USERNAME));
    assert!(has(AttributeType::MESSAGE_INTEGRITY_SHA256));
    assert!(!has(AttributeType::MESSAGE_INTEGRITY));
    assert!(has(AttributeType::PASSWORD_ALGORITHMS));
    assert_eq!(message.attribute(), Ok(Some(PasswordAlgorithm::Sha256)));
}

/// Replaces the attribute of that type by one of a type that nobody knows.
fn hide(bytes: &mut [u8], kind: AttributeType) {
    let mut at = 20;
    while at < bytes.len() {
        let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        if bytes[at..at + 2] == kind.0.to_be_bytes() {
            bytes[at] = 0xC7;
        }
        at += 4 + length.next_multiple_of(4);
    }
}

// stun-038
#[test]
fn taking_the_list_of_algorithms_away_is_noticed() {
    let mut world = World::new();
    world.tamper = Some(Box::new(|bytes| {
        hide(bytes, AttributeType::PASSWORD_ALGORITHMS)
    }));
    assert_eq!(refused(world), Failure::BidDown);
}

// stun-038
#[test]
fn taking_the_nonce_cookie_away_too_is_noticed_by_the_server() {
    let mut world = World::new();
    world.tamper = Some(Box::new(|bytes| {
        hide(bytes, AttributeType::PASSWORD_ALGORITHMS);
        if let Some(at) = bytes.windows(9).position(|it| it == b"obMatJos2") {
            bytes[at] = b'x';
        }
    }));
    // The nonce is not one that the server made.
    assert_eq!(refused(world), Failure::Unauthenticated);
}

// stun-035, stun-026
#[test]
fn answers_without_the_right_integrity_are_as_if_they_never_came() {
    let tamper = |bytes: &mut Vec<u8>| {
        if Message::parse(bytes).unwrap().class() == Class::Success {
            *bytes.last_mut().unwrap() ^= 1;
        }
    };
    let mut world = World::new();
    world.tamper = Some(Box::new(tamper));
    assert_eq!(refused(world), Failure::IntegrityViolated);
    // On a stream no repetition can help.
    let mut world = World::with(stream(client_config()), server_config(), Link::perfect(), 1);
    world.tamper = Some(Box::new(tamper));
    world.client.allocate(world.now());
    world.run_for(Duration::from_secs(1));
    assert_eq!(failure(&world), Some(Failure::IntegrityViolated));
}

// turn-020
#[test]
fn a_server_whose_nonces_are_always_stale_is_given_up() {
    let mut config = server_config();
    config.nonce_lifetime = Duration::ZERO;
    let failure = refused(World::with(client_config(), config, Link::perfect(), 1));
    assert_eq!(failure, Failure::Unauthenticated);
}

fn answer(bytes: &[u8], write: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
    let request = Message::parse(bytes).unwrap();
    let mut buf = [0; 500];
    let (class, id) = (Class::Error, request.transaction_id());
    let mut builder = Builder::new(&mut buf, class, request.method(), id);
    write(&mut builder);
    let len = builder.finish().unwrap();
    buf[..len].to_vec()
}

/// Answers the first request of the client by hand.
fn redirect(config: client::Config, servers: &[&str]) -> World {
    let mut world = World::with(config, server_config(), Link::perfect(), 1);
    world.client.allocate(world.now());
    let mut buf = [0; 1500];
    let transmit = world.client.poll_transmit(world.now(), &mut buf).unwrap();
    let bytes = answer(&buf[..transmit.len], |builder| {
        builder.attribute(&ErrorCode::TRY_ALTERNATE);
        for server in servers {
            builder.attribute(&AlternateServer(address(server)));
        }
    });
    let (now, server) = (world.now(), world.client.server());
    world.client.handle_input(now, server, &bytes);
    world.settle();
    world
}

// turn-022, stun-041
#[test]
fn a_redirected_client_begins_anew_at_the_other_server() {
    let servers = ["[2001:db8::7]:3478", "198.51.100.2:3479"];
    let world = redirect(client_config(), &servers);
    let other = address("198.51.100.2:3479");
    assert_eq!(world.events, [Event::Redirected { server: other }]);
    assert_eq!(world.client.server(), other);
    assert_eq!(world.up.in_flight(), 1, "a bare request to the other");

    // Another connection is needed where there is one.
    let mut over_dtls = client_config();
    over_dtls.is_connected = true;
    for config in [stream(client_config()), over_dtls] {
        let world = redirect(config, &servers);
        let expected = Failure::TryAlternate {
            server: other,
            domain: None,
        };
        assert_eq!(expected.advice(), Advice::Follow(other));
        assert_eq!(failure(&world), Some(expected));
    }
}

// stun-041
#[test]
fn a_client_does_not_go_where_it_was() {
    let world = redirect(client_config(), &[world::SERVER]);
    assert_eq!(failure(&world), Some(Failure::RedirectLoop));
    let mut config = client_config();
    config.visited = vec![address("198.51.100.2:3479")];
    let world = redirect(config, &["198.51.100.2:3479"]);
    assert_eq!(failure(&world), Some(Failure::RedirectLoop));
}

// turn-006: a server without authentication, that gives an address of the wrong family.
#[test]
fn an_address_that_cannot_be_used_is_given_back() {
    let mut world = World::new();
    world.client.allocate(world.now());
    let mut buf = [0; 1500];
    let transmit = world.client.poll_transmit(world.now(), &mut buf).unwrap();
    let request = Message::parse(&buf[..transmit.len]).unwrap();
    let (class, id) = (Class::Success, request.transaction_id());
    let mut out = [0; 200];
    let len = Builder::new(&mut out, class, Method::ALLOCATE, id)
        .attribute(&XorRelayedAddress(address("[2001:db8::1]:50000")))
        .attribute(&XorMappedAddress(address(world::CLIENT)))
        .finish()
        .unwrap();
    let (now, server) = (world.now(), world.client.server());
    world.client.handle_input(now, server, &out[..len]);
    assert_eq!(world.client.state(), State::Closing);
    let transmit = world.client.poll_transmit(now, &mut buf).unwrap();
    let request = Message::parse(&buf[..transmit.len]).unwrap();
    assert_eq!(request.method(), Method::REFRESH);
    assert_eq!(request.attribute(), Ok(Some(stun::Lifetime(0))));
    world.up.link.loss = 1.0;
    world.run_until(MINUTE, |world| failure(world).is_some());
    assert_eq!(failure(&world), Some(Failure::AddressFamilyNotSupported));
    assert_eq!(world.events.len(), 1);
}

// stun-023
#[test]
fn over_a_stream_requests_are_sent_once() {
    let config = stream(client_config());
    let mut world = World::with(config, server_config(), Link::perfect(), 1);
    world.allocate();
    assert_eq!(world.client.stats().requests_sent, 2);
    world.client.connection_closed();
    world.settle();
    assert_eq!(failure(&world), Some(Failure::ConnectionLost));
    world.server.connection_closed(world.five_tuple);
    world.settle();
    assert!(world.sockets.is_empty());
}
