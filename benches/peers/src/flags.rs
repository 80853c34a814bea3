//! The command line.

use crate::Result;
use crate::driver::{Effort, Metric, Plan};
use crate::peer::Kind;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub(crate) const HELP: &str = "\
peers run [FLAGS]            measures; one line on standard error for each measurement
  --metrics bulk,…           bulk, pingpong, connect, idle, impaired (default: all)
  --peers muon,…             default: muon, str0m, webrtc; `peers list` has all
  --only TEXT                only cases whose name contains this; may be given more than once
  --reps 5                   how often each is measured
  --secs 5                   how long a transfer is measured
  --warm 2                   how long it runs before
  --rounds 10000             messages there and back
  --set-ups 50               connections one after another
  --idle 200                 idle connections
  --seed 1                   of the losses
  --json FILE                adds a line of JSON for each measurement
  --table                    prints the tables as Markdown

peers table FILE…            the tables of such files
peers plot FILE… [--out DIR] a bar chart for each table (default: docs/plots)
peers list                   peers, metrics and cases";

/// Flags and what stands between them.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    flags: Vec<(String, String)>,
    /// What is no flag.
    pub(crate) rest: Vec<String>,
}

impl Arguments {
    /// Takes a command line apart. All flags but `--table` have a value, and no others are known
    /// than those of [`HELP`].
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut parsed = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let Some(flag) = argument.strip_prefix("--") else {
                parsed.rest.push(argument);
                continue;
            };
            if !HELP.contains(&format!("--{flag} ")) {
                return Err(format!("no such flag: --{flag}").into());
            }
            let value = if flag == "table" {
                String::new()
            } else {
                arguments.next().ok_or(format!("--{flag} needs a value"))?
            };
            parsed.flags.push((flag.to_owned(), value));
        }
        Ok(parsed)
    }

    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.value(name).map(PathBuf::from)
    }

    /// What was said last.
    fn value(&self, name: &str) -> Option<&str> {
        self.values(name).next_back()
    }

    fn values(&self, name: &str) -> impl DoubleEndedIterator<Item = &str> {
        let flags = self.flags.iter().filter(move |(flag, _)| flag == name);
        flags.map(|(_, value)| value.as_str())
    }

    fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T> {
        let Some(value) = self.value(name) else {
            return Ok(default);
        };
        let number = value.parse();
        number.map_err(|_| format!("--{name} is a number, not {value}").into())
    }

    fn seconds(&self, name: &str, default: f64) -> Result<Duration> {
        let seconds = self.number(name, default)?;
        Ok(Duration::try_from_secs_f64(seconds)?)
    }

    /// The parts of a list.
    fn list(&self, name: &str) -> Option<Vec<String>> {
        let value = self.value(name)?;
        Some(value.split(',').map(str::to_owned).collect())
    }

    /// What is to be run.
    pub(crate) fn plan(&self) -> Result<Plan> {
        if let Some(more) = self.rest.first() {
            return Err(format!("what is {more}?").into());
        }
        let metrics = match self.list("metrics") {
            None => Metric::ALL.to_vec(),
            Some(names) => all_named(&names, Metric::named)?,
        };
        let peers = match self.list("peers") {
            None => vec![Kind::Muon, Kind::Str0m, Kind::Webrtc],
            Some(names) => all_named(&names, Kind::named)?,
        };
        if let Some(kind) = peers.iter().find(|kind| !kind.is_built()) {
            let name = kind.name();
            return Err(format!("{name} is a feature: cargo run --features {name}").into());
        }
        Ok(Plan {
            metrics,
            peers,
            only: self.values("only").map(str::to_owned).collect(),
            repetitions: self.number("reps", 5)?,
            effort: Effort {
                measured: self.seconds("secs", 5.0)?,
                warm_up: self.seconds("warm", 2.0)?,
                rounds: self.number("rounds", 10_000)?,
                set_ups: self.number("set-ups", 50)?,
                idle: self.number("idle", 200)?,
            },
            seed: self.number("seed", 1)?,
        })
    }
}

fn all_named<T>(names: &[String], named: impl Fn(&str) -> Option<T>) -> Result<Vec<T>> {
    let of = |name: &String| named(name).ok_or(format!("there is no {name}; see peers list"));
    Ok(names
        .iter()
        .map(of)
        .collect::<std::result::Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Result<Arguments> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_set_the_plan() {
        let plan = arguments("--peers muon,str0m --reps 2 --secs 0.5 --metrics idle");
        let plan = plan.unwrap().plan().unwrap();
        assert_eq!(plan.peers, [Kind::Muon, Kind::Str0m]);
        assert_eq!(plan.metrics, [Metric::Idle]);
        assert_eq!(plan.repetitions, 2);
        assert_eq!(plan.effort.measured, Duration::from_millis(500));
    }

    #[test]
    fn cases_may_be_chosen_by_several_parts_of_their_names() {
        let only = ["--only", "16 KiB, ordered", "--only", "64 KiB"];
        let parsed = Arguments::parse(only.map(str::to_owned)).unwrap();
        assert_eq!(parsed.plan().unwrap().only, ["16 KiB, ordered", "64 KiB"]);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert!(arguments("--speed 3").is_err());
        assert!(arguments("--reps").is_err());
        assert!(arguments("--reps many").unwrap().plan().is_err());
        assert!(arguments("--peers pion").unwrap().plan().is_err());
        assert!(arguments("bulk").unwrap().plan().is_err());
    }

    #[test]
    fn a_flag_without_a_value_takes_none() {
        let parsed = arguments("--table file").unwrap();
        assert!(parsed.is_set("table"));
        assert_eq!(parsed.rest, ["file"]);
    }
}
