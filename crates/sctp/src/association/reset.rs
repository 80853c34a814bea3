use super::local::Local;
use super::tcb::{Phase, Tcb};
use super::{Association, State};
use crate::packet::{
    DecodeError, HEADER_LEN, OutgoingReset, ReConfig, ReConfigParameter, ReConfigResult, Response,
    Writer, padded,
};
use crate::rto::{Retry, Rto};
use crate::serial::Tsn;
use crate::state::{StateReader, StateWriter};
use bytes::BufMut;
use layer::{SctpError, SctpEvent};
use std::time::Instant;

/// What a packet with one request has around the list of streams.
const REQUEST_OVERHEAD: usize = HEADER_LEN + 4 + 16;

/// Stream reconfiguration, both directions (RFC 6525).
#[derive(Debug)]
pub(super) struct Reset {
    /// The number of our next request.
    next_sequence: u32,
    /// Our request; there is never more than one (RFC 6525 §5.1.1).
    request: Option<Request>,
    /// The number of the peer's next request.
    peer_sequence: u32,
    /// What we answered last.
    last_result: u32,
    /// The peer's request that waits for data sent before it (RFC 6525 §5.2.2, E2).
    deferred: Option<Deferred>,
    /// The peer's request that was performed after "In progress": its last TSN and its streams.
    performed_late: Option<(u32, Vec<u16>)>,
}

#[derive(Debug)]
struct Request {
    streams: Vec<u16>,
    /// The number under which it was sent last.
    sequence: u32,
    last_tsn: u32,
    retry: Retry,
    /// The peer said "In progress": the next try has a new number.
    in_progress: bool,
}

#[derive(Debug)]
struct Deferred {
    sequence: u32,
    last_tsn: Tsn,
    streams: Vec<u16>,
}

impl Reset {
    /// Numbers start with the Initial TSNs (RFC 6525 §4.1).
    pub(super) fn new(local_tsn: u32, peer_tsn: u32) -> Self {
        Self {
            next_sequence: local_tsn,
            request: None,
            peer_sequence: peer_tsn,
            last_result: ReConfigResult::BAD_SEQUENCE_NUMBER,
            deferred: None,
            performed_late: None,
        }
    }

    pub(super) fn write_state(&self, state: &mut StateWriter) {
        for number in [self.next_sequence, self.peer_sequence, self.last_result] {
            state.out.put_u32(number);
        }
        state.list(self.request.iter(), |state, request| {
            state.numbers(&request.streams);
            state.out.put_u32(request.sequence);
            state.out.put_u32(request.last_tsn);
            state.flag(request.in_progress);
        });
        state.list(self.deferred.iter(), |state, deferred| {
            state.out.put_u32(deferred.sequence);
            state.out.put_u32(deferred.last_tsn.wire());
            state.numbers(&deferred.streams);
        });
        state.list(self.performed_late.iter(), |state, (last_tsn, streams)| {
            state.out.put_u32(*last_tsn);
            state.numbers(streams);
        });
    }

    /// `cumulative` is the last TSN of the peer. A request goes again at once.
    pub(super) fn read_state(
        &mut self,
        now: Instant,
        rto: &Rto,
        cumulative: Tsn,
        state: &mut StateReader<'_>,
    ) -> Result<(), DecodeError> {
        self.next_sequence = state.u32()?;
        self.peer_sequence = state.u32()?;
        self.last_result = state.u32()?;
        let requests = state.list(|state| {
            Ok(Request {
                streams: state.numbers()?,
                sequence: state.u32()?,
                last_tsn: state.u32()?,
                in_progress: state.flag()?,
                retry: Retry::new(now, rto),
            })
        })?;
        self.request = requests.into_iter().next();
        let deferred = state.list(|state| {
            Ok(Deferred {
                sequence: state.u32()?,
                last_tsn: cumulative.near(state.u32()?),
                streams: state.numbers()?,
            })
        })?;
        self.deferred = deferred.into_iter().next();
        let performed = state.list(|state| Ok((state.u32()?, state.numbers()?)))?;
        self.performed_late = performed.into_iter().next();
        Ok(())
    }

    /// The length of a packet with nothing but the request that is due; 0 if none is.
    pub(super) fn due_len(&self) -> usize {
        self.request.as_ref().map_or(0, |request| {
            if request.retry.pending {
                REQUEST_OVERHEAD + padded(2 * request.streams.len())
            } else {
                0
            }
        })
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.request.as_ref().map(|request| request.retry.due())
    }
}

impl Association {
    /// The owner wants these outgoing streams to start anew.
    pub(super) fn want_reset(&mut self, streams: &[u16]) -> Result<(), SctpError> {
        let known = match &self.state {
            State::Closed => return Err(SctpError::State(layer::SctpState::Closed)),
            State::Open(tcb) => tcb.peer.outgoing,
            State::New(_) | State::CookieWait(_) => u16::MAX,
        };
        if let Some(&stream) = streams.iter().find(|&&stream| stream >= known) {
            return Err(SctpError::Stream(stream));
        }
        for &stream in streams {
            self.local.queue.want_reset(stream);
        }
        Ok(())
    }
}

impl Tcb {
    // --- our requests ---

    /// Makes the next request of streams whose queues have run dry (RFC 6525 §5.1.2).
    pub(super) fn continue_reset(&mut self, now: Instant, local: &mut Local) {
        if self.reset.request.is_some() || !self.may_send_data() {
            return;
        }
        let room = local.max_packet.saturating_sub(REQUEST_OVERHEAD) / 2;
        let streams = local.queue.request_resets(room);
        if streams.is_empty() {
            return;
        }
        if !self.peer.extensions.re_config {
            local.queue.finish_resets(&streams, false);
            local.events.push_back(SctpEvent::ResetFailed { streams });
            return;
        }
        let sequence = self.reset.next_sequence;
        self.reset.next_sequence = sequence.wrapping_add(1);
        self.reset.request = Some(Request {
            streams,
            sequence,
            last_tsn: self.sender.last_assigned().wire(),
            retry: Retry::new(now, self.sender.rto()),
            in_progress: false,
        });
    }

    pub(super) fn write_re_config(&mut self, packet: &mut Writer<'_>) {
        let Some(request) = &mut self.reset.request else {
            return;
        };
        if !request.retry.pending {
            return;
        }
        let mut streams = Vec::with_capacity(2 * request.streams.len());
        request
            .streams
            .iter()
            .for_each(|&stream| streams.put_u16(stream));
        let mut parameters = Vec::with_capacity(16 + streams.len());
        let parameter = OutgoingReset {
            sequence: request.sequence,
            // Not an answer to anything: the last number of the peer (RFC 6525 §4.1).
            response_sequence: self.reset.peer_sequence.wrapping_sub(1),
            last_tsn: request.last_tsn,
            streams: &streams,
        };
        parameter.write(&mut parameters);
        request.retry.pending = !packet.push(&ReConfig {
            parameters: &parameters,
        });
    }

    /// The Re-configuration Timer (RFC 6525 §5.1.1); whether there were too many timeouts.
    pub(super) fn handle_reset_timeout(&mut self, now: Instant, local: &Local) -> bool {
        let Some(request) = &mut self.reset.request else {
            return false;
        };
        if request.retry.expire(now, self.sender.rto()).is_none() {
            return false;
        }
        if !request.in_progress {
            return self.count_error(local);
        }
        // The peer answered, so nothing is counted (RFC 6525 §5.2.7). The number is a new one:
        // some peers repeat their answer to an old one for ever.
        request.in_progress = false;
        request.sequence = self.reset.next_sequence;
        self.reset.next_sequence = request.sequence.wrapping_add(1);
        false
    }

    /// RFC 6525 §5.2.7.
    fn handle_response(&mut self, now: Instant, local: &mut Local, response: Response) {
        let Some(request) = &mut self.reset.request else {
            return;
        };
        // The answer to an older number is no answer: the peer may or may not have seen the current
        // one, and the next request must have the number it then expects.
        if response.sequence != request.sequence {
            return;
        }
        self.errors = 0;
        let performed = match response.result {
            ReConfigResult::IN_PROGRESS => {
                request.in_progress = true;
                request.retry.pending = false;
                request.retry.restart(now, self.sender.rto());
                return;
            }
            ReConfigResult::PERFORMED | ReConfigResult::NOTHING_TO_DO => true,
            _ => false,
        };
        let Some(request) = self.reset.request.take() else {
            return;
        };
        let streams = request.streams;
        local.queue.finish_resets(&streams, performed);
        local.events.push_back(if performed {
            SctpEvent::OutgoingReset { streams }
        } else {
            SctpEvent::ResetFailed { streams }
        });
    }

    // --- the peer's requests ---

    /// RE-CONFIG (RFC 6525 §5.2.1).
    pub(super) fn handle_re_config(
        &mut self,
        now: Instant,
        local: &mut Local,
        chunk: &ReConfig<'_>,
    ) -> Result<(), DecodeError> {
        if matches!(self.phase, Phase::CookieEchoed(_)) {
            return Ok(());
        }
        let mut answers = Vec::new();
        // At most two parameters make a legal chunk (RFC 6525 §3.1).
        for parameter in chunk.parameters().take(2) {
            let (sequence, result) = match parameter? {
                ReConfigParameter::Response(response) => {
                    self.handle_response(now, local, response);
                    continue;
                }
                ReConfigParameter::OutgoingReset(reset) => {
                    (reset.sequence, self.handle_outgoing_reset(local, &reset))
                }
                // RFC 8831 §6.7 needs no other request; refusing them is our decision
                // (RFC 6525 §5.2.1).
                ReConfigParameter::OtherRequest { sequence } => {
                    (sequence, self.answer(sequence, |_| ReConfigResult::DENIED))
                }
                ReConfigParameter::Unknown(_) => continue,
            };
            // The sender should learn soon what is missing (RFC 6525 §5.2.1).
            self.receiver.acknowledge_now();
            Response { sequence, result }.write(&mut answers);
        }
        if !answers.is_empty() {
            local.reply(&ReConfig {
                parameters: &answers,
            });
        }
        Ok(())
    }

    /// Answers a request by its number: anew, as before, or not at all (RFC 6525 §5.2.1).
    fn answer(&mut self, sequence: u32, perform: impl FnOnce(&mut Self) -> u32) -> u32 {
        if sequence == self.reset.peer_sequence.wrapping_sub(1) {
            return self.reset.last_result;
        }
        if sequence != self.reset.peer_sequence {
            return ReConfigResult::BAD_SEQUENCE_NUMBER;
        }
        self.reset.peer_sequence = sequence.wrapping_add(1);
        self.reset.last_result = perform(self);
        self.reset.last_result
    }

    fn handle_outgoing_reset(&mut self, local: &mut Local, reset: &OutgoingReset<'_>) -> u32 {
        self.answer(reset.sequence, |tcb| {
            let streams: Vec<u16> = reset.streams().collect();
            if streams.iter().any(|&stream| stream >= tcb.peer.incoming) {
                return ReConfigResult::WRONG_SSN;
            }
            // A peer that was told "In progress" may ask again under a new number after we did it.
            // The owner must not hear of that twice: the stream may be in use again.
            if let Some(performed) = tcb.reset.performed_late.take()
                && performed == (reset.last_tsn, streams.clone())
            {
                return ReConfigResult::PERFORMED;
            }
            let last_tsn = tcb.receiver.read_tsn(reset.last_tsn);
            // RFC 6525 §5.2.2, E2.
            if last_tsn > tcb.receiver.cumulative() {
                tcb.receiver.defer_reset(last_tsn, &streams);
                tcb.reset.deferred = Some(Deferred {
                    sequence: reset.sequence,
                    last_tsn,
                    streams,
                });
                return ReConfigResult::IN_PROGRESS;
            }
            tcb.perform_reset(local, streams)
        })
    }

    /// RFC 6525 §5.2.2, E3 and E4.
    fn perform_reset(&mut self, local: &mut Local, streams: Vec<u16>) -> u32 {
        self.reset.deferred = None;
        self.receiver.reset_streams(&streams);
        // A request without streams means all of them (RFC 6525 §4.1).
        let streams = if streams.is_empty() {
            (0..self.peer.incoming).collect()
        } else {
            streams
        };
        local.events.push_back(SctpEvent::IncomingReset { streams });
        ReConfigResult::PERFORMED
    }

    /// Performs a deferred reset once everything sent before it has arrived (RFC 6525 §5.2.2, E2).
    pub(super) fn continue_deferred_reset(&mut self, local: &mut Local) {
        let arrived = |deferred: &mut Deferred| deferred.last_tsn <= self.receiver.cumulative();
        let Some(deferred) = self.reset.deferred.take_if(arrived) else {
            return;
        };
        self.reset.performed_late = Some((deferred.last_tsn.wire(), deferred.streams.clone()));
        let result = self.perform_reset(local, deferred.streams);
        self.reset.last_result = result;
        let mut parameters = Vec::new();
        let response = Response {
            sequence: deferred.sequence,
            result,
        };
        response.write(&mut parameters);
        local.reply(&ReConfig {
            parameters: &parameters,
        });
    }
}
