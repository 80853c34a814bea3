//! What a test does to single datagrams of a [`Pair`](crate::Pair), on top of what its links do.

use std::net::SocketAddr;
use std::time::Duration;

/// One end of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The first one.
    A,
    /// The second one.
    B,
}

impl Side {
    /// The other end.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// A datagram as it leaves one end of a pair.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Leaving<'a> {
    /// Who sends it.
    pub from: Side,
    /// How many datagrams that side has sent before.
    pub index: usize,
    /// The virtual time since the start.
    pub at: Duration,
    /// Its local and its remote address; `None` in a [`Pair`](crate::Pair), which has none.
    pub path: Option<(SocketAddr, SocketAddr)>,
    /// The datagram.
    pub bytes: &'a [u8],
}

/// What a test does to a datagram before it reaches the link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// Nothing: the link decides.
    Pass,
    /// It is lost.
    Drop,
    /// It is put on the link twice.
    Duplicate,
    /// It arrives this much later than by the delay of the link, and is spared its other properties.
    Delay(Duration),
    /// Other bytes take its place.
    Replace(Vec<u8>),
}

/// Decides the fate of every datagram of a pair.
pub type Fault = Box<dyn FnMut(Leaving<'_>) -> Fate>;

/// Loses everything that `side` sends.
#[must_use]
pub fn drop_all(side: Side) -> Fault {
    Box::new(move |leaving| drop_if(leaving.from == side))
}

/// Loses the datagram number `n` (from 0) of `side`.
#[must_use]
pub fn drop_nth(side: Side, n: usize) -> Fault {
    Box::new(move |leaving| drop_if(leaving.from == side && leaving.index == n))
}

/// Loses the first `count` datagrams of `side`.
#[must_use]
pub fn drop_first(side: Side, count: usize) -> Fault {
    Box::new(move |leaving| drop_if(leaving.from == side && leaving.index < count))
}

/// Loses what `predicate` answers `true` for.
#[must_use]
pub fn drop_where(mut predicate: impl FnMut(Leaving<'_>) -> bool + 'static) -> Fault {
    Box::new(move |leaving| drop_if(predicate(leaving)))
}

/// Holds back the datagram number `n` of `side`, so that later ones overtake it.
#[must_use]
pub fn delay_nth(side: Side, n: usize, by: Duration) -> Fault {
    Box::new(move |leaving| {
        if leaving.from == side && leaving.index == n {
            Fate::Delay(by)
        } else {
            Fate::Pass
        }
    })
}

/// Sends everything twice.
#[must_use]
pub fn duplicate_all() -> Fault {
    Box::new(|_| Fate::Duplicate)
}

fn drop_if(condition: bool) -> Fate {
    if condition { Fate::Drop } else { Fate::Pass }
}
