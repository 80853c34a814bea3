//! WAV written and read here, without another program.

#![allow(clippy::unwrap_used, reason = "tests")]

use muonrtc_media::wav::{Format, Reader, Writer};
use muonrtc_media::{Codec, Error, Reader as _, Sample, Writer as _, read};
use std::io::Cursor;
use std::time::Duration;

fn format(codec: Codec, sample_rate: u32, channels: u8) -> Format {
    Format {
        codec,
        sample_rate,
        channels,
    }
}

fn packet(bytes: usize) -> Sample {
    let data: Vec<u8> = (0..=u8::MAX).cycle().take(bytes).collect();
    Sample::new(data, Duration::from_millis(20))
}

fn samples(reader: &mut Reader<&[u8]>) -> Vec<Sample> {
    std::iter::from_fn(|| reader.read_sample().unwrap()).collect()
}

#[test]
fn samples_of_each_format_come_back() {
    for (format, len) in [
        (format(Codec::L16, 48_000, 2), 3840),
        (format(Codec::L16, 44_100, 1), 1764),
        (format(Codec::Pcma, 8000, 1), 160),
        (format(Codec::Pcmu, 8000, 1), 160),
    ] {
        for finish in [true, false] {
            let mut writer = Writer::seekable(Cursor::new(Vec::new()), format).unwrap();
            for _ in 0..10 {
                writer.write_sample(&packet(len)).unwrap();
            }
            if finish {
                writer.finish().unwrap();
            }
            let file = writer.into_inner().into_inner();
            let mut reader = Reader::new(&file[..]).unwrap();
            assert_eq!(reader.format(), format);
            let read = samples(&mut reader);
            assert_eq!(read.len(), 10);
            for sample in read {
                assert_eq!(sample.data, packet(len).data);
                assert_eq!(sample.duration, Duration::from_millis(20));
            }
        }
    }
}

#[test]
fn a_gap_in_time_is_silence() {
    let mut writer = Writer::new(Vec::new(), format(Codec::Pcma, 8000, 1)).unwrap();
    for timestamp in [u32::MAX - 159, 0, 320] {
        let mut sample = packet(160);
        sample.timestamp = Some(timestamp);
        writer.write_sample(&sample).unwrap();
    }
    let file = writer.into_inner();
    let read = samples(&mut Reader::new(&file[..]).unwrap());
    assert_eq!(read.len(), 4);
    assert!(read[2].data.iter().all(|&byte| byte == 0xD5));
    assert_eq!(read[3].data, packet(160).data);
}

#[test]
fn what_stands_between_the_chunks_is_passed_over() {
    let mut writer = Writer::new(Vec::new(), format(Codec::Pcmu, 8000, 1)).unwrap();
    writer.write_sample(&packet(7)).unwrap();
    let mut file = writer.into_inner();
    file.splice(12..12, *b"LIST\x03\0\0\0abc\0");
    let mut reader = read(Cursor::new(file)).unwrap();
    assert_eq!((reader.codec(), reader.clock_rate()), (Codec::Pcmu, 8000));
    let sample = reader.read_sample().unwrap().unwrap();
    assert_eq!(
        (sample.data.len(), sample.duration),
        (7, Duration::from_micros(875))
    );
}

#[test]
fn what_cannot_be_written_is_refused() {
    for format in [
        format(Codec::Opus, 48_000, 2),
        format(Codec::L16, 0, 2),
        format(Codec::L16, 48_000, 0),
        format(Codec::L16, u32::MAX, 1),
    ] {
        assert!(Writer::new(Vec::new(), format).is_err());
    }
    let mut writer = Writer::new(Vec::new(), format(Codec::L16, 8000, 2)).unwrap();
    assert!(matches!(
        writer.write_sample(&packet(3)),
        Err(Error::Sample(_))
    ));
}
