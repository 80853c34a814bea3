use super::connect::CookieEchoed;
use super::discovery::Discovery;
use super::heartbeat::HeartbeatTimer;
use super::local::Local;
use super::reset::Reset;
use super::shutdown::Closing;
use crate::cookie::Cookie;
use crate::extension::Extensions;
use crate::receiver::Receiver;
use crate::sender::Sender;
use std::time::Instant;

/// The Transmission Control Block (RFC 9260 §14): everything that exists only together with a peer.
#[derive(Debug)]
pub(super) struct Tcb {
    pub(super) phase: Phase,
    pub(super) peer: Peer,
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
    pub(super) reset: Reset,
    pub(super) heartbeat: HeartbeatTimer,
    pub(super) discovery: Discovery,
    /// Timeouts in a row, of any kind (RFC 9260 §8.1).
    pub(super) errors: u32,
    /// I-DATA is used, and DATA a violation (RFC 8260 §2.2.1).
    pub(super) interleaving: bool,
}

/// The states of RFC 9260 §4 in which there is a TCB.
#[derive(Debug)]
pub(super) enum Phase {
    CookieEchoed(CookieEchoed),
    Established,
    /// Everything that is queued is to be delivered before SHUTDOWN is sent.
    ShutdownPending,
    ShutdownSent(Closing),
    /// The peer has nothing more to send; we still do.
    ShutdownReceived,
    ShutdownAckSent(Closing),
}

/// What the peer told in its INIT or INIT ACK.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) tag: u32,
    pub(super) initial_tsn: u32,
    pub(super) a_rwnd: u32,
    /// How many streams we may send on.
    pub(super) outgoing: u16,
    /// How many streams it may send on.
    pub(super) incoming: u16,
    pub(super) extensions: Extensions,
}

impl Peer {
    pub(super) fn from_cookie(cookie: &Cookie) -> Self {
        Self {
            tag: cookie.peer_tag,
            initial_tsn: cookie.peer_tsn,
            a_rwnd: cookie.a_rwnd,
            outgoing: cookie.outgoing,
            incoming: cookie.incoming,
            extensions: cookie.extensions,
        }
    }
}

impl Tcb {
    /// `sender` is what was sent with an earlier COOKIE ECHO already.
    pub(super) fn new(
        now: Instant,
        local: &mut Local,
        phase: Phase,
        peer: Peer,
        sender: Option<Box<Sender>>,
    ) -> Self {
        let interleaving = local.settings.interleaving && peer.extensions.interleaving;
        local.queue.set_interleaving(interleaving);
        let mut sender =
            sender.map_or_else(|| Sender::for_peer(now, local, &peer), |sender| *sender);
        if let Some(round_trip) = local.round_trip_hint {
            sender.rto_mut().hint(round_trip);
        }
        Self {
            phase,
            sender,
            receiver: Receiver::new(&local.settings, local.limits, peer.initial_tsn),
            reset: Reset::new(local.initial_tsn, peer.initial_tsn),
            heartbeat: HeartbeatTimer::default(),
            discovery: Discovery::default(),
            errors: 0,
            interleaving,
            peer,
        }
    }

    /// COOKIE ECHO is not answered yet.
    pub(super) fn is_connecting(&self) -> bool {
        matches!(self.phase, Phase::CookieEchoed(_))
    }

    /// Whether DATA and what goes with it may be sent (RFC 9260 §6).
    pub(super) fn may_send_data(&self) -> bool {
        matches!(
            self.phase,
            Phase::Established | Phase::ShutdownPending | Phase::ShutdownReceived
        )
    }

    /// Counts a timeout; whether there were too many (RFC 9260 §8.1).
    #[must_use]
    pub(super) fn count_error(&mut self, local: &Local) -> bool {
        self.errors += 1;
        local
            .settings
            .max_retransmits
            .is_some_and(|most| self.errors > most)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let phase = match &self.phase {
            // Nothing but the COOKIE ECHO may be sent, so nothing else is timed.
            Phase::CookieEchoed(echoed) => return Some(echoed.echo.due()),
            Phase::ShutdownSent(closing) | Phase::ShutdownAckSent(closing) => {
                Some(closing.poll_timeout())
            }
            Phase::Established | Phase::ShutdownPending | Phase::ShutdownReceived => None,
        };
        [
            phase,
            self.sender.poll_timeout(),
            self.receiver.poll_timeout(),
            self.reset.poll_timeout(),
            self.heartbeat.poll_timeout(),
            self.discovery.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

impl Sender {
    fn for_peer(now: Instant, local: &Local, peer: &Peer) -> Self {
        Self::new(
            now,
            &local.settings,
            local.packet_size(),
            local.initial_tsn,
            peer.a_rwnd,
            peer.extensions,
        )
    }
}
