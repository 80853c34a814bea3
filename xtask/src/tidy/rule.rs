//! What every crate has, and what no file holds.

use crate::family::{self, Member};
use crate::step::Failure;
use std::path::Path;

pub(super) fn findings() -> Result<Vec<String>, Failure> {
    let mut findings = Vec::new();
    for member in family::members()? {
        findings.extend(crate_findings(&member));
    }
    for path in family::sources()? {
        let text = family::read(&path)?;
        findings.extend(file_findings(&path, &text));
    }
    Ok(findings)
}

/// A README, a changelog with an open section, documentation at the top of `lib.rs`.
fn crate_findings(member: &Member) -> Vec<String> {
    let mut findings = Vec::new();
    let mut want = |file: &str, holds: &str, why: &str| {
        let text = std::fs::read_to_string(member.path.join(file)).unwrap_or_default();
        if !text.contains(holds) {
            findings.push(format!("crates/{}/{file}: {why}", member.folder));
        }
    };
    want("README.md", "```rust", "shows no use of the crate");
    want("CHANGELOG.md", "## Unreleased", "has no section Unreleased");
    want("src/lib.rs", "//! ", "has no documentation");
    findings
}

fn file_findings(path: &Path, text: &str) -> Vec<String> {
    let name = family::relative(path);
    let at = |line: usize, what: &str| format!("{name}:{}: {what}", line + 1);
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(word) = unfinished(line) {
            findings.push(at(number, &format!("{word} is for unfinished work")));
        }
    }
    for (number, attribute) in lifted_lints(text) {
        if !attribute.contains("reason = ") {
            findings.push(at(number, "a lint is lifted without a reason"));
        }
    }
    findings
}

/// Words that may stand in a work in progress and nowhere else. They are put together here so that
/// this file passes its own rule.
fn unfinished(line: &str) -> Option<&'static str> {
    const WORDS: &[&str] = &[
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("#[ig", "nore"),
        concat!("db", "g!("),
    ];
    WORDS.iter().copied().find(|word| line.contains(word))
}

/// Every `allow` and `expect` attribute with the number of its first line, from 0.
fn lifted_lints(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let line = line.trim_start();
        let starts = ["#[allow(", "#![allow(", "#[expect(", "#![expect("];
        if !starts.iter().any(|start| line.starts_with(start)) {
            continue;
        }
        let mut attribute = line.to_owned();
        while !attribute.contains(")]") {
            let Some((_, more)) = lines.next() else { break };
            attribute.push_str(more);
        }
        found.push((number, attribute));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifted_lint_may_span_lines() {
        let text = "fn a() {}\n#[allow(\n    dead_code,\n    reason = \"x\"\n)]\nfn b() {}\n";
        let found = lifted_lints(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, 1);
        assert!(found[0].1.contains("reason = "));
    }

    #[test]
    fn unfinished_work_is_seen() {
        assert_eq!(
            unfinished(concat!("// TO", "DO later")),
            Some(concat!("TO", "DO"))
        );
        assert_eq!(unfinished("let ignored = 1;"), None);
    }
}
