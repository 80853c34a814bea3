//! From records to what the tables and plots show: the median of the repetitions, and how far they
//! lie apart.

use crate::driver::Metric;
use crate::peer::Kind;
use crate::record::Record;

/// The peer to which the others are compared.
pub(crate) const REFERENCE: &str = "muon";

/// What one table and one plot show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quantity {
    pub(crate) metric: Metric,
    /// Its name in the records.
    pub(crate) figure: &'static str,
    pub(crate) title: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) higher_is_better: bool,
}

impl Quantity {
    const fn new(
        metric: Metric,
        figure: &'static str,
        title: &'static str,
        unit: &'static str,
    ) -> Self {
        Self {
            metric,
            figure,
            title,
            unit,
            higher_is_better: false,
        }
    }

    const fn higher_is_better(mut self) -> Self {
        self.higher_is_better = true;
        self
    }

    /// All of them, in the order of the report.
    pub(crate) const ALL: &[Self] = &[
        Self::new(Metric::Bulk, "mb_per_s", "Data channels, one way", "MB/s").higher_is_better(),
        Self::new(
            Metric::Bulk,
            "cpu_s_per_gb",
            "Processor time of a transfer, both ends",
            "s/GB",
        ),
        Self::new(Metric::Pingpong, "p50_us", "There and back, median", "µs"),
        Self::new(
            Metric::Pingpong,
            "p99_us",
            "There and back, 99 of 100 are faster",
            "µs",
        ),
        Self::new(
            Metric::Pingpong,
            "cpu_us_per_round",
            "Processor time of a round, both ends",
            "µs",
        ),
        Self::new(
            Metric::Connect,
            "p50_ms",
            "Until the channel is open, median",
            "ms",
        ),
        Self::new(
            Metric::Connect,
            "cpu_ms_per_pair",
            "Processor time of setting up and closing a pair",
            "ms",
        ),
        Self::new(
            Metric::Idle,
            "kib_per_pair",
            "Memory of an idle pair",
            "KiB",
        ),
        Self::new(
            Metric::Idle,
            "cpu_us_per_pair_s",
            "Processor time of an idle pair in a second",
            "µs",
        ),
        Self::new(
            Metric::Impaired,
            "mb_per_s",
            "One way over a distance, messages of 16 KiB",
            "MB/s",
        )
        .higher_is_better(),
    ];
}

/// The repetitions of one measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// `None` of no figures.
    pub(crate) fn of(figures: &mut [f64]) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        let middle = figures.len() / 2;
        let median = if figures.len().is_multiple_of(2) {
            f64::midpoint(figures[middle - 1], figures[middle])
        } else {
            figures[middle]
        };
        Some(Self { median, min, max })
    }
}

/// A quantity with what was measured of it.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    pub(crate) quantity: Quantity,
    /// In the order of [`Kind::ALL`].
    pub(crate) peers: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// A case.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) case: String,
    /// For every peer; `None` where it was not measured or always failed.
    pub(crate) spreads: Vec<Option<Spread>>,
}

impl Row {
    /// What the peer at this place has, in parts of what the peer at another one has.
    pub(crate) fn ratio(&self, place: usize, reference: usize) -> Option<f64> {
        let of = |place: usize| self.spreads.get(place).copied().flatten();
        let reference = of(reference)?.median;
        (reference > 0.0).then_some(of(place)?.median / reference)
    }
}

impl Summary {
    /// Everything of which there are records.
    pub(crate) fn all(records: &[Record]) -> Vec<Self> {
        let all = Quantity::ALL.iter();
        all.filter_map(|quantity| Self::of(*quantity, records))
            .collect()
    }

    fn of(quantity: Quantity, records: &[Record]) -> Option<Self> {
        let of_metric = |record: &&Record| record.metric == quantity.metric;
        let records: Vec<&Record> = records.iter().filter(of_metric).collect();
        let measured = |name: &str| records.iter().any(|record| record.peer == name);
        let peers: Vec<String> = Kind::ALL
            .iter()
            .map(|kind| kind.name().to_owned())
            .filter(|name| measured(name))
            .collect();
        let mut rows = Vec::new();
        for case in quantity.metric.case_names() {
            let of_case = |record: &&&Record| record.case == case;
            let records: Vec<&&Record> = records.iter().filter(of_case).collect();
            if records.is_empty() {
                continue;
            }
            let spread = |peer: &String| {
                let of_peer = records.iter().filter(|record| record.peer == *peer);
                let figures = of_peer.filter_map(|record| record.figures.get(quantity.figure));
                Spread::of(&mut figures.copied().collect::<Vec<_>>())
            };
            let spreads = peers.iter().map(spread).collect();
            rows.push(Row { case, spreads });
        }
        (!rows.is_empty()).then_some(Self {
            quantity,
            peers,
            rows,
        })
    }

    /// The place of the peer to which the others are compared.
    pub(crate) fn reference(&self) -> Option<usize> {
        self.peers.iter().position(|peer| peer == REFERENCE)
    }
}

/// The figure below which so much of them lies, 0.5 for the median; NaN of none.
pub(crate) fn quantile(figures: &mut [f64], part: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    let last = figures.len().saturating_sub(1);
    let place = (0..=last).find(|place| *place as f64 >= last as f64 * part - 0.5);
    let figure = place.and_then(|place| figures.get(place));
    figure.copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_ones() {
        let spread = Spread::of(&mut [4.0, 1.0, 2.0, 100.0]).unwrap();
        assert_eq!((spread.min, spread.median, spread.max), (1.0, 3.0, 100.0));
    }

    #[test]
    fn the_median_of_an_odd_number_is_the_middle_one() {
        let spread = Spread::of(&mut [9.0, 1.0, 2.0]).unwrap();
        assert_eq!((spread.min, spread.median, spread.max), (1.0, 2.0, 9.0));
        assert_eq!(Spread::of(&mut []), None);
    }

    #[test]
    fn quantiles_are_figures_that_were_measured() {
        let mut figures: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(quantile(&mut figures, 0.5), 50.0);
        assert_eq!(quantile(&mut figures, 0.99), 99.0);
        assert!(quantile(&mut [], 0.5).is_nan());
    }
}
