use super::{Machine, Session};
use crate::alert::{Alert, Failure};
use crate::flight::ack::Ack;
use crate::record::layer::{Opening, Records};
use crate::record::{ContentType, RecordNumber};
use layer::{DtlsState, DtlsVersion, Opened};
use std::time::Instant;

/// The warning that a handshake or session ends by a user's wish; `close_notify` follows.
const USER_CANCELED: u8 = 90;

impl Session {
    /// Takes a datagram, new or kept, record by record.
    pub(super) fn take(&mut self, now: Instant, datagram: &mut [u8]) -> Opened {
        let mut opened = Opened::default();
        if matches!(self.machine, Machine::Idle) && !self.ended() {
            self.take_before_role(datagram);
            return opened;
        }
        let mut is_used = false;
        let epoch = self.endpoint.records.read_epoch();
        let mut at = 0;
        while let Some(len) = Records::record_len(&datagram[at..]) {
            if self.ended() {
                break;
            }
            let end = at + len;
            let content = match self.endpoint.records.open(&mut datagram[at..end]) {
                Opening::Content(content) => content,
                Opening::NoKeys => {
                    is_used |= self.keep_early(&datagram[at..end]);
                    at = end;
                    continue;
                }
                Opening::Invalid => {
                    at = end;
                    continue;
                }
                Opening::Exhausted => {
                    self.fail(Failure::new(
                        Alert::BAD_RECORD_MAC,
                        "more records failed to open than a key may see",
                    ));
                    break;
                }
            };
            let range = at + content.range.start..at + content.range.end;
            at = end;
            self.is_authentic |= content.number.epoch > 0;
            if content.kind != ContentType::ApplicationData {
                let number = content.number;
                is_used |= self.take_record(now, content.kind, number, &datagram[range]);
            } else if content.number.epoch > 0 {
                is_used = true;
                self.data_came();
                if range.is_empty() {
                    // RFC 8446 §5.4: traffic that says nothing.
                } else if self.state == DtlsState::Connected && opened.plaintext.is_none() {
                    opened = Opened::in_place(range);
                } else {
                    self.hold(&datagram[range]);
                }
            }
        }
        if !is_used {
            self.stats.dropped += 1;
        }
        if self.endpoint.records.read_epoch() != epoch {
            self.replay(now);
        }
        opened
    }

    /// Before the role nothing is looked into; what is no record is not kept.
    fn take_before_role(&mut self, datagram: &[u8]) {
        if Records::record_len(datagram).is_none() {
            self.stats.dropped += 1;
        } else if !self.early.push(datagram) {
            self.stats.overflowed += 1;
        }
    }

    /// Keeps a record whose keys are still to come.
    fn keep_early(&mut self, record: &[u8]) -> bool {
        if !matches!(self.machine, Machine::Client(_) | Machine::Server(_)) {
            return false;
        }
        if !self.early.push(record) {
            self.stats.overflowed += 1;
        }
        true
    }

    /// Handles again what was kept; what still has to wait is kept again.
    pub(super) fn replay(&mut self, now: Instant) {
        for _ in 0..self.early.len() {
            let Some(mut datagram) = self.early.pop() else {
                return;
            };
            let opened = self.take(now, &mut datagram);
            if let Some(range) = opened.plaintext {
                self.hold(&datagram[range]);
            }
        }
    }

    /// Takes a record that is no application data; whether it was of use.
    fn take_record(
        &mut self,
        now: Instant,
        kind: ContentType,
        number: RecordNumber,
        content: &[u8],
    ) -> bool {
        match kind {
            ContentType::Handshake => self.take_fragments(now, number, content),
            ContentType::Alert => self.take_alert(number.epoch, content),
            ContentType::Ack => number.epoch > 0 && self.take_ack(now, content),
            // RFC 6347 §4.1: the epoch in the header says the same; RFC 9147 §5 has none.
            ContentType::ChangeCipherSpec => content == [1],
            ContentType::ApplicationData => false,
        }
    }

    fn take_alert(&mut self, epoch: u64, content: &[u8]) -> bool {
        let &[_, description] = content else {
            return false;
        };
        if epoch == 0 {
            return self.take_plaintext_alert(content);
        }
        let alert = Alert { description };
        let is_1_3 = self.endpoint.security.version == DtlsVersion::V1_3;
        if alert == Alert::CLOSE_NOTIFY {
            self.closed_by_peer();
        } else if Alert::parse_fatal(content).is_some() || (is_1_3 && description != USER_CANCELED)
        {
            // RFC 8446 §6: all but two are fatal, whatever their level says.
            self.refused(alert);
        }
        true
    }

    /// Anybody can say it. It counts in a handshake of which nothing is authentic yet: there a
    /// peer has no keys to say it with.
    fn take_plaintext_alert(&mut self, content: &[u8]) -> bool {
        let is_open = match &self.machine {
            Machine::Client(_) => !self.is_authentic,
            Machine::Server(server) => !self.is_authentic && !server.is_undecided(),
            _ => false,
        };
        match Alert::parse_fatal(content) {
            Some(alert) if is_open => {
                self.refused(alert);
                true
            }
            _ => false,
        }
    }

    /// RFC 9147 §7.2.
    fn take_ack(&mut self, now: Instant, content: &[u8]) -> bool {
        let Ok(Ack(numbers)) = Ack::parse(content) else {
            return false;
        };
        let flight = &mut self.endpoint.flight;
        if flight.is_empty() {
            return true;
        }
        if flight.acknowledge(&numbers) {
            flight.clear();
            self.timer.stop();
            self.flight_acknowledged();
        } else {
            // The peer waits for the rest.
            self.repeat_flight(now);
        }
        true
    }
}
