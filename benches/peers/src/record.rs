//! What a measurement found, as a line of JSON.

use crate::Result;
use crate::driver::{Figures, Metric};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

/// One measurement.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Record {
    pub(crate) metric: Metric,
    pub(crate) case: String,
    pub(crate) peer: String,
    /// Which repetition, from 0.
    pub(crate) rep: usize,
    /// Empty where it failed.
    pub(crate) figures: Figures,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) error: Option<String>,
    /// How many processors were busy with other work meanwhile.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) others: Option<f64>,
}

/// A file to which records are added, if one was named.
pub(crate) struct Journal(Option<File>);

impl Journal {
    pub(crate) fn open(path: Option<&Path>) -> Result<Self> {
        let open = |path| OpenOptions::new().create(true).append(true).open(path);
        Ok(Self(path.map(open).transpose()?))
    }

    pub(crate) fn add(&mut self, record: &Record) -> Result<()> {
        let line = serde_json::to_string(record)?;
        if let Some(file) = &mut self.0 {
            writeln!(file, "{line}")?;
        }
        Ok(())
    }
}

/// The records in a file.
pub(crate) fn read(path: &Path) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for line in BufReader::new(File::open(path)?).lines() {
        let line = line?;
        if !line.trim().is_empty() {
            records.push(serde_json::from_str(&line)?);
        }
    }
    Ok(records)
}
