use super::{Block, Encoder, MAX_BLOCK_LEN, blocks, packets};
use crate::{DecodeError, Header, Packet};
use bytes::Bytes;

// RFC 2198 §7: a DVI primary (5) of 8 000 Hz with a redundant LPC block (7), 20 ms before, here
// with blocks of three and two bytes.
const EXAMPLE: [u8; 10] = [0x87, 0x02, 0x80, 3, 5, 1, 2, 3, 8, 9];

fn block(payload_type: u8, timestamp_offset: u16, data: &[u8]) -> Block {
    Block {
        payload_type,
        timestamp_offset,
        data: Bytes::copy_from_slice(data),
    }
}

// media-041
#[test]
fn blocks_are_read_the_primary_last() {
    let payload = Bytes::from_static(&EXAMPLE);
    let found: Vec<_> = blocks(&payload).unwrap().collect();
    assert_eq!(found, [block(7, 160, &[1, 2, 3]), block(5, 0, &[8, 9])]);
    let single = Bytes::from_static(&[0x6F, 1, 2]);
    let found: Vec<_> = blocks(&single).unwrap().collect();
    assert_eq!(found, [block(0x6F, 0, &[1, 2])]);
}

// media-041
#[test]
fn the_fields_have_fourteen_and_ten_bits() {
    let mut payload = vec![0xFF, 0xFF, 0xFF, 0xFF, 0x01];
    payload.extend([7; 1024]);
    let found: Vec<_> = blocks(&payload.into()).unwrap().collect();
    assert_eq!(found[0].timestamp_offset, 0x3FFF);
    assert_eq!(found[0].data.len(), MAX_BLOCK_LEN);
    assert_eq!(found[1].data.len(), 1);
}

#[test]
fn blocks_that_reach_beyond_the_payload_are_refused() {
    for len in 0..8 {
        let short = Bytes::copy_from_slice(&EXAMPLE[..len]);
        assert_eq!(blocks(&short).err(), Some(DecodeError::Truncated), "{len}");
    }
}

// rtp-004: each block has the timestamp of its own time, not that of the packet.
#[test]
fn packets_before_come_back() {
    let header = Header {
        marker: true,
        payload_type: 63,
        sequence_number: 1,
        timestamp: 100,
        ..Header::default()
    };
    let payload = [0x87, 0x05, 0x00, 1, 0x87, 0x02, 0x80, 1, 5, 1, 2, 3];
    let packet = Packet::new(header, payload.to_vec());
    let found: Vec<_> = packets(&packet).unwrap().collect();
    let short = |packet: &Packet| {
        let header = &packet.header;
        (
            header.sequence_number,
            header.timestamp,
            header.payload_type,
            header.marker,
        )
    };
    let expected = [
        (u16::MAX, 100_u32.wrapping_sub(320), 7, false),
        (0, 100_u32.wrapping_sub(160), 7, false),
        (1, 100, 5, true),
    ];
    assert_eq!(found.iter().map(short).collect::<Vec<_>>(), expected);
    assert_eq!(found[1].payload, Bytes::from_static(&[2]));
}

// media-041
#[test]
fn an_encoder_repeats_what_fits() {
    let mut encoder = Encoder::new(111, 2);
    let data = |byte: u8| Bytes::from(vec![byte; 10]);
    let mut encode = |timestamp: u32, byte: u8, max: usize| {
        let payload = encoder.encode(timestamp, &data(byte), max).unwrap();
        assert!(payload.len() <= max);
        let found = blocks(&payload).unwrap();
        found
            .map(|block| (block.timestamp_offset, block.data[0]))
            .collect::<Vec<_>>()
    };
    let start = u32::MAX - 500;
    assert_eq!(encode(start, 1, 100), [(0, 1)]);
    assert_eq!(encode(start.wrapping_add(960), 2, 100), [(960, 1), (0, 2)]);
    let third = encode(start.wrapping_add(1920), 3, 100);
    assert_eq!(third, [(1920, 1), (960, 2), (0, 3)]);
    // One packet is repeated only, then none, for lack of room.
    assert_eq!(encode(start.wrapping_add(2880), 4, 25), [(960, 3), (0, 4)]);
    assert_eq!(encode(start.wrapping_add(3840), 5, 24), [(0, 5)]);
    // After a pause that does not fit the offset nothing is repeated.
    assert_eq!(encode(start.wrapping_add(30_000), 6, 100), [(0, 6)]);
    assert_eq!(
        encode(start.wrapping_add(46_383), 7, 100),
        [(16_383, 6), (0, 7)]
    );
    let refused = Encoder::new(111, 2).encode(0, &data(1), 10);
    assert_eq!(refused, Err(DecodeError::Length));
}

#[test]
fn a_long_payload_is_not_repeated() {
    let mut encoder = Encoder::new(111, 1);
    encoder
        .encode(0, &Bytes::from(vec![1; MAX_BLOCK_LEN + 1]), 2000)
        .unwrap();
    let next = encoder
        .encode(960, &Bytes::from_static(&[2]), 2000)
        .unwrap();
    assert_eq!(next, Bytes::from_static(&[111, 2]));
    let next = encoder
        .encode(1920, &Bytes::from_static(&[3]), 2000)
        .unwrap();
    assert_eq!(
        next,
        Bytes::from_static(&[0x80 | 111, 0x0F, 0x00, 1, 111, 2, 3])
    );
}
