//! `cargo xtask test`: every test there is.

use crate::step::{self, Failure, Outcome, cargo};
use crate::tool::{self, Install, SystemTool};
use std::process::Command;

/// What `tests/interop` needs: two browsers, network namespaces, NATs between those, and coturn.
const INTEROP_TOOLS: &[SystemTool] = &[
    SystemTool {
        what: "Chromium",
        programs: &["chromium", "chromium-browser", "google-chrome"],
        package: "chromium",
    },
    SystemTool {
        what: "Firefox",
        programs: &["firefox-esr", "firefox"],
        package: "firefox-esr",
    },
    SystemTool {
        what: "ip",
        programs: &["ip"],
        package: "iproute2",
    },
    SystemTool {
        what: "nft",
        programs: &["nft"],
        package: "nftables",
    },
    SystemTool {
        what: "coturn",
        programs: &["turnserver"],
        package: "coturn",
    },
];

pub(crate) fn run(flags: &[&str]) -> Outcome {
    for flag in flags {
        if !["--no-interop", "--no-install"].contains(flag) {
            return Err(Failure::usage(format!("no such flag: {flag}")));
        }
    }
    let interop = !flags.contains(&"--no-interop");
    if interop {
        // First, so that a missing browser is known before the long build.
        tool::system(INTEROP_TOOLS, Install::from_flags(flags), "--no-interop")?;
    }

    let mut tally = Tally::default();
    let mut everything = cargo_test();
    everything.env("MUON_INTEROP", "skip");
    step::run_reading("tests", everything, |line| tally.see(line))?;
    if interop {
        let mut browsers = cargo_test();
        browsers.args(["--test", "interop", "--", "--nocapture"]);
        step::run_reading("real browsers", browsers, |line| tally.see(line))?;
    }

    println!(
        "\n{} tests passed in {} binaries",
        tally.passed, tally.binaries
    );
    if !interop {
        println!("left out: real browsers (--no-interop)");
    }
    Ok(())
}

/// One selection of packages and features for every run: another one would build the
/// dependencies a second time. All features, so that the second backends are tested too.
fn cargo_test() -> Command {
    cargo(["test", "--workspace", "--all-features"])
}

/// Adds up the closing lines of the test binaries:
/// `test result: ok. 12 passed; 0 failed; 0 ignored; …`.
#[derive(Debug, Default)]
struct Tally {
    binaries: usize,
    passed: usize,
}

impl Tally {
    fn see(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ok. ") else {
            return;
        };
        let passed = result
            .split_once(" passed")
            .and_then(|(number, _)| number.parse::<usize>().ok());
        self.binaries += 1;
        self.passed += passed.unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up() {
        let mut tally = Tally::default();
        tally.see("running 3 tests");
        tally.see("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        tally.see("test result: ok. 39 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        assert_eq!((tally.binaries, tally.passed), (2, 42));
    }
}
