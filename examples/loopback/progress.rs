//! A line on the terminal that shows how far a long phase has come.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// Cells of the bar.
const WIDTH: u64 = 32;
/// How often the line is drawn anew.
const INTERVAL: Duration = Duration::from_millis(100);

/// Drawn on standard error, and only where that is a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    label: &'static str,
    total: u64,
    done: u64,
    started: Instant,
    /// When to draw next; `None` draws nothing.
    due: Option<Instant>,
}

impl Progress {
    pub(crate) fn new(label: &'static str, total: u64, shown: bool) -> Self {
        let started = Instant::now();
        Self {
            label,
            total,
            done: 0,
            started,
            due: (shown && stderr().is_terminal()).then_some(started),
        }
    }

    pub(crate) fn advance(&mut self, amount: u64) {
        self.done += amount;
        let Some(due) = self.due else { return };
        let now = Instant::now();
        if now >= due {
            self.due = Some(now + INTERVAL);
            self.draw(now - self.started);
        }
    }

    /// The time from the start to now; the line is wiped.
    pub(crate) fn finish(self) -> Duration {
        let elapsed = self.started.elapsed();
        if self.due.is_some() {
            // A terminal that went away takes no harm from a line it cannot show.
            let _ = write!(stderr(), "\r\x1b[2K");
        }
        elapsed
    }

    fn draw(&self, elapsed: Duration) {
        let total = self.total.max(1);
        let full = usize::try_from(self.done * WIDTH / total).unwrap_or(0);
        let rest = usize::try_from(WIDTH).unwrap_or(0).saturating_sub(full);
        let percent = self.done * 100 / total;
        let left =
            elapsed.as_secs_f64() * (total - self.done.min(total)) as f64 / self.done.max(1) as f64;
        let _ = write!(
            stderr(),
            "\r\x1b[2K{:<11} {}{} {percent:>3} %  {left:.0} s left",
            self.label,
            "█".repeat(full),
            "░".repeat(rest),
        );
        let _ = stderr().flush();
    }
}
