use crate::DecodeError;
use std::fmt;
use std::str::FromStr;

/// The events that a peer can process: the value of the `fmtp` line (RFC 4733 §2.4.1), such as
/// `0-15,66,70`. Only these may be sent to it (§2.5.1.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EventSet {
    /// A bit for each code.
    bits: [u64; 4],
}

impl EventSet {
    /// No events.
    #[must_use]
    pub const fn empty() -> Self {
        Self { bits: [0; 4] }
    }

    /// Whether an event is one of them.
    #[must_use]
    pub fn contains(&self, code: u8) -> bool {
        self.bits[usize::from(code / 64)] >> (code % 64) & 1 == 1
    }

    /// Adds an event.
    pub fn insert(&mut self, code: u8) {
        self.bits[usize::from(code / 64)] |= 1 << (code % 64);
    }

    /// The codes, in order.
    pub fn iter(&self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(|&code| self.contains(code))
    }
}

impl Default for EventSet {
    /// The DTMF digits: what a peer that lists none can process (§2.5.1.1).
    fn default() -> Self {
        Self {
            bits: [0xFFFF, 0, 0, 0],
        }
    }
}

impl FromStr for EventSet {
    type Err = DecodeError;

    /// Reads a list of codes and ranges, without white space.
    fn from_str(list: &str) -> Result<Self, DecodeError> {
        let code = |text: &str| u8::from_str(text).map_err(|_| DecodeError::Value);
        let mut set = Self::empty();
        for element in list.split(',') {
            let (first, last) = element.split_once('-').unwrap_or((element, element));
            let (first, last) = (code(first)?, code(last)?);
            if first > last {
                return Err(DecodeError::Value);
            }
            for code in first..=last {
                set.insert(code);
            }
        }
        Ok(set)
    }
}

impl fmt::Display for EventSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut codes = self.iter().peekable();
        while let Some(first) = codes.next() {
            let mut last = first;
            while let Some(next) = codes.next_if(|&next| next == last.saturating_add(1)) {
                last = next;
            }
            match first == last {
                true => write!(f, "{separator}{first}")?,
                false => write!(f, "{separator}{first}-{last}")?,
            }
            separator = ",";
        }
        Ok(())
    }
}

impl fmt::Debug for EventSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventSet({self})")
    }
}
