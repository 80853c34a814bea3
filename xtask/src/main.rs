//! The house tasks: `cargo xtask test`, `check`, `tidy`, `fuzz` and `bench-peers`.
//!
//! Every step prints its name and how long it took; the first that fails ends the run and prints
//! the command that repeats it. All steps share one target directory.

#![allow(
    clippy::disallowed_methods,
    reason = "a build task reads the clock to say how long a step took"
)]

mod check;
mod family;
mod fuzz;
mod step;
mod test;
mod tidy;
mod tool;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask test [--no-interop] [--no-install]
    Every test: units, machines, layers, whole connections, documentation,
    then real browsers. Installs missing browsers with apt-get where it can.
      --no-interop   leave the browsers out
      --no-install   install nothing; say what is missing instead

cargo xtask check [--no-install]
    Format, house rules, clippy, documentation, every combination of
    features, dependencies and licences, the arrows between crates, semver.

cargo xtask tidy [--check]
    Formats, then checks the house rules and prints the pulse of the code.
      --check        change nothing

cargo xtask fuzz [TARGET] [SECONDS]
    Without a target: lists them. Needs a nightly toolchain.
    Default 60 seconds.

cargo xtask bench-peers [TASK] [FLAGS]
    Builds benches/peers, which pulls in the other implementations, and runs it:
    `run` measures them beside ours, `plot` draws the charts. Without a task:
    what there is.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["test", flags @ ..] => test::run(flags),
        ["check", flags @ ..] => check::run(flags),
        ["tidy", flags @ ..] => tidy::run(flags),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["bench-peers", rest @ ..] => bench_peers(rest),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        [other, ..] => Err(step::Failure::usage(format!("no such task: {other}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}

/// The comparison with other implementations, a package that stands outside of the workspace.
fn bench_peers(arguments: &[&str]) -> step::Outcome {
    let manifest = ["--manifest-path", "benches/peers/Cargo.toml", "--"];
    let run = ["run", "--quiet", "--release"].into_iter().chain(manifest);
    step::run(
        "bench-peers",
        step::cargo(run.chain(arguments.iter().copied())),
    )
}
