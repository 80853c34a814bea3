//! Packet chunks (§3.1.2 to §3.1.4): which packets were received, and how large their deltas are.
//!
//! ```text
//!  0                   1               0                   1
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0| S |       Run Length        |   |1|S|       symbol list         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::{Received, is_small};
use crate::DecodeError;

/// Symbols of one bit in a chunk.
const ONE_BIT_LEN: u16 = 14;

/// Symbols of two bits in a chunk.
const TWO_BITS_LEN: u16 = 7;

/// What 13 bits of run length can say.
const MAX_RUN: u16 = 0x1FFF;

/// What became of a packet, by its two bits (§3.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Symbol {
    #[default]
    NotReceived,
    /// Received, with a delta of 8 bits.
    Small,
    /// Received, with a delta of 16 bits: it is large, or negative.
    Large,
    Reserved,
}

impl Symbol {
    fn from_bits(bits: u16) -> Self {
        match bits & 3 {
            0 => Self::NotReceived,
            1 => Self::Small,
            2 => Self::Large,
            _ => Self::Reserved,
        }
    }

    fn bits(self) -> u16 {
        match self {
            Self::NotReceived => 0,
            Self::Small => 1,
            Self::Large => 2,
            Self::Reserved => 3,
        }
    }

    /// The length of its delta, in bytes.
    pub(super) fn delta_len(self) -> Result<usize, DecodeError> {
        match self {
            Self::NotReceived => Ok(0),
            Self::Small => Ok(1),
            Self::Large => Ok(2),
            Self::Reserved => Err(DecodeError::Value),
        }
    }
}

/// Sixteen bits about several packets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Chunk {
    /// A symbol and how often it stands.
    Run(Symbol, u16),
    /// Symbols and how many there are.
    Vector([Symbol; ONE_BIT_LEN as usize], u16),
}

impl Chunk {
    pub(super) fn parse(bits: u16) -> Self {
        let mut symbols = [Symbol::NotReceived; ONE_BIT_LEN as usize];
        match bits >> 14 {
            0 | 1 => Self::Run(Symbol::from_bits(bits >> 13), bits & MAX_RUN),
            2 => {
                for (symbol, shift) in symbols.iter_mut().zip((0..ONE_BIT_LEN).rev()) {
                    *symbol = Symbol::from_bits(bits >> shift & 1);
                }
                Self::Vector(symbols, ONE_BIT_LEN)
            }
            _ => {
                for (symbol, shift) in symbols.iter_mut().zip((0..TWO_BITS_LEN).rev()) {
                    *symbol = Symbol::from_bits(bits >> (2 * shift));
                }
                Self::Vector(symbols, TWO_BITS_LEN)
            }
        }
    }

    fn run(symbol: Symbol, len: u16) -> u16 {
        symbol.bits() << 13 | len
    }

    fn one_bit(symbols: &[Symbol]) -> u16 {
        let shifts = (0..ONE_BIT_LEN).rev();
        let bits = symbols.iter().zip(shifts);
        bits.fold(0x8000, |chunk, (symbol, shift)| {
            chunk | symbol.bits() << shift
        })
    }

    fn two_bits(symbols: &[Symbol]) -> u16 {
        let shifts = (0..TWO_BITS_LEN).rev();
        let bits = symbols.iter().zip(shifts);
        bits.fold(0xC000, |chunk, (symbol, shift)| {
            chunk | symbol.bits() << (2 * shift)
        })
    }
}

/// The symbol of every packet of a feedback, in order.
#[derive(Clone, Debug)]
pub(super) struct Statuses<'a> {
    next: u16,
    left: u16,
    offset: i32,
    received: &'a [Received],
}

impl<'a> Statuses<'a> {
    pub(super) fn new(base: u16, count: u16, received: &'a [Received]) -> Self {
        Self {
            next: base,
            left: count,
            offset: 0,
            received,
        }
    }

    /// Whether every packet received has its place: in order, and within the count.
    pub(super) fn are_ordered(&self) -> bool {
        let mut all = self.clone();
        all.by_ref().for_each(drop);
        all.received.is_empty()
    }

    /// The chunks that say all the symbols: a run where 14 packets or all that are left are alike,
    /// or the 7 that two bits each could say; otherwise the vector that holds the most.
    pub(super) fn chunks(mut self) -> impl Iterator<Item = u16> {
        std::iter::from_fn(move || self.next_chunk())
    }

    fn next_chunk(&mut self) -> Option<u16> {
        let mut window = [Symbol::NotReceived; ONE_BIT_LEN as usize];
        let len = self.left.min(ONE_BIT_LEN);
        let window = &mut window[..len.into()];
        for (slot, symbol) in window.iter_mut().zip(self.clone()) {
            *slot = symbol;
        }
        let &first = window.first()?;
        let alike = window.iter().all(|symbol| *symbol == first);
        let large = window.contains(&Symbol::Large);
        let seven = usize::from(TWO_BITS_LEN).min(window.len());
        if alike || large && window[..seven].iter().all(|symbol| *symbol == first) {
            return Some(Chunk::run(first, self.take_run(first)));
        }
        let (chunk, taken) = if large {
            (Chunk::two_bits(window), TWO_BITS_LEN)
        } else {
            (Chunk::one_bit(window), ONE_BIT_LEN)
        };
        self.by_ref().take(taken.into()).for_each(drop);
        Some(chunk)
    }

    /// Takes as many of the same symbol as a run can say.
    fn take_run(&mut self, symbol: Symbol) -> u16 {
        let mut len = 0;
        while len < MAX_RUN {
            let mut ahead = self.clone();
            if ahead.next() != Some(symbol) {
                break;
            }
            *self = ahead;
            len += 1;
        }
        len
    }
}

impl Iterator for Statuses<'_> {
    type Item = Symbol;

    fn next(&mut self) -> Option<Symbol> {
        self.left = self.left.checked_sub(1)?;
        let number = self.next;
        self.next = number.wrapping_add(1);
        let Some((first, rest)) = self.received.split_first() else {
            return Some(Symbol::NotReceived);
        };
        if first.sequence_number != number {
            return Some(Symbol::NotReceived);
        }
        let delta = first.offset.wrapping_sub(self.offset);
        self.offset = first.offset;
        self.received = rest;
        Some(if is_small(delta) {
            Symbol::Small
        } else {
            Symbol::Large
        })
    }
}
