//! What is usual allocates nothing, and what is hostile no more than its length is worth.
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests; a counting allocator is unsafe by its trait"
)]

use bytes::Bytes;
use muonrtc_rtp::extension::{
    AbsoluteSendTime, AudioLevel, DependencyDescriptor, Mid, TransportSequenceNumber,
};
use muonrtc_rtp::rtcp::{self, Nack, packets};
use muonrtc_rtp::{Header, Packet};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // While a thread ends its counter is gone, and nobody looks at it.
        let _ = BYTES.try_with(|bytes| bytes.set(bytes.get() + layout.size()));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many bytes something allocates, freed or not.
fn allocated<T>(work: impl FnOnce() -> T) -> usize {
    let before = BYTES.with(Cell::get);
    drop(work());
    BYTES.with(Cell::get) - before
}

#[test]
fn a_packet_with_the_usual_extensions_allocates_nothing() {
    let mut out = [0; 256];
    let bytes = Bytes::from(vec![0x90; 1_200]);
    // Sharing what a vector held makes its counter, once.
    let payload = bytes.clone();
    let allocated = allocated(|| {
        let mut header = Header::default();
        let extensions = &mut header.extensions;
        extensions.set_typed(1, &AudioLevel::default()).unwrap();
        extensions.set_typed(2, &AbsoluteSendTime(7)).unwrap();
        extensions
            .set_typed(3, &TransportSequenceNumber(1))
            .unwrap();
        extensions.set_typed(4, &Mid("video")).unwrap();
        extensions.set(5, &[0; 16]).unwrap();
        let packet = Packet::new(header, payload);
        let len = packet.header.write(&mut out).unwrap();
        let (header, _) = Header::parse(&out[..len]).unwrap();
        let next = TransportSequenceNumber(2);
        let mut forwarded = header.clone();
        forwarded.extensions.set_typed(3, &next).unwrap();
        forwarded.extensions.remap(|id| Some(id + 1));
        forwarded.write(&mut out).unwrap()
    });
    assert_eq!(allocated, 0);
}

#[test]
fn a_descriptor_of_a_template_allocates_nothing() {
    let read = || DependencyDescriptor::parse(&[0xC1, 0, 7], None).unwrap();
    assert_eq!(allocated(read), 0);
}

/// From browsers: a sender report with a name, a report on two streams with a request for a
/// picture, an estimate, and a request for packets.
const COMPOUNDS: [&str; 4] = [
    "80c8000655ab8697eeab7df341641f6487abd2ef000000140000363981ca000655ab86970110695139463438596e51\
     6d414e7a45396d0000",
    "82c9000dd305260ed5b584da00000000000025a0000002557dfdcf3c000078d55f6026db00000002000065a3\
     00000f867dfdcf3c000078d581ce0002d305260e5f6026db",
    "8fce0006b33ddb670000000052454d4202063f2cbeb0151255ab8697",
    "81c90007d305260e5f6026db000000000000657c00000a39000000000000000081cd0003d305260e5f6026db657d0001",
];

fn hex(text: &str) -> Vec<u8> {
    let digits = (0..text.len()).step_by(2);
    digits
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn usual_rtcp_allocates_nothing() {
    let mut out = [0; 256];
    for compound in COMPOUNDS.map(hex) {
        let mut len = 0;
        let allocated = allocated(|| {
            for packet in packets(&compound) {
                let packet = packet.unwrap();
                let _ = packet.destination_ssrcs();
                len += packet.write(&mut out[len..]).unwrap();
            }
        });
        assert_eq!(allocated, 0);
        assert_eq!(out[..len], compound);
    }
    let nack = || Nack::new(1, 2, [1, 2, 30, 60, 90, 120]);
    assert_eq!(allocated(nack), 0);
}

/// Packets that cost the most for their length.
#[test]
fn hostile_rtcp_allocates_in_proportion_to_its_length() {
    let frame = |first: u8, packet_type: u8, body: &[u8]| {
        let words = u16::try_from(body.len() / 4).unwrap().to_be_bytes();
        [&[0x80 | first, packet_type, words[0], words[1]], body].concat()
    };
    let transport = |chunks: &[u8]| [&[0; 8][..], &[0, 0, 0xFF, 0xFF, 0, 0, 0, 0], chunks].concat();
    let long = 32_768;
    for (name, packet) in [
        (
            "lost packets",
            frame(15, 205, &transport(&[0x1F, 0xFF].repeat(10))),
        ),
        (
            "arrivals",
            frame(15, 205, &transport(&[0x3F, 0xFF].repeat(long))),
        ),
        ("metrics", frame(11, 205, &[0; 20].repeat(long / 20))),
        ("names of one source", frame(1, 202, &[1, 0].repeat(long))),
        (
            "sources",
            frame(31, 202, &[1, 1, 1, 1, 0, 0, 0, 0].repeat(31)),
        ),
        ("blocks", frame(0, 207, &[99, 0, 0, 0].repeat(long / 4))),
        (
            "answers",
            frame(0, 207, &[[0; 4], [5, 0, 0, 0]].concat().repeat(long / 8)),
        ),
        ("keyframes", frame(4, 206, &[1; 8].repeat(long / 8))),
    ] {
        let allocated = allocated(|| rtcp::Packet::parse(&packet));
        let bound = 40 * packet.len();
        assert!(
            allocated <= bound,
            "{name}: {} made {allocated}",
            packet.len()
        );
    }
}
