use super::local::Local;
use super::offer::{MIN_A_RWND, Offer, Refusal};
use super::reset::Reset;
use super::tcb::{Peer, Phase, Tcb};
use super::{Association, State};
use crate::cookie::Cookie;
use crate::packet::{
    Abort, CauseCode, CookieAck, CookieEcho, Header, Init, InitAck, OperationError, write_cause,
};
use crate::receiver::Receiver;
use crate::rto::{Retry, Rto};
use crate::sender::Sender;
use layer::{Blame, End, SctpConnect, SctpError, SctpEvent};
use std::time::{Duration, Instant};

/// The COOKIE-WAIT state: INIT is sent until INIT ACK comes.
#[derive(Debug)]
pub(super) struct CookieWait {
    /// T1-init.
    pub(super) init: Retry,
    rto: Rto,
    /// Shut down once what is queued is delivered.
    pub(super) shutdown: bool,
    /// What a COOKIE ECHO carried whose cookie turned out stale.
    pub(super) sender: Option<Box<Sender>>,
}

/// The COOKIE-ECHOED state: COOKIE ECHO is sent until COOKIE ACK comes.
#[derive(Debug)]
pub(super) struct CookieEchoed {
    /// T1-cookie.
    pub(super) echo: Retry,
    pub(super) cookie: Vec<u8>,
    pub(super) shutdown: bool,
}

impl CookieWait {
    fn new(now: Instant, local: &Local) -> Self {
        // No hint about the round trip helps here: the peer may not have started yet.
        let rto = Rto::new(&local.settings);
        Self {
            init: Retry::new(now, &rto),
            rto,
            shutdown: false,
            sender: None,
        }
    }
}

impl Association {
    /// Starts with an INIT of our own (RFC 9260 §5.1, A), then looks at what came before: the
    /// peer's INIT may be among it, as both ends start (RFC 8841 §9.3).
    ///
    /// With the peer's INIT from its description there is nothing left to agree on: the association
    /// is up (draft-hancke-tsvwg-snap §6).
    pub(super) fn start(&mut self, now: Instant, connect: &SctpConnect) -> Result<(), SctpError> {
        let State::New(early) = &mut self.state else {
            return Err(SctpError::State(layer::Sctp::state(self)));
        };
        if connect.local_port == 0 || connect.remote_port == 0 {
            return Err(SctpError::Port);
        }
        let described = match &connect.remote_init {
            Some(init) => Some(self.local.described_peer(init).ok_or(SctpError::Init)?),
            None => None,
        };
        let early = early.take();
        self.local.port = connect.local_port;
        self.local.peer_port = connect.remote_port;
        self.state = match described {
            Some(peer) => {
                let mut tcb = Tcb::new(now, &mut self.local, Phase::Established, peer, None);
                tcb.establish(now, &mut self.local, false);
                State::Open(Box::new(tcb))
            }
            None => State::CookieWait(CookieWait::new(now, &self.local)),
        };
        for packet in early {
            self.input(now, &packet);
        }
        Ok(())
    }

    /// INIT in any state (RFC 9260 §5.1 B, §5.2.1, §5.2.2).
    pub(super) fn handle_init(&mut self, now: Instant, init: &Init<'_>) {
        let offer = match Offer::read(init) {
            Ok(offer) => offer,
            Err(Refusal::Silent) => return,
            Err(Refusal::Abort(cause)) => {
                // The ABORT carries the tag of the INIT (RFC 9260 §8.4, 3).
                self.local.reply_abort(init.initiate_tag, cause, &[]);
                return;
            }
        };
        let (tag, initial_tsn, ties) = match &mut self.state {
            State::New(_) => return,
            State::Closed => {
                let cause = CauseCode::OUT_OF_RESOURCE;
                self.local.reply_abort(init.initiate_tag, cause, &[]);
                return;
            }
            // Both sides opened at once: the parameters of our own INIT (RFC 9260 §5.2.1).
            State::CookieWait(_) => (self.local.tag, self.local.initial_tsn, (0, 0)),
            State::Open(tcb) => match &mut tcb.phase {
                Phase::CookieEchoed(_) => {
                    let ties = (self.local.tag, tcb.peer.tag);
                    (self.local.tag, self.local.initial_tsn, ties)
                }
                // The SHUTDOWN COMPLETE was lost (RFC 9260 §9.2).
                Phase::ShutdownAckSent(closing) => {
                    closing.retry.pending = true;
                    return;
                }
                // The peer may have restarted (RFC 9260 §5.2.2).
                _ => {
                    let ties = (self.local.tag, tcb.peer.tag);
                    (self.local.new_tag(), self.local.random_u32(), ties)
                }
            },
        };
        let cookie = offer.cookie(self.local.age(now), tag, initial_tsn, ties);
        self.local.reply_init_ack(&cookie, &offer.unrecognized);
    }

    /// INIT ACK (RFC 9260 §5.1 C); only awaited in COOKIE-WAIT (§5.2.3).
    pub(super) fn handle_init_ack(&mut self, now: Instant, init_ack: &InitAck<'_>) {
        let State::CookieWait(wait) = &mut self.state else {
            self.local.stats.packets_dropped += 1;
            return;
        };
        let fields = &init_ack.fields;
        if fields.initiate_tag == 0 {
            // RFC 9260 §3.3.3: the TCB is destroyed, the ABORT reflects our tag.
            let abort = Abort {
                reflected: true,
                causes: &[],
            };
            self.local.reply_alone(self.local.tag, &abort);
            self.end(End::new(Blame::Protocol, "an init ack without a tag"));
            return;
        }
        if fields.a_rwnd < MIN_A_RWND {
            // Discarded, and nothing changes here (RFC 9260 §3.3.3).
            let cause = CauseCode::INVALID_MANDATORY_PARAMETER;
            self.local.reply_abort(fields.initiate_tag, cause, &[]);
            return;
        }
        let refused = |cause| (cause, "an init ack that cannot be accepted");
        let accepted = match Offer::read(fields) {
            Ok(offer) => match offer.cookie {
                Some(cookie) => Ok((offer.peer, cookie, offer.unrecognized)),
                None => Err(refused(CauseCode::MISSING_MANDATORY_PARAMETER)),
            },
            Err(Refusal::Silent) => return,
            Err(Refusal::Abort(cause)) => Err(refused(cause)),
        };
        let (peer, cookie, unrecognized) = match accepted {
            Ok(accepted) => accepted,
            Err((cause, reason)) => {
                self.local.reply_abort(fields.initiate_tag, cause, &[]);
                self.end(End::new(Blame::Protocol, reason).with_code(cause));
                return;
            }
        };
        let phase = Phase::CookieEchoed(CookieEchoed {
            echo: Retry::new(now, &wait.rto),
            cookie: cookie.to_vec(),
            shutdown: wait.shutdown,
        });
        let sender = wait.sender.take();
        // Parameters that want a report travel with the COOKIE ECHO (RFC 9260 §3.2.2).
        self.local.report_parameters(&unrecognized);
        let tcb = Tcb::new(now, &mut self.local, phase, peer, sender);
        self.state = State::Open(Box::new(tcb));
    }

    /// COOKIE ECHO (RFC 9260 §5.1.5, §5.2.4); whether the packet may be looked at further.
    pub(super) fn handle_cookie_echo(
        &mut self,
        now: Instant,
        header: Header,
        echo: &CookieEcho<'_>,
    ) -> bool {
        let Some(cookie) = self.local.cookie_secret.open(echo.cookie) else {
            return false;
        };
        if cookie.local_tag != header.verification_tag {
            return false;
        }
        if self.is_stale(now, &cookie) {
            return false;
        }
        match &mut self.state {
            State::New(_) | State::Closed => false,
            // Table 12, action B: our own INIT has not been answered, the peer's tag is unknown.
            State::CookieWait(wait) => {
                if cookie.local_tag != self.local.tag {
                    return false;
                }
                let shutdown = wait.shutdown;
                let sender = wait.sender.take();
                let peer = Peer::from_cookie(&cookie);
                let mut tcb = Tcb::new(now, &mut self.local, Phase::Established, peer, sender);
                tcb.establish(now, &mut self.local, shutdown);
                self.state = State::Open(Box::new(tcb));
                self.local.reply_first(&CookieAck);
                true
            }
            State::Open(_) => self.handle_duplicate_cookie(now, &cookie),
        }
    }

    /// RFC 9260 §5.2.4, Table 12.
    fn handle_duplicate_cookie(&mut self, now: Instant, cookie: &Cookie) -> bool {
        let State::Open(tcb) = &mut self.state else {
            return false;
        };
        let ours = cookie.local_tag == self.local.tag;
        let theirs = cookie.peer_tag == tcb.peer.tag;
        let tied = cookie.local_tie_tag == self.local.tag && cookie.peer_tie_tag == tcb.peer.tag;
        match (ours, theirs) {
            // D: the same association; the COOKIE ACK was lost, or both sides opened at once.
            (true, true) => {}
            // B: both sides opened at once, and the peer took another tag after its answer.
            (true, false) => tcb.adopt(&self.local, Peer::from_cookie(cookie)),
            // A: the peer has restarted.
            (false, false) if tied => return self.handle_restart(now, cookie),
            // C, and everything that is not in the table.
            _ => return false,
        }
        if let Phase::CookieEchoed(echoed) = &tcb.phase {
            let shutdown = echoed.shutdown;
            tcb.establish(now, &mut self.local, shutdown);
        }
        self.local.reply_first(&CookieAck);
        true
    }

    /// RFC 9260 §5.2.4, action A.
    fn handle_restart(&mut self, now: Instant, cookie: &Cookie) -> bool {
        let State::Open(tcb) = &mut self.state else {
            return false;
        };
        if let Phase::ShutdownAckSent(closing) = &mut tcb.phase {
            closing.retry.pending = true;
            self.local
                .report(CauseCode::COOKIE_WHILE_SHUTTING_DOWN, &[]);
            return false;
        }
        let shutdown = !matches!(tcb.phase, Phase::Established | Phase::CookieEchoed(_));
        self.local.tag = cookie.local_tag;
        self.local.initial_tsn = cookie.local_tsn;
        self.local.chunks.clear();
        self.local.queue.restart(&mut self.local.events);
        self.local.events.push_back(SctpEvent::Restarted);
        let peer = Peer::from_cookie(cookie);
        **tcb = Tcb::new(now, &mut self.local, Phase::Established, peer, None);
        tcb.heartbeat
            .restart(now, &mut self.local, tcb.sender.rto());
        if shutdown {
            tcb.phase = Phase::ShutdownPending;
        }
        self.local.reply_first(&CookieAck);
        true
    }

    /// A cookie that is too old is reported, unless it is that of this very association
    /// (RFC 9260 §5.1.5, §5.2.4).
    fn is_stale(&mut self, now: Instant, cookie: &Cookie) -> bool {
        let age = Duration::from_micros(self.local.age(now).saturating_sub(cookie.created));
        let Some(staleness) = age.checked_sub(self.local.settings.cookie_lifetime) else {
            return false;
        };
        if let State::Open(tcb) = &self.state
            && cookie.local_tag == self.local.tag
            && cookie.peer_tag == tcb.peer.tag
        {
            return false;
        }
        if staleness.is_zero() {
            return false;
        }
        let staleness = u32::try_from(staleness.as_micros()).unwrap_or(u32::MAX);
        let mut causes = Vec::new();
        write_cause(
            &mut causes,
            CauseCode::STALE_COOKIE,
            &staleness.to_be_bytes(),
        );
        let error = OperationError { causes: &causes };
        self.local.reply_alone(cookie.peer_tag, &error);
        true
    }

    /// COOKIE ACK (RFC 9260 §5.1 E); elsewhere it is discarded (§5.2.5).
    pub(super) fn handle_cookie_ack(&mut self, now: Instant) {
        if let State::Open(tcb) = &mut self.state
            && let Phase::CookieEchoed(echoed) = &tcb.phase
        {
            let shutdown = echoed.shutdown;
            tcb.establish(now, &mut self.local, shutdown);
        }
    }

    /// ERROR with a Stale Cookie (RFC 9260 §5.2.6, alternative 1): a new INIT gets a new cookie.
    pub(super) fn handle_stale_cookie(&mut self, now: Instant) {
        let State::Open(tcb) = &mut self.state else {
            return;
        };
        let Phase::CookieEchoed(echoed) = &tcb.phase else {
            return;
        };
        let shutdown = echoed.shutdown;
        let rto = tcb.sender.rto().clone();
        tcb.sender.send_again(&mut self.local.upper());
        let State::Open(tcb) = std::mem::replace(&mut self.state, State::Closed) else {
            return;
        };
        self.state = State::CookieWait(CookieWait {
            init: Retry::new(now, &rto),
            rto,
            shutdown,
            sender: Some(Box::new(tcb.sender)),
        });
    }

    /// T1-init or T1-cookie (RFC 9260 §4, 2 and 3); whether it was their time.
    pub(super) fn handle_connect_timeout(&mut self, now: Instant) {
        let expirations = match &mut self.state {
            State::CookieWait(wait) => wait.init.expire(now, &wait.rto),
            State::Open(tcb) => match &mut tcb.phase {
                Phase::CookieEchoed(echoed) => {
                    let expirations = echoed.echo.expire(now, tcb.sender.rto());
                    if expirations.is_some() {
                        tcb.sender.send_again(&mut self.local.upper());
                    }
                    expirations
                }
                _ => None,
            },
            State::New(_) | State::Closed => None,
        };
        let limit = self.local.settings.max_init_retransmits;
        if expirations.is_some_and(|count| limit.is_some_and(|most| count > most)) {
            self.end(End::new(Blame::Timeout, "the peer did not answer"));
        }
    }
}

impl Tcb {
    /// Enters ESTABLISHED.
    fn establish(&mut self, now: Instant, local: &mut Local, shutdown: bool) {
        self.phase = if shutdown {
            Phase::ShutdownPending
        } else {
            Phase::Established
        };
        self.errors = 0;
        local.queue.limit_streams(self.peer.outgoing);
        local.events.push_back(SctpEvent::Connected {
            incoming_streams: self.peer.incoming,
            outgoing_streams: self.peer.outgoing,
        });
        self.sender.restart_timer(now);
        self.heartbeat.restart(now, local, self.sender.rto());
    }

    /// Takes the peer's tag from its cookie (RFC 9260 §5.2.4, B), and with it where its TSNs
    /// begin, unless data came already.
    fn adopt(&mut self, local: &Local, peer: Peer) {
        self.peer.tag = peer.tag;
        if self.receiver.is_fresh() {
            self.receiver = Receiver::new(&local.settings, local.limits, peer.initial_tsn);
            self.reset = Reset::new(local.initial_tsn, peer.initial_tsn);
            self.peer = peer;
        }
    }
}
