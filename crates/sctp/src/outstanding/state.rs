//! What is sent and not acknowledged, for another process.

use super::rack::Departure;
use super::{Fate, MAX_CHUNKS, Outstanding, Sent};
use crate::packet::DecodeError;
use crate::serial::Tsn;
use crate::state::{StateReader, StateWriter};
use bytes::BufMut;
use std::time::Instant;

impl Departure {
    /// Another process has sent it: nobody knows when.
    const fn elsewhere(now: Instant) -> Self {
        Self { packet: 0, at: now }
    }

    /// Whether it says anything of the path that it was sent by this process: packets here are
    /// numbered from 1.
    pub(super) fn is_ours(&self) -> bool {
        self.packet > 0
    }
}

impl Outstanding {
    pub(crate) fn write_state(&self, state: &mut StateWriter) {
        state.list(self.chunks.iter(), |state, sent| {
            state.fragment(&sent.fragment);
            state.out.put_u8(match sent.fate {
                Fate::InFlight => 0,
                Fate::Acked => 1,
                Fate::Lost => 2,
                Fate::Abandoned => 3,
            });
            state.out.put_u32(sent.transmissions);
        });
    }

    /// Into an empty list that begins with the right TSN.
    pub(crate) fn read_state(
        &mut self,
        now: Instant,
        state: &mut StateReader<'_>,
    ) -> Result<(), DecodeError> {
        let snapshot = self.meter.departs(now, 0, 0);
        let departure = Departure::elsewhere(now);
        let chunks = state.list(|state| {
            Ok(Sent {
                fragment: state.fragment()?,
                fate: match state.u8()? {
                    0 => Fate::InFlight,
                    1 => Fate::Acked,
                    2 => Fate::Lost,
                    3 => Fate::Abandoned,
                    _ => return Err(DecodeError::Value),
                },
                departure,
                snapshot,
                transmissions: state.u32()?,
            })
        })?;
        if chunks.len() > MAX_CHUNKS || chunks.first().is_some_and(|sent| sent.fate == Fate::Acked)
        {
            return Err(DecodeError::Value);
        }
        for sent in chunks {
            let tsn = self.next_tsn();
            self.take_over(tsn, &sent);
            self.chunks.push_back(sent);
        }
        Ok(())
    }

    fn take_over(&mut self, tsn: Tsn, sent: &Sent) {
        self.held += sent.fragment.data.len();
        match sent.fate {
            Fate::InFlight => {
                self.in_flight += Self::cost(sent.fragment.data.len());
                self.rack.took_over(tsn);
            }
            Fate::Acked => self.record_run(self.acked.len(), tsn, tsn),
            Fate::Lost => {
                self.lost.insert(tsn);
            }
            Fate::Abandoned => {}
        }
    }
}
