//! Summaries as bar charts: a group of bars for each case, a bar for each peer, its length the median
//! and a thin line from the lowest to the highest repetition.

mod svg;

use crate::Result;
use crate::peer::Kind;
use crate::summary::{Row, Spread, Summary};
use crate::table::significant;
use std::fs;
use std::path::{Path, PathBuf};
use svg::{Anchor, Svg};

/// The picture, in pixels.
const WIDTH: f64 = 860.0;
/// Where the bars begin.
const LEFT: f64 = 190.0;
/// Where the longest one ends; its figure stands after it.
const RIGHT: f64 = 740.0;
/// Below title and legend.
const TOP: f64 = 64.0;
const BAR: f64 = 13.0;
/// Between the bars of two cases.
const GAP: f64 = 14.0;
/// For the axis with its numbers and its name.
const BOTTOM: f64 = 46.0;

/// A colour for each peer, in the order of [`Kind::ALL`].
const COLOURS: &[&str] = &[
    "#2f81f7", "#79c0ff", "#d9822b", "#f2b872", "#3a9d5d", "#8fd19e", "#8957e5",
];

/// Draws each of them into a file of this folder. The files.
pub(crate) fn draw(summaries: &[Summary], folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let mut files = Vec::new();
    for summary in summaries {
        let quantity = summary.quantity;
        let name = format!("{}-{}.svg", quantity.metric.name(), quantity.figure);
        let file = folder.join(name.replace('_', "-"));
        fs::write(&file, chart(summary))?;
        files.push(file);
    }
    Ok(files)
}

/// One chart.
fn chart(summary: &Summary) -> String {
    let mut svg = Svg::new();
    let quantity = summary.quantity;
    let better = if quantity.higher_is_better {
        "longer bars are better"
    } else {
        "shorter bars are better"
    };
    let title = format!("{} ({})", quantity.title, quantity.unit);
    svg.text((16.0, 24.0), Anchor::Start, "title", &title);
    svg.text((WIDTH - 16.0, 24.0), Anchor::End, "minor", better);
    legend(&mut svg, &summary.peers);

    let group = summary.peers.len() as f64 * BAR + GAP;
    let bottom = TOP + group * summary.rows.len() as f64;
    let axis = Axis::up_to(largest(&summary.rows));
    axis.draw(&mut svg, bottom, quantity.unit);
    for (index, row) in summary.rows.iter().enumerate() {
        bars(&mut svg, summary, row, TOP + group * index as f64, &axis);
    }
    svg.finish(WIDTH, bottom + BOTTOM, &title)
}

fn legend(svg: &mut Svg, peers: &[String]) {
    let mut left = 16.0;
    for peer in peers {
        svg.bar((left, 38.0), (10.0, 10.0), colour(peer), peer);
        svg.text((left + 15.0, 47.0), Anchor::Start, "", peer);
        // About the width of a letter in the font of the texts.
        left += 34.0 + 6.6 * peer.len() as f64;
    }
}

/// The bars of one case.
fn bars(svg: &mut Svg, summary: &Summary, row: &Row, top: f64, axis: &Axis) {
    let height = summary.peers.len() as f64 * BAR;
    let middle = top + height / 2.0 + 4.0;
    svg.text((LEFT - 10.0, middle), Anchor::End, "", &row.case);
    for (place, (peer, spread)) in summary.peers.iter().zip(&row.spreads).enumerate() {
        let top = top + place as f64 * BAR;
        let writing = top + BAR - 3.0;
        match spread {
            Some(spread) => bar(svg, peer, *spread, top, axis),
            None => svg.text((LEFT + 5.0, writing), Anchor::Start, "minor", "–"),
        }
    }
}

fn bar(svg: &mut Svg, peer: &str, spread: Spread, top: f64, axis: &Axis) {
    let Spread { median, min, max } = spread;
    let figures = [median, min, max].map(significant);
    let hint = format!("{peer}: {} ({}..{})", figures[0], figures[1], figures[2]);
    let length = axis.place(median) - LEFT;
    svg.bar((LEFT, top), (length, BAR - 2.0), colour(peer), &hint);
    let centre = top + BAR / 2.0 - 1.0;
    if min < max {
        let (from, to) = (axis.place(min), axis.place(max));
        svg.stroke((from, centre), (to, centre), "spread");
    }
    let at = (axis.place(max) + 5.0, top + BAR - 3.0);
    svg.text(at, Anchor::Start, "minor", &figures[0]);
}

/// The colour of a peer is the same in all charts.
fn colour(peer: &str) -> &'static str {
    let mut all = Kind::ALL.iter();
    let place = all.position(|kind| kind.name() == peer);
    place
        .and_then(|place| COLOURS.get(place))
        .unwrap_or(&"#59636e")
}

fn largest(rows: &[Row]) -> f64 {
    let spreads = rows.iter().flat_map(|row| row.spreads.iter().flatten());
    spreads.map(|spread| spread.max).fold(0.0, f64::max)
}

/// The axis of the figures, from 0.
struct Axis {
    end: f64,
    step: f64,
}

impl Axis {
    /// With at least four and at most ten steps of 1, 2 or 5 times a power of ten.
    fn up_to(largest: f64) -> Self {
        let largest = if largest > 0.0 { largest } else { 1.0 };
        let tenth = largest / 10.0;
        let power = 10f64.powf(tenth.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
        // The last one is always large enough.
        let step = steps.into_iter().find(|step| *step >= tenth * 0.999);
        let step = step.unwrap_or(largest);
        Self {
            end: (largest / step).ceil() * step,
            step,
        }
    }

    fn place(&self, figure: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * figure / self.end
    }

    fn draw(&self, svg: &mut Svg, bottom: f64, unit: &str) {
        let mut figure = 0.0;
        while figure <= self.end * 1.001 {
            let x = self.place(figure);
            svg.stroke((x, TOP - 4.0), (x, bottom), "grid");
            let number = if self.step >= 1.0 {
                format!("{figure:.0}")
            } else {
                significant(figure)
            };
            svg.text((x, bottom + 16.0), Anchor::Middle, "minor", &number);
            figure += self.step;
        }
        let middle = f64::midpoint(LEFT, RIGHT);
        svg.text((middle, bottom + 34.0), Anchor::Middle, "", unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::{Figures, Metric};
    use crate::record::Record;

    fn records() -> Vec<Record> {
        let record = |peer: &str, case: &str, mb_per_s: f64| Record {
            metric: Metric::Bulk,
            case: case.into(),
            peer: peer.into(),
            rep: 0,
            figures: Figures::from([("mb_per_s".to_owned(), mb_per_s)]),
            error: None,
            others: None,
        };
        vec![
            record("muon", "1 KiB, ordered, 1 pair", 400.0),
            record("str0m", "1 KiB, ordered, 1 pair", 20.0),
            record("muon", "16 KiB, ordered, 1 pair", 380.0),
        ]
    }

    #[test]
    fn a_chart_has_a_bar_for_each_figure_and_one_for_each_peer_in_the_legend() {
        let summaries = Summary::all(&records());
        let chart = chart(&summaries[0]);
        assert_eq!(chart.matches("<rect").count(), 3 + 2);
        assert!(chart.contains(">Data channels, one way (MB/s)<"));
        assert!(chart.contains(">16 KiB, ordered, 1 pair</text>"));
    }

    #[test]
    fn every_peer_has_a_colour_of_its_own() {
        assert_eq!(COLOURS.len(), Kind::ALL.len());
    }

    #[test]
    fn bars_are_as_long_as_their_figures() {
        let axis = Axis::up_to(400.0);
        assert_eq!((axis.end, axis.step), (400.0, 50.0));
        assert_eq!(axis.place(0.0), LEFT);
        assert_eq!(axis.place(400.0), RIGHT);
        assert_eq!(axis.place(200.0), f64::midpoint(LEFT, RIGHT));
    }

    #[test]
    fn axes_end_at_a_round_number() {
        assert_eq!(Axis::up_to(37.0).end, 40.0);
        assert_eq!(Axis::up_to(1180.0).end, 1200.0);
        assert_eq!(Axis::up_to(0.0).end, 1.0);
    }
}
