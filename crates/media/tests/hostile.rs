//! Any bytes, and files that were changed, end in an error or in an end.

#![allow(clippy::unwrap_used, reason = "tests")]

use muonrtc_media::{
    Codec, Error, OpusHead, Reader, Sample, Writer, annex_b, ivf, ogg, read, rtpdump, wav, webm,
};
use proptest::prelude::*;
use std::io::Cursor;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// Up to the content of a cluster.
const WEBM: &[u8] = b"\x1A\x45\xDF\xA3\x80\x18\x53\x80\x67\xFF\x16\x54\xAE\x6B\x8C\xAE\x8A\xD7\x81\x01\x86\x85V_VP8\x1F\x43\xB6\x75\xFF\xA3";

/// Up to the format.
const WAV: &[u8] = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0";

/// The line of text.
const RTPDUMP: &[u8] = b"#!rtpplay1.0 1/2\n";

/// More than any of these files has.
const MANY: usize = 100_000;

fn drain(reader: &mut dyn Reader) {
    for _ in 0..MANY {
        match reader.read_sample() {
            Ok(Some(sample)) => {
                let _ = reader.codec().dimensions(&sample.data);
            }
            Ok(None) | Err(_) => return,
        }
    }
    panic!("the reader does not come to an end");
}

/// Everything that reads, whatever the first bytes are.
fn read_all(bytes: &[u8]) {
    if let Ok(mut reader) = read(Cursor::new(bytes.to_vec())) {
        drain(&mut reader);
    }
    if let Ok(mut reader) = ivf::Reader::new(bytes) {
        drain(&mut reader);
    }
    if let Ok(mut reader) = ogg::Reader::new(bytes) {
        drain(&mut reader);
    }
    if let Ok(mut reader) = webm::Reader::new(bytes) {
        drain(&mut reader);
    }
    if let Ok(mut reader) = wav::Reader::new(bytes) {
        drain(&mut reader);
    }
    if let Ok(mut reader) = rtpdump::Reader::new(bytes) {
        while let Ok(Some(_)) = reader.read_entry() {}
    }
    for codec in [Codec::H264, Codec::H265] {
        drain(&mut annex_b::Reader::new(bytes, codec).unwrap());
    }
}

/// A small file of each format.
fn files() -> Vec<Vec<u8>> {
    let sample = |bytes: &[u8]| Sample::new(bytes.to_vec(), Duration::from_millis(20));
    let vp8 = sample(&[0x10, 2, 0, 0x9D, 1, 0x2A, 64, 1, 240, 0, 1, 2, 3]);
    let mut keyframe = vp8.clone();
    keyframe.keyframe = true;
    let mut ivf = ivf::Writer::new(Vec::new(), Codec::Vp8).unwrap();
    let mut ogg = ogg::Writer::new(Vec::new(), &OpusHead::default()).unwrap();
    let mut annex_b = annex_b::Writer::new(Vec::new(), Codec::H264).unwrap();
    let tracks = [Codec::Vp8, Codec::Opus].map(webm::Track::new);
    let mut webm = webm::Writer::seekable(Cursor::new(Vec::new()), &tracks).unwrap();
    for _ in 0..3 {
        webm.write(0, &keyframe).unwrap();
        webm.write(1, &sample(&[0xBC, 1, 2, 3])).unwrap();
        ivf.write_sample(&vp8).unwrap();
        ogg.write_sample(&sample(&[0xBC, 1, 2, 3])).unwrap();
        annex_b
            .write_sample(&sample(&[
                0, 0, 1, 0x67, 66, 0xC0, 31, 1, 0, 0, 1, 0x65, 0x88,
            ]))
            .unwrap();
    }
    ogg.finish().unwrap();
    let pcma = wav::Format {
        codec: Codec::Pcma,
        sample_rate: 8000,
        channels: 1,
    };
    let mut wav = wav::Writer::new(Vec::new(), pcma).unwrap();
    wav.write_sample(&sample(&[0xD5; 160])).unwrap();
    let source = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 5004);
    let mut rtpdump = rtpdump::Writer::new(Vec::new(), source, Duration::ZERO).unwrap();
    for is_rtcp in [false, true] {
        let entry = rtpdump::Entry::new(Duration::ZERO, is_rtcp, &[0x80; 20][..]);
        rtpdump.write_entry(&entry).unwrap();
    }
    webm.finish().unwrap();
    vec![
        webm.into_inner().into_inner(),
        ivf.into_inner(),
        ogg.into_inner(),
        annex_b.into_inner(),
        wav.into_inner(),
        rtpdump.into_inner(),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read_all(&bytes);
        for magic in [&b"DKIF\0\0\x20\0VP80"[..], b"OggS", b"\0\0\0\x01\x67", WEBM, WAV, RTPDUMP] {
            read_all(&[magic, &bytes].concat());
        }
    }

    #[test]
    fn a_changed_file_is_read_without_a_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        end in any::<prop::sample::Index>(),
    ) {
        for mut file in files() {
            for (at, value) in &changes {
                let at = at.index(file.len());
                file[at] = *value;
            }
            read_all(&file);
            read_all(&file[..end.index(file.len())]);
        }
    }

    #[test]
    fn any_bytes_are_asked_for_sizes_and_times(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (codec, start) in [
            (Codec::Vp8, &[0x10, 2, 0, 0x9D, 1, 0x2A][..]),
            (Codec::Vp9, &[0x82, 0x49, 0x83, 0x42]),
            (Codec::Av1, &[0x12, 0, 0x0A, 11]),
            (Codec::H264, &[0, 0, 1, 0x67, 100, 0, 31]),
            (Codec::H265, &[0, 0, 1, 0x42, 1]),
            (Codec::H265, &[0, 0, 1, 0x40, 1]),
            (Codec::Opus, &[]),
        ] {
            for frame in [bytes.clone(), [start, &bytes].concat()] {
                let _ = (codec.is_keyframe(&frame), codec.dimensions(&frame), codec.duration(&frame));
            }
        }
    }
}

#[test]
fn a_frame_that_says_it_has_4_gib_is_refused() {
    let mut file = files().remove(1);
    file[32..36].fill(0xFF);
    let mut reader = ivf::Reader::new(&file[..]).unwrap();
    let error = reader.read_sample().unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

#[test]
fn a_stream_without_start_codes_ends() {
    let zeros = std::io::Read::take(std::io::repeat(0), 100 << 20);
    let mut reader = annex_b::Reader::new(zeros, Codec::H264).unwrap();
    assert!(matches!(reader.read_sample(), Err(Error::Malformed { .. })));
}

#[test]
fn what_is_of_no_format_is_not_opened() {
    for bytes in [
        &b""[..],
        b"D",
        b"hello, this is no media file",
        b"RIFF\0\0\0\0AVI ",
    ] {
        let error = read(bytes).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::UnknownFormat), "{error}");
    }
}
