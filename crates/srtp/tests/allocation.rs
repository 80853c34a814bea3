//! The hot path takes no memory. One test alone in its process: the count is of all threads.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![allow(unsafe_code, reason = "an allocator that counts is an unsafe trait")]

mod support;

use layer::Srtp;
use muonrtc_srtp::Factory;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{SUITES, context, header, report};

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn packets_of_known_sources_take_no_memory() {
    for suite in SUITES {
        let mut sender = context(&Factory::default(), suite);
        let mut receiver = context(&Factory::default(), suite);
        let mut out = [0; 1500];
        let mut before = 0;
        for seq in 0..50 {
            // The first round makes the sources known.
            if seq == 1 {
                before = COUNT.load(Ordering::Relaxed);
            }
            for ssrc in 0..20 {
                let head = header(ssrc, seq);
                let len = sender.protect_into(&head, &[7; 1000], &mut out).unwrap();
                receiver.unprotect_in_place(&mut out[..len]).unwrap();
                // The same again, and one that is not authentic, are refused as cheaply.
                receiver.unprotect_in_place(&mut out[..len]).unwrap_err();
                receiver.unprotect_in_place(&mut [0x80; 100]).unwrap_err();
                let len = sender.protect_rtcp_into(&report(ssrc), &mut out).unwrap();
                receiver.unprotect_rtcp_in_place(&mut out[..len]).unwrap();
            }
        }
        let taken = COUNT.load(Ordering::Relaxed) - before;
        assert_eq!(taken, 0, "{suite:?}");
    }
}
