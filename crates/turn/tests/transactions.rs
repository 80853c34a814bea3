//! The client's requests one by one, against answers made by hand.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    dead_code,
    missing_docs,
    reason = "tests"
)]

mod world;

use muonrtc_turn::RequestedTransport;
use muonrtc_turn::client::{
    Advice, Client, Config, DataState, Ending, Event, Failure, PeerError, WrapError,
};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use stun::{
    Attribute, Builder, ChannelNumber, Class, ConnectionId, ErrorCode, Lifetime, Message, Method,
    Nonce, Realm, TransactionId, Username, XorMappedAddress, XorPeerAddress, XorRelayedAddress,
};
use testkit::Clock;
use world::{CLIENT, PEER, REALM, SERVER, World, address, client_config, stream};

const SECOND: Duration = Duration::from_secs(1);

/// A client and nothing else.
struct Alone {
    clock: Clock,
    client: Client,
}

impl Alone {
    fn new(config: Config) -> Self {
        let clock = Clock::new();
        let mut client = Client::new(config, address(SERVER), [1; 32]);
        client.allocate(clock.now());
        Self { clock, client }
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Everything it wants to send.
    fn sent(&mut self) -> Vec<Vec<u8>> {
        let mut buf = [0; 1500];
        let mut sent = Vec::new();
        while let Some(transmit) = self.client.poll_transmit(self.clock.now(), &mut buf) {
            sent.push(buf[..transmit.len].to_vec());
        }
        sent
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    /// Lets its next timeout happen.
    fn wait(&mut self) {
        let next = self.client.poll_timeout().unwrap();
        self.clock.advance_to(next);
        self.client.handle_timeout(next);
    }

    fn answer(&mut self, request: &[u8], class: Class, write: impl FnOnce(&mut Builder<'_>)) {
        let request = Message::parse(request).unwrap();
        let mut buf = [0; 1500];
        let id = request.transaction_id();
        let mut builder = Builder::new(&mut buf, class, request.method(), id);
        write(&mut builder);
        let len = builder.finish().unwrap();
        let now = self.now();
        self.client.handle_input(now, address(SERVER), &buf[..len]);
    }

    fn challenge(&mut self, request: &[u8], error: ErrorCode<'static>, realm: &str, nonce: &str) {
        self.answer(request, Class::Error, |builder| {
            builder
                .attribute(&error)
                .attribute(&Realm(realm))
                .attribute(&Nonce(nonce));
        });
    }

    /// From a server that wants no credentials, which keeps these tests short.
    fn grant(&mut self) {
        let request = self.sent().pop().unwrap();
        self.answer(&request, Class::Success, |builder| {
            builder
                .attribute(&XorRelayedAddress(address("198.51.100.1:50000")))
                .attribute(&XorMappedAddress(address(CLIENT)))
                .attribute(&Lifetime(600));
        });
        assert!(matches!(self.events()[..], [Event::Allocated { .. }]));
    }

    fn failure(&mut self) -> Failure {
        match self.events().pop().unwrap() {
            Event::Ended(Ending::Failed(failure)) => failure,
            other => panic!("{other:?}"),
        }
    }
}

fn id(message: &[u8]) -> TransactionId {
    Message::parse(message).unwrap().transaction_id()
}

fn get<'a, A: Attribute<'a>>(message: &'a [u8]) -> Option<A> {
    Message::parse(message).unwrap().attribute().unwrap()
}

// stun-004
#[test]
fn a_repetition_is_the_same_and_a_new_request_has_another_id() {
    let mut alone = Alone::new(client_config());
    let first = alone.sent().pop().unwrap();
    for _ in 0..3 {
        alone.wait();
        assert_eq!(alone.sent().pop().as_ref(), Some(&first));
    }
    alone.challenge(&first, ErrorCode::UNAUTHENTICATED, REALM, "n1");
    let second = alone.sent().pop().unwrap();
    assert_ne!(id(&first), id(&second));
    // A nonce that comes late changes no request under way.
    alone.challenge(&first, ErrorCode::UNAUTHENTICATED, REALM, "n2");
    alone.wait();
    assert_eq!(alone.sent(), [second]);
    assert_eq!(alone.client.stats().unmatched, 1);
}

// stun-022
#[test]
fn a_long_path_is_waited_for_once_it_is_measured() {
    let mut alone = Alone::new(client_config());
    let first = alone.sent().pop().unwrap();
    alone
        .clock
        .advance_to(alone.now() + Duration::from_millis(400));
    alone.challenge(&first, ErrorCode::UNAUTHENTICATED, REALM, "n1");
    alone.sent();
    let timeout = alone.client.poll_timeout().unwrap() - alone.now();
    assert_eq!(timeout, Duration::from_millis(400 + 4 * 200));
}

// stun-015
#[test]
fn an_answer_with_what_must_be_understood_and_is_not_ends_the_attempt() {
    let mut alone = Alone::new(client_config());
    let request = alone.sent().pop().unwrap();
    alone.answer(&request, Class::Success, |builder| {
        builder
            .attribute(&XorRelayedAddress(address("198.51.100.1:50000")))
            .attribute(&XorMappedAddress(address(CLIENT)))
            .attribute(&stun::Priority(1));
    });
    assert_eq!(alone.failure(), Failure::Malformed);
}

// stun-020, turn-007, turn-008, turn-009, turn-024
#[test]
fn each_refusal_has_its_name_and_its_advice_and_nothing_is_repeated() {
    let minute = Advice::Wait(Duration::from_secs(60));
    for (code, failure, advice) in [
        (400, Failure::Refused { code: 400 }, Advice::GiveUp),
        (403, Failure::Forbidden, Advice::GiveUp),
        (420, Failure::Refused { code: 420 }, Advice::GiveUp),
        (437, Failure::AllocationMismatch, Advice::OtherLocalAddress),
        (440, Failure::AddressFamilyNotSupported, Advice::GiveUp),
        (441, Failure::WrongCredentials, Advice::GiveUp),
        (442, Failure::UnsupportedTransportProtocol, Advice::GiveUp),
        (443, Failure::PeerAddressFamilyMismatch, Advice::GiveUp),
        (486, Failure::AllocationQuotaReached, minute),
        (500, Failure::Refused { code: 500 }, Advice::GiveUp),
        (508, Failure::InsufficientCapacity, minute),
        (699, Failure::Refused { code: 699 }, Advice::GiveUp),
    ] {
        let mut alone = Alone::new(client_config());
        let request = alone.sent().pop().unwrap();
        alone.answer(&request, Class::Error, |builder| {
            builder.attribute(&ErrorCode::new(code, "as it is"));
        });
        assert!(alone.sent().is_empty());
        assert_eq!(alone.client.poll_timeout(), None);
        assert_eq!(alone.client.reason_phrase(), "as it is");
        let seen = alone.failure();
        assert_eq!((seen.code(), seen.advice()), (Some(code), advice));
        assert_eq!(seen, failure);
    }
    assert_eq!(Failure::TimedOut.advice(), Advice::OtherServer);
    assert_eq!(Failure::ConnectionLost.advice(), Advice::OtherServer);
}

// stun-037
#[test]
fn a_refusal_that_anybody_could_have_sent_is_ignored() {
    let mut alone = Alone::new(client_config());
    let first = alone.sent().pop().unwrap();
    alone.challenge(&first, ErrorCode::UNAUTHENTICATED, REALM, "n1");
    let signed = alone.sent().pop().unwrap();
    assert!(get::<Username<'_>>(&signed).is_some());
    for code in [300, 400, 403, 437, 486, 500] {
        alone.answer(&signed, Class::Error, |builder| {
            builder.attribute(&ErrorCode::new(code, ""));
        });
    }
    assert_eq!(alone.client.stats().unauthenticated, 6);
    assert!(alone.events().is_empty());
    alone.wait();
    assert_eq!(alone.sent(), [signed], "it goes on");
}

// stun-036, turn-020
#[test]
fn neither_new_nonces_nor_new_realms_are_followed_forever() {
    for stale in [true, false] {
        let mut alone = Alone::new(client_config());
        let mut requests = 0;
        while let Some(request) = alone.sent().pop() {
            requests += 1;
            let realm = if stale {
                "r".to_owned()
            } else {
                format!("r{requests}")
            };
            let error = if stale && requests > 1 {
                ErrorCode::STALE_NONCE
            } else {
                ErrorCode::UNAUTHENTICATED
            };
            alone.challenge(&request, error, &realm, &format!("n{requests}"));
            assert!(requests < 10);
        }
        assert_eq!(requests, 4);
        assert_eq!(alone.failure(), Failure::Unauthenticated);
    }
}

// stun-024
#[test]
fn ten_requests_are_under_way_and_the_others_wait() {
    let mut alone = Alone::new(client_config());
    alone.grant();
    for last in 1..=25 {
        let peer = [192, 0, 2, last].into();
        alone.client.permit(alone.clock.now(), peer).unwrap();
    }
    let sent = alone.sent();
    assert_eq!(sent.len(), 10);
    alone.answer(&sent[0], Class::Success, |_| {});
    assert_eq!(alone.sent().len(), 1);
}

// stun-025
#[test]
fn requests_fit_every_path() {
    let mut world = World::allocated();
    for last in 1..=9 {
        world
            .client
            .permit(world.now(), [192, 0, 2, last].into())
            .unwrap();
    }
    // The permissions are refreshed, several at once.
    world.run_for(Duration::from_secs(250));
    let longest = world.longest_request;
    // 576 bytes with the headers of IPv4 and UDP.
    assert!(longest > 200 && longest <= 548, "{longest}");
}

// turn-015
#[test]
fn a_number_goes_to_no_other_peer_for_five_minutes() {
    let other = address("192.0.2.10:5000");
    let mut alone = Alone::new(client_config());
    alone.grant();
    let bind = |alone: &mut Alone, peer| {
        let now = alone.now();
        alone.client.bind_channel(now, peer).unwrap();
        let request = alone.sent().pop().unwrap();
        let ChannelNumber(number) = get(&request).unwrap();
        assert_eq!(get(&request), Some(XorPeerAddress(peer)));
        alone.answer(&request, Class::Success, |_| {});
        number
    };
    let first = bind(&mut alone, address(PEER));
    let now = alone.now();
    alone.client.forget(now, address(PEER).ip());
    let second = bind(&mut alone, other);
    assert_ne!(first, second);
    assert_eq!(bind(&mut alone, address(PEER)), first, "its own again");
    assert_eq!((first, second), (0x4000, 0x4001));
}

// turn-038
#[test]
fn connections_are_asked_for_and_taken_over() {
    let mut config = stream(client_config());
    config.requested_transport = RequestedTransport::TCP;
    let mut alone = Alone::new(config);
    let request = alone
        .client
        .poll_transmit(alone.clock.now(), &mut [0; 1500]);
    assert!(request.is_some());
    let mut config = stream(client_config());
    config.requested_transport = RequestedTransport::TCP;
    config.dont_fragment = true;
    config.max_connects = 2;
    let mut alone = Alone::new(config);
    alone.grant();
    let (now, peer) = (alone.now(), address(PEER));

    // Datagrams and channels are not for it.
    assert_eq!(
        alone.client.bind_channel(now, peer),
        Err(PeerError::Transport)
    );
    let mut buf = [0; 100];
    let wrapped = alone.client.wrap(now, peer, &mut buf, 50..60);
    assert_eq!(wrapped, Err(WrapError::Transport));

    // One that is accepted, and one that is refused; a third one has to wait.
    let closed = address("192.0.2.10:1");
    alone.client.connect(now, peer).unwrap();
    alone.client.connect(now, peer).unwrap();
    alone.client.connect(now, closed).unwrap();
    let third = alone.client.connect(now, address("192.0.2.11:1"));
    assert_eq!(third, Err(PeerError::TooMany));
    let sent = alone.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(get(&sent[0]), Some(XorPeerAddress(peer)));
    let connection = ConnectionId(77);
    alone.answer(&sent[0], Class::Success, |builder| {
        builder.attribute(&connection);
    });
    alone.answer(&sent[1], Class::Error, |builder| {
        builder.attribute(&ErrorCode::CONNECTION_TIMEOUT_OR_FAILURE);
    });
    let reason = Failure::ConnectionFailed;
    let expected = [
        Event::Connected { peer, connection },
        Event::NotConnected {
            peer: closed,
            reason,
        },
    ];
    assert_eq!(alone.events(), expected);

    // A further stream becomes the connection.
    let mut data = alone.client.data_connection(now, connection).unwrap();
    let len = data.poll_transmit(&mut buf).unwrap();
    assert_eq!(data.poll_transmit(&mut buf), None);
    let request = Message::parse(&buf[..len]).unwrap();
    assert_eq!(request.method(), Method::CONNECTION_BIND);
    assert_eq!(request.attribute(), Ok(Some(connection)));
    let mut out = [0; 100];
    let id = request.transaction_id();
    let len = Builder::new(&mut out, Class::Success, Method::CONNECTION_BIND, id)
        .finish()
        .unwrap();
    data.handle_input(now, &out[..len]);
    assert_eq!(data.state(), &DataState::Bound);
    assert_eq!(data.poll_timeout(), None);
}

// turn-038
#[test]
fn attempts_of_permitted_peers_alone_are_told() {
    let mut config = stream(client_config());
    config.requested_transport = RequestedTransport::TCP;
    let mut alone = Alone::new(config);
    alone.grant();
    let (now, peer) = (alone.now(), address(PEER));
    alone.client.permit(now, peer.ip()).unwrap();
    let request = alone.sent().pop().unwrap();
    alone.answer(&request, Class::Success, |_| {});
    alone.events();
    let connection = ConnectionId(5);
    for from in [peer, address("192.0.2.10:1")] {
        let mut buf = [0; 100];
        let id = TransactionId([1; 12]);
        let method = Method::CONNECTION_ATTEMPT;
        let len = Builder::new(&mut buf, Class::Indication, method, id)
            .attribute(&XorPeerAddress(from))
            .attribute(&connection)
            .finish()
            .unwrap();
        alone.client.handle_input(now, address(SERVER), &buf[..len]);
    }
    assert_eq!(
        alone.events(),
        [Event::ConnectionAttempt { peer, connection }]
    );
    assert_eq!(alone.client.stats().not_permitted, 1);
}

// turn-038
#[test]
fn a_data_connection_that_fails_says_why() {
    let mut config = stream(client_config());
    config.requested_transport = RequestedTransport::TCP;
    let mut alone = Alone::new(config);
    alone.grant();
    let now = alone.now();
    let mut begin = || alone.client.data_connection(now, ConnectionId(1)).unwrap();

    let mut silent = begin();
    let timeout = silent.poll_timeout().unwrap();
    assert_eq!(timeout - now, Duration::from_millis(39_500));
    silent.handle_timeout(timeout);
    assert_eq!(silent.state(), &DataState::Failed(Failure::TimedOut));

    let mut closed = begin();
    closed.connection_closed();
    assert_eq!(closed.state(), &DataState::Failed(Failure::ConnectionLost));

    // Challenged again and again.
    let mut challenged = begin();
    let mut buf = [0; 1500];
    let mut requests = 0;
    while let Some(len) = challenged.poll_transmit(&mut buf) {
        requests += 1;
        let id = id(&buf[..len]);
        let mut out = [0; 200];
        let len = Builder::new(&mut out, Class::Error, Method::CONNECTION_BIND, id)
            .attribute(&ErrorCode::STALE_NONCE)
            .attribute(&Realm(REALM))
            .attribute(&Nonce("stale"))
            .finish()
            .unwrap();
        challenged.handle_input(now, &out[..len]);
    }
    assert_eq!(requests, 4);
    let expected = DataState::Failed(Failure::Unauthenticated);
    assert_eq!(challenged.state(), &expected);
}

// turn-003
#[test]
fn connections_are_not_asked_for_over_datagrams() {
    let mut config = client_config();
    config.requested_transport = RequestedTransport::TCP;
    let mut alone = Alone::new(config);
    assert!(alone.sent().is_empty());
    assert_eq!(alone.failure(), Failure::UnsupportedTransportProtocol);
}

// turn-010
#[test]
fn a_refresh_is_asked_for_again_while_there_is_time() {
    let mut world = World::allocated();
    world.run_for(Duration::from_secs(539));
    // Everything is lost for most of the last minute.
    world.up.link.loss = 1.0;
    world.run_for(Duration::from_secs(45));
    world.up.link.loss = 0.0;
    world.run_for(Duration::from_secs(120));
    assert!(world.client.relayed().is_some());
    assert_eq!(world.server.stats().allocations, 1);
}

#[test]
fn messages_of_strangers_change_nothing() {
    let mut world = World::allocated();
    let now = world.now();
    let peers: BTreeSet<_> = ["198.51.100.2:3478", PEER].map(address).into();
    for stranger in peers {
        for bytes in [&b"\x40\x00\x00\x00"[..], b"\x00\x01\x00\x00", b""] {
            world.client.handle_input(now, stranger, bytes);
        }
    }
    assert_eq!(world.client.stats().foreign, 6);
}
