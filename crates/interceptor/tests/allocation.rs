//! Packets that pass a pipeline in steady state allocate nothing.

#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests; a counting allocator is unsafe by its trait"
)]

mod link;

use bytes::Bytes;
use link::{VIDEO, VP8, start, video_stream};
use muonrtc_interceptor::{Config, Direction, Pipeline, Stream, Verdict};
use rtp::{Header, Packet};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // While a thread ends its counter is gone, and nobody looks at it.
    let _ = ALLOCATIONS.try_with(|counter| counter.set(counter.get() + 1));
}

// SAFETY: every call is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

/// Everything that browsers negotiate for video.
fn full_stream(direction: Direction) -> Stream {
    let mut stream = video_stream();
    stream.direction = direction;
    stream.feedback.transport_cc = true;
    stream.feedback.remb = true;
    stream.transport_sequence_id = Some(3);
    stream.absolute_send_time_id = Some(2);
    stream
}

fn pipeline(now: Instant, direction: Direction) -> Pipeline {
    let mut pipeline = Pipeline::new(start(now, 1, 1), Config::default());
    pipeline.bind(now, full_stream(direction)).unwrap();
    pipeline
}

fn packet(payload: &Bytes, number: u32) -> Packet {
    let mut header = Header {
        payload_type: VP8,
        sequence_number: number as u16,
        timestamp: number / 3 * 3000,
        ssrc: VIDEO,
        ..Header::default()
    };
    header.extensions.set(1, b"0").unwrap();
    header
        .extensions
        .set(3, &(number as u16).to_be_bytes())
        .unwrap();
    Packet::new(header, payload.clone())
}

/// Polls as a driver does after each packet; RTCP is sent a few times a second and not counted.
fn poll(pipeline: &mut Pipeline, now: Instant, buf: &mut [u8]) {
    assert_eq!(pipeline.poll_transmit(now), None);
    assert_eq!(pipeline.poll_receive(now), None);
    while pipeline.poll_event().is_some() {}
    if pipeline.poll_timeout().is_some_and(|due| due <= now) {
        let before = allocations();
        pipeline.handle_timeout(now);
        while pipeline.poll_rtcp(now, buf).is_some() {}
        ALLOCATIONS.with(|counter| counter.set(before));
    } else {
        assert_eq!(pipeline.poll_rtcp(now, buf), None);
    }
}

fn steady_state(direction: Direction) -> u64 {
    let payload = Bytes::from(vec![0; 1200]);
    let mut buf = [0; 1500];
    let mut now = Instant::now();
    let mut pipeline = pipeline(now, direction);
    let mut before = 0;
    for number in 0..20_000 {
        if number == 10_000 {
            before = allocations();
        }
        let mut packet = packet(&payload, number);
        let verdict = match direction {
            Direction::Outgoing => pipeline.handle_outgoing(now, &mut packet),
            Direction::Incoming => pipeline.handle_incoming(now, &mut packet),
        };
        assert_eq!(verdict, Verdict::Pass);
        poll(&mut pipeline, now, &mut buf);
        now += Duration::from_millis(1);
    }
    allocations() - before
}

#[test]
fn an_outgoing_packet_allocates_nothing() {
    assert_eq!(steady_state(Direction::Outgoing), 0);
}

#[test]
fn an_incoming_packet_allocates_nothing() {
    assert_eq!(steady_state(Direction::Incoming), 0);
}
