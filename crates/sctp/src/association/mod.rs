mod connect;
mod discovery;
mod hand_over;
mod heartbeat;
mod input;
mod local;
mod offer;
mod output;
mod reset;
mod shutdown;
mod tcb;
mod transfer;

use crate::Factory;
use bytes::Bytes;
use connect::CookieWait;
pub use hand_over::NotReady;
use layer::{
    Blame, End, Message, Outgoing, Sctp, SctpConfig, SctpConnect, SctpError, SctpEvent, SctpState,
    SctpStats, Start,
};
use local::{Early, Local};
use std::time::{Duration, Instant};
use tcb::{Phase, Tcb};

/// One SCTP association, sans-IO: packets and time go in through the [`layer::Sctp`] verbs,
/// packets, events and messages are polled out.
///
/// Made by [`Factory::association`], or behind the trait by
/// [`NewSctp::new_sctp`](layer::NewSctp::new_sctp).
#[derive(Debug)]
pub struct Association {
    local: Local,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Not started: what comes is kept.
    New(Early),
    /// An INIT is on its way; there is no TCB yet.
    CookieWait(CookieWait),
    /// There is a TCB: COOKIE-ECHOED and everything after it.
    Open(Box<Tcb>),
    /// Over.
    Closed,
}

impl Association {
    pub(crate) fn new(settings: Factory, start: Start, config: &SctpConfig) -> Self {
        Self {
            local: Local::new(settings, start, config),
            state: State::New(Early::default()),
        }
    }

    /// Ends the association without another word to the peer.
    fn end(&mut self, end: End) {
        if !matches!(self.state, State::Closed) {
            // What had arrived whole is still the owner's.
            while let Some(message) = self.poll_message() {
                self.local.undelivered.push_back(message);
            }
            self.state = State::Closed;
            self.local.queue.clear();
            self.local.events.push_back(SctpEvent::Ended(end));
        }
    }

    /// Ends the association and tells the peer why (RFC 9260 §9.1).
    fn abort_with(&mut self, end: End, cause: u16, info: &[u8]) {
        if let State::Open(tcb) = &self.state {
            self.local.reply_abort(tcb.peer.tag, cause, info);
        }
        self.end(end);
    }

    /// Ends the association because the peer broke the protocol.
    fn violated(&mut self, cause: u16, info: &[u8], reason: &'static str) {
        let end = End::new(Blame::Protocol, reason).with_code(cause);
        self.abort_with(end, cause, info);
    }

    /// Does what became possible: tells the owner about room, goes on with a shutdown or a reset.
    fn after(&mut self, now: Instant) {
        if let State::Open(tcb) = &mut self.state {
            if self.local.queue.wants_resets() {
                tcb.continue_reset(now, &mut self.local);
            }
            if !matches!(tcb.phase, Phase::Established) {
                tcb.continue_shutdown(now, &self.local);
            }
        }
        self.local.tell_room(self.outstanding());
    }

    /// What of the send buffer is sent and not acknowledged.
    fn outstanding(&self) -> usize {
        match &self.state {
            State::Open(tcb) => tcb.sender.occupied(),
            State::CookieWait(wait) => wait.sender.as_ref().map_or(0, |sender| sender.occupied()),
            State::New(_) | State::Closed => 0,
        }
    }
}

impl Sctp for Association {
    fn handle_input(&mut self, now: Instant, packet: &[u8]) {
        self.input(now, packet);
        self.after(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.timeout(now);
        self.after(now);
    }

    fn connect(&mut self, now: Instant, connect: SctpConnect) -> Result<(), SctpError> {
        self.start(now, &connect)?;
        self.after(now);
        Ok(())
    }

    fn send(&mut self, now: Instant, message: Outgoing) -> Result<(), SctpError> {
        self.enqueue(now, message)
    }

    fn consume(&mut self, _: Instant, _: u16, bytes: usize) {
        if let State::Open(tcb) = &mut self.state {
            tcb.receiver.consume(bytes);
        }
    }

    fn reset(&mut self, now: Instant, streams: &[u16]) -> Result<(), SctpError> {
        self.want_reset(streams)?;
        self.after(now);
        Ok(())
    }

    fn set_priority(&mut self, stream: u16, priority: u16) {
        self.local.queue.set_weight(stream, priority);
    }

    fn set_buffered_amount_low_threshold(&mut self, stream: u16, bytes: usize) {
        self.local.queue.set_low_threshold(stream, bytes);
    }

    fn shutdown(&mut self, now: Instant) {
        self.want_shutdown();
        self.after(now);
    }

    fn abort(&mut self, _: Instant, reason: &str) {
        let end = End::new(Blame::Local, "aborted")
            .with_code(crate::packet::CauseCode::USER_INITIATED_ABORT);
        self.abort_with(
            end,
            crate::packet::CauseCode::USER_INITIATED_ABORT,
            reason.as_bytes(),
        );
    }

    fn set_max_packet(&mut self, bytes: usize) {
        let is_news = self.local.set_limit(bytes);
        if let State::Open(tcb) = &mut self.state
            && is_news
        {
            tcb.limit_changed(&mut self.local);
        }
    }

    fn set_round_trip(&mut self, _: Instant, round_trip: Duration) {
        self.local.round_trip_hint = Some(round_trip);
        if let State::Open(tcb) = &mut self.state {
            tcb.sender.rto_mut().hint(round_trip);
        }
    }

    fn path_changed(&mut self, now: Instant) {
        if let State::Open(tcb) = &mut self.state {
            tcb.sender.path_changed(now, &self.local.settings);
            tcb.rediscover(&mut self.local);
        }
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        let len = self.transmit(now, buf)?;
        self.local.stats.packets_sent += 1;
        self.after(now);
        Some(len)
    }

    fn wants_fragmentation(&self) -> bool {
        self.local.oversize
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::CookieWait(wait) => Some(wait.init.due()),
            State::Open(tcb) => tcb.poll_timeout(),
            State::New(_) | State::Closed => None,
        }
    }

    fn poll_event(&mut self) -> Option<SctpEvent> {
        self.local.events.pop_front()
    }

    fn poll_message(&mut self) -> Option<Message> {
        match &mut self.state {
            // Data may come before the COOKIE ACK does; messages do not come before `Connected`.
            State::Open(tcb) if !tcb.is_connecting() => tcb.receiver.poll_message(),
            State::Closed => self.local.undelivered.pop_front(),
            _ => None,
        }
    }

    fn state(&self) -> SctpState {
        match &self.state {
            State::New(_) => SctpState::New,
            State::CookieWait(_) => SctpState::Connecting,
            State::Open(tcb) => match tcb.phase {
                Phase::CookieEchoed(_) => SctpState::Connecting,
                Phase::Established => SctpState::Connected,
                _ => SctpState::ShuttingDown,
            },
            State::Closed => SctpState::Closed,
        }
    }

    fn buffered_amount(&self, stream: u16) -> usize {
        self.local.queue.buffered(stream)
    }

    fn send_capacity(&self) -> usize {
        self.local.send_capacity(self.outstanding())
    }

    fn local_init(&self) -> Option<Bytes> {
        Some(self.local.described_init())
    }

    fn offers_init(&self) -> bool {
        self.local.settings.offer_init
    }

    fn accepts_init(&self, init: &[u8]) -> bool {
        self.local.described_peer(init).is_some()
    }

    fn streams(&self) -> Option<(u16, u16)> {
        match &self.state {
            State::Open(tcb) => Some((tcb.peer.incoming, tcb.peer.outgoing)),
            _ => None,
        }
    }

    fn stats(&self) -> SctpStats {
        let mut stats = self.local.stats.clone();
        stats.max_packet = self.local.max_packet;
        if let State::Open(tcb) = &self.state {
            tcb.sender.fill_stats(&mut stats);
        }
        stats
    }
}
