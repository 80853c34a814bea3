use super::epoch::{ReadEpoch, WriteEpoch};
use super::header::{self, Header};
use super::number::reconstruct;
use super::protection::Protection;
use super::unified::{EPOCH_MASK, Unified};
use super::{ContentType, RecordNumber};
use crate::suite::MAX_FAILURES;
use std::ops::Range;

/// Both directions of all epochs that are alive.
#[derive(Debug)]
pub(crate) struct Records {
    /// Oldest first; the last one carries application data once the handshake is over.
    write: Vec<WriteEpoch>,
    /// Oldest first. Epoch 0 is not among them: what nothing authenticates has no window.
    read: Vec<ReadEpoch>,
}

/// Epochs that are kept in one direction: the present one, and those from which records may still
/// come late or be sent again.
const MAX_EPOCHS: usize = 3;

/// What became of the record at the front of a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Its content, in the clear or decrypted in place.
    Content(Content),
    /// There are no keys for it.
    NoKeys,
    /// Not authentic, repeated, or no record at all.
    Invalid,
    /// More records failed to open than is safe (RFC 9147 §4.5.3).
    Exhausted,
}

/// A record's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) kind: ContentType,
    pub(crate) number: RecordNumber,
    /// Where it lies, from the start of the record on.
    pub(crate) range: Range<usize>,
}

impl Records {
    pub(crate) fn new() -> Self {
        Self {
            write: vec![WriteEpoch::new(0, Protection::Plaintext)],
            read: Vec::new(),
        }
    }

    /// From now on records can also be written in this epoch.
    pub(crate) fn install_write(&mut self, epoch: u64, protection: Protection) {
        keep_newest(&mut self.write);
        self.write.push(WriteEpoch::new(epoch, protection));
    }

    /// From now on records of this epoch can be read.
    pub(crate) fn install_read(&mut self, epoch: u64, protection: Protection) {
        keep_newest(&mut self.read);
        self.read.push(ReadEpoch::new(epoch, protection));
    }

    /// The newest epoch to write in.
    pub(crate) fn write_epoch(&self) -> u64 {
        self.write.last().map_or(0, |write| write.epoch)
    }

    /// The newest epoch that can be read; 0 without keys.
    pub(crate) fn read_epoch(&self) -> u64 {
        self.read.last().map_or(0, |read| read.epoch)
    }

    /// How many records the newest epoch has sealed.
    pub(crate) fn sealed(&self) -> u64 {
        self.write.last().map_or(0, WriteEpoch::sealed)
    }

    /// How much a record of an epoch is larger than its content.
    pub(crate) fn overhead(&self, epoch: u64) -> usize {
        let found = self.write.iter().find(|write| write.epoch == epoch);
        found.map_or(0, |write| write.protection.overhead())
    }

    /// Writes a record of an epoch into `out`.
    pub(crate) fn seal(
        &mut self,
        epoch: u64,
        content: ContentType,
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Option<(usize, RecordNumber)> {
        // The newest is the one that is almost always meant.
        let mut newest_first = self.write.iter_mut().rev();
        newest_first
            .find(|write| write.epoch == epoch)?
            .seal(content, plaintext, out)
    }

    /// The length of the record at the front, its header included; `None` if there is none.
    pub(crate) fn record_len(bytes: &[u8]) -> Option<usize> {
        if Unified::is_at(*bytes.first()?) {
            let header = Unified::parse(bytes)?;
            return Some(header.header_len + header.length);
        }
        let header = Header::parse(bytes)?;
        Some(header::HEADER_LEN + usize::from(header.length))
    }

    /// Opens a record in place; `record` is what [`record_len`](Self::record_len) says.
    pub(crate) fn open(&mut self, record: &mut [u8]) -> Opening {
        if record.first().is_some_and(|first| Unified::is_at(*first)) {
            return self.open_1_3(record);
        }
        let Some(header) = Header::parse(record) else {
            return Opening::Invalid;
        };
        if header.epoch == 0 {
            return Opening::Content(Content {
                kind: header.content,
                number: RecordNumber {
                    epoch: 0,
                    sequence: header.sequence,
                },
                range: header::HEADER_LEN..record.len(),
            });
        }
        self.open_1_2(header, record)
    }

    fn open_1_2(&mut self, header: Header, record: &mut [u8]) -> Opening {
        let number = RecordNumber {
            epoch: header.epoch.into(),
            sequence: header.sequence,
        };
        let found = self.read.iter_mut().find(|read| read.epoch == number.epoch);
        let Some(read) = found else {
            return Opening::NoKeys;
        };
        let Protection::V1_2(keys) = &read.protection else {
            return Opening::Invalid;
        };
        // RFC 6347 §4.1.2.6: asked before the tag is checked, noted afterwards.
        if !read.window.is_new(number.sequence) {
            return Opening::Invalid;
        }
        let Some(range) = keys.open_record(header, record) else {
            return read.failed();
        };
        read.window.note(number.sequence);
        Opening::Content(Content {
            kind: header.content,
            number,
            range,
        })
    }

    fn open_1_3(&mut self, record: &mut [u8]) -> Opening {
        let Some(header) = Unified::parse(record) else {
            return Opening::Invalid;
        };
        let mut newest_first = self.read.iter_mut().rev();
        let found = newest_first.find(|read| {
            let [.., low] = read.epoch.to_be_bytes();
            low & EPOCH_MASK == header.epoch
        });
        let Some(read) = found else {
            return Opening::NoKeys;
        };
        let Protection::V1_3(keys) = &read.protection else {
            return Opening::Invalid;
        };
        let Some(low) = keys.unmask(header, record) else {
            return Opening::Invalid;
        };
        let bits = if header.sequence_len == 1 { 8 } else { 16 };
        let sequence = reconstruct(read.window.next(), low, bits);
        if !read.window.is_new(sequence) {
            return Opening::Invalid;
        }
        let Some((kind, range)) = keys.open(header, sequence, record) else {
            return read.failed();
        };
        read.window.note(sequence);
        let Some(kind) = ContentType::of(kind) else {
            return Opening::Invalid;
        };
        let number = RecordNumber {
            epoch: read.epoch,
            sequence,
        };
        Opening::Content(Content {
            kind,
            number,
            range,
        })
    }
}

impl ReadEpoch {
    fn failed(&mut self) -> Opening {
        self.failures += 1;
        if self.failures >= MAX_FAILURES {
            Opening::Exhausted
        } else {
            Opening::Invalid
        }
    }
}

/// Makes room for one more.
fn keep_newest<T>(epochs: &mut Vec<T>) {
    if epochs.len() >= MAX_EPOCHS {
        epochs.drain(..=epochs.len() - MAX_EPOCHS);
    }
}
