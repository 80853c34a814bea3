//! Requests made by hand, as clients other than ours make them, and what the server says to each.
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
use muonrtc_turn::server::{FiveTuple, Received};
use std::time::Duration;
use stun::{
    AdditionalAddressFamily, AddressErrorCode, AddressFamily, AttributeType, Builder,
    ChannelNumber, EvenPort, Lifetime, Method, Nonce, Realm, RequestedAddressFamily,
    RequestedTransport, ReservationToken, UnknownAttributes, XorMappedAddress, XorPeerAddress,
    XorRelayedAddress,
};
use world::{PEER, REALM, SERVER, USER, address, server_config};

// turn-026, turn-001
#[test]
fn every_request_needs_credentials() {
    let (mut desk, from) = Desk::allocated();
    for method in [
        Method::ALLOCATE,
        Method::REFRESH,
        Method::CREATE_PERMISSION,
        Method::CHANNEL_BIND,
    ] {
        let id = desk.id();
        let answer = desk.ask(from, &message(method, id, |_| {}, None)).unwrap();
        assert_eq!(code(&answer), Some(401), "{method:?}");
        assert_eq!(get::<Realm<'_>>(&answer), Some(Realm(REALM)));
        assert!(get::<Nonce<'_>>(&answer).is_some());
    }
}

// turn-002
#[test]
fn an_allocation_belongs_to_the_user_who_made_it() {
    let (mut desk, from) = Desk::allocated();
    for method in [Method::REFRESH, Method::CREATE_PERMISSION] {
        let answer = desk.request(from, OTHER_USER, method, |builder| {
            builder.attribute(&XorPeerAddress(address(PEER)));
        });
        assert_eq!(code(&answer), Some(441));
    }
}

// turn-003, turn-007
#[test]
fn what_an_allocation_relays_must_be_said_and_be_udp() {
    let mut desk = Desk::new();
    let answer = desk.request(client(1), USER, Method::ALLOCATE, |_| {});
    assert_eq!(code(&answer), Some(400));
    let answer = desk.request(client(1), USER, Method::ALLOCATE, |builder| {
        builder.attribute(&RequestedTransport(99));
    });
    assert_eq!(code(&answer), Some(442));
}

// turn-004
#[test]
fn wishes_that_exclude_each_other_are_refused() {
    let token = ReservationToken([7; 8]);
    let four = AddressFamily::Ipv4;
    let six = AddressFamily::Ipv6;
    let mut desk = Desk::new();
    let mut refused = |write: &dyn Fn(&mut Builder<'_>)| {
        let answer = desk.allocate(client(1), |builder| write(builder));
        code(&answer)
    };
    let bad = Some(400);
    assert_eq!(
        refused(&|it| {
            it.attribute(&token).attribute(&EvenPort::new(false));
        }),
        bad
    );
    assert_eq!(
        refused(&|it| {
            it.attribute(&token)
                .attribute(&RequestedAddressFamily(four));
        }),
        bad
    );
    assert_eq!(
        refused(&|it| {
            it.attribute(&token)
                .attribute(&AdditionalAddressFamily(six));
        }),
        bad
    );
    assert_eq!(
        refused(&|it| {
            it.attribute(&AdditionalAddressFamily(six))
                .attribute(&RequestedAddressFamily(four));
        }),
        bad
    );
    assert_eq!(
        refused(&|it| {
            it.attribute(&AdditionalAddressFamily(four));
        }),
        bad
    );
    assert_eq!(
        refused(&|it| {
            it.attribute(&AdditionalAddressFamily(six))
                .attribute(&EvenPort::new(true));
        }),
        bad
    );
    // Nothing is reserved here, so no token is valid and nothing can be reserved.
    assert_eq!(
        refused(&|it| {
            it.attribute(&token);
        }),
        Some(508)
    );
    assert_eq!(
        refused(&|it| {
            it.attribute(&EvenPort::new(true));
        }),
        Some(508)
    );
}

// turn-005
#[test]
fn the_half_of_a_dual_allocation_that_there_is_not_is_told() {
    let mut desk = Desk::new();
    let answer = desk.allocate(client(1), |builder| {
        builder.attribute(&AdditionalAddressFamily(AddressFamily::Ipv6));
    });
    assert_eq!(code(&answer), None);
    let XorRelayedAddress(relayed) = get(&answer).unwrap();
    assert!(relayed.is_ipv4());
    let missing: AddressErrorCode<'_> = get(&answer).unwrap();
    assert_eq!(missing.family, AddressFamily::Ipv6);
    assert_eq!(missing.error.code, 440);
}

// turn-030
#[test]
fn relayed_ports_are_spread_over_the_range_and_even_where_that_is_asked_for() {
    let mut config = server_config();
    config.max_allocations_per_user = 1000;
    let mut desk = Desk::with(config);
    let mut ports = Vec::new();
    for number in 1..=200 {
        let answer = desk.allocate(client(number), |builder| {
            builder.attribute(&EvenPort::new(false));
        });
        let XorRelayedAddress(relayed) = get(&answer).unwrap();
        assert!(relayed.port() >= 49152 && relayed.port() % 2 == 0);
        ports.push(relayed.port());
    }
    let mut sorted = ports.clone();
    sorted.sort_unstable();
    assert_ne!(ports, sorted);
    sorted.dedup();
    assert_eq!(sorted.len(), 200);
    assert!(sorted[199] - sorted[0] > 8192);
}

// turn-034
#[test]
fn a_peer_of_the_other_family_is_refused() {
    let (mut desk, from) = Desk::allocated();
    let six = XorPeerAddress(address("[2001:db8::9]:5000"));
    for method in [Method::CREATE_PERMISSION, Method::CHANNEL_BIND] {
        let answer = desk.request(from, USER, method, |builder| {
            builder.attribute(&ChannelNumber(0x4000)).attribute(&six);
        });
        assert_eq!(code(&answer), Some(443), "{method:?}");
    }
    let answer = desk.request(from, USER, Method::REFRESH, |builder| {
        builder.attribute(&RequestedAddressFamily(AddressFamily::Ipv6));
    });
    assert_eq!(code(&answer), Some(443));
}

// turn-013
#[test]
fn permissions_are_all_given_or_none() {
    let (mut desk, from) = Desk::allocated();
    let answer = desk.request(from, USER, Method::CREATE_PERMISSION, |builder| {
        builder
            .attribute(&XorPeerAddress(address(PEER)))
            .attribute(&XorPeerAddress(address("10.0.0.1:1")));
    });
    assert_eq!(code(&answer), Some(403));
    let allocation = desk.server.allocation_of(from).unwrap();
    let mut buf = [0; 100];
    let now = desk.now();
    let relayed = desk
        .server
        .handle_peer_input(now, allocation, address(PEER), &mut buf, 50..60);
    assert_eq!(relayed, None);
    let answer = desk.request(from, USER, Method::CREATE_PERMISSION, |_| {});
    assert_eq!(code(&answer), Some(400));
}

// turn-014, turn-015
#[test]
fn a_channel_is_one_number_and_one_peer() {
    let (mut desk, from) = Desk::allocated();
    let bind = |desk: &mut Desk, number, peer: &str| {
        let answer = desk.request(from, USER, Method::CHANNEL_BIND, |builder| {
            builder
                .attribute(&ChannelNumber(number))
                .attribute(&XorPeerAddress(address(peer)));
        });
        code(&answer)
    };
    for outside in [0x3FFF, 0x5000, 0x7FFE, 0xFFFF] {
        assert_eq!(bind(&mut desk, outside, PEER), Some(400), "{outside:x}");
    }
    assert_eq!(bind(&mut desk, 0x4000, PEER), None);
    assert_eq!(bind(&mut desk, 0x4000, PEER), None, "a refresh");
    assert_eq!(bind(&mut desk, 0x4001, PEER), Some(400));
    assert_eq!(bind(&mut desk, 0x4000, "192.0.2.10:5000"), Some(400));
    assert_eq!(bind(&mut desk, 0x4FFF, "192.0.2.10:5000"), None);
    // A lifetime later nothing is bound; the allocation is kept up to its longest lifetime.
    let answer = desk.request(from, USER, Method::REFRESH, |builder| {
        builder.attribute(&Lifetime(3600));
    });
    assert_eq!(get(&answer), Some(Lifetime(3600)));
    desk.clock.advance_to(desk.now() + Duration::from_secs(600));
    assert_eq!(bind(&mut desk, 0x4000, "192.0.2.11:5000"), None);
}

// turn-014
#[test]
fn numbers_of_rfc_5766_are_bound_where_they_are_wanted() {
    let mut config = server_config();
    config.old_channel_numbers = true;
    let mut desk = Desk::with(config);
    let from = client(1);
    desk.allocate(from, |_| {});
    for (number, expected) in [(0x7FFE, None), (0x7FFF, Some(400)), (0x8000, Some(400))] {
        let answer = desk.request(from, USER, Method::CHANNEL_BIND, |builder| {
            builder
                .attribute(&ChannelNumber(number))
                .attribute(&XorPeerAddress(address(PEER)));
        });
        assert_eq!(code(&answer), expected);
    }
    let now = desk.now();
    let data = [0x7F, 0xFE, 0, 2, b'h', b'i'];
    let relayed = desk.server.handle_input(now, from, &data);
    assert!(matches!(relayed, Received::Relay { range, .. } if range == (4..6)));
}

// turn-027, stun-018
#[test]
fn a_second_allocation_on_one_five_tuple_is_a_mismatch() {
    let mut desk = Desk::new();
    let from = client(1);
    let nonce = desk.nonce(from);
    let id = desk.id();
    let write = |builder: &mut Builder<'_>| {
        builder.attribute(&RequestedTransport::UDP);
    };
    let request = message(Method::ALLOCATE, id, write, Some((USER, &nonce)));
    let first = desk.ask(from, &request).unwrap();
    assert_eq!(desk.ask(from, &request).unwrap(), first, "a repetition");
    let other = desk.allocate(from, |_| {});
    assert_eq!(code(&other), Some(437));
    assert_eq!(desk.server.stats().allocated, 1);
}

// stun-018
#[test]
fn a_request_without_an_allocation_is_a_mismatch() {
    let mut desk = Desk::new();
    for method in [
        Method::REFRESH,
        Method::CREATE_PERMISSION,
        Method::CHANNEL_BIND,
    ] {
        let answer = desk.request(client(1), USER, method, |_| {});
        assert_eq!(code(&answer), Some(437), "{method:?}");
    }
}

// stun-014
#[test]
fn what_must_be_understood_and_is_not_is_told() {
    let mut desk = Desk::new();
    let answer = desk.allocate(client(1), |builder| {
        builder.attribute(&stun::Priority(7));
    });
    assert_eq!(code(&answer), Some(420));
    let unknown: UnknownAttributes = get(&answer).unwrap();
    assert_eq!(unknown.types(), [AttributeType::PRIORITY]);
}

// turn-035
#[test]
fn a_nonce_is_good_for_an_hour() {
    let mut desk = Desk::new();
    let from = client(1);
    let nonce = desk.nonce(from);
    let ask = |desk: &mut Desk| {
        let id = desk.id();
        let request = message(Method::REFRESH, id, |_| {}, Some((USER, &nonce)));
        let answer = desk.ask(from, &request).unwrap();
        (code(&answer), get::<Nonce<'_>>(&answer).is_some())
    };
    assert_eq!(ask(&mut desk), (Some(437), false));
    desk.clock
        .advance_to(desk.now() + Duration::from_secs(3600));
    assert_eq!(ask(&mut desk), (Some(438), true));
}

// stun-019
#[test]
fn a_binding_request_is_answered_with_the_address_it_came_from() {
    let mut desk = Desk::new();
    for (source, told) in [
        ("203.0.113.7:9", "203.0.113.7:9"),
        ("[2001:db8::7]:9", "[2001:db8::7]:9"),
        // A socket for both families.
        ("[::ffff:203.0.113.7]:9", "203.0.113.7:9"),
    ] {
        let from = FiveTuple::new(Transport::Datagram, address(SERVER), address(source));
        let id = desk.id();
        let request = message(Method::BINDING, id, |_| {}, None);
        let answer = desk.ask(from, &request).unwrap();
        assert_eq!(get(&answer), Some(XorMappedAddress(address(told))));
        // stun-009
        assert_eq!(get::<stun::MappedAddress>(&answer), None);
    }
}
