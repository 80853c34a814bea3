use super::tcb::{Phase, Tcb};
use super::{Association, State};
use crate::outstanding::SackError;
use crate::packet::{
    Abort, CauseCode, Chunk, CookieAck, CookieEcho, Data, DecodeError, ForwardTsn, Header,
    Heartbeat, HeartbeatAck, IData, IForwardTsn, Init, InitAck, OperationError, Packet, Pad,
    ReConfig, Sack, Shutdown, ShutdownAck, ShutdownComplete,
};
use crate::receiver::Incoming;
use layer::{Blame, End};
use std::ops::ControlFlow;
use std::time::Instant;

/// Whether the rest of the packet is looked at.
type Flow = ControlFlow<()>;

impl Association {
    /// Takes a packet, at any time and from anyone who gets through the layer below.
    pub(super) fn input(&mut self, now: Instant, bytes: &[u8]) {
        if let State::New(early) = &mut self.state {
            if !early.keep(bytes) {
                self.local.stats.packets_dropped += 1;
            }
            return;
        }
        self.local.stats.packets_received += 1;
        let parsed = if self.local.authenticated {
            Packet::parse_authenticated(bytes)
        } else {
            Packet::parse(bytes)
        };
        let taken = match parsed {
            Ok(packet) if self.is_ours(packet.header) => self.accept(now, &packet),
            Ok(_) | Err(_) => false,
        };
        if !taken {
            self.local.stats.packets_dropped += 1;
        }
        if let State::Open(tcb) = &mut self.state {
            tcb.end_packet(now, &mut self.local);
        }
    }

    fn is_connecting(&self) -> bool {
        match &self.state {
            State::CookieWait(_) => true,
            State::Open(tcb) => tcb.is_connecting(),
            State::New(_) | State::Closed => false,
        }
    }

    fn is_ours(&self, header: Header) -> bool {
        header.source_port == self.local.peer_port && header.destination_port == self.local.port
    }

    /// Checks the verification tag (RFC 9260 §8.5) and looks at the chunks; `false` if the packet
    /// was dropped.
    fn accept(&mut self, now: Instant, packet: &Packet<'_>) -> bool {
        let Some(Ok(first)) = packet.chunks().next() else {
            return false;
        };
        if first.kind == Init::KIND {
            return self.accept_init(now, packet, first);
        }
        if matches!(self.state, State::Closed) {
            self.answer_out_of_the_blue(packet, first);
            return false;
        }
        // The peer is about to end an association that we do not have (RFC 9260 §8.5.1, E).
        if first.kind == ShutdownAck::KIND && self.is_connecting() {
            self.answer_out_of_the_blue(packet, first);
            return false;
        }
        // A cookie brings its own tag (RFC 9260 §5.1.5, 3).
        if first.kind != CookieEcho::KIND && !self.has_right_tag(packet) {
            return false;
        }
        for chunk in packet.chunks() {
            let Ok(chunk) = chunk else {
                return false;
            };
            match self.handle_chunk(now, packet.header, chunk) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break,
                Err(_) => return false,
            }
            if matches!(self.state, State::Closed) {
                break;
            }
        }
        true
    }

    /// INIT is alone in its packet, with tag 0 (RFC 9260 §8.5.1, §12.3).
    fn accept_init(&mut self, now: Instant, packet: &Packet<'_>, first: Chunk<'_>) -> bool {
        let alone = packet.chunks().nth(1).is_none();
        if !alone || packet.header.verification_tag != 0 {
            return false;
        }
        let Ok(init) = Init::parse(first) else {
            return false;
        };
        self.handle_init(now, &init);
        true
    }

    /// Our own tag, or with the T bit of ABORT and SHUTDOWN COMPLETE the peer's (RFC 9260 §8.5.1).
    fn has_right_tag(&self, packet: &Packet<'_>) -> bool {
        let tag = packet.header.verification_tag;
        let reflected = packet.chunks().map_while(Result::ok).any(|chunk| {
            matches!(chunk.kind, Abort::KIND | ShutdownComplete::KIND) && chunk.flags & 1 != 0
        });
        if !reflected {
            return tag == self.local.tag;
        }
        match &self.state {
            State::Open(tcb) => tag == tcb.peer.tag,
            // The peer's tag is not known yet; an answer to our INIT carries ours (RFC 9260 §8.4, 3).
            _ => false,
        }
    }

    fn handle_chunk(
        &mut self,
        now: Instant,
        header: Header,
        chunk: Chunk<'_>,
    ) -> Result<Flow, DecodeError> {
        match chunk.kind {
            Data::KIND => self.handle_data(&Incoming::Data(Data::parse(chunk)?)),
            IData::KIND => self.handle_data(&Incoming::IData(IData::parse(chunk)?)),
            Sack::KIND => self.handle_sack(now, &Sack::parse(chunk)?),
            InitAck::KIND => self.handle_init_ack(now, &InitAck::parse(chunk)?),
            CookieEcho::KIND => {
                if !self.handle_cookie_echo(now, header, &CookieEcho::parse(chunk)) {
                    return Ok(ControlFlow::Break(()));
                }
            }
            CookieAck::KIND => self.handle_cookie_ack(now),
            Abort::KIND => self.handle_abort(&Abort::parse(chunk)),
            Shutdown::KIND => {
                let answer = self.handle_shutdown(now, Shutdown::parse(chunk)?);
                if answer == Err(SackError::NeverSent) {
                    self.after_sack(Err(SackError::NeverSent));
                }
            }
            ShutdownAck::KIND => self.handle_shutdown_ack(),
            ShutdownComplete::KIND => self.handle_shutdown_complete(),
            OperationError::KIND => self.handle_error(now, &OperationError::parse(chunk)),
            // An INIT that is not first is not alone.
            Init::KIND => return Ok(ControlFlow::Break(())),
            _ => return self.handle_tcb_chunk(now, chunk),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Chunks that mean something only with a TCB.
    fn handle_tcb_chunk(&mut self, now: Instant, chunk: Chunk<'_>) -> Result<Flow, DecodeError> {
        let State::Open(tcb) = &mut self.state else {
            return Ok(ControlFlow::Break(()));
        };
        match chunk.kind {
            Heartbeat::KIND => {
                Tcb::handle_heartbeat(&mut self.local, &Heartbeat::parse(chunk)?);
            }
            // RFC 4820 §3.
            Pad::KIND => {}
            HeartbeatAck::KIND => {
                tcb.handle_heartbeat_ack(now, &mut self.local, &HeartbeatAck::parse(chunk)?);
            }
            ForwardTsn::KIND => tcb.handle_forward_tsn(&ForwardTsn::parse(chunk)?),
            IForwardTsn::KIND => tcb.handle_i_forward_tsn(&IForwardTsn::parse(chunk)?),
            ReConfig::KIND => {
                tcb.handle_re_config(now, &mut self.local, &ReConfig::parse(chunk))?;
            }
            _ => {
                // RFC 9260 §3.2.
                let action = chunk.on_unknown();
                if action.report {
                    let cause = CauseCode::UNRECOGNIZED_CHUNK_TYPE;
                    self.local.report(cause, chunk.whole);
                }
                if !action.skip {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// ABORT: over at once, and never answered (RFC 9260 §9.1).
    fn handle_abort(&mut self, abort: &Abort<'_>) {
        let code = abort.causes().find_map(Result::ok).map(|cause| cause.code);
        let mut end = End::new(Blame::Peer, "aborted by the peer");
        end.code = code;
        self.end(end);
    }

    /// ERROR: only a stale cookie asks for anything (RFC 9260 §5.2.6).
    fn handle_error(&mut self, now: Instant, error: &OperationError<'_>) {
        let stale = error
            .causes()
            .map_while(Result::ok)
            .any(|cause| cause.code == CauseCode::STALE_COOKIE);
        if stale {
            self.handle_stale_cookie(now);
        }
    }

    /// A packet of an association that is over (RFC 9260 §8.4).
    fn answer_out_of_the_blue(&mut self, packet: &Packet<'_>, first: Chunk<'_>) {
        let tag = packet.header.verification_tag;
        let has = |kind| {
            packet
                .chunks()
                .map_while(Result::ok)
                .any(|chunk| chunk.kind == kind)
        };
        // 2, 6 and 7: never answered.
        if has(Abort::KIND)
            || first.kind == ShutdownComplete::KIND
            || first.kind == OperationError::KIND
            || first.kind == CookieAck::KIND
        {
            return;
        }
        // 5: the SHUTDOWN COMPLETE was lost.
        if has(ShutdownAck::KIND) {
            self.local
                .reply_alone(tag, &ShutdownComplete { reflected: true });
            return;
        }
        // 8.
        let abort = Abort {
            reflected: true,
            causes: &[],
        };
        self.local.reply_alone(tag, &abort);
    }

    /// Time has come: looks at every timer.
    pub(super) fn timeout(&mut self, now: Instant) {
        self.handle_connect_timeout(now);
        self.handle_shutdown_timeout(now);
        let State::Open(tcb) = &mut self.state else {
            return;
        };
        if tcb.is_connecting() {
            return;
        }
        tcb.receiver.handle_timeout(now);
        let mut dead = false;
        if tcb.sender.handle_timeout(now, &mut self.local.upper()) {
            dead |= tcb.count_error(&self.local);
        }
        tcb.look_for_black_hole(&mut self.local);
        tcb.handle_discovery_timeout(now, &self.local);
        dead |= tcb.handle_reset_timeout(now, &self.local);
        dead |= tcb.handle_heartbeat_timeout(now, &mut self.local);
        if dead {
            self.end(End::new(Blame::Timeout, "the peer does not answer"));
        }
    }
}

impl Tcb {
    /// What follows from a packet as a whole.
    fn end_packet(&mut self, now: Instant, local: &mut super::local::Local) {
        let had_data = self.receiver.end_packet(now);
        self.continue_deferred_reset(local);
        if had_data && matches!(self.phase, Phase::ShutdownSent(_)) {
            self.shutdown_again(now);
            // A SHUTDOWN cannot tell of gaps and duplicates: a SACK goes with it (RFC 9260 §9.2).
            if self.receiver.has_gaps_or_duplicates() {
                self.receiver.acknowledge_now();
            }
        }
    }
}
