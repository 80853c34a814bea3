//! Data: permissions, channels, and what goes over them.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "tests"
)]

mod world;

use muonrtc_turn::Icmp;
use muonrtc_turn::client::{Event, Failure, PeerError, WrapError};
use muonrtc_turn::server::PeerPolicy;
use std::time::Duration;
use testkit::Link;
use world::{World, address, client_config, server_config, stream};

const SECOND: Duration = Duration::from_secs(1);

// turn-012, turn-031
#[test]
fn data_flows_both_ways_as_indications_and_then_as_channel_data() {
    let peer = address(world::PEER);
    let mut world = World::allocated();
    assert_eq!(world.send(peer, b"early"), Err(WrapError::NotPermitted));
    world.permit(peer);
    assert_eq!(world.send(peer, b"hello"), Ok(36 + 8));
    assert!(world.peer_send(peer, b"hello yourself"));
    world.run_for(SECOND);

    world.bind(peer);
    assert_eq!(world.send(peer, b"again"), Ok(4 + 5));
    assert!(world.peer_send(peer, b"and again"));
    world.run_for(SECOND);

    let relayed = world.client.relayed().unwrap();
    let at_peer: Vec<_> = world
        .at_peer
        .iter()
        .map(|it| (it.from, it.peer, &it.bytes[..]))
        .collect();
    assert_eq!(
        at_peer,
        [(relayed, peer, &b"hello"[..]), (relayed, peer, b"again")]
    );
    let expected = [
        (peer, b"hello yourself".to_vec()),
        (peer, b"and again".to_vec()),
    ];
    assert_eq!(world.at_client, expected);
    let traffic = world.server.allocations().next().unwrap().traffic;
    assert_eq!((traffic.packets_to_peers, traffic.bytes_to_peers), (2, 10));
    assert_eq!(
        (traffic.packets_to_client, traffic.bytes_to_client),
        (2, 23)
    );
}

// turn-017
#[test]
fn over_a_stream_channel_data_is_padded() {
    let peer = address(world::PEER);
    let config = stream(client_config());
    let mut world = World::with(config, server_config(), Link::perfect(), 1);
    world.allocate();
    world.bind(peer);
    for length in 0..9_usize {
        let bytes = vec![7; length];
        assert_eq!(world.send(peer, &bytes), Ok(4 + length.next_multiple_of(4)));
        world.run_for(SECOND);
        assert_eq!(world.at_peer.last().unwrap().bytes, bytes);
        assert!(world.peer_send(peer, &bytes));
        world.run_for(SECOND);
        assert_eq!(world.at_client.last().unwrap().1, bytes);
    }
}

// turn-031, turn-018
#[test]
fn a_peer_without_a_permission_reaches_nobody() {
    let peer = address(world::PEER);
    let mut world = World::allocated();
    assert!(!world.peer_send(peer, b"nobody asked"));
    assert_eq!(world.server.stats().unpermitted_to_clients, 1);
    world.permit(peer);
    // Every port of the address is permitted.
    assert!(world.peer_send(address("192.0.2.9:9"), b"another port"));
    assert!(!world.peer_send(address("192.0.2.10:5000"), b"another address"));
    world.run_for(SECOND);
    assert_eq!(world.at_client.len(), 1);
    // What the client has forgotten does not come out of it, though the server lets it through.
    world.client.forget(world.now(), peer.ip());
    assert!(world.peer_send(peer, b"too late"));
    world.run_for(SECOND);
    assert_eq!(world.at_client.len(), 1);
    assert_eq!(world.client.stats().not_permitted, 1);
}

// turn-011, turn-014
#[test]
fn permission_and_channel_last_as_long_as_they_are_used() {
    let (with_channel, without) = (address(world::PEER), address("192.0.2.10:1"));
    let mut world = World::allocated();
    world.permit(without);
    world.bind(with_channel);
    for _ in 0..120 {
        world.run_for(Duration::from_secs(60));
        assert_eq!(world.send(with_channel, b"used"), Ok(8));
        world.send(without, b"used").unwrap();
        assert!(world.peer_send(with_channel, b"used"));
        assert!(world.peer_send(without, b"used"));
    }
    world.run_for(SECOND);
    assert_eq!(world.at_peer.len(), 240);
    assert_eq!(world.at_client.len(), 240);
    assert_eq!(world.server.stats().unpermitted_to_peers, 0);
}

// turn-032
#[test]
fn what_is_not_used_ends_by_itself_and_may_come_back() {
    let peer = address(world::PEER);
    let mut world = World::allocated();
    world.bind(peer);
    world.run_for(Duration::from_secs(1500));
    let unused = [
        Event::NotPermitted {
            peer: peer.ip(),
            reason: Failure::Unused,
        },
        Event::ChannelUnbound {
            peer,
            reason: Failure::Unused,
        },
    ];
    for event in unused {
        assert!(world.events.contains(&event), "{:?}", world.events);
    }
    assert_eq!(world.send(peer, b"gone"), Err(WrapError::NotPermitted));
    assert!(!world.peer_send(peer, b"gone"));
    world.events.clear();
    world.bind(peer);
    assert_eq!(world.send(peer, b"back"), Ok(8));
    world.run_for(SECOND);
    assert_eq!(world.at_peer[0].bytes, b"back");
}

// turn-011
#[test]
fn data_alone_keeps_nothing_alive() {
    let peer = address(world::PEER);
    let mut world = World::allocated();
    world.permit(peer);
    // The refreshes are lost; the data is not asked.
    world.up.link.loss = 1.0;
    for _ in 0..10 {
        world.run_for(Duration::from_secs(29));
        assert!(world.peer_send(peer, b"still here"));
    }
    world.run_for(Duration::from_secs(10));
    assert!(!world.peer_send(peer, b"not any more"));
}

// turn-007, turn-036
#[test]
fn a_denied_peer_is_told_and_the_others_go_on() {
    let mut world = World::allocated();
    let inside = address("10.0.0.1:80");
    world.client.permit(world.now(), inside.ip()).unwrap();
    world.client.bind_channel(world.now(), inside).unwrap();
    world.permit(address(world::PEER));
    let reason = Failure::Forbidden;
    let told = Event::NotPermitted {
        peer: inside.ip(),
        reason: reason.clone(),
    };
    assert!(world.events.contains(&told));
    let told = Event::ChannelUnbound {
        peer: inside,
        reason,
    };
    assert!(world.events.contains(&told));
    assert_eq!(world.server.stats().denied_peers, 2);
    assert!(world.send(address(world::PEER), b"fine").is_ok());
}

// turn-036
#[test]
fn the_server_itself_is_reached_at_relayed_ports_only() {
    let mut world = World::allocated();
    let other_relay = address("198.51.100.1:50000");
    world.permit(other_relay);
    world.send(other_relay, b"to a neighbour").unwrap();
    world
        .send(address(world::SERVER), b"to the server")
        .unwrap();
    world
        .send(address("198.51.100.1:22"), b"to its shell")
        .unwrap();
    world.run_for(SECOND);
    assert_eq!(world.at_peer.len(), 1);
    assert_eq!(world.server.stats().unpermitted_to_peers, 2);
    let server = address(world::SERVER);
    world.client.bind_channel(world.now(), server).unwrap();
    world.run_for(SECOND);
    let reason = Failure::Forbidden;
    assert!(world.events.contains(&Event::ChannelUnbound {
        peer: server,
        reason
    }));
}

#[test]
fn a_site_may_allow_its_own_network() {
    let mut config = server_config();
    config.peers = PeerPolicy::default();
    config.peers.private = true;
    let mut world = World::with(client_config(), config, Link::perfect(), 1);
    world.allocate();
    world.permit(address("10.0.0.1:80"));
}

#[test]
fn what_the_caller_does_wrong_is_an_error() {
    let peer = address(world::PEER);
    let mut world = World::new();
    let now = world.now();
    assert_eq!(
        world.client.permit(now, peer.ip()),
        Err(PeerError::NotAllocated)
    );
    assert_eq!(
        world.client.bind_channel(now, peer),
        Err(PeerError::NotAllocated)
    );
    assert_eq!(world.send(peer, b""), Err(WrapError::NotAllocated));
    world.allocate();
    let six = address("[2001:db8::1]:5");
    let now = world.now();
    assert_eq!(world.client.permit(now, six.ip()), Err(PeerError::Family));
    world.permit(peer);
    let mut buf = [0; 100];
    let mut wrap = |payload| {
        world
            .client
            .wrap(world.clock.now(), peer, &mut buf, payload)
    };
    assert_eq!(wrap(35..40), Err(WrapError::NoRoom));
    assert_eq!(wrap(37..98), Err(WrapError::NoRoom));
    assert_eq!(wrap(36..100), Ok(0..100));
    assert_eq!(wrap(36..200), Err(WrapError::NoRoom));
}

#[test]
fn the_bounds_on_peers_hold() {
    let mut config = client_config();
    config.max_permissions = 3;
    config.max_channels = 2;
    let mut world = World::with(config, server_config(), Link::perfect(), 1);
    world.allocate();
    let now = world.now();
    for port in 1..=2 {
        let peer = address(&format!("192.0.2.1:{port}"));
        assert_eq!(world.client.bind_channel(now, peer), Ok(()));
    }
    let third = address("192.0.2.1:3");
    assert_eq!(
        world.client.bind_channel(now, third),
        Err(PeerError::TooMany)
    );
    world.run_for(SECOND);
    let now = world.now();
    for last in 2..=3 {
        let peer = address(&format!("192.0.2.{last}:1"));
        assert_eq!(world.client.permit(now, peer.ip()), Ok(()));
    }
    let fourth = address("192.0.2.4:1");
    assert_eq!(
        world.client.permit(now, fourth.ip()),
        Err(PeerError::TooMany)
    );
}

// turn-013
#[test]
fn many_permissions_are_refreshed_in_few_requests() {
    let mut world = World::allocated();
    let peers: Vec<_> = (1..=20)
        .map(|it| address(&format!("192.0.2.{it}:1")))
        .collect();
    for peer in &peers {
        world.permit(*peer);
    }
    world.run_for(Duration::from_secs(200));
    for peer in &peers {
        world.send(*peer, b"used").unwrap();
    }
    let before = world.client.stats().requests_sent;
    world.run_for(Duration::from_secs(50));
    let requests = world.client.stats().requests_sent - before;
    assert!(requests <= 20, "{requests}");
    world.run_for(Duration::from_secs(100));
    for peer in &peers {
        assert!(world.client.is_permitted(world.now(), peer.ip()));
    }
}

// turn-025
#[test]
fn what_a_router_tells_about_a_peer_reaches_the_client() {
    let peer = address(world::PEER);
    let mut world = World::allocated();
    world.permit(peer);
    let allocation = world.server.allocations().next().unwrap().allocation;
    let icmp = Icmp::new(3, 4, [0, 0, 5, 0]);
    let now = world.now();
    world.server.peer_unreachable(now, allocation, peer, icmp);
    world
        .server
        .peer_unreachable(now, allocation, address("192.0.2.77:1"), icmp);
    world.run_for(SECOND);
    assert_eq!(
        world.events.last(),
        Some(&Event::Unreachable { peer, icmp })
    );
    assert_eq!(world.server.stats().unpermitted_to_clients, 1);
}

// turn-016
#[test]
fn channel_data_that_overtakes_the_answer_is_taken() {
    let peer = address(world::PEER);
    let mut world = World::allocated();
    world.client.bind_channel(world.now(), peer).unwrap();
    world.run_until(SECOND, |world| world.down.in_flight() == 1);
    world.down.cut();
    assert!(world.peer_send(peer, b"first"));
    world.run_for(Duration::from_millis(20));
    assert_eq!(world.at_client, [(peer, b"first".to_vec())]);
}
