//! Putting messages together again: from the fragments of the transport, and from messages with the
//! deprecated partial protocol identifiers (RFC 8831 §6.6), which old peers send.

use super::Config;
use crate::message::Open;
use crate::payload::{Payload, PayloadProtocol};
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;

/// Who a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Control,
    User(Payload),
}

impl Kind {
    fn of(protocol: PayloadProtocol) -> Self {
        match protocol {
            PayloadProtocol::Control => Self::Control,
            PayloadProtocol::Text | PayloadProtocol::TextPartial | PayloadProtocol::TextEmpty => {
                Self::User(Payload::Text)
            }
            PayloadProtocol::Binary
            | PayloadProtocol::BinaryPartial
            | PayloadProtocol::BinaryEmpty => Self::User(Payload::Binary),
        }
    }
}

/// A piece of a message, as the transport gives it.
#[derive(Clone, Debug)]
pub(super) struct Fragment {
    pub(super) protocol: PayloadProtocol,
    pub(super) first: bool,
    pub(super) last: bool,
    pub(super) data: Bytes,
}

impl Fragment {
    /// The bytes of the user. The one byte of an empty message stands for nothing (RFC 8831 §6.6).
    pub(super) fn content(&self) -> Bytes {
        match self.protocol {
            PayloadProtocol::TextEmpty | PayloadProtocol::BinaryEmpty => Bytes::new(),
            _ => self.data.clone(),
        }
    }

    /// Of a message of the user that is one of the transport too.
    pub(super) fn is_plain(&self) -> bool {
        self.protocol != PayloadProtocol::Control && !is_partial(self.protocol)
    }

    pub(super) fn payload(&self) -> Payload {
        match Kind::of(self.protocol) {
            Kind::User(payload) => payload,
            Kind::Control => Payload::Binary,
        }
    }
}

/// A message that has arrived whole.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub(super) kind: Kind,
    pub(super) data: Bytes,
    /// What it holds of the receive window.
    pub(super) wire_len: usize,
}

/// What came of a fragment.
#[derive(Debug)]
pub(super) enum Gathered {
    /// The message is whole.
    Whole(Whole),
    /// More is to come.
    Waiting,
    /// The beginning of the message is missing: it was given up (RFC 3758), or dropped here.
    Headless,
    /// The message is too long for its kind.
    TooLong(Kind),
    /// Too much is under way.
    NoRoom,
}

/// A message under way.
#[derive(Debug)]
struct Assembly {
    kind: Kind,
    data: BytesMut,
    /// How many of its bytes are still held of the window.
    held: usize,
    /// Between two messages with a partial identifier.
    is_between: bool,
}

/// The messages under way, at most one for each stream (RFC 9260 §6.9 delivers them one by one).
#[derive(Debug)]
pub(super) struct Assemblies {
    by_stream: BTreeMap<u16, Assembly>,
    /// Their bytes.
    len: usize,
    /// Their bytes that are held of the window. Beyond `max_held`, fragments go back to the window
    /// at once: otherwise messages that are interleaved could close it for good.
    held: usize,
    max_len: usize,
    max_held: usize,
}

impl Assemblies {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            by_stream: BTreeMap::new(),
            len: 0,
            held: 0,
            max_len: config.max_partial_len,
            max_held: config.max_message_len,
        }
    }

    /// Takes a fragment. The number is what goes back to the window at once.
    pub(super) fn push(
        &mut self,
        stream: u16,
        fragment: Fragment,
        max_message_len: usize,
    ) -> (Gathered, usize) {
        let kind = Kind::of(fragment.protocol);
        let mut credit = 0;
        if fragment.first {
            let continues = |assembly: &Assembly| assembly.is_between && assembly.kind == kind;
            if !self.by_stream.get(&stream).is_some_and(continues) {
                // What lies there was given up by the sender (RFC 3758 §3.6).
                credit = self.remove(stream);
                if fragment.last && !is_partial(fragment.protocol) {
                    return self.whole(kind, fragment, max_message_len, credit);
                }
                self.by_stream.insert(stream, Assembly::new(kind));
            }
        }
        let (gathered, more) = self.append(stream, fragment, max_message_len);
        (gathered, credit + more)
    }

    /// The common case: a message in one piece is not copied.
    fn whole(
        &self,
        kind: Kind,
        fragment: Fragment,
        max_message_len: usize,
        credit: usize,
    ) -> (Gathered, usize) {
        let wire_len = fragment.data.len();
        if wire_len > limit(kind, max_message_len) {
            return (Gathered::TooLong(kind), credit + wire_len);
        }
        let whole = Whole {
            kind,
            data: fragment.content(),
            wire_len,
        };
        (Gathered::Whole(whole), credit)
    }

    fn append(
        &mut self,
        stream: u16,
        fragment: Fragment,
        max_message_len: usize,
    ) -> (Gathered, usize) {
        let len = fragment.data.len();
        let has_room = self.len + len <= self.max_len;
        let may_hold = self.held + len <= self.max_held;
        let Some(assembly) = self.by_stream.get_mut(&stream) else {
            return (Gathered::Headless, len);
        };
        let kind = assembly.kind;
        if assembly.data.len() + len > limit(kind, max_message_len) {
            return (Gathered::TooLong(kind), self.remove(stream) + len);
        }
        if !has_room {
            return (Gathered::NoRoom, self.remove(stream) + len);
        }
        let data = fragment.content();
        assembly.data.extend_from_slice(&data);
        assembly.is_between = fragment.last;
        self.len += data.len();
        let mut credit = len;
        if may_hold {
            assembly.held += len;
            self.held += len;
            credit = 0;
        }
        if !fragment.last || is_partial(fragment.protocol) {
            return (Gathered::Waiting, credit);
        }
        let data = std::mem::take(&mut assembly.data).freeze();
        self.len -= data.len();
        let wire_len = self.remove(stream);
        let whole = Whole {
            kind,
            data,
            wire_len,
        };
        (Gathered::Whole(whole), credit)
    }

    /// Whether something is under way on a stream.
    pub(super) fn has(&self, stream: u16) -> bool {
        self.by_stream.contains_key(&stream)
    }

    /// Drops what is under way on a stream, and says what it held.
    pub(super) fn remove(&mut self, stream: u16) -> usize {
        let Some(assembly) = self.by_stream.remove(&stream) else {
            return 0;
        };
        self.len -= assembly.data.len();
        self.held -= assembly.held;
        assembly.held
    }

    pub(super) fn clear(&mut self) {
        self.by_stream.clear();
        self.len = 0;
        self.held = 0;
    }
}

impl Assembly {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            data: BytesMut::new(),
            held: 0,
            is_between: false,
        }
    }
}

fn is_partial(protocol: PayloadProtocol) -> bool {
    matches!(
        protocol,
        PayloadProtocol::TextPartial | PayloadProtocol::BinaryPartial
    )
}

fn limit(kind: Kind, max_message_len: usize) -> usize {
    match kind {
        Kind::Control => Open::MAX_LEN,
        Kind::User(_) => max_message_len,
    }
}
