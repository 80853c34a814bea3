//! An association that its peer ends in SCTP's own way, which no session of ours does.

use crate::pair::SessionPair;
use bytes::Bytes;
use layer::{
    Message, NewSctp, Outgoing, Sctp, SctpConfig, SctpConnect, SctpError, SctpEvent, SctpState,
    SctpStats, Start,
};
use peerconnection::{DataChannelInit, ErrorKind, Payload, SessionEvent, Stack};
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::{Link, Side};

const LIMIT: Duration = Duration::from_secs(20);

/// Our association, which shuts down where it is told to send.
#[derive(Debug)]
struct Ending;

struct EndingSctp(Box<dyn Sctp>);

impl NewSctp for Ending {
    fn new_sctp(&self, start: Start, config: SctpConfig) -> Box<dyn Sctp> {
        let inner = Stack::default().sctp.new_sctp(start, config);
        Box::new(EndingSctp(inner))
    }
}

impl Sctp for EndingSctp {
    fn handle_input(&mut self, now: Instant, packet: &[u8]) {
        self.0.handle_input(now, packet);
    }
    fn handle_timeout(&mut self, now: Instant) {
        self.0.handle_timeout(now);
    }
    fn connect(&mut self, now: Instant, connect: SctpConnect) -> Result<(), SctpError> {
        self.0.connect(now, connect)
    }
    fn send(&mut self, now: Instant, message: Outgoing) -> Result<(), SctpError> {
        if message.data.as_ref() == b"end" {
            self.0.shutdown(now);
            return Ok(());
        }
        self.0.send(now, message)
    }
    fn consume(&mut self, now: Instant, stream: u16, bytes: usize) {
        self.0.consume(now, stream, bytes);
    }
    fn reset(&mut self, now: Instant, streams: &[u16]) -> Result<(), SctpError> {
        self.0.reset(now, streams)
    }
    fn set_buffered_amount_low_threshold(&mut self, stream: u16, bytes: usize) {
        self.0.set_buffered_amount_low_threshold(stream, bytes);
    }
    fn shutdown(&mut self, now: Instant) {
        self.0.shutdown(now);
    }
    fn abort(&mut self, now: Instant, reason: &str) {
        self.0.abort(now, reason);
    }
    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        self.0.poll_transmit(now, buf)
    }
    fn poll_timeout(&self) -> Option<Instant> {
        self.0.poll_timeout()
    }
    fn poll_event(&mut self) -> Option<SctpEvent> {
        self.0.poll_event()
    }
    fn poll_message(&mut self) -> Option<Message> {
        self.0.poll_message()
    }
    fn state(&self) -> SctpState {
        self.0.state()
    }
    fn buffered_amount(&self, stream: u16) -> usize {
        self.0.buffered_amount(stream)
    }
    fn send_capacity(&self) -> usize {
        self.0.send_capacity()
    }
    fn streams(&self) -> Option<(u16, u16)> {
        self.0.streams()
    }
    fn stats(&self) -> SctpStats {
        self.0.stats()
    }
}

/// dc-012, dc-017: while the peer shuts down nothing is accepted, and nobody waits for room; what
/// was accepted before is delivered.
#[test]
fn a_peer_that_shuts_down_refuses_new_messages_and_gets_the_old_ones() {
    let mut ending = Stack::default();
    ending.sctp = Arc::new(Ending);
    let link = Link::delayed(Duration::from_millis(5));
    let mut pair = SessionPair::new([Stack::default(), ending], &link, 7);
    let now = pair.now();
    let init = DataChannelInit::default();
    let key = pair.a.session.create_data_channel(now, "a", init).unwrap();
    pair.negotiate(Side::A);
    assert!(pair.run_until(LIMIT, |pair| pair.b.has_opened()));
    let theirs = pair.b.events.iter().find_map(|event| match event {
        SessionEvent::DataChannel(key) => Some(*key),
        _ => None,
    });
    let (now, end) = (pair.now(), Bytes::from_static(b"end"));
    let large = Bytes::from(vec![7; 262_144]);
    pair.a
        .session
        .send(now, key, Payload::Binary, &large)
        .unwrap();
    let session = &mut pair.b.session;
    session
        .send(now, theirs.unwrap(), Payload::Text, &end)
        .unwrap();
    let state = |pair: &SessionPair| pair.a.session.layers().map(|layers| layers.sctp.state());
    let before = state(&pair);
    assert!(pair.run_until(LIMIT, |pair| state(pair) != before));
    let (now, late) = (pair.now(), Bytes::from_static(b"late"));
    let error = pair.a.session.send(now, key, Payload::Text, &late);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidState);
    let closed = |event: &SessionEvent| matches!(event, SessionEvent::ChannelClose(_, None));
    assert!(pair.run_until(LIMIT, |pair| {
        pair.a.events.iter().any(closed) && pair.b.events.iter().any(closed)
    }));
    assert_eq!(pair.b.messages.len(), 1);
}
