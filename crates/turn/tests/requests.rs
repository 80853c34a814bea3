//! Requests made by hand, as clients other than ours make them, and what the server says to each.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "tests"
)]

mod world;

use crypto::Provider;
use muonrtc_turn::Transport;
use muonrtc_turn::server::{self, Event, FiveTuple, Received, Server, StaticCredentials};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stun::{
    AdditionalAddressFamily, AddressErrorCode, AddressFamily, Attribute, AttributeType, Builder,
    ChannelNumber, Class, ConnectionId, ErrorCode, EvenPort, Lifetime, Message, Method, Nonce,
    PasswordAlgorithm, Realm, RequestedAddressFamily, RequestedTransport, ReservationToken,
    TransactionId, UnknownAttributes, Username, XorMappedAddress, XorPeerAddress,
    XorRelayedAddress, long_term_key,
};
use testkit::Clock;
use world::{PASSWORD, PEER, REALM, SERVER, USER, address, server_config};

const OTHER_USER: &str = "bob";

/// A server, and clients that know RFC 5389 only: MD5 and HMAC-SHA1.
struct Desk {
    clock: Clock,
    server: Server,
    ids: u8,
}

impl Desk {
    fn new() -> Self {
        Self::with(server_config())
    }

    fn with(mut config: server::Config) -> Self {
        let users = StaticCredentials::new(Provider::default(), REALM)
            .with(USER, PASSWORD)
            .with(OTHER_USER, PASSWORD);
        config.credentials = Arc::new(users);
        let clock = Clock::new();
        Self {
            server: Server::new(clock.now(), clock.wall(), config, [3; 32]),
            clock,
            ids: 0,
        }
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn id(&mut self) -> TransactionId {
        self.ids = self.ids.wrapping_add(1);
        TransactionId([self.ids; 12])
    }

    /// Hands a message in, gives every socket it asks for, and takes the answer out.
    fn ask(&mut self, from: FiveTuple, bytes: &[u8]) -> Option<Vec<u8>> {
        let now = self.now();
        let received = self.server.handle_input(now, from, bytes);
        assert_eq!(received, Received::Consumed);
        while let Some(event) = self.server.poll_event() {
            if let Event::Bind { allocation, .. } | Event::Listen { allocation, .. } = event {
                self.server.bound(now, allocation, true);
            }
        }
        let mut buf = [0; 1500];
        let transmit = self.server.poll_transmit(now, &mut buf)?;
        // stun-017
        assert_eq!(transmit.five_tuple, from);
        Some(buf[..transmit.len].to_vec())
    }

    /// The nonce for a client.
    fn nonce(&mut self, from: FiveTuple) -> String {
        let id = self.id();
        let request = message(Method::ALLOCATE, id, |_| {}, None);
        let answer = self.ask(from, &request).unwrap();
        let Nonce(nonce) = get(&answer).unwrap();
        nonce.to_owned()
    }

    /// An authenticated request and its answer.
    fn request(
        &mut self,
        from: FiveTuple,
        user: &str,
        method: Method,
        write: impl FnOnce(&mut Builder<'_>),
    ) -> Vec<u8> {
        let nonce = self.nonce(from);
        let id = self.id();
        let request = message(method, id, write, Some((user, &nonce)));
        let answer = self.ask(from, &request).unwrap();
        // stun-034
        let key = long_term_key(
            &Provider::default(),
            PasswordAlgorithm::Md5,
            user,
            REALM,
            PASSWORD,
        );
        let key = Provider::default().hmac_sha1.key(&key);
        let parsed = Message::parse(&answer).unwrap();
        assert_eq!(parsed.integrity(&*key), Some(true));
        assert_eq!(parsed.transaction_id(), id);
        assert_eq!(get::<Username<'_>>(&answer), None);
        answer
    }

    fn allocate(&mut self, from: FiveTuple, write: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
        self.request(from, USER, Method::ALLOCATE, |builder| {
            builder.attribute(&RequestedTransport::UDP);
            write(builder);
        })
    }

    fn allocated() -> (Self, FiveTuple) {
        let mut desk = Self::new();
        let answer = desk.allocate(client(1), |_| {});
        assert_eq!(code(&answer), None);
        (desk, client(1))
    }
}

fn client(number: u16) -> FiveTuple {
    let address: SocketAddr = ([203, 0, 113, 7], number).into();
    FiveTuple::new(Transport::Datagram, self::address(SERVER), address)
}

fn message(
    method: Method,
    id: TransactionId,
    write: impl FnOnce(&mut Builder<'_>),
    login: Option<(&str, &str)>,
) -> Vec<u8> {
    let mut buf = [0; 1500];
    let mut builder = Builder::new(&mut buf, Class::Request, method, id);
    write(&mut builder);
    if let Some((user, nonce)) = login {
        let provider = Provider::default();
        let key = long_term_key(&provider, PasswordAlgorithm::Md5, user, REALM, PASSWORD);
        builder
            .attribute(&Username(user))
            .attribute(&Realm(REALM))
            .attribute(&Nonce(nonce))
            .integrity(&*provider.hmac_sha1.key(&key));
    }
    let len = builder.finish().unwrap();
    buf[..len].to_vec()
}

fn get<'a, A: Attribute<'a>>(answer: &'a [u8]) -> Option<A> {
    Message::parse(answer).unwrap().attribute().unwrap()
}

fn code(answer: &[u8]) -> Option<u16> {
    get::<ErrorCode<'_>>(answer).map(|error| error.code)
}

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
