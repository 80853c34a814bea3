//! `cargo xtask tidy`: the house rules a machine can see (docs/style.md), and the pulse.

mod pulse;
mod rule;
mod standard;

use crate::family;
use crate::step::{self, Failure, Outcome, cargo};

pub(crate) fn run(flags: &[&str]) -> Outcome {
    match flags {
        [] => step::run("format", cargo(["fmt", "--all"]))?,
        ["--check"] => {}
        [flag, ..] => return Err(Failure::usage(format!("no such flag: {flag}"))),
    }
    step::perform("house rules", || {
        let mut findings = rule::findings()?;
        findings.extend(standard::findings()?);
        let pulse = pulse::Pulse::take(&family::sources()?)?;
        findings.extend(pulse.findings());
        println!("{pulse}");
        if findings.is_empty() {
            return Ok(());
        }
        for finding in &findings {
            println!("   {finding}");
        }
        Err(Failure::new(format!(
            "house rules: {} findings, above",
            findings.len()
        )))
    })
}
