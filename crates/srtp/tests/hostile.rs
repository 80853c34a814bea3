//! Anything may arrive.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use layer::Srtp;
use muonrtc_srtp::{Context, Factory};
use proptest::prelude::*;
use std::path::Path;
use support::{SSRC, SUITES, context, protect, unprotect, unprotect_rtcp};

/// What a stranger must not change.
fn shown(context: &Context) -> (Option<u32>, u64) {
    (
        context.remote_rollover_counter(SSRC),
        context.stats().unprotected,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// srtp-006: no panic, nothing is opened, nothing is learned.
    #[test]
    fn any_bytes_leave_every_context_as_it_was(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        first in 0x80_u8..0xC0,
    ) {
        for suite in SUITES {
            let mut sender = context(&Factory::default(), suite);
            let mut receiver = context(&Factory::default(), suite);
            let packet = protect(&mut sender, SSRC, 65_000, b"rtp").unwrap();
            unprotect(&mut receiver, &packet).unwrap();
            let before = shown(&receiver);
            let mut bytes = bytes.clone();
            for _ in 0..2 {
                prop_assert!(unprotect(&mut receiver, &bytes).is_err());
                prop_assert!(unprotect_rtcp(&mut receiver, &bytes).is_err());
                if let Some(byte) = bytes.first_mut() {
                    *byte = first;
                }
            }
            prop_assert_eq!(shown(&receiver), before);
            let packet = protect(&mut sender, SSRC, 65_001, b"rtp").unwrap();
            prop_assert!(unprotect(&mut receiver, &packet).is_ok());
        }
    }

    /// What a caller hands in as a header is judged, not trusted.
    #[test]
    fn any_header_is_protected_or_refused(
        header in prop::collection::vec(any::<u8>(), 0..100),
        payload in prop::collection::vec(any::<u8>(), 0..100),
        room in 0_usize..250,
    ) {
        for suite in SUITES {
            let mut sender = context(&Factory::default(), suite);
            let mut out = vec![0; room];
            if let Ok(len) = sender.protect_into(&header, &payload, &mut out) {
                prop_assert_eq!(len, header.len() + payload.len() + suite.rtp_overhead());
                let mut receiver = context(&Factory::default(), suite);
                let opened = unprotect(&mut receiver, &out[..len]);
                prop_assert_eq!(opened, Ok([header.clone(), payload.clone()].concat()));
            }
            let _ = sender.protect_rtcp_into(&header, &mut out);
        }
    }
}

#[test]
fn hostile_packets_of_libsrtp_are_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/fuzz/libsrtp");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("left out: {} is not there", folder.display());
        return;
    };
    let mut contexts = SUITES.map(|suite| context(&Factory::default(), suite));
    for entry in entries {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        // The leading bytes are not of the packet; how many depends.
        for start in [0, 2, 8, 40] {
            let Some(packet) = bytes.get(start..) else {
                continue;
            };
            for context in &mut contexts {
                assert!(unprotect(context, packet).is_err());
                assert!(unprotect_rtcp(context, packet).is_err());
            }
        }
    }
}
