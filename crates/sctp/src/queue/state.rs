//! What is queued, for another process.

use super::SendQueue;
use super::stream::{Head, Piece, ResetState, Stream};
use crate::packet::DecodeError;
use crate::state::{StateReader, StateWriter};
use bytes::{BufMut, Bytes};

impl SendQueue {
    pub(crate) fn write_state(&self, state: &mut StateWriter) {
        state.list(self.current.iter(), |state, &id| state.out.put_u16(id));
        state.list(self.streams.iter(), |state, (&id, stream)| {
            state.out.put_u16(id);
            stream.write_state(state);
        });
    }

    /// Into an empty queue.
    pub(crate) fn read_state(&mut self, state: &mut StateReader<'_>) -> Result<(), DecodeError> {
        let current = state.list(StateReader::u16)?;
        self.current = current.first().copied();
        let streams = state.list(|state| Ok((state.u16()?, Stream::read_state(state)?)))?;
        for (id, mut stream) in streams {
            self.bytes += stream.buffered;
            self.pieces += stream.pieces.len();
            if stream.reset == ResetState::Wanted {
                self.unreset.insert(id);
            }
            stream.scheduled = self.current == Some(id);
            if stream.is_due(self.early_start) {
                self.turns.join(id);
            }
            stream.count_left();
            if self.streams.insert(id, Box::new(stream)).is_some() {
                return Err(DecodeError::Value);
            }
            self.note_rest(id);
        }
        let begun = |id| self.streams.get(&id).is_some_and(|s| s.begun.is_some());
        match self.current {
            Some(id) if self.interleaving || !begun(id) => Err(DecodeError::Value),
            _ => Ok(()),
        }
    }
}

impl Stream {
    fn write_state(&self, state: &mut StateWriter) {
        let [ordered, unordered] = self.next;
        state.out.put_u32(ordered);
        state.out.put_u32(unordered);
        state.out.put_u32(self.fragments);
        state.out.put_u64(self.sent as u64);
        state.out.put_u64(self.low_threshold as u64);
        state.flag(self.open);
        state.flag(self.discarding);
        state.out.put_u8(match self.reset {
            ResetState::None => 0,
            ResetState::Wanted => 1,
            ResetState::Requested => 2,
        });
        state.list(self.begun.iter(), |state, head| head.write_state(state));
        state.list(self.pieces.iter(), |state, piece| {
            piece.head.write_state(state);
            state.flag(piece.last);
            state.bytes([&*piece.data].into_iter());
        });
    }

    fn read_state(state: &mut StateReader<'_>) -> Result<Self, DecodeError> {
        let mut stream = Self {
            next: [state.u32()?, state.u32()?],
            fragments: state.u32()?,
            sent: state.usize()?,
            low_threshold: state.usize()?,
            open: state.flag()?,
            discarding: state.flag()?,
            reset: match state.u8()? {
                0 => ResetState::None,
                1 => ResetState::Wanted,
                2 => ResetState::Requested,
                _ => return Err(DecodeError::Value),
            },
            begun: state.list(Head::read_state)?.first().copied(),
            ..Self::default()
        };
        let pieces = state.list(|state| {
            Ok(Piece {
                head: Head::read_state(state)?,
                last: state.flag()?,
                data: Bytes::copy_from_slice(state.bytes()?),
            })
        })?;
        for piece in pieces {
            stream.buffered += piece.data.len();
            stream.whole += usize::from(piece.last);
            stream.pieces.push_back(piece);
        }
        Ok(stream)
    }
}

impl Head {
    fn write_state(&self, state: &mut StateWriter) {
        state.out.put_u32(self.number);
        state.out.put_u32(self.protocol);
        state.flag(self.unordered);
        state.limit(self.limit);
    }

    fn read_state(state: &mut StateReader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            number: state.u32()?,
            protocol: state.u32()?,
            unordered: state.flag()?,
            limit: state.limit()?,
        })
    }
}
