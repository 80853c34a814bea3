//! The ids of the standards map: those that tests name must exist, and how many are named.
//!
//! The map lies beside the repository (docs/standards.md). Where it is absent the rule is left out.

use crate::family;
use crate::step::Failure;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn findings() -> Result<Vec<String>, Failure> {
    let map = family::root().join("../shared/STANDARDS.md");
    if !map.is_file() {
        println!("   left out: ids of the standards map, which is not here");
        return Ok(Vec::new());
    }
    let known: BTreeSet<String> = declared(&family::read(&map)?);
    let prefixes: BTreeSet<&str> = known.iter().map(|id| prefix(id)).collect();

    let mut findings = Vec::new();
    let mut named = BTreeSet::new();
    for path in family::sources()? {
        for (number, line) in family::read(&path)?.lines().enumerate() {
            for id in ids(line).filter(|id| prefixes.contains(prefix(id))) {
                if known.contains(id) {
                    named.insert(id.to_owned());
                } else {
                    let place = family::relative(&path);
                    findings.push(format!(
                        "{place}:{}: {id} is not in the standards map",
                        number + 1
                    ));
                }
            }
        }
    }
    println!("   standards map, ids named: {}", tally(&known, &named));
    Ok(findings)
}

/// Ids as the map declares them: a list item that begins with the id in backticks.
fn declared(map: &str) -> BTreeSet<String> {
    map.lines()
        .filter_map(|line| line.trim_start().strip_prefix("- `"))
        .filter_map(|rest| rest.split('`').next())
        .filter(|id| is_id(id))
        .map(str::to_owned)
        .collect()
}

fn ids(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| is_id(word))
}

/// Lower-case letters, a hyphen, three digits.
fn is_id(word: &str) -> bool {
    word.rsplit_once('-').is_some_and(|(prefix, number)| {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        prefix.starts_with(|c: char| c.is_ascii_lowercase())
            && prefix.chars().all(letter)
            && number.len() == 3
            && number.chars().all(|c| c.is_ascii_digit())
    })
}

fn prefix(id: &str) -> &str {
    id.rsplit_once('-').map_or(id, |(prefix, _)| prefix)
}

fn tally(known: &BTreeSet<String>, named: &BTreeSet<String>) -> String {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for id in known {
        let (of, all) = counts.entry(prefix(id)).or_default();
        *all += 1;
        *of += usize::from(named.contains(id));
    }
    counts
        .iter()
        .filter(|(_, (of, _))| *of > 0)
        .map(|(prefix, (of, all))| format!("{prefix} {of}/{all}"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_a_remark() {
        let line = "// sctp-012, ice-003: sha-256 and RFC-8445 are none";
        assert_eq!(
            ids(line).collect::<Vec<_>>(),
            ["sctp-012", "ice-003", "sha-256"]
        );
        assert_eq!(prefix("ice-003"), "ice");
    }

    #[test]
    fn the_map_declares_ids_in_list_items() {
        let map = "- `sctp-001` M something\ntext `sctp-002`\n- `note` no id\n";
        assert_eq!(declared(map).into_iter().collect::<Vec<_>>(), ["sctp-001"]);
    }
}
