//! Runs the measurements: each case by every peer in turn, and all of that again.

mod case;
mod child;
mod measure;

pub(crate) use case::Metric;
pub(crate) use measure::{Effort, Figures};

use crate::Result;
use crate::peer::Kind;
use crate::process::{cpu_seconds, ended_children_cpu_seconds, machine_cpu_seconds};
use crate::record::{Journal, Record};
use case::Case;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// A measurement that takes longer than this and the time it measures has failed.
const LIMIT: Duration = Duration::from_secs(150);

/// What is run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) metrics: Vec<Metric>,
    pub(crate) peers: Vec<Kind>,
    /// Only cases whose name contains one of these; all, if there are none.
    pub(crate) only: Vec<String>,
    pub(crate) repetitions: usize,
    pub(crate) effort: Effort,
    /// Of the losses of the first repetition; each further one has the next.
    pub(crate) seed: u64,
}

impl Plan {
    fn cases(&self) -> Vec<Case> {
        let all = self.metrics.iter().flat_map(|metric| metric.cases());
        let wanted = |case: &Case| {
            self.only.is_empty() || self.only.iter().any(|part| case.name.contains(part))
        };
        all.filter(wanted).collect()
    }

    /// Runs it: A B C A B C, every other round from the end, so that what drifts on the machine
    /// meets all alike. Says on standard error what is going on.
    pub(crate) async fn run(&self, journal: &mut Journal) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        for case in self.cases() {
            for rep in 0..self.repetitions {
                let mut peers = self.peers.clone();
                if rep % 2 == 1 {
                    peers.reverse();
                }
                for kind in peers {
                    let record = self.measured(kind, &case, rep).await;
                    eprintln!("{}", line(&record));
                    journal.add(&record)?;
                    records.push(record);
                }
            }
        }
        Ok(records)
    }

    async fn measured(&self, kind: Kind, case: &Case, rep: usize) -> Record {
        let seed = self.seed + rep as u64;
        let busy = Busy::now();
        let limit = LIMIT + self.effort.measured;
        let outcome = timeout(limit, measure::measure(kind, case, self.effort, seed)).await;
        let outcome = outcome.unwrap_or_else(|_| Err("took too long".into()));
        let (figures, error) = match outcome {
            Ok(figures) => (figures, None),
            Err(error) => (Figures::new(), Some(error.to_string())),
        };
        Record {
            metric: case.metric,
            case: case.name.clone(),
            peer: kind.name().to_owned(),
            rep,
            figures,
            error,
            others: busy.others(),
        }
    }
}

fn line(record: &Record) -> String {
    let Record {
        metric, case, peer, ..
    } = record;
    let result = match &record.error {
        Some(error) => error.clone(),
        None => {
            let figures = record.figures.iter();
            let figures = figures.map(|(name, figure)| format!("{name} {figure:.4}"));
            figures.collect::<Vec<_>>().join(", ")
        }
    };
    format!("{}, {case}: {peer}: {result}", metric.name())
}

/// How busy the machine has been up to some moment.
struct Busy {
    at: Instant,
    machine: Option<f64>,
    ours: f64,
}

impl Busy {
    fn now() -> Self {
        Self {
            at: Instant::now(),
            machine: machine_cpu_seconds(),
            ours: cpu_seconds() + ended_children_cpu_seconds(),
        }
    }

    /// How many processors were busy with what is not ours, since then.
    fn others(&self) -> Option<f64> {
        let now = Self::now();
        let all = now.machine? - self.machine?;
        let others = all - (now.ours - self.ours);
        let share = others / (now.at - self.at).as_secs_f64();
        Some((share.max(0.0) * 100.0).round() / 100.0)
    }
}
