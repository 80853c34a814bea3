//! Any bytes as a file of each format: what is read is asked what it is, and what WebM gives is written
//! again and reads the same.
#![no_main]

use fuzz::ogg_checksums;
use libfuzzer_sys::fuzz_target;
use media::{Codec, Reader, Sample, annex_b, ivf, ogg, read, rtpdump, wav, webm};
use std::io::Cursor;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut reader) = read(Cursor::new(bytes.to_vec())) {
        drain(&mut reader);
    }
    match bytes.first() {
        Some(b'D') => drain_if(ivf::Reader::new(bytes)),
        Some(b'R') => drain_if(wav::Reader::new(bytes)),
        Some(b'O') => drain_if(ogg::Reader::new(&ogg_checksums(bytes)[..])),
        Some(0x1A) => write_again(bytes),
        Some(b'#') => {
            if let Ok(mut reader) = rtpdump::Reader::new(bytes) {
                while let Ok(Some(_)) = reader.read_entry() {}
            }
        }
        _ => {
            for codec in [Codec::H264, Codec::H265] {
                drain_if(annex_b::Reader::new(bytes, codec));
            }
        }
    }
});

fn drain_if(reader: Result<impl Reader, media::Error>) {
    if let Ok(mut reader) = reader {
        drain(&mut reader);
    }
}

fn drain(reader: &mut dyn Reader) {
    let codec = reader.codec();
    let _ = (reader.channels(), reader.clock_rate());
    while let Ok(Some(sample)) = reader.read_sample() {
        let _ = (
            codec.is_keyframe(&sample.data),
            codec.dimensions(&sample.data),
        );
        let _ = codec.duration(&sample.data);
    }
}

/// Every frame of every track that a writer would take, in a new file.
fn write_again(bytes: &[u8]) {
    let Ok(mut reader) = webm::Reader::new(bytes) else {
        return;
    };
    let tracks = reader.tracks().to_vec();
    let output = Cursor::new(Vec::new());
    let mut writer = webm::Writer::seekable(output, &tracks).expect("tracks that were read");
    let mut written = Vec::new();
    while let Ok(Some(frame)) = reader.read_frame() {
        let mut sample = Sample::new(frame.data.clone(), frame.duration.unwrap_or_default());
        sample.keyframe = frame.keyframe;
        writer
            .write_at(frame.track, frame.time, &sample)
            .expect("a vector takes everything");
        written.push(frame);
    }
    media::Writer::finish(&mut writer).expect("a vector takes everything");
    let file = writer.into_inner().into_inner();
    let mut again = webm::Reader::new(&file[..]).expect("what was written is read");
    let mut count = 0;
    while let Some(frame) = again.read_frame().expect("what was written is read") {
        assert!(frame.track < tracks.len());
        count += 1;
    }
    assert!(count <= written.len());
}
