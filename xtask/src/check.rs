//! `cargo xtask check`: everything a machine can say about the code without running it.

use crate::family::{self, Member};
use crate::step::{self, Failure, Outcome, cargo, program};
use crate::tidy;
use crate::tool::{self, Install};

pub(crate) fn run(flags: &[&str]) -> Outcome {
    if let Some(flag) = flags.iter().find(|flag| **flag != "--no-install") {
        return Err(Failure::usage(format!("no such flag: {flag}")));
    }
    let install = Install::from_flags(flags);
    let members = family::members()?;

    step::run("format", cargo(["fmt", "--all", "--check"]))?;
    tidy::run(&["--check"])?;
    clippy()?;
    documentation()?;
    no_default_features(&members)?;
    feature_powerset(&members, install)?;
    dependencies(install)?;
    arrows()?;
    semver(&members, install)?;
    println!("\nall checks passed");
    Ok(())
}

fn clippy() -> Outcome {
    let base = ["clippy", "--workspace", "--all-targets"];
    let deny = ["--", "-D", "warnings"];
    step::run("clippy", cargo(base.into_iter().chain(deny)))?;
    let all = base.into_iter().chain(["--all-features"]).chain(deny);
    step::run("clippy, all features", cargo(all))
}

fn documentation() -> Outcome {
    let mut doc = cargo(["doc", "--workspace", "--no-deps", "--all-features"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    step::run("documentation", doc)
}

/// Crate by crate: in one build the features that one crate asks for would reach the others.
fn no_default_features(members: &[Member]) -> Outcome {
    for member in members {
        let name = format!("no default features: {}", member.folder);
        let check = ["check", "--no-default-features", "-p", &member.package];
        step::run(&name, cargo(check))?;
    }
    Ok(())
}

/// Every combination of features of every crate. `--no-dev-deps` is not needed (a plain check
/// builds none) and would rewrite the manifests while it runs.
fn feature_powerset(members: &[Member], install: Install) -> Outcome {
    tool::cargo_subcommand("hack", install)?;
    let mut hack = cargo(["hack", "check", "--quiet", "--feature-powerset"]);
    for member in members {
        hack.args(["-p", &member.package]);
    }
    step::run("feature powerset", hack)
}

/// Bans, licences and sources come from the lock file alone. Advisories need a network and run
/// where there is one: `cargo deny check advisories`.
fn dependencies(install: Install) -> Outcome {
    tool::cargo_subcommand("deny", install)?;
    let deny = [
        "deny",
        "--all-features",
        "check",
        "bans",
        "licenses",
        "sources",
    ];
    step::run("dependencies and licences", cargo(deny))
}

fn arrows() -> Outcome {
    // The same selection and features as `cargo xtask test`, so that nothing is built twice.
    let arrows = ["test", "--workspace", "--all-features", "--test", "family"];
    step::run("arrows and crate count", cargo(arrows))
}

/// Compares each crate with its last release, the tag `FOLDER-vX.Y.Z`. A crate that was never
/// released has nothing to be compatible with.
fn semver(members: &[Member], install: Install) -> Outcome {
    let mut released = false;
    for member in members {
        let Some(tag) = last_release(member) else {
            continue;
        };
        if !released {
            tool::cargo_subcommand("semver-checks", install)?;
        }
        released = true;
        let semver = [
            "semver-checks",
            "-p",
            &member.package,
            "--baseline-rev",
            &tag,
        ];
        step::run(&format!("semver since {tag}"), cargo(semver))?;
    }
    if !released {
        println!("\n── semver: left out, no crate has been released yet");
    }
    Ok(())
}

fn last_release(member: &Member) -> Option<String> {
    let mut git = program("git");
    git.args(["tag", "--sort=-v:refname", "--list"]);
    git.arg(format!("{}-v*", member.folder));
    let tags = git.output().ok()?.stdout;
    let tags = String::from_utf8(tags).ok()?;
    tags.lines().next().map(str::to_owned)
}
