//! What the system says of this process.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use std::fs::read_to_string;

/// Processor time of all threads so far, user and system, in seconds.
pub(crate) fn cpu_seconds() -> f64 {
    used_by(UsageWho::RUSAGE_SELF)
}

/// That of the processes that were started and have ended.
pub(crate) fn ended_children_cpu_seconds() -> f64 {
    used_by(UsageWho::RUSAGE_CHILDREN)
}

fn used_by(who: UsageWho) -> f64 {
    getrusage(who).map_or(0.0, |usage| {
        seconds(usage.user_time()) + seconds(usage.system_time())
    })
}

fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

/// Memory that is resident, in KiB. Linux says so; elsewhere it is 0.
pub(crate) fn resident_kib() -> f64 {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let field = line.and_then(|line| line.split_ascii_whitespace().next());
    field.and_then(|field| field.parse().ok()).unwrap_or(0.0)
}

/// Processor time that the whole machine has used since it started, in seconds; `None` where the
/// system does not say.
pub(crate) fn machine_cpu_seconds() -> Option<f64> {
    let stat = read_to_string("/proc/stat").ok()?;
    // proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal, in ticks of 10 ms.
    let fields = stat.lines().next()?.split_ascii_whitespace().skip(1);
    let ticks: Vec<f64> = fields.filter_map(|field| field.parse().ok()).collect();
    let busy = ticks.get(..3)?.iter().chain(ticks.get(5..8)?);
    Some(busy.sum::<f64>() / 100.0)
}
