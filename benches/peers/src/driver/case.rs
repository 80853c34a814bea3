//! What is measured: a metric and the cases in it.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A kind of measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Metric {
    /// A data channel one way.
    Bulk,
    /// A message there and back.
    Pingpong,
    /// From nothing to an open channel.
    Connect,
    /// Connections that do nothing.
    Idle,
    /// A data channel one way, over a distance and with loss.
    Impaired,
}

impl Metric {
    pub(crate) const ALL: &[Self] = &[
        Self::Bulk,
        Self::Pingpong,
        Self::Connect,
        Self::Idle,
        Self::Impaired,
    ];

    /// As on the command line and in the records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Pingpong => "pingpong",
            Self::Connect => "connect",
            Self::Idle => "idle",
            Self::Impaired => "impaired",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|metric| metric.name() == name)
    }

    /// Its cases, in the order of the tables.
    pub(super) fn cases(self) -> Vec<Case> {
        match self {
            Self::Bulk => bulk(),
            Self::Impaired => impaired(),
            Self::Pingpong => vec![Case::new(self, "64 bytes".into(), Work::RoundTrips)],
            Self::Connect => vec![Case::new(self, "one after another".into(), Work::SetUp)],
            Self::Idle => vec![Case::new(self, "open channel".into(), Work::Idle)],
        }
    }

    /// Their names, in the order of the tables.
    pub(crate) fn case_names(self) -> Vec<String> {
        self.cases().into_iter().map(|case| case.name).collect()
    }
}

/// One measurement, repeated for every peer.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) metric: Metric,
    /// As it stands in the tables.
    pub(super) name: String,
    pub(super) work: Work,
}

/// What is done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    Bulk(Bulk),
    RoundTrips,
    SetUp,
    Idle,
}

/// A transfer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bulk {
    /// Bytes of a message.
    pub(super) size: usize,
    pub(super) ordered: bool,
    /// How many connections at the same time.
    pub(super) pairs: usize,
    /// Through which path; `None` for loopback as it is.
    pub(super) path: Option<Impairment>,
}

/// A path that is not the best.
#[derive(Clone, Copy, Debug)]
pub(super) struct Impairment {
    pub(super) round_trip: Duration,
    /// The share of datagrams that is lost in each direction, in thousandths.
    pub(super) loss_permille: u32,
}

impl Case {
    fn new(metric: Metric, name: String, work: Work) -> Self {
        Self { metric, name, work }
    }
}

fn bulk() -> Vec<Case> {
    let mut cases = Vec::new();
    for pairs in [1, 10] {
        for ordered in [true, false] {
            for kib in [1, 16, 64, 256] {
                let order = if ordered { "ordered" } else { "unordered" };
                let many = if pairs == 1 { "pair" } else { "pairs" };
                let transfer = Bulk {
                    size: kib << 10,
                    ordered,
                    pairs,
                    path: None,
                };
                let name = format!("{kib} KiB, {order}, {pairs} {many}");
                cases.push(Case::new(Metric::Bulk, name, Work::Bulk(transfer)));
            }
        }
    }
    cases
}

fn impaired() -> Vec<Case> {
    let mut cases = Vec::new();
    for milliseconds in [0, 20, 50, 100] {
        for loss_permille in [0, 1, 10, 50] {
            let transfer = Bulk {
                size: 16 << 10,
                ordered: true,
                pairs: 1,
                path: Some(Impairment {
                    round_trip: Duration::from_millis(milliseconds),
                    loss_permille,
                }),
            };
            let percent = f64::from(loss_permille) / 10.0;
            let name = format!("{milliseconds} ms, {percent} % loss");
            cases.push(Case::new(Metric::Impaired, name, Work::Bulk(transfer)));
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn cases_of_a_metric_have_names_of_their_own() {
        for metric in Metric::ALL {
            let cases = metric.cases();
            let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
            assert_eq!(names.len(), cases.len(), "{}", metric.name());
        }
    }

    #[test]
    fn metrics_are_found_by_their_names() {
        for metric in Metric::ALL {
            assert_eq!(Metric::named(metric.name()), Some(*metric));
        }
        assert_eq!(Metric::named("speed"), None);
    }
}
