//! The arrows between the crates of the family, and how many crates a build takes.
//!
//! The table below is the one of `docs/architecture.md`. A new crate, or a new arrow, is a
//! deliberate step: it is drawn there and here.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Every crate of the family, and what its library may depend on within the family.
///
/// Crates that are drawn and not yet built stand here too.
const ARROWS: &[(&str, &[&str])] = &[
    ("layer", &[]),
    ("crypto", &[]),
    ("rtp", &[]),
    ("sdp", &[]),
    ("stun", &["crypto"]),
    ("turn", &["crypto", "stun"]),
    ("ice", &["crypto", "layer", "stun", "turn"]),
    ("dtls", &["crypto", "layer"]),
    ("srtp", &["crypto", "layer", "rtp"]),
    ("sctp", &["layer"]),
    ("datachannel", &["layer"]),
    ("interceptor", &["rtp"]),
    ("media", &["rtp"]),
    ("net", &[]),
    (
        "peerconnection",
        &[
            "crypto",
            "datachannel",
            "dtls",
            "ice",
            "interceptor",
            "layer",
            "media",
            "net",
            "rtp",
            "sctp",
            "sdp",
            "srtp",
            "stun",
            "turn",
        ],
    ),
    ("muonrtc", &["media", "peerconnection"]),
];

/// Layers side by side: none of them knows another.
const SIDE_BY_SIDE: &[&str] = &["ice", "dtls", "srtp", "sctp", "datachannel"];

/// May use any crate of the family, and be used by tests only.
const FOR_TESTS: &str = "testkit";

/// Ours included. Peers take 106 (str0m) and 226 (webrtc-rs).
const MOST_CRATES: usize = 62;

#[test]
fn every_arrow_between_our_crates_is_drawn() {
    let table: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for package in family() {
        if package.name == FOR_TESTS {
            continue;
        }
        let may = table.get(package.name.as_str()).unwrap_or_else(|| {
            panic!("crate {} is not in the table of arrows", package.name);
        });
        for to in package.ours() {
            assert!(
                may.contains(&to.as_str()),
                "{} depends on {to}, which is not drawn",
                package.name
            );
        }
    }
}

#[test]
fn layers_side_by_side_do_not_know_each_other() {
    for package in family() {
        if SIDE_BY_SIDE.contains(&package.name.as_str()) {
            let known = package.ours();
            let other = known.iter().find(|to| SIDE_BY_SIDE.contains(&to.as_str()));
            assert_eq!(other, None, "{} knows another layer", package.name);
        }
    }
}

#[test]
fn the_contract_stands_on_bytes_alone() {
    let layer = family().into_iter().find(|package| package.name == "layer");
    let on: Vec<String> = layer.unwrap().normal().map(|d| d.package.clone()).collect();
    assert_eq!(on, ["bytes"]);
}

#[test]
fn nothing_of_ours_builds_on_an_async_front() {
    // A front is the feature `tokio` of a layer. `peerconnection` drives the cores.
    for package in family() {
        let fronts: Vec<&String> = package
            .features
            .iter()
            .flat_map(|(_, turns_on)| turns_on)
            .filter(|on| SIDE_BY_SIDE.iter().any(|l| **on == format!("{l}/tokio")))
            .collect();
        assert_eq!(fronts, [""; 0], "{} turns a front on", package.name);
        for to in package.normal() {
            let Some(name) = our_name(&to.package) else {
                continue;
            };
            if SIDE_BY_SIDE.contains(&name) {
                assert!(
                    !to.default_features && !to.features.contains("tokio"),
                    "{} turns the front of {name} on",
                    package.name
                );
            }
        }
    }
}

#[test]
fn the_test_kit_is_used_by_tests_only() {
    for package in family() {
        assert!(
            !package.ours().contains(FOR_TESTS),
            "{} ships with {FOR_TESTS}",
            package.name
        );
    }
}

#[test]
fn no_crate_is_a_drawer_for_everything() {
    for package in family() {
        for drawer in ["util", "utils", "shared", "common", "base", "misc"] {
            assert_ne!(package.name, drawer);
        }
    }
}

#[test]
fn every_crate_is_versioned_on_its_own() {
    for package in family() {
        let manifest = std::fs::read_to_string(&package.manifest).unwrap();
        assert!(
            !manifest.contains("version.workspace") || manifest.contains("\nversion = \""),
            "{} takes its version from the workspace",
            package.name
        );
    }
}

#[test]
fn data_channels_alone_take_few_crates() {
    let tree = cargo(&[
        "tree",
        "--package=muonrtc",
        "--no-default-features",
        "--edges=normal",
        "--prefix=none",
        "--format={p}",
    ]);
    // A crate that was printed before is marked with ` (*)`.
    let crates: BTreeSet<&str> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty())
        .collect();
    println!("muonrtc without default features: {} crates", crates.len());
    assert!(
        crates.len() < MOST_CRATES,
        "{} crates:\n{tree}",
        crates.len()
    );
}

/// One crate under `crates/`.
struct Package {
    name: String,
    manifest: String,
    features: Vec<(String, Vec<String>)>,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    package: String,
    is_normal: bool,
    default_features: bool,
    features: BTreeSet<String>,
}

impl Package {
    fn normal(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(|d| d.is_normal)
    }

    /// What the library depends on within the family, optional dependencies included.
    fn ours(&self) -> BTreeSet<String> {
        self.normal()
            .filter_map(|d| our_name(&d.package))
            .map(str::to_owned)
            .collect()
    }
}

/// The name inside the workspace of a crate of the family.
fn our_name(package: &str) -> Option<&str> {
    if package == "muonrtc" {
        return Some(package);
    }
    package.strip_prefix("muonrtc-")
}

fn family() -> Vec<Package> {
    let metadata = cargo(&["metadata", "--format-version=1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let family: Vec<Package> = packages.iter().filter_map(package).collect();
    assert!(family.len() > 5, "the family is not where it was");
    family
}

fn package(value: &Value) -> Option<Package> {
    Some(Package {
        name: our_name(text(&value["name"]))?.to_owned(),
        manifest: text(&value["manifest_path"]).to_owned(),
        features: value["features"]
            .as_object()?
            .iter()
            .map(|(name, turns_on)| (name.clone(), texts(turns_on)))
            .collect(),
        dependencies: value["dependencies"]
            .as_array()?
            .iter()
            .map(dependency)
            .collect(),
    })
}

fn dependency(value: &Value) -> Dependency {
    Dependency {
        package: text(&value["name"]).to_owned(),
        // `null` is a normal dependency, the others are `dev` and `build`.
        is_normal: value["kind"].is_null(),
        default_features: value["uses_default_features"].as_bool().unwrap(),
        features: texts(&value["features"]).into_iter().collect(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn texts(value: &Value) -> Vec<String> {
    let values = value.as_array().unwrap();
    values.iter().map(|value| text(value).to_owned()).collect()
}

/// Runs cargo in the workspace and returns what it prints.
fn cargo(arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--locked")
        .current_dir(root)
        .output()
        .unwrap();
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "cargo {arguments:?}: {problem}");
    String::from_utf8(output.stdout).unwrap()
}
