//! A TURN client whose server is the tape: answers with the right transaction and the right
//! integrity around any attributes, indications, ChannelData, and a user who asks for anything.
#![no_main]

use fuzz::{Tape, stun_integrity_with};
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use stun::{PasswordAlgorithm, long_term_key};
use turn::client::{Client, Config, DataConnection, Received, State};
use turn::{ConnectionId, RequestedTransport, Transport};

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)), 3478);
const REALM: &str = "realm";

/// After the tape nobody answers any more: everything ends by then.
const LONG_ENOUGH: Duration = Duration::from_secs(3 * 3600);

/// How many timeouts may pass until then.
const MAX_STEPS: u32 = 100_000;

struct World<'a> {
    tape: &'a Tape,
    now: Instant,
    client: Client,
    /// The last requests, to be answered.
    requests: Vec<Vec<u8>>,
    data: Option<DataConnection>,
    key: Vec<u8>,
}

fuzz_target!(|bytes: &[u8]| {
    let tape = Tape::new(bytes);
    let mut config = Config::new(crypto::Provider::default(), "user", "pass");
    if tape.flag() {
        config.transport = Transport::Stream;
    }
    if tape.flag() {
        config.requested_transport = RequestedTransport::TCP;
    }
    let provider = config.provider;
    let key = long_term_key(&provider, PasswordAlgorithm::Md5, "user", REALM, "pass");
    let mut world = World {
        tape: &tape,
        now: Instant::now(),
        client: Client::new(config, SERVER, [1; 32]),
        requests: Vec::new(),
        data: None,
        key,
    };
    world.client.allocate(world.now);
    while let Some(step) = tape.byte() {
        world.poll();
        match step % 8 {
            0..=3 => world.answer(),
            4 => world.inject(),
            5 => world.pass(tape.duration()),
            _ => world.act(),
        }
    }
    world.pass(LONG_ENOUGH);
    // An allocation that the server never refreshes ends, unless its lifetime is longer than this.
    let _ = world.client.state() == State::Ended;
});

impl World<'_> {
    fn poll(&mut self) {
        let mut buf = [0; 1500];
        while let Some(transmit) = self.client.poll_transmit(self.now, &mut buf) {
            self.requests.push(buf[..transmit.len].to_vec());
        }
        if let Some(data) = &mut self.data
            && let Some(len) = data.poll_transmit(&mut buf)
        {
            self.requests.push(buf[..len].to_vec());
        }
        let len = self.requests.len();
        self.requests.drain(..len.saturating_sub(16));
        while self.client.poll_event().is_some() {}
    }

    /// An answer to one of the last requests.
    fn answer(&mut self) {
        let Some(last) = self.requests.len().checked_sub(1) else {
            return;
        };
        let back = usize::from(self.tape.byte().unwrap_or(0) % 4);
        let mut answer = self.requests[last.saturating_sub(back)][..20].to_vec();
        let bits = self.tape.byte().unwrap_or(0);
        // Success, or an error.
        answer[0] |= 0x01;
        answer[1] |= if bits & 1 == 0 { 0x00 } else { 0x10 };
        if bits & 2 != 0 {
            // 401 or 438 with realm and nonce.
            let code = if bits & 4 == 0 { 1 } else { 38 };
            answer.extend([0, 9, 0, 4, 0, 0, 4, code]);
            answer.extend([0, 0x14, 0, 5]);
            answer.extend(b"realm\0\0\0");
            answer.extend([0, 0x15, 0, 4]);
            answer.extend(self.tape.number().to_be_bytes());
            answer.extend(b"ce");
        }
        if bits & 8 != 0 {
            // XOR-RELAYED-ADDRESS and XOR-MAPPED-ADDRESS.
            answer.extend([0, 0x16, 0, 8, 0, 1, 1, 2, 3, 4, 5, 6]);
            answer.extend([0, 0x20, 0, 8, 0, 1, 1, 2, 3, 4, 5, 6]);
        }
        answer.extend(self.tape.chunk());
        answer.resize(answer.len().next_multiple_of(4), 0);
        if bits & 16 != 0 {
            stun_integrity_with(&mut answer, &self.key);
        } else {
            let len = u16::try_from(answer.len() - 20).unwrap_or(u16::MAX);
            answer[2..4].copy_from_slice(&len.to_be_bytes());
        }
        self.input(&answer);
    }

    /// Bytes of any kind; a channel's among them.
    fn inject(&mut self) {
        let bytes = self.tape.chunk();
        self.input(&bytes);
    }

    fn input(&mut self, bytes: &[u8]) {
        if let Received::Data { range, .. } = self.client.handle_input(self.now, SERVER, bytes) {
            let _ = &bytes[range];
        }
        if let Some(data) = &mut self.data {
            data.handle_input(self.now, bytes);
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        let mut steps = 0;
        while let Some(next) = self.client.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.client.handle_timeout(self.now);
            self.poll();
            steps += 1;
            assert!(steps < MAX_STEPS, "the client does not come to rest");
        }
        self.now = end;
        if let Some(data) = &mut self.data {
            data.handle_timeout(end);
        }
    }

    fn peer(&self) -> SocketAddr {
        let last = self.tape.byte().unwrap_or(0);
        SocketAddr::new(
            IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)),
            self.tape.number(),
        )
    }

    fn act(&mut self) {
        let peer = self.peer();
        let now = self.now;
        match self.tape.byte().unwrap_or(0) % 8 {
            0 => drop(self.client.permit(now, peer.ip())),
            1 => drop(self.client.bind_channel(now, peer)),
            2 => drop(self.client.connect(now, peer)),
            3 => self.client.forget(now, peer.ip()),
            4 => {
                let connection = ConnectionId(self.tape.long());
                self.data = self.client.data_connection(now, connection);
            }
            5 if self.tape.flag() => self.client.close(now),
            6 if self.tape.flag() => self.client.connection_closed(),
            _ => self.send(peer),
        }
    }

    fn send(&mut self, peer: SocketAddr) {
        let room = self.client.room(self.now, peer);
        let payload = room.headroom..room.headroom + usize::from(self.tape.number() % 2000);
        let mut buf = vec![0; payload.end + room.tailroom];
        let wrapped = self.client.wrap(self.now, peer, &mut buf, payload);
        if let Ok(range) = wrapped {
            let message = &buf[range];
            assert_eq!(turn::frame_len(message).map(|len| len.is_some()), Ok(true));
        }
    }
}
