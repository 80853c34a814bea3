//! What real stacks sent, and what fuzzers of others found worth keeping. An extra: the captures
//! lie beside a checkout, not in it.
#![allow(clippy::unwrap_used, reason = "tests")]

use muonrtc_stun::{Class, Message, Method, Priority, Username, XorMappedAddress};
use std::fs;
use std::path::{Path, PathBuf};

fn captures(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let Ok(entries) = fs::read_dir(root.join(folder)) else {
        println!("left out: no captures in {folder}");
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn hex(text: &str) -> Vec<u8> {
    let digits = (0..text.len()).step_by(2);
    digits
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// The value of a text field in a line of JSON that was written by a machine.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!("\"{name}\""))?;
    let (_, rest) = rest.split_once('"')?;
    rest.split_once('"').map(|(value, _)| value)
}

#[test]
fn every_captured_check_and_answer_is_read() {
    for path in captures("packets") {
        let text = fs::read_to_string(&path).unwrap_or_default();
        for line in text
            .lines()
            .filter(|line| field(line, "kind") == Some("stun"))
        {
            let bytes = hex(field(line, "hex").unwrap());
            let message = Message::parse(&bytes).unwrap_or_else(|it| panic!("{path:?}: {it}"));
            assert!(Message::is_stun(&bytes));
            assert_eq!(message.method(), Method::BINDING, "{path:?}");
            assert_eq!(message.fingerprint(), Some(true), "{path:?}");
            match message.class() {
                Class::Request => {
                    assert!(message.attribute::<Username<'_>>().unwrap().is_some());
                    assert!(message.attribute::<Priority>().unwrap().is_some());
                }
                Class::Success => {
                    assert!(message.attribute::<XorMappedAddress>().unwrap().is_some());
                }
                Class::Indication | Class::Error => {}
            }
        }
    }
}

#[test]
fn what_fuzzers_kept_is_a_message_or_an_error() {
    for path in captures("fuzz/libwebrtc/stun-corpus") {
        let bytes = fs::read(&path).unwrap();
        if let Ok(message) = Message::parse(&bytes) {
            let _ = (message.fingerprint(), message.attributes().count());
            let _ = message.unknown_attributes(&[]);
        }
    }
}
