//! The matrix as `docs/connectivity.md` shows it.

use crate::site::{Behind, Known, Seen};
use crate::theory::expected;
use layer::CandidateType;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

/// Set to anything, it has the document written instead of compared.
const WRITE: &str = "MUON_WRITE_DOCS";

/// What stands above the tables.
const HEAD: &str = include_str!("head.md");

/// How a result is written: as what the first end is seen, and the second one.
pub(crate) fn cell(seen: Option<Seen>) -> String {
    let name = |kind| match kind {
        CandidateType::Host => "host",
        CandidateType::ServerReflexive => "srflx",
        CandidateType::PeerReflexive => "prflx",
        _ => "relay",
    };
    seen.map_or("–".to_owned(), |(a, b)| {
        format!("{}/{}", name(a), name(b))
    })
}

/// A table with a row for each site of the first end and a column for each of the second.
pub(crate) fn table(known: Known, result: impl Fn(Behind, Behind) -> Option<Seen>) -> String {
    let mut text = format!("| {known} |");
    for b in Behind::ALL {
        let _ = write!(text, " {b} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(Behind::ALL.len()));
    for a in Behind::ALL {
        let _ = write!(text, "\n| **{a}** |");
        for b in Behind::ALL {
            let _ = write!(text, " {} |", cell(result(a, b)));
        }
    }
    text.push('\n');
    text
}

fn document() -> String {
    let mut text = HEAD.to_owned();
    for known in Known::ALL {
        let name = match known {
            Known::Nothing => "No server",
            Known::Stun => "STUN",
            Known::TurnUdp => "TURN over UDP",
            Known::TurnTcp => "TURN over TCP",
            Known::TurnTls => "TURN over TLS",
            Known::TurnDtls => "TURN over DTLS",
        };
        let table = table(known, |a, b| expected(a, b, known));
        let _ = write!(text, "\n## {name}\n\n{table}");
    }
    text
}

// The other tests prove that what agents do is what is expected; this one that the document says so.
#[test]
fn the_document_shows_what_is_expected() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    if !docs.is_dir() {
        println!("left out: the crate stands outside its repository");
        return;
    }
    let file = docs.join("connectivity.md");
    let document = document();
    if env::var_os(WRITE).is_some() {
        fs::write(&file, &document).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == document,
        "{} is not up to date: run this test with {WRITE}=1",
        file.display()
    );
}
