//! What the system says of this process. It is Linux that is asked; elsewhere everything is 0.

use std::fs::{read_dir, read_to_string};
use std::path::Path;
use std::time::Duration;

/// Processor time so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    /// In all threads that live, to the nanosecond.
    pub(crate) total: Duration,
    /// Of it outside of the kernel, as far as ticks of 10 ms show it.
    pub(crate) user: Duration,
}

impl Cpu {
    pub(crate) fn now() -> Self {
        let total = tasks().map(|task| on_cpu(&task)).sum();
        Self {
            total,
            user: user_ticks().map_or(Duration::ZERO, |ticks| Duration::from_millis(ticks * 10)),
        }
    }

    /// What was used since then.
    pub(crate) fn since(self, then: Self) -> Self {
        Self {
            total: self.total.saturating_sub(then.total),
            user: self.user.saturating_sub(then.user),
        }
    }

    /// Of it inside of the kernel.
    pub(crate) fn system(self) -> Duration {
        self.total.saturating_sub(self.user)
    }
}

/// The directories of the threads.
fn tasks() -> impl Iterator<Item = std::path::PathBuf> {
    let entries = read_dir("/proc/self/task").into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path()))
}

/// The first figure of a thread's `schedstat`: nanoseconds on a processor.
fn on_cpu(task: &Path) -> Duration {
    let line = read_to_string(task.join("schedstat")).unwrap_or_default();
    let first = line.split_ascii_whitespace().next();
    Duration::from_nanos(first.and_then(|field| field.parse().ok()).unwrap_or(0))
}

/// `utime` of proc_pid_stat(5): the 12th field after the name, which stands in parentheses and may
/// hold anything.
fn user_ticks() -> Option<u64> {
    let stat = read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(11)?.parse().ok()
}

/// Memory that is resident, in KiB.
pub(crate) fn resident_kib() -> f64 {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let field = line.and_then(|line| line.split_ascii_whitespace().next());
    field.and_then(|field| field.parse().ok()).unwrap_or(0.0)
}

/// How many threads there are.
pub(crate) fn threads() -> f64 {
    tasks().map(|_| 1.0).sum()
}
