use super::*;

/// A captured packet with one chunk.
pub(super) struct Captured(Vec<u8>);

impl Captured {
    pub(super) fn chunk(&self) -> Chunk<'_> {
        Chunks::new(&self.0[HEADER_LEN..]).next().unwrap().unwrap()
    }

    pub(super) fn value_mut(&mut self) -> &mut [u8] {
        &mut self.0[HEADER_LEN + 4..]
    }
}

pub(super) fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// Reads a captured packet, whose checksum must be right.
pub(super) fn only_chunk(hex: &str) -> Captured {
    let bytes = unhex(hex);
    Packet::parse(&bytes).unwrap();
    Captured(bytes)
}

/// Writes the chunk into a packet with the captured header and compares the bytes.
pub(super) fn same_bytes(hex: &str, chunk: &impl WireChunk) {
    let captured = unhex(hex);
    let header = Packet::parse(&captured).unwrap().header;
    let mut buf = vec![0xee; captured.len()];
    let mut writer = Writer::new(&mut buf, header).unwrap();
    assert!(writer.push(chunk));
    assert_eq!(writer.finish(), captured.len());
    assert_eq!(buf, captured);
}

// sctp-001, sctp-002
#[test]
fn a_packet_with_a_wrong_checksum_or_port_is_refused() {
    let mut bytes = unhex("138813880fc0f8a13f30fe9c000300149a0f13fd000100010000003370696e67");
    assert!(Packet::parse(&bytes).is_ok());
    bytes[20] ^= 1;
    assert_eq!(Packet::parse(&bytes).unwrap_err(), DecodeError::Checksum);
    bytes[20] ^= 1;
    bytes[..2].fill(0);
    let sum = checksum(&bytes);
    bytes[8..12].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(Packet::parse(&bytes).unwrap_err(), DecodeError::Port);
    assert_eq!(
        Packet::parse(&bytes[..11]).unwrap_err(),
        DecodeError::Truncated
    );
}

#[test]
fn a_partial_chunk_ends_the_packet() {
    // Two chunks, the second promises more than is there.
    let bytes = [11, 0, 0, 4, 0, 3, 0, 40, 1, 2, 3, 4];
    let mut chunks = Chunks::new(&bytes);
    assert_eq!(chunks.next().unwrap().unwrap().kind, 11);
    assert_eq!(chunks.next(), Some(Err(DecodeError::Truncated)));
    assert_eq!(chunks.next(), None);
    assert_eq!(
        Chunks::new(&[0, 0, 0, 0]).next(),
        Some(Err(DecodeError::Length))
    );
}

// sctp-004
#[test]
fn the_two_high_bits_say_what_to_do_with_unknown_chunks() {
    let unknown = |kind| {
        Chunk {
            kind,
            flags: 0,
            value: &[],
            whole: &[],
        }
        .on_unknown()
    };
    assert_eq!((unknown(0x3e).skip, unknown(0x3e).report), (false, false));
    assert_eq!((unknown(0x7e).skip, unknown(0x7e).report), (false, true));
    assert_eq!((unknown(0xbe).skip, unknown(0xbe).report), (true, false));
    assert_eq!((unknown(0xfe).skip, unknown(0xfe).report), (true, true));
}

#[test]
fn a_chunk_that_does_not_fit_leaves_the_packet_alone() {
    let header = Header {
        source_port: 1,
        destination_port: 2,
        verification_tag: 3,
    };
    let mut buf = [0; 20];
    let mut writer = Writer::new(&mut buf, header).unwrap();
    assert_eq!(writer.remaining(), 8);
    assert!(!writer.push(&Heartbeat { info: &[0; 5] }));
    assert!(writer.is_empty());
    assert!(writer.push(&Heartbeat { info: &[0; 4] }));
    assert_eq!(writer.finish(), 20);
    assert!(Writer::new(&mut [0; 11], header).is_none());
}
