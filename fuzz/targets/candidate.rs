//! Any text as a candidate: what parses prints to what parses to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdp::Candidate;

fuzz_target!(|text: &str| {
    let Ok(candidate) = text.parse::<Candidate>() else {
        return;
    };
    let printed = candidate.to_string();
    let again = printed.parse::<Candidate>();
    assert_eq!(again.as_ref(), Ok(&candidate), "{printed}");
});
