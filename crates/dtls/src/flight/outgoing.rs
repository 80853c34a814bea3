use super::ranges::Ranges;
use crate::handshake::header::{FRAGMENT_HEADER_LEN, FragmentHeader};
use crate::record::layer::Records;
use crate::record::{ContentType, RecordNumber};
use std::collections::VecDeque;
use std::ops::Range;

/// Our flight: what it is made of, what has to go out now, and what was acknowledged.
///
/// Nothing is kept as datagrams: a flight is cut into fragments when it leaves, for the path as it
/// is then, and every time in new records (RFC 6347 §4.2.4).
#[derive(Debug, Default)]
pub(crate) struct Flight {
    items: Vec<Item>,
    /// Where the next datagram goes on; at the end of the items there is none.
    next: Position,
    /// Which record carried what, newest last, for the peer's ACKs.
    sent: VecDeque<Sent>,
    /// A fragment with its header, on its way into a record.
    scratch: Vec<u8>,
}

#[derive(Debug)]
enum Item {
    Message(Outgoing),
    /// RFC 6347 §4.2.4: not a handshake message, but sent again with its flight.
    ChangeCipherSpec,
}

/// A message of ours.
#[derive(Debug)]
struct Outgoing {
    epoch: u64,
    kind: u8,
    sequence: u16,
    body: Vec<u8>,
    acknowledged: Ranges,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Position {
    item: usize,
    offset: usize,
}

#[derive(Debug)]
struct Sent {
    number: RecordNumber,
    item: usize,
    range: Range<usize>,
}

/// Records of one flight that ACKs can name; of older ones there is nothing to be learned.
const MAX_SENT: usize = 256;
/// A fragment that would be shorter waits for the next datagram.
const MIN_FRAGMENT: usize = 32;
/// RFC 5246 §7.1.
const CHANGE_CIPHER_SPEC: [u8; 1] = [1];

impl Flight {
    /// Forgets all: it was answered, or another one begins. A session is idle most of its life, so
    /// nothing is kept for the next one.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn push_message(&mut self, epoch: u64, kind: u8, sequence: u16, body: Vec<u8>) {
        self.items.push(Item::Message(Outgoing {
            epoch,
            kind,
            sequence,
            body,
            acknowledged: Ranges::default(),
        }));
    }

    pub(crate) fn push_change_cipher_spec(&mut self) {
        self.items.push(Item::ChangeCipherSpec);
    }

    /// All of it, but for what was acknowledged, goes out again.
    pub(crate) fn send_again(&mut self) {
        self.next = Position::default();
    }

    /// Nothing of it goes out any more, unless it is asked for again.
    pub(crate) fn has_more(&self) -> bool {
        self.next.item < self.items.len()
    }

    /// The peer has these records; whether it has the whole flight now (RFC 9147 §7.2).
    pub(crate) fn acknowledge(&mut self, numbers: &[RecordNumber]) -> bool {
        for number in numbers {
            let Some(sent) = self.sent.iter().find(|sent| sent.number == *number) else {
                continue;
            };
            if let Some(Item::Message(message)) = self.items.get_mut(sent.item) {
                message.acknowledged.insert(sent.range.clone());
            }
        }
        self.items.iter().all(|item| match item {
            Item::Message(message) => message.acknowledged.covers(message.body.len()),
            Item::ChangeCipherSpec => true,
        })
    }

    /// Writes the next datagram of at most `limit` bytes; `None` if all has gone out.
    pub(crate) fn write(
        &mut self,
        records: &mut Records,
        limit: usize,
        out: &mut [u8],
    ) -> Option<usize> {
        let limit = limit.min(out.len());
        let mut len = 0;
        while let Some(written) = self.write_record(records, &mut out[len..limit]) {
            len += written;
        }
        (len > 0).then_some(len)
    }

    /// Writes one record; `None` if nothing is left, or it does not fit.
    fn write_record(&mut self, records: &mut Records, out: &mut [u8]) -> Option<usize> {
        loop {
            let position = self.next;
            let after = Position {
                item: position.item + 1,
                offset: 0,
            };
            let message = match self.items.get(position.item)? {
                Item::Message(message) => message,
                Item::ChangeCipherSpec => {
                    let content = ContentType::ChangeCipherSpec;
                    let (len, _) = records.seal(0, content, &CHANGE_CIPHER_SPEC, out)?;
                    self.next = after;
                    return Some(len);
                }
            };
            let Some(missing) = message.missing(position.offset) else {
                self.next = after;
                continue;
            };
            let around = records.overhead(message.epoch) + FRAGMENT_HEADER_LEN;
            let room = out.len().checked_sub(around)?;
            if room < missing.len().min(MIN_FRAGMENT) {
                return None;
            }
            let range = missing.start..missing.end.min(missing.start + room);
            message.fragment(range.clone(), &mut self.scratch);
            let content = ContentType::Handshake;
            let (len, number) = records.seal(message.epoch, content, &self.scratch, out)?;
            self.next = if range.end < message.body.len() {
                Position {
                    item: position.item,
                    offset: range.end,
                }
            } else {
                after
            };
            self.note(number, position.item, range);
            return Some(len);
        }
    }

    fn note(&mut self, number: RecordNumber, item: usize, range: Range<usize>) {
        if self.sent.len() == MAX_SENT {
            self.sent.pop_front();
        }
        self.sent.push_back(Sent {
            number,
            item,
            range,
        });
    }
}

impl Outgoing {
    /// What has to go out from `offset` on. A message without a body has one empty fragment.
    fn missing(&self, offset: usize) -> Option<Range<usize>> {
        if self.body.is_empty() {
            return (!self.acknowledged.covers(0)).then_some(0..0);
        }
        self.acknowledged.gap(offset, self.body.len())
    }

    fn fragment(&self, range: Range<usize>, out: &mut Vec<u8>) {
        let header = FragmentHeader {
            kind: self.kind,
            length: self.body.len(),
            sequence: self.sequence,
            offset: range.start,
            fragment_length: range.len(),
        };
        out.clear();
        out.extend_from_slice(&header.to_bytes());
        out.extend_from_slice(&self.body[range]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Reader;
    use crate::record::header::{HEADER_LEN, Header};

    fn flight(lengths: &[usize]) -> Flight {
        let mut flight = Flight::default();
        for (sequence, len) in (0..).zip(lengths) {
            flight.push_message(0, 11, sequence, vec![7; *len]);
        }
        flight
    }

    /// Record numbers, message sequences and ranges of all datagrams.
    fn drain(
        flight: &mut Flight,
        records: &mut Records,
        limit: usize,
    ) -> Vec<(u64, u16, Range<usize>)> {
        let mut out = [0; 2000];
        let mut fragments = Vec::new();
        while let Some(len) = flight.write(records, limit, &mut out) {
            assert!(len <= limit);
            let mut rest = &out[..len];
            while let Some(header) = Header::parse(rest) {
                let end = HEADER_LEN + usize::from(header.length);
                let mut reader = Reader::new(&rest[HEADER_LEN..end]);
                let (fragment, _) = FragmentHeader::parse(&mut reader).unwrap();
                let range = fragment.offset..fragment.offset + fragment.fragment_length;
                fragments.push((header.sequence, fragment.sequence, range));
                rest = &rest[end..];
            }
        }
        fragments
    }

    #[test]
    fn a_flight_is_cut_to_the_path_and_sent_again_in_new_records() {
        let mut records = Records::new();
        let mut flight = flight(&[10, 0, 300]);
        let first = drain(&mut flight, &mut records, 200);
        assert_eq!(first[0], (0, 0, 0..10));
        assert_eq!(first[1], (1, 1, 0..0));
        assert_eq!(first[2].2, 0..200 - 35 - 25 - 25);
        assert_eq!(first.last().unwrap().2.end, 300);
        assert!(!flight.has_more());
        flight.send_again();
        let again = drain(&mut flight, &mut records, 1000);
        assert_eq!(again.len(), 3);
        assert!(again[0].0 > first.last().unwrap().0);
    }

    // dtls-037
    #[test]
    fn what_was_acknowledged_is_not_sent_again() {
        let mut records = Records::new();
        let mut flight = flight(&[10, 0, 300]);
        let first = drain(&mut flight, &mut records, 200);
        let number = |sequence| RecordNumber { epoch: 0, sequence };
        assert!(!flight.acknowledge(&[number(0), number(2), number(99)]));
        flight.send_again();
        let again = drain(&mut flight, &mut records, 1000);
        assert_eq!(again.len(), 2);
        assert_eq!((again[0].1, again[0].2.clone()), (1, 0..0));
        assert_eq!((again[1].1, again[1].2.clone()), (2, first[2].2.end..300));
        assert!(flight.acknowledge(&[number(again[0].0), number(again[1].0)]));
    }
}
