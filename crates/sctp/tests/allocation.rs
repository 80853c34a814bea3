//! The hot path takes no memory but for the messages themselves. One test alone in its process: the
//! count is of all threads.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]
#![allow(unsafe_code, reason = "an allocator that counts is an unsafe trait")]

mod link;

use bytes::Bytes;
use layer::{Outgoing, Sctp, SctpConnect};
use link::{config, start};
use muonrtc_sctp::{Association, Factory};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

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

/// Takes all that one end has for the other, packet by packet.
fn carry(now: Instant, from: &mut Association, to: &mut Association) {
    let mut buf = [0; 1500];
    while let Some(len) = from.poll_transmit(now, &mut buf) {
        to.handle_input(now, &buf[..len]);
    }
    while from.poll_event().is_some() {}
}

/// Sends one message and waits for it.
fn exchange(now: &mut Instant, ends: &mut [Association; 2], message: &Bytes) {
    let [near, far] = ends;
    near.send(*now, Outgoing::new(0, 53, message.clone()))
        .unwrap();
    let mut received = false;
    while !received {
        *now += Duration::from_micros(300);
        near.handle_timeout(*now);
        carry(*now, near, far);
        while let Some(message) = far.poll_message() {
            far.consume(*now, message.stream, message.data.len());
            received = true;
        }
        far.handle_timeout(*now);
        carry(*now, far, near);
    }
}

#[test]
fn a_message_takes_memory_once_where_it_arrives() {
    let mut now = Instant::now();
    let end = |label| Factory::default().association(start(now, 1, label), config());
    let mut ends = [end(1), end(2)];
    for end in &mut ends {
        end.connect(now, SctpConnect::new(5000, 5000)).unwrap();
    }
    for len in [100, 1000, 16 * 1024, 200 * 1024] {
        let message = Bytes::from(vec![3; len]);
        // The first ones fill the queues and tell how long messages are.
        for _ in 0..50 {
            let [near, far] = &mut ends;
            carry(now, near, far);
            carry(now, far, near);
            exchange(&mut now, &mut ends, &message);
        }
        let before = COUNT.load(Ordering::Relaxed);
        for _ in 0..100 {
            exchange(&mut now, &mut ends, &message);
        }
        let taken = COUNT.load(Ordering::Relaxed) - before;
        println!("{len} bytes: {taken} in 100 messages");
        assert!(taken <= 100, "{len} bytes: {taken}");
    }
}
