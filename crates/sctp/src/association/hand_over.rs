//! An association that goes on in another process: its state as bytes, and back.
//!
//! What is handed over is what both ends have agreed on and where the numbers of every stream
//! stand. What is measured of the path begins anew, as the path may be another one. Packets that
//! come between the two are lost like any others, and the peer sends them again.
//!
//! ```text
//! version, flags (extensions)                                        u8, u64
//! ports, tags, streams either way, the peer's window                 2 u16, 2 u32, 2 u16, u32
//! our next TSN, the peer's last TSN                                  2 u32
//! RE-CONFIG: our next number, the peer's, our last answer            3 u32
//! outgoing streams:  count; stream, next ordered, next unordered     u32; u16, u32, u32
//! incoming streams:  count; stream, next SSN                         u32; u16, u16
//! the same where messages interleave: count; stream, next MID        u32; u16, u32
//! ```

use super::tcb::{Peer, Phase, Tcb};
use super::{Association, State};
use crate::Factory;
use crate::extension::Extensions;
use crate::packet::{DecodeError, Reader};
use bytes::BufMut;
use layer::{SctpConfig, Start};
use std::fmt;

/// The format that is written; others are not read.
const VERSION: u8 = 1;

/// Why an association cannot be handed over now. All but the first pass by themselves when nothing
/// new is sent and what has come is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotIdle {
    /// It is not up, or is shutting down.
    State,
    /// Messages are queued, not acknowledged, or not complete.
    Sending,
    /// Something has arrived that is incomplete, out of order, or not taken yet.
    Receiving,
    /// Streams are being reset.
    Resetting,
}

impl fmt::Display for NotIdle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::State => "the association is not up",
            Self::Sending => "messages are queued or not acknowledged",
            Self::Receiving => "what has arrived is incomplete or not taken",
            Self::Resetting => "streams are being reset",
        })
    }
}

impl std::error::Error for NotIdle {}

impl Association {
    /// The state as bytes, from which [`Factory::resume`] makes the association anew, here or in
    /// another process. This one must not be used afterwards: drop it without a word to the peer.
    ///
    /// To hand over an association that is in use, stop sending and poll until this succeeds.
    ///
    /// # Errors
    ///
    /// [`NotIdle`] says what is in the way.
    pub fn hand_over(&self) -> Result<Vec<u8>, NotIdle> {
        let State::Open(tcb) = &self.state else {
            return Err(NotIdle::State);
        };
        if !matches!(tcb.phase, Phase::Established) {
            return Err(NotIdle::State);
        }
        let queue = &self.local.queue;
        if !queue.is_empty() || queue.is_open() || !tcb.sender.is_idle() {
            return Err(NotIdle::Sending);
        }
        if queue.is_resetting() || !tcb.reset.is_idle() {
            return Err(NotIdle::Resetting);
        }
        if !tcb.receiver.is_idle() {
            return Err(NotIdle::Receiving);
        }
        let mut out = Vec::with_capacity(256);
        out.put_u8(VERSION);
        self.write_agreement(tcb, &mut out);
        for number in tcb.reset.numbers() {
            out.put_u32(number);
        }
        write_list(
            &mut out,
            queue.numbers(),
            |out, (stream, [ordered, unordered])| {
                out.put_u16(stream);
                out.put_u32(ordered);
                out.put_u32(unordered);
            },
        );
        let incoming = tcb.receiver.numbers();
        write_list(&mut out, incoming.ssns.into_iter(), |out, (stream, ssn)| {
            out.put_u16(stream);
            out.put_u16(ssn);
        });
        write_list(&mut out, incoming.mids.into_iter(), |out, (stream, mid)| {
            out.put_u16(stream);
            out.put_u32(mid);
        });
        Ok(out)
    }

    fn write_agreement(&self, tcb: &Tcb, out: &mut Vec<u8>) {
        out.put_u64(tcb.peer.extensions.bits());
        out.put_u8(u8::from(tcb.interleaving));
        out.put_u16(self.local.port);
        out.put_u16(self.local.peer_port);
        out.put_u32(self.local.tag);
        out.put_u32(tcb.peer.tag);
        out.put_u16(tcb.peer.outgoing);
        out.put_u16(tcb.peer.incoming);
        out.put_u32(tcb.sender.peer_window());
        out.put_u32(tcb.sender.last_assigned().next().wire());
        out.put_u32(tcb.receiver.cumulative().wire());
    }

    fn read(&mut self, start: Start, state: &[u8]) -> Result<(), DecodeError> {
        let mut input = Reader(state);
        let [version] = input.array()?;
        if version != VERSION {
            return Err(DecodeError::Value);
        }
        let local = &mut self.local;
        let extensions = Extensions::from_bits(input.u64()?);
        let [interleaving] = input.array()?;
        // What was agreed on stays, whatever the settings of this factory would offer.
        local.settings.interleaving = interleaving != 0;
        local.port = input.u16()?;
        local.peer_port = input.u16()?;
        local.tag = input.u32()?;
        let (tag, outgoing, incoming) = (input.u32()?, input.u16()?, input.u16()?);
        let a_rwnd = input.u32()?;
        local.initial_tsn = input.u32()?;
        let peer = Peer {
            tag,
            initial_tsn: input.u32()?.wrapping_add(1),
            a_rwnd,
            outgoing,
            incoming,
            extensions,
        };
        if local.port == 0 || local.peer_port == 0 || local.tag == 0 {
            return Err(DecodeError::Value);
        }
        let mut tcb = Tcb::new(start.now, local, Phase::Established, peer, None);
        tcb.reset.resume([input.u32()?, input.u32()?, input.u32()?]);
        for _ in 0..count(&mut input)? {
            let stream = input.u16()?;
            let numbers = [input.u32()?, input.u32()?];
            local.queue.resume(stream, numbers);
        }
        for _ in 0..count(&mut input)? {
            let stream = input.u16()?;
            tcb.receiver.resume_ssn(stream, input.u16()?);
        }
        for _ in 0..count(&mut input)? {
            let stream = input.u16()?;
            tcb.receiver.resume_mid(stream, input.u32()?);
        }
        if !input.0.is_empty() {
            return Err(DecodeError::Length);
        }
        tcb.heartbeat.restart(start.now, local, tcb.sender.rto());
        self.state = State::Open(Box::new(tcb));
        Ok(())
    }
}

impl Factory {
    /// Makes an association that goes on where another one was
    /// [handed over](Association::hand_over). It is connected at once and tells so by no event.
    /// The weights of streams and the thresholds of their buffers are to be set again.
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
        association.read(start, state)?;
        Ok(association)
    }
}

fn write_list<T>(
    out: &mut Vec<u8>,
    list: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    let at = out.len();
    out.put_u32(0);
    let mut count = 0_u32;
    for item in list {
        write(out, item);
        count += 1;
    }
    out[at..at + 4].copy_from_slice(&count.to_be_bytes());
}

/// How many entries follow: there are no more than streams.
fn count(input: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let count = input.u32()?;
    if count > 65_536 {
        return Err(DecodeError::Value);
    }
    Ok(count)
}
