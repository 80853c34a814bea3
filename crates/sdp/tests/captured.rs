//! Descriptions of real stacks, from the shared vectors where they are at hand.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use muonrtc_sdp::Description;
use std::fs;
use std::path::{Path, PathBuf};

/// The files of a folder of the shared vectors, sorted; empty where the folder is absent.
fn files(folder: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/vectors")
        .join(folder);
    let Ok(entries) = fs::read_dir(&path) else {
        println!("left out: {}", path.display());
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

// sdp-001, dfx-001, dfx-003, dfx-006, dfx-007
#[test]
fn what_real_stacks_wrote_prints_byte_for_byte() {
    for path in files("sdp/captured") {
        let text = fs::read_to_string(&path).unwrap();
        let description =
            Description::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let normal = text.replace("\r\n", "\n").replace('\n', "\r\n");
        assert!(description.to_string() == normal, "{}", path.display());
    }
}

#[test]
fn what_parses_prints_to_what_parses_equal() {
    for folder in [
        "sdp/captured",
        "sdp/jsep",
        "sdp/mozilla",
        "fuzz/libwebrtc/sdp-corpus",
    ] {
        for path in files(folder) {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            match Description::parse(&text) {
                Ok(read) => {
                    let printed = read.to_string();
                    assert!(
                        Description::parse(&printed).as_ref() == Ok(&read),
                        "{}",
                        path.display()
                    );
                }
                Err(error) => println!("{}: {error}", path.display()),
            }
        }
    }
}
