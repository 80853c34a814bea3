//! Programs a task needs beside cargo: found, or installed where that is possible.

use crate::step::{self, Failure, Outcome, cargo, program};
use std::path::PathBuf;

/// Whether missing programs may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Install {
    Allowed,
    Forbidden,
}

impl Install {
    /// `Forbidden` if the flags hold `--no-install`.
    pub(crate) fn from_flags(flags: &[&str]) -> Self {
        if flags.contains(&"--no-install") {
            Self::Forbidden
        } else {
            Self::Allowed
        }
    }
}

/// A program that comes from the system's packages.
#[derive(Debug)]
pub(crate) struct SystemTool {
    /// What it is called in a message.
    pub(crate) what: &'static str,
    /// Any of these will do.
    pub(crate) programs: &'static [&'static str],
    /// Debian's package.
    pub(crate) package: &'static str,
}

impl SystemTool {
    fn is_present(&self) -> bool {
        self.programs.iter().any(|name| find(name).is_some())
    }
}

/// Sees to it that all tools are there. `leave_out` is the flag that makes them unnecessary.
pub(crate) fn system(tools: &[SystemTool], install: Install, leave_out: &str) -> Outcome {
    let missing = missing(tools);
    if missing.is_empty() {
        return Ok(());
    }
    if install == Install::Allowed && can_apt() {
        let packages = missing.iter().map(|tool| tool.package);
        apt(packages.collect())?;
    }
    let missing = self::missing(tools);
    if missing.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = missing
        .iter()
        .map(|tool| format!("{} (Debian: {})", tool.what, tool.package))
        .collect();
    Err(Failure::new(format!(
        "missing on this machine: {}\ninstall them, or leave these tests out with {leave_out}",
        named.join(", ")
    )))
}

/// Sees to it that the cargo subcommand is there.
pub(crate) fn cargo_subcommand(name: &str, install: Install) -> Outcome {
    let program = format!("cargo-{name}");
    if find(&program).is_some() {
        return Ok(());
    }
    if install == Install::Forbidden {
        return Err(Failure::new(format!(
            "missing on this machine: {program}\ninstall it with cargo install --locked {program}"
        )));
    }
    let command = cargo(["install", "--locked", &program]);
    step::run(&format!("install {program}"), command)
}

/// Where a program lies, if it is in `PATH` or where cargo installs.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

fn missing(tools: &[SystemTool]) -> Vec<&SystemTool> {
    tools.iter().filter(|tool| !tool.is_present()).collect()
}

/// Debian or a descendant, and the right to install.
fn can_apt() -> bool {
    find("apt-get").is_some() && is_root()
}

fn is_root() -> bool {
    program("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn apt(packages: Vec<&str>) -> Outcome {
    let mut update = program("apt-get");
    update.args(["update", "--quiet"]);
    step::run("apt-get update", update)?;
    let mut install = program("apt-get");
    install
        .args(["install", "--yes", "--quiet", "--no-install-recommends"])
        .args(&packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    step::run(&format!("apt-get install {}", packages.join(" ")), install)
}
