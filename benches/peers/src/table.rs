//! Summaries as Markdown.

use crate::summary::{REFERENCE, Row, Spread, Summary};
use std::fmt::Write;

/// What stands where there is no figure.
const NOTHING: &str = "–";

/// All tables, each with its heading.
pub(crate) fn report(summaries: &[Summary]) -> String {
    summaries.iter().map(table).collect::<Vec<_>>().join("\n")
}

/// A table of what was measured and, where there is something to compare with, one of ratios.
fn table(summary: &Summary) -> String {
    let quantity = summary.quantity;
    let better = if quantity.higher_is_better {
        "higher is better"
    } else {
        "lower is better"
    };
    let mut text = format!(
        "### {}\n\n{}, {better}; median (lowest..highest)\n\n",
        quantity.title, quantity.unit
    );
    lines(&mut text, summary, |row, place| {
        row.spreads[place].map(absolute)
    });
    if let Some(reference) = summary.reference()
        && summary.peers.len() > 1
    {
        let _ = write!(text, "\nIn parts of {REFERENCE}:\n\n");
        lines(&mut text, summary, |row, place| {
            row.ratio(place, reference).map(significant)
        });
    }
    text
}

/// The head of a table, and a line for each row.
fn lines(text: &mut String, summary: &Summary, cell: impl Fn(&Row, usize) -> Option<String>) {
    let peers = summary.peers.join(" | ");
    let rule = "---|".repeat(summary.peers.len() + 1);
    let _ = writeln!(text, "| | {peers} |\n|{rule}");
    for row in &summary.rows {
        let cells: Vec<String> = (0..summary.peers.len())
            .map(|place| cell(row, place).unwrap_or_else(|| NOTHING.into()))
            .collect();
        let _ = writeln!(text, "| {} | {} |", row.case, cells.join(" | "));
    }
}

fn absolute(spread: Spread) -> String {
    let median = significant(spread.median);
    let (min, max) = (significant(spread.min), significant(spread.max));
    if min == max {
        median
    } else {
        format!("{median} ({min}..{max})")
    }
}

/// A number with three significant digits, or all before the point.
pub(crate) fn significant(number: f64) -> String {
    let size = number.abs();
    if size >= 100.0 {
        format!("{number:.0}")
    } else if size >= 10.0 {
        format!("{number:.1}")
    } else if size >= 1.0 || size == 0.0 {
        format!("{number:.2}")
    } else {
        format!("{number:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::{Figures, Metric};
    use crate::record::Record;

    fn record(peer: &str, rep: usize, p50: f64) -> Record {
        Record {
            metric: Metric::Pingpong,
            case: "64 bytes".into(),
            peer: peer.into(),
            rep,
            figures: Figures::from([("p50_us".to_owned(), p50)]),
            error: None,
            others: None,
        }
    }

    #[test]
    fn medians_stand_beside_their_ratios_to_the_reference() {
        let records = [
            record("str0m", 0, 50.0),
            record("muon", 0, 30.0),
            record("muon", 1, 40.0),
            record("muon", 2, 90.0),
        ];
        let report = report(&Summary::all(&records));
        assert!(report.contains("| | muon | str0m |\n|---|---|---|\n"));
        assert!(report.contains("| 64 bytes | 40.0 (30.0..90.0) | 50.0 |\n"));
        assert!(report.contains("In parts of muon:"));
        assert!(report.contains("| 64 bytes | 1.00 | 1.25 |\n"));
    }

    #[test]
    fn what_failed_is_left_empty() {
        let mut failed = record("webrtc", 0, 0.0);
        failed.figures.clear();
        failed.error = Some("nothing arrived".into());
        let report = report(&Summary::all(&[record("muon", 0, 30.0), failed]));
        assert!(report.contains("| 64 bytes | 30.0 | – |\n"));
        assert!(report.contains("| 64 bytes | 1.00 | – |\n"));
    }

    #[test]
    fn numbers_keep_three_digits() {
        let numbers = [1234.5, 123.4, 12.34, 1.234, 0.1234, 0.0];
        let texts = numbers.map(significant);
        assert_eq!(texts, ["1234", "123", "12.3", "1.23", "0.123", "0.00"]);
    }
}
