//! Any bytes as the packets of a stream of each format, in any order and with losses, and as a frame
//! of it: payloads keep to the size, and put together they make a frame that is cut the same way.
#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use rtp::payload::sample_builder::Config;
use rtp::payload::{Depacketizer, SampleBuilder, depacketizer, packetizer, red};
use rtp::{Header, Packet};

const FORMATS: [&str; 9] = [
    "VP8",
    "VP9",
    "AV1",
    "H264",
    "H265",
    "opus",
    "G722",
    "CN",
    "telephone-event",
];

fuzz_target!(|bytes: &[u8]| {
    let [format, size, rest @ ..] = bytes else {
        return;
    };
    let name = FORMATS[usize::from(*format) % FORMATS.len()];
    receive(name, rest);
    let once = round_trip(name, &Bytes::copy_from_slice(rest), usize::from(*size));
    if let Some(once) = once {
        let twice = round_trip(name, &once, usize::from(*size));
        assert_eq!(twice, Some(once), "{name}");
    }
});

/// Each packet: its length, flags and sequence number, its payload.
fn receive(name: &str, mut tape: &[u8]) {
    let Some(mut direct) = depacketizer(name) else {
        return;
    };
    let mut config = Config::new(90_000);
    (config.max_late, config.max_packets) = (8, 32);
    let mut builder = depacketizer(name).map(|own| SampleBuilder::new(own, config));
    let mut frame = BytesMut::new();
    let mut number = u16::MAX - 4;
    while let [len, flags, after @ ..] = tape {
        let (payload, after) = after.split_at(usize::from(*len).min(after.len()));
        tape = after;
        number = number.wrapping_add(u16::from(flags >> 4)).wrapping_sub(3);
        let header = Header {
            marker: flags & 1 == 1,
            sequence_number: number,
            timestamp: u32::from(number) / 4 * 3_000,
            ..Header::default()
        };
        let packet = Packet::new(header, payload.to_vec());
        if let Ok(packets) = red::packets(&packet) {
            packets.for_each(drop);
        }
        ask(direct.as_ref(), &packet);
        let last = packet.header.marker;
        if direct
            .depacketize(&packet.payload, last, &mut frame)
            .is_err()
        {
            direct.reset();
        }
        if let Some(builder) = &mut builder {
            builder.push(packet);
            while builder.pop().is_some() {}
        }
    }
    if let Some(builder) = &mut builder {
        builder.flush();
        while builder.pop().is_some() {}
    }
}

fn ask(depacketizer: &dyn Depacketizer, packet: &Packet) {
    depacketizer.is_frame_start(&packet.payload);
    depacketizer.is_frame_end(&packet.payload, packet.header.marker);
    depacketizer.is_keyframe(&packet.payload);
}

/// Cuts a frame and puts it together again.
fn round_trip(name: &str, frame: &Bytes, max_payload: usize) -> Option<Bytes> {
    let mut payloads = Vec::new();
    let result = packetizer(name)?.packetize(frame, max_payload, &mut |payload, marker| {
        assert!(payload.len() <= max_payload, "{name}");
        payloads.push((payload, marker));
    });
    if result.is_err() {
        assert!(payloads.is_empty(), "{name}");
        return None;
    }
    let mut depacketizer = depacketizer(name)?;
    let mut out = BytesMut::new();
    for (payload, marker) in &payloads {
        let last = depacketizer.is_frame_end(payload, *marker);
        let result = depacketizer.depacketize(payload, last, &mut out);
        assert_eq!(result, Ok(()), "{name}");
    }
    Some(out.freeze())
}
