use super::aggregation::AggregationHeader;
use super::leb128;
use super::obu::{Obu, ObuExtension, kind};
use bytes::{BufMut, Bytes, BytesMut};
use smallvec::SmallVec;
use std::ops::Range;

/// Elements in a packet: as many as W can count, so that the last never needs a size.
const MAX_ELEMENTS: usize = 3;

/// The aggregation header.
const HEADER_LEN: usize = 1;

/// A packet that is being filled.
#[derive(Debug, Default)]
pub(super) struct Packet {
    /// OBUs, by index, and which part of each.
    elements: SmallVec<[(usize, Range<usize>); MAX_ELEMENTS]>,
    /// The layer of the OBUs that have one.
    layer: Option<ObuExtension>,
    /// Whether it is the first of a coded video sequence.
    new_sequence: bool,
}

impl Packet {
    /// The shortest: the header and a byte.
    pub(super) const MIN_LEN: usize = HEADER_LEN + 1;

    /// The header, and what the sizes of all elements but the last take, below 2 MiB.
    pub(super) const MAX_OVERHEAD: usize = HEADER_LEN + 3 * (MAX_ELEMENTS - 1);

    /// The first packet of a temporal unit.
    pub(super) fn first(new_sequence: bool) -> Self {
        Self {
            new_sequence,
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Whether the beginning of an OBU may follow what is here (§5).
    pub(super) fn admits(&self, obu: &Obu) -> bool {
        let one_layer = match (self.layer, obu.header.extension) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        self.is_empty() || (one_layer && obu.header.kind != kind::SEQUENCE_HEADER)
    }

    /// How long a further element may be, in a packet of at most `max_payload` bytes.
    pub(super) fn room(&self, max_payload: usize) -> usize {
        if self.elements.len() == MAX_ELEMENTS {
            return 0;
        }
        // All of them would have a size, the one that is the last now too.
        let used =
            (self.elements.iter()).map(|(_, part)| leb128::encoded_len(part.len()) + part.len());
        max_payload.saturating_sub(HEADER_LEN + used.sum::<usize>())
    }

    /// Adds a part of an OBU.
    pub(super) fn push(&mut self, index: usize, obu: &Obu, part: Range<usize>) {
        self.layer = self.layer.or(obu.header.extension);
        self.elements.push((index, part));
    }

    /// Writes the packet, and begins the next.
    pub(super) fn take(&mut self, unit: &[u8], obus: &[Obu], buffer: &mut BytesMut) -> Bytes {
        let Self {
            elements,
            new_sequence,
            ..
        } = std::mem::take(self);
        let ends = |(index, part): &(usize, Range<usize>)| part.end == obus[*index].len();
        let header = AggregationHeader {
            continues: elements.first().is_some_and(|(_, part)| part.start != 0),
            continued: elements.last().is_some_and(|element| !ends(element)),
            count: u8::try_from(elements.len()).unwrap_or(0),
            new_sequence,
        };
        buffer.put_u8(header.to_byte());
        for (position, (index, part)) in elements.iter().enumerate() {
            if position + 1 < elements.len() {
                leb128::write(part.len(), buffer);
            }
            obus[*index].put(unit, part.clone(), buffer);
        }
        buffer.split().freeze()
    }
}
