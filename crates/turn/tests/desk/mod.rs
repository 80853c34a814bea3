//! Requests made by hand, and a server that is given every socket it asks for.
#![allow(dead_code, reason = "every test uses another part of it")]

use crate::world::{PASSWORD, REALM, SERVER, USER, address, server_config};
use crypto::Provider;
use muonrtc_turn::Transport;
use muonrtc_turn::server::{self, Event, FiveTuple, Received, Server, StaticCredentials};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use stun::{
    Attribute, Builder, Class, ErrorCode, Message, Method, Nonce, PasswordAlgorithm, Realm,
    RequestedTransport, TransactionId, Username, long_term_key,
};
use testkit::Clock;

pub(crate) const OTHER_USER: &str = "bob";

/// A server, and clients that know RFC 5389 only: MD5 and HMAC-SHA1.
pub(crate) struct Desk {
    pub(crate) clock: Clock,
    pub(crate) server: Server,
    ids: u8,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(server_config())
    }

    pub(crate) fn with(mut config: server::Config) -> Self {
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

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn id(&mut self) -> TransactionId {
        self.ids = self.ids.wrapping_add(1);
        TransactionId([self.ids; 12])
    }

    /// Hands a message in, gives every socket it asks for, and takes the answer out.
    pub(crate) fn ask(&mut self, from: FiveTuple, bytes: &[u8]) -> Option<Vec<u8>> {
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
    pub(crate) fn nonce(&mut self, from: FiveTuple) -> String {
        let id = self.id();
        let request = message(Method::ALLOCATE, id, |_| {}, None);
        let answer = self.ask(from, &request).unwrap();
        let Nonce(nonce) = get(&answer).unwrap();
        nonce.to_owned()
    }

    /// An authenticated request and its answer.
    pub(crate) fn request(
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

    pub(crate) fn allocate(
        &mut self,
        from: FiveTuple,
        write: impl FnOnce(&mut Builder<'_>),
    ) -> Vec<u8> {
        self.request(from, USER, Method::ALLOCATE, |builder| {
            builder.attribute(&RequestedTransport::UDP);
            write(builder);
        })
    }

    pub(crate) fn allocated() -> (Self, FiveTuple) {
        let mut desk = Self::new();
        let answer = desk.allocate(client(1), |_| {});
        assert_eq!(code(&answer), None);
        (desk, client(1))
    }
}

pub(crate) fn client(number: u16) -> FiveTuple {
    let address: SocketAddr = ([203, 0, 113, 7], number).into();
    FiveTuple::new(Transport::Datagram, self::address(SERVER), address)
}

pub(crate) fn message(
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

pub(crate) fn get<'a, A: Attribute<'a>>(answer: &'a [u8]) -> Option<A> {
    Message::parse(answer).unwrap().attribute().unwrap()
}

pub(crate) fn code(answer: &[u8]) -> Option<u16> {
    get::<ErrorCode<'_>>(answer).map(|error| error.code)
}
