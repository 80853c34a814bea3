//! A TURN server whose clients are the tape: authenticated requests around any attributes, anybody's
//! bytes, peers that send, sockets that cannot be made, and streams cut anywhere.
#![no_main]

use fuzz::{Tape, stun_integrity_with};
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use stun::{Message, Nonce, PasswordAlgorithm, long_term_key};
use turn::server::{
    AllocationId, Config, Event, FiveTuple, HEADROOM, Received, Relay, Server, StaticCredentials,
    TAILROOM,
};
use turn::{Frames, Transport};

const REALM: &str = "realm";
const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)), 3478);
const USERS: [&str; 2] = ["user", "else"];
const LONG_ENOUGH: Duration = Duration::from_secs(2 * 3600);

struct World<'a> {
    tape: &'a Tape,
    now: Instant,
    server: Server,
    allocations: Vec<AllocationId>,
    keys: [Vec<u8>; 2],
}

fuzz_target!(|bytes: &[u8]| {
    let tape = Tape::new(bytes);
    frames(&tape.chunk(), usize::from(tape.byte().unwrap_or(0)) + 1);
    let provider = crypto::Provider::default();
    let mut users = StaticCredentials::new(provider, REALM);
    for user in USERS {
        users = users.with(user, "pass");
    }
    let relay = Relay::new(SERVER.ip());
    let mut config = Config::new(provider, REALM, Arc::new(users), relay);
    config.max_allocations_per_user = 4;
    config.max_permissions = 8;
    config.max_channels = 8;
    config.old_channel_numbers = tape.flag();
    config.dont_fragment = tape.flag();
    let now = Instant::now();
    let key = |user| long_term_key(&provider, PasswordAlgorithm::Md5, user, REALM, "pass");
    let mut world = World {
        tape: &tape,
        now,
        server: Server::new(now, SystemTime::UNIX_EPOCH, config, [2; 32]),
        allocations: Vec::new(),
        keys: USERS.map(key),
    };
    while let Some(step) = tape.byte() {
        match step % 8 {
            0..=3 => world.request(),
            4 => {
                let bytes = tape.chunk();
                world.input(world.client(), &bytes);
            }
            5 => world.peer(),
            6 => world.pass(tape.duration()),
            _ if tape.flag() => world.server.connection_closed(world.client()),
            _ => {
                if let Some(&allocation) = world.allocations.last() {
                    world.server.revoke(allocation);
                }
            }
        }
        world.poll();
    }
    world.pass(LONG_ENOUGH);
    assert_eq!(world.server.stats().allocations, 0, "all ends");
    assert_eq!(world.server.poll_timeout(), None);
});

/// A stream in pieces of one size gives the same messages as in one piece.
fn frames(stream: &[u8], size: usize) {
    let cut = |size: usize| {
        let mut frames = Frames::new();
        let mut messages: Vec<Vec<u8>> = Vec::new();
        for chunk in stream.chunks(size) {
            frames.push(chunk);
            loop {
                match frames.pop() {
                    Ok(Some(message)) => messages.push(message.to_vec()),
                    Ok(None) => break,
                    Err(_) => return messages,
                }
            }
        }
        messages
    };
    assert_eq!(cut(size), cut(stream.len().max(1)));
}

impl World<'_> {
    fn client(&self) -> FiveTuple {
        let bits = self.tape.byte().unwrap_or(0);
        let transport = if bits & 1 == 0 {
            Transport::Datagram
        } else {
            Transport::Stream
        };
        let client = Ipv4Addr::new(203, 0, 113, bits >> 4);
        FiveTuple::new(transport, SERVER, (client, 1000).into())
    }

    fn peer_address(&self) -> SocketAddr {
        let last = self.tape.byte().unwrap_or(0);
        (Ipv4Addr::new(192, 0, 2, last), 5000).into()
    }

    /// A request of a user, with a fresh nonce or an old one, and any attributes.
    fn request(&mut self) {
        let client = self.client();
        let bits = self.tape.byte().unwrap_or(0);
        let method = [1, 3, 3, 4, 8, 9, 10, 11][usize::from(bits & 7)];
        let user = usize::from(bits >> 3 & 1);
        let nonce = if bits & 0x10 == 0 {
            self.nonce(client)
        } else {
            Some("old".to_owned())
        };
        let id = [self.tape.byte().unwrap_or(0); 12];
        let mut request = header(method, id);
        if bits & 0x20 == 0 && method == 3 {
            request.extend([0, 0x19, 0, 4, 17, 0, 0, 0]);
        }
        if bits & 0x40 == 0 && method != 3 {
            // CHANNEL-NUMBER and XOR-PEER-ADDRESS: 192.0.2.x:5000.
            let (number, last) = (self.tape.byte().unwrap_or(0), self.tape.byte().unwrap_or(0));
            request.extend([0, 0x0C, 0, 4, 0x40, number, 0, 0]);
            request.extend([0, 0x12, 0, 8, 0, 1, 0x32, 0x9A]);
            request.extend([192 ^ 0x21, 0x12, 2 ^ 0xA4, last ^ 0x42]);
        }
        request.extend(self.tape.chunk());
        request.resize(request.len().next_multiple_of(4), 0);
        text(&mut request, 6, USERS[user]);
        text(&mut request, 0x14, REALM);
        text(&mut request, 0x15, &nonce.unwrap_or_default());
        stun_integrity_with(&mut request, &self.keys[user]);
        self.input(client, &request);
    }

    /// What the server wants to see in a request of this client.
    fn nonce(&mut self, client: FiveTuple) -> Option<String> {
        self.input(client, &header(3, [0xFF; 12]));
        let mut buf = [0; 1500];
        let transmit = self.server.poll_transmit(self.now, &mut buf)?;
        let message = Message::parse(&buf[..transmit.len]).expect("answers are well formed");
        let nonce: Option<Nonce<'_>> = message.attribute().expect("they are");
        nonce.map(|Nonce(nonce)| nonce.to_owned())
    }

    fn input(&mut self, client: FiveTuple, bytes: &[u8]) {
        let received = self.server.handle_input(self.now, client, bytes);
        if let Received::Relay { range, .. } = received {
            let _ = &bytes[range];
        }
    }

    fn peer(&mut self) {
        let peer = self.peer_address();
        let len = usize::from(self.tape.number() % 2000);
        let which = usize::from(self.tape.byte().unwrap_or(0));
        if self.allocations.is_empty() {
            return;
        }
        let allocation = self.allocations[which % self.allocations.len()];
        let mut buf = vec![0; HEADROOM + len + TAILROOM];
        let payload = HEADROOM..HEADROOM + len;
        let now = self.now;
        let sent = self
            .server
            .handle_peer_input(now, allocation, peer, &mut buf, payload);
        if let Some((_, range)) = sent {
            let len = turn::frame_len(&buf[range]);
            assert!(matches!(len, Ok(Some(_))), "{len:?}");
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.server.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.server.handle_timeout(self.now);
            self.poll();
        }
        self.now = end;
    }

    fn poll(&mut self) {
        let mut buf = [0; 1500];
        loop {
            while let Some(transmit) = self.server.poll_transmit(self.now, &mut buf) {
                Message::parse(&buf[..transmit.len]).expect("answers are well formed");
            }
            match self.server.poll_event() {
                Some(Event::Bind { allocation, .. }) => {
                    // One in four cannot be made.
                    let success = self.tape.byte().unwrap_or(1) % 4 != 0;
                    self.server.bound(self.now, allocation, success);
                }
                Some(Event::Allocated { allocation, .. }) => self.allocations.push(allocation),
                Some(Event::Released { allocation, .. }) => {
                    self.allocations.retain(|it| *it != allocation);
                }
                Some(_) => {}
                None => break,
            }
        }
    }
}

fn header(method: u8, id: [u8; 12]) -> Vec<u8> {
    let mut message = vec![0, method, 0, 0, 0x21, 0x12, 0xA4, 0x42];
    message.extend(id);
    message
}

fn text(message: &mut Vec<u8>, kind: u16, text: &str) {
    message.extend(kind.to_be_bytes());
    message.extend(u16::try_from(text.len()).unwrap_or(0).to_be_bytes());
    message.extend(text.as_bytes());
    message.resize(message.len().next_multiple_of(4), 0);
}
