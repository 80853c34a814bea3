//! An association that is right but for one thing.

use layer::{
    Blame, End, Message, NewSctp, Outgoing, Sctp, SctpConfig, SctpConnect, SctpError, SctpEvent,
    SctpState, SctpStats, Start,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::conformance::Verdict;
use testkit::conformance::sctp::{CASES, Subject};

/// The one thing.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Nothing,
    ForgetsEarlyPackets,
    SwapsMessages,
    DoublesAMessage,
    ChangesAByte,
    MistakesTheProtocol,
    NeverWritable,
    NeverFull,
    IgnoresConsume,
    NeverLow,
    BlamesThePeer,
    EndsTwice,
    TellsNoReset,
    NeverAbandons,
    CountsNothing,
    TakesEmptyMessages,
    TakesPortZero,
    SendsLargePackets,
    HasItsOwnRandomness,
    IgnoresItsSeed,
}

#[derive(Debug)]
struct Saboteurs(Wrong);

impl NewSctp for Saboteurs {
    fn new_sctp(&self, mut start: Start, mut config: SctpConfig) -> Box<dyn Sctp> {
        match self.0 {
            Wrong::IgnoresItsSeed => start.seed = layer::Seed::new([7; 32]),
            Wrong::SendsLargePackets => config.max_packet = 1400,
            _ => {}
        }
        let mut factory = sctp::Factory::default();
        factory.max_init_retransmits = Some(8);
        factory.max_retransmits = Some(10);
        Box::new(Saboteur {
            wrong: self.0,
            inner: factory.new_sctp(start, config),
            messages: VecDeque::new(),
            late: VecDeque::new(),
            packets: 0,
        })
    }
}

struct Saboteur {
    wrong: Wrong,
    inner: Box<dyn Sctp>,
    messages: VecDeque<Message>,
    late: VecDeque<SctpEvent>,
    packets: u32,
}

impl Saboteur {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    fn fetch(&mut self) {
        while let Some(mut message) = self.inner.poll_message() {
            if self.is(Wrong::ChangesAByte) && message.data.len() == 100 {
                let mut data = message.data.to_vec();
                data[99] ^= 1;
                message.data = data.into();
            }
            if self.is(Wrong::MistakesTheProtocol) {
                message.protocol = 53;
            }
            if self.is(Wrong::DoublesAMessage) && message.first && message.last {
                self.messages.push_back(message.clone());
            }
            self.messages.push_back(message);
        }
        let whole = |message: &Message| message.first && message.last;
        if self.is(Wrong::SwapsMessages) && self.messages.len() > 1 {
            let last = self.messages.len() - 1;
            if whole(&self.messages[last]) && whole(&self.messages[last - 1]) {
                self.messages.swap(last, last - 1);
            }
        }
    }
}

impl Sctp for Saboteur {
    fn handle_input(&mut self, now: Instant, packet: &[u8]) {
        let early = self.inner.state() == SctpState::New;
        if !(early && self.is(Wrong::ForgetsEarlyPackets)) {
            self.inner.handle_input(now, packet);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.inner.handle_timeout(now);
    }

    fn connect(&mut self, now: Instant, mut connect: SctpConnect) -> Result<(), SctpError> {
        if self.is(Wrong::TakesPortZero) && connect.local_port == 0 {
            connect.local_port = 5000;
        }
        self.inner.connect(now, connect)
    }

    fn send(&mut self, now: Instant, mut message: Outgoing) -> Result<(), SctpError> {
        if self.is(Wrong::NeverAbandons) {
            message.reliability = layer::Reliability::Reliable;
        }
        match self.inner.send(now, message) {
            Err(SctpError::BufferFull) if self.is(Wrong::NeverFull) => Ok(()),
            Err(SctpError::Empty) if self.is(Wrong::TakesEmptyMessages) => Ok(()),
            result => result,
        }
    }

    fn consume(&mut self, now: Instant, stream: u16, bytes: usize) {
        if !self.is(Wrong::IgnoresConsume) {
            self.inner.consume(now, stream, bytes);
        }
    }

    fn reset(&mut self, now: Instant, streams: &[u16]) -> Result<(), SctpError> {
        self.inner.reset(now, streams)
    }

    fn set_buffered_amount_low_threshold(&mut self, stream: u16, bytes: usize) {
        self.inner.set_buffered_amount_low_threshold(stream, bytes);
    }

    fn shutdown(&mut self, now: Instant) {
        self.inner.shutdown(now);
    }

    fn abort(&mut self, now: Instant, reason: &str) {
        self.inner.abort(now, reason);
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        let len = self.inner.poll_transmit(now, buf)?;
        self.packets += 1;
        if self.is(Wrong::HasItsOwnRandomness) && self.packets == 9 {
            // What a machine that reads the clock or an address would do.
            let noise = std::ptr::from_ref(self).addr().to_ne_bytes();
            buf[len..len + noise.len()].copy_from_slice(&noise);
            return Some(len + noise.len());
        }
        Some(len)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.inner.poll_timeout()
    }

    fn poll_event(&mut self) -> Option<SctpEvent> {
        if let Some(event) = self.late.pop_front() {
            return Some(event);
        }
        let event = self.inner.poll_event()?;
        let hidden = match &event {
            SctpEvent::Writable => self.is(Wrong::NeverWritable),
            SctpEvent::BufferedAmountLow { .. } => self.is(Wrong::NeverLow),
            SctpEvent::IncomingReset { .. } => self.is(Wrong::TellsNoReset),
            _ => false,
        };
        if hidden {
            return self.poll_event();
        }
        if let SctpEvent::Ended(end) = &event {
            if self.is(Wrong::BlamesThePeer) {
                return Some(SctpEvent::Ended(End::new(Blame::Peer, "it was you")));
            }
            if self.is(Wrong::EndsTwice) {
                self.late.push_back(SctpEvent::Ended(end.clone()));
            }
        }
        Some(event)
    }

    fn poll_message(&mut self) -> Option<Message> {
        self.fetch();
        self.messages.pop_front()
    }

    fn state(&self) -> SctpState {
        self.inner.state()
    }

    fn buffered_amount(&self, stream: u16) -> usize {
        self.inner.buffered_amount(stream)
    }

    fn send_capacity(&self) -> usize {
        self.inner.send_capacity()
    }

    fn streams(&self) -> Option<(u16, u16)> {
        self.inner.streams()
    }

    fn stats(&self) -> SctpStats {
        let mut stats = self.inner.stats();
        if self.is(Wrong::CountsNothing) {
            stats.packets_dropped = 0;
        }
        stats
    }

    fn set_round_trip(&mut self, now: Instant, round_trip: Duration) {
        self.inner.set_round_trip(now, round_trip);
    }
}

fn verdict(wrong: Wrong, name: &str) -> Verdict {
    let subject = Subject::new(move || Arc::new(Saboteurs(wrong)));
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    case.judge(&subject)
}

#[test]
fn nothing_wrong_is_found_in_what_only_passes_on() {
    let case = "shuts_down_after_delivery";
    assert_eq!(verdict(Wrong::Nothing, case), Verdict::Passed);
}

#[test]
fn one_thing_wrong_is_found_by_the_case_that_asks_for_it() {
    for (wrong, case) in [
        (
            Wrong::ForgetsEarlyPackets,
            "keeps_packets_that_come_before_connect",
        ),
        (
            Wrong::SwapsMessages,
            "keeps_streams_ordered_on_a_hostile_link",
        ),
        (
            Wrong::DoublesAMessage,
            "delivers_unordered_messages_exactly_once",
        ),
        (Wrong::ChangesAByte, "delivers_messages_of_every_size"),
        (
            Wrong::MistakesTheProtocol,
            "delivers_messages_of_every_size",
        ),
        (
            Wrong::NeverWritable,
            "refuses_sends_at_the_bound_and_tells_when_writable",
        ),
        (
            Wrong::NeverFull,
            "refuses_sends_at_the_bound_and_tells_when_writable",
        ),
        (
            Wrong::IgnoresConsume,
            "closes_the_window_until_data_is_consumed",
        ),
        (
            Wrong::NeverLow,
            "tells_the_buffered_amount_and_its_low_mark",
        ),
        (Wrong::BlamesThePeer, "aborts_at_once_and_tells_the_peer"),
        (Wrong::EndsTwice, "shuts_down_after_delivery"),
        (Wrong::TellsNoReset, "resets_streams_after_delivery"),
        (
            Wrong::NeverAbandons,
            "gives_up_a_message_without_retransmissions",
        ),
        (
            Wrong::NeverAbandons,
            "gives_up_a_message_after_its_lifetime",
        ),
        (Wrong::CountsNothing, "counts_random_bytes_and_lives_on"),
        (
            Wrong::TakesEmptyMessages,
            "refuses_what_the_caller_may_not_do",
        ),
        (Wrong::TakesPortZero, "refuses_what_the_caller_may_not_do"),
        (Wrong::SendsLargePackets, "never_exceeds_the_largest_packet"),
        (
            Wrong::HasItsOwnRandomness,
            "repeats_itself_with_the_same_seed",
        ),
        (Wrong::IgnoresItsSeed, "differs_with_another_seed"),
    ] {
        assert!(
            matches!(verdict(wrong, case), Verdict::Failed(_)),
            "{case} does not notice what {wrong:?}"
        );
    }
}
