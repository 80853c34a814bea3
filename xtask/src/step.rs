//! One step of a task: a name, a command, a duration, and what to type to repeat it.

use crate::family;
use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

pub(crate) type Outcome = Result<(), Failure>;

/// Why a task ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    repeat: Option<String>,
}

impl Failure {
    /// A step went wrong in a way that no single command repeats.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            repeat: None,
        }
    }

    /// The command line was wrong.
    pub(crate) fn usage(what: impl fmt::Display) -> Self {
        Self::new(format!("{what}; see cargo xtask --help"))
    }

    fn command(name: &str, command: &Command, why: impl fmt::Display) -> Self {
        Self {
            what: format!("{name}: {why}"),
            repeat: Some(display(command)),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed: {}", self.what)?;
        match &self.repeat {
            Some(repeat) => write!(f, "\nrepeat: {repeat}"),
            None => Ok(()),
        }
    }
}

/// `cargo ARGUMENTS`, from the root of the workspace.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = program("cargo");
    command.args(arguments);
    command
}

/// A program, run from the root of the workspace, reading nothing.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(family::root()).stdin(Stdio::null());
    // `cargo run` describes *this* package in the environment. Build scripts that watch those
    // variables (ring's does) would run again in every step.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name == "CARGO" || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command whose output goes to the terminal as it comes.
pub(crate) fn run(name: &str, mut command: Command) -> Outcome {
    let begun = begin(name);
    match command.status() {
        Ok(status) if status.success() => {
            end(name, begun);
            Ok(())
        }
        Ok(status) => Err(Failure::command(name, &command, status)),
        Err(error) => Err(Failure::command(name, &command, error)),
    }
}

/// Runs a command, passes its standard output on line by line and lets `see` read along.
pub(crate) fn run_reading(name: &str, mut command: Command, mut see: impl FnMut(&str)) -> Outcome {
    let begun = begin(name);
    let mut child = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return Err(Failure::command(name, &command, error)),
    };
    if let Some(output) = child.stdout.take() {
        let mut terminal = std::io::stdout().lock();
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            see(&line);
            // A closed terminal is no reason to end the step.
            let _ = writeln!(terminal, "{line}");
        }
    }
    match child.wait() {
        Ok(status) if status.success() => {
            end(name, begun);
            Ok(())
        }
        Ok(status) => Err(Failure::command(name, &command, status)),
        Err(error) => Err(Failure::command(name, &command, error)),
    }
}

/// Runs a step that is code of ours.
pub(crate) fn perform(name: &str, work: impl FnOnce() -> Outcome) -> Outcome {
    let begun = begin(name);
    work()?;
    end(name, begun);
    Ok(())
}

fn begin(name: &str) -> Instant {
    println!("\n── {name}");
    Instant::now()
}

fn end(name: &str, begun: Instant) {
    println!("── {name}: {:.1} s", begun.elapsed().as_secs_f64());
}

/// The command as one would type it.
fn display(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| {
        let value = value?;
        Some(format!("{}={}", name.display(), quoted(value)))
    });
    let words = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(quoted);
    set.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if word.is_empty() || word.contains(|c: char| c.is_whitespace() || "'\"$&|;<>()".contains(c)) {
        format!("'{}'", word.replace('\'', r"'\''"))
    } else {
        word.into_owned()
    }
}
