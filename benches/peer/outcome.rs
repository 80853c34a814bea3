//! What a run found out, as the line that the comparison reads.

use crate::process::Cpu;
use serde_json::{Map, Value};
use std::time::Duration;

/// The name in tables.
const PEER: &str = "muon";

/// One line.
pub(crate) struct Outcome {
    fields: Map<String, Value>,
}

impl Outcome {
    /// The figure by which the metric is compared, and the processor time that it took.
    pub(crate) fn new(metric: &str, value: f64, unit: &str, cpu: Cpu) -> Self {
        let mut fields = Map::new();
        fields.insert("peer".into(), PEER.into());
        fields.insert("metric".into(), metric.into());
        fields.insert("unit".into(), unit.into());
        Self { fields }
            .with("value", value)
            .with("cpu_s", cpu.total.as_secs_f64())
    }

    /// A further figure; one that is no number is left out.
    pub(crate) fn with(mut self, name: &str, figure: f64) -> Self {
        if figure.is_finite() {
            let rounded = (figure * 1e4).round() / 1e4;
            self.fields.insert(name.into(), rounded.into());
        }
        self
    }

    pub(crate) fn print(self) {
        println!("{}", Value::Object(self.fields));
    }
}

/// The value below which so much of them lies, 0.5 for the median.
pub(crate) fn quantile(times: &mut [Duration], part: f64) -> Duration {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    let place = (0..=last).find(|place| *place as f64 >= last as f64 * part - 0.5);
    place
        .and_then(|place| times.get(place))
        .copied()
        .unwrap_or_default()
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

pub(crate) fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
