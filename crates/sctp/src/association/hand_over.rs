//! An association that goes on in another process: its state as bytes, and back.
//!
//! What is handed over is what both ends have agreed on, everything that is queued, sent and not
//! acknowledged, or received and not taken, and the numbers that streams and resets have reached.
//! What is measured of the path begins anew, as the path may be another one. Packets that come
//! between the two are lost like any others, and the peer sends them again.
//!
//! ```text
//! version, extensions, interleaving                                  u8, u64, u8
//! ports, tags, streams either way, the peer's window                 2 u16, 2 u32, 2 u16, u32
//! our first TSN that is not acknowledged, the peer's last in order   2 u32
//! stream resets         reset.rs
//! what is queued        queue/state.rs
//! what is outstanding   outstanding/state.rs
//! what has arrived      receiver.rs: window, TSNs above gaps, reassembly/state.rs
//! ```
//!
//! Lists have their length before them, bytes theirs; what may be missing is a list of one.

use super::local::Local;
use super::tcb::{Peer, Phase, Tcb};
use super::{Association, State};
use crate::Factory;
use crate::extension::Extensions;
use crate::packet::DecodeError;
use crate::state::{StateReader, StateWriter};
use bytes::BufMut;
use layer::{SctpConfig, Start};
use std::fmt;
use std::time::Instant;

/// The format that is written; others are not read.
const VERSION: u8 = 3;

/// Why an association cannot be handed over now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotReady {
    /// It is not up, or is shutting down.
    State,
    /// There are events: poll them first.
    Events,
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::State => "the association is not up",
            Self::Events => "there are events that were not polled",
        })
    }
}

impl std::error::Error for NotReady {}

impl Association {
    /// The state as bytes, from which [`Factory::resume`] makes the association anew, here or in
    /// another process, at any moment of a transfer. This one must not be used afterwards: drop it
    /// without a word to the peer.
    ///
    /// The state holds all that is queued, outstanding and received: at most the send buffer and
    /// the receive window of [`Factory`]. What was polled and not [consumed](layer::Sctp::consume)
    /// counts as consumed.
    ///
    /// # Errors
    ///
    /// [`NotReady`] says what is in the way.
    pub fn hand_over(&self, now: Instant) -> Result<Vec<u8>, NotReady> {
        let State::Open(tcb) = &self.state else {
            return Err(NotReady::State);
        };
        if !matches!(tcb.phase, Phase::Established) {
            return Err(NotReady::State);
        }
        if !self.local.events.is_empty() {
            return Err(NotReady::Events);
        }
        let mut state = StateWriter::new(now);
        state.out.put_u8(VERSION);
        self.write_agreement(tcb, &mut state);
        tcb.reset.write_state(&mut state);
        self.local.queue.write_state(&mut state);
        tcb.sender.write_state(&mut state);
        tcb.receiver.write_state(&mut state);
        Ok(state.out)
    }

    fn write_agreement(&self, tcb: &Tcb, state: &mut StateWriter) {
        state.out.put_u64(tcb.peer.extensions.bits());
        state.flag(tcb.interleaving);
        state.out.put_u16(self.local.port);
        state.out.put_u16(self.local.peer_port);
        state.out.put_u32(self.local.tag);
        state.out.put_u32(tcb.peer.tag);
        state.out.put_u16(tcb.peer.outgoing);
        state.out.put_u16(tcb.peer.incoming);
        state.out.put_u32(tcb.sender.peer_window());
        state.out.put_u32(tcb.sender.first().wire());
        state.out.put_u32(tcb.receiver.cumulative().wire());
    }

    fn read(&mut self, now: Instant, state: &[u8]) -> Result<(), DecodeError> {
        let mut state = StateReader::new(now, state);
        if state.u8()? != VERSION {
            return Err(DecodeError::Value);
        }
        let local = &mut self.local;
        let peer = read_agreement(local, &mut state)?;
        let mut tcb = Tcb::new(now, local, Phase::Established, peer, None);
        let cumulative = tcb.receiver.cumulative();
        let rto = tcb.sender.rto();
        tcb.reset.read_state(now, rto, cumulative, &mut state)?;
        local.queue.read_state(&mut state)?;
        tcb.sender.read_state(now, &mut state)?;
        tcb.receiver.read_state(&mut state)?;
        if !state.is_empty() {
            return Err(DecodeError::Length);
        }
        tcb.heartbeat.restart(now, local, tcb.sender.rto());
        self.state = State::Open(Box::new(tcb));
        Ok(())
    }
}

/// What was agreed on stays, whatever the settings of this factory would offer.
fn read_agreement(local: &mut Local, state: &mut StateReader<'_>) -> Result<Peer, DecodeError> {
    let extensions = Extensions::from_bits(state.u64()?);
    local.settings.interleaving = state.flag()?;
    local.port = state.u16()?;
    local.peer_port = state.u16()?;
    local.tag = state.u32()?;
    let (tag, outgoing, incoming) = (state.u32()?, state.u16()?, state.u16()?);
    let a_rwnd = state.u32()?;
    local.initial_tsn = state.u32()?;
    if local.port == 0 || local.peer_port == 0 || local.tag == 0 {
        return Err(DecodeError::Value);
    }
    Ok(Peer {
        tag,
        initial_tsn: state.u32()?.wrapping_add(1),
        a_rwnd,
        outgoing,
        incoming,
        extensions,
    })
}

impl Factory {
    /// Makes an association that goes on where another one was
    /// [handed over](Association::hand_over). It is connected at once and tells so by no event.
    /// The weights of streams are to be set again; the thresholds of their buffers stay.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if `state` is not the state of an association in the format of this version.
    pub fn resume(
        &self,
        start: Start,
        config: SctpConfig,
        state: &[u8],
    ) -> Result<Association, DecodeError> {
        let mut association = self.association(start, config);
        association.read(start.now, state)?;
        Ok(association)
    }
}
