use crate::Side;
use std::fmt;
use std::time::Duration;

/// Every datagram that the two ends of a pair sent, in order, before any fault or loss.
///
/// Two runs of a deterministic machine with the same seed give equal records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    datagrams: Vec<Recorded>,
}

/// One datagram of a [`Record`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// The virtual time since the start.
    pub at: Duration,
    /// Who sent it.
    pub from: Side,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Record {
    /// Everything sent so far.
    #[must_use]
    pub fn datagrams(&self) -> &[Recorded] {
        &self.datagrams
    }

    /// The bytes of what one side sent.
    pub fn sent_by(&self, side: Side) -> impl Iterator<Item = &[u8]> {
        self.datagrams
            .iter()
            .filter(move |sent| sent.from == side)
            .map(|sent| sent.bytes.as_slice())
    }

    /// Adds a datagram.
    pub fn push(&mut self, at: Duration, from: Side, bytes: &[u8]) {
        self.datagrams.push(Recorded {
            at,
            from,
            bytes: bytes.to_vec(),
        });
    }

    /// Where two records begin to differ, told for people; `None` if they are equal.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let same = |(ours, theirs): &(&Recorded, &Recorded)| ours == theirs;
        let index = self
            .datagrams
            .iter()
            .zip(&other.datagrams)
            .take_while(same)
            .count();
        match (self.datagrams.get(index), other.datagrams.get(index)) {
            (None, None) => None,
            (ours, theirs) => Some(format!(
                "datagram {index} differs:\n  {ours:?}\n  {theirs:?}"
            )),
        }
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} {:?} {} bytes ",
            self.at,
            self.from,
            self.bytes.len()
        )?;
        self.bytes
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
