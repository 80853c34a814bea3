//! What has arrived and was not taken, for another process.

use super::interleaved::Interleaved;
use super::{Deferred, Incoming, Reassembly, Run};
use crate::packet::DecodeError;
use crate::serial::{Ssn, Tsn};
use crate::state::{StateReader, StateWriter};
use bytes::{BufMut, BytesMut};
use layer::Message;
use std::collections::{BTreeMap, VecDeque};

impl Reassembly {
    pub(crate) fn write_state(&self, state: &mut StateWriter) {
        state.out.put_u32(self.forwarded.wire());
        state.list(self.runs.iter(), |state, (first, run)| {
            state.out.put_u32(first.wire());
            run.write_state(state);
        });
        state.list(self.streams.iter(), |state, (&id, stream)| {
            state.out.put_u16(id);
            state.out.put_u16(stream.next.wire());
            state.list(stream.waiting.iter(), |state, (ssn, message)| {
                state.out.put_u16(ssn.wire());
                state.message(message);
            });
        });
        self.interleaved.write_state(state);
        state.list(self.ready.iter(), StateWriter::message);
        state.list(self.held_back.iter(), |state, (&id, messages)| {
            state.out.put_u16(id);
            state.list(messages.iter(), StateWriter::message);
        });
        state.list(self.deferred.iter(), |state, deferred| {
            state.out.put_u32(deferred.last_tsn.wire());
            state.numbers(&deferred.streams);
            state.list(deferred.messages.iter(), |state, (message, ssn)| {
                state.message(message);
                state.out.put_u16(*ssn);
            });
        });
    }

    /// Into an empty one; `near` is a TSN of the peer.
    pub(crate) fn read_state(
        &mut self,
        near: Tsn,
        state: &mut StateReader<'_>,
    ) -> Result<(), DecodeError> {
        self.forwarded = near.near(state.u32()?);
        let runs = state.list(|state| {
            let first = near.near(state.u32()?);
            Ok((first, Run::read_state(near, state)?))
        })?;
        self.runs = BTreeMap::from_iter(runs);
        let streams = state.list(|state| {
            let (id, next) = (state.u16()?, Ssn::FIRST.near(state.u16()?));
            let waiting = state.list(|state| Ok((next.near(state.u16()?), state.message()?)))?;
            let waiting = BTreeMap::from_iter(waiting);
            Ok((id, Incoming { next, waiting }))
        })?;
        self.streams = BTreeMap::from_iter(streams);
        self.interleaved = Interleaved::read_state(state)?;
        self.ready = VecDeque::from(state.list(StateReader::message)?);
        let held_back =
            state.list(|state| Ok((state.u16()?, state.list(StateReader::message)?)))?;
        self.held_back = BTreeMap::from_iter(held_back);
        let deferred = state.list(|state| {
            Ok(Deferred {
                last_tsn: near.near(state.u32()?),
                streams: state.numbers()?,
                messages: state.list(|state| Ok((state.message()?, state.u16()?)))?,
            })
        })?;
        self.deferred = deferred.into_iter().next();
        self.count();
        Ok(())
    }

    /// Bytes and pieces of all that was read.
    fn count(&mut self) {
        let (held, pieces) = self.interleaved.count();
        (self.held, self.pieces) = (held, pieces + self.runs.len());
        self.held += self.runs.values().map(|run| run.len).sum::<usize>();
        let waiting = self
            .streams
            .values()
            .flat_map(|stream| stream.waiting.values());
        let deferred = self.deferred.iter().flat_map(|deferred| &deferred.messages);
        let messages = waiting
            .chain(&self.ready)
            .chain(self.held_back.values().flatten())
            .chain(deferred.map(|(message, _)| message));
        for message in messages {
            self.held += message.data.len();
            self.pieces += 1;
        }
    }
}

impl Run {
    fn write_state(&self, state: &mut StateWriter) {
        state.out.put_u32(self.last.wire());
        state.out.put_u16(self.stream);
        state.out.put_u16(self.ssn);
        state.out.put_u32(self.protocol);
        state.flag(self.unordered);
        state.flag(self.begins);
        state.flag(self.ends);
        let more = self.more.iter().map(|part| &**part);
        state.bytes(std::iter::once(&*self.part).chain(more));
        state.out.put_u64(self.handed_out as u64);
    }

    fn read_state(near: Tsn, state: &mut StateReader<'_>) -> Result<Self, DecodeError> {
        let last = near.near(state.u32()?);
        let (stream, ssn, protocol) = (state.u16()?, state.u16()?, state.u32()?);
        let (unordered, begins, ends) = (state.flag()?, state.flag()?, state.flag()?);
        let part = BytesMut::from(state.bytes()?);
        Ok(Self {
            stream,
            ssn,
            unordered,
            protocol,
            begins,
            ends,
            last,
            handed_out: state.usize()?,
            len: part.len(),
            part,
            more: VecDeque::new(),
        })
    }
}

/// The messages of a list by their numbers.
pub(super) fn read_waiting<K: Ord>(
    state: &mut StateReader<'_>,
    key: impl Fn(u32) -> K,
) -> Result<BTreeMap<K, Message>, DecodeError> {
    let waiting = state.list(|state| Ok((key(state.u32()?), state.message()?)))?;
    Ok(BTreeMap::from_iter(waiting))
}
