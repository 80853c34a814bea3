//! What real stacks sent, and what others found worth keeping. An extra: the captures lie beside a
//! checkout, not in it.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use bytes::Bytes;
use muonrtc_rtp::extension::{
    AbsoluteSendTime, AudioLevel, DependencyDescriptor, Extension, Mid, VideoLayersAllocation,
};
use muonrtc_rtp::rtcp::{self, check_reduced_size, packets, write_compound};
use muonrtc_rtp::{DecodeError, Packet, is_rtcp};
use std::fs;
use std::path::{Path, PathBuf};

fn captures(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let Ok(entries) = fs::read_dir(root.join(folder)) else {
        println!("left out: no captures in {folder}");
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn hex(text: &str) -> Vec<u8> {
    let digits = (0..text.len()).step_by(2);
    digits
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// The value of a text field in a line of JSON that was written by a machine.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!("\"{name}\""))?;
    let (_, rest) = rest.split_once('"')?;
    rest.split_once('"').map(|(value, _)| value)
}

/// The decrypted packets of one kind, each with the stack it is from.
fn sessions(kind: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for path in captures("packets") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap_or_default();
        for line in text.lines() {
            if field(line, "kind") == Some(kind) {
                let direction = field(line, "dir").unwrap();
                found.push((
                    format!("{name} {direction}"),
                    hex(field(line, "hex").unwrap()),
                ));
            }
        }
    }
    found
}

#[test]
fn every_captured_rtcp_packet_is_written_as_it_came() {
    for (from, bytes) in sessions("rtcp") {
        assert!(is_rtcp(&bytes), "{from}");
        assert_eq!(check_reduced_size(&bytes), Ok(()), "{from}");
        let packets: Vec<rtcp::Packet> = packets(&bytes).map(Result::unwrap).collect();
        let unknown = |packet: &rtcp::Packet| matches!(packet, rtcp::Packet::Unknown(_));
        assert!(!packets.iter().any(unknown), "{from}");
        let mut out = vec![0; bytes.len()];
        let len = write_compound(&packets, &mut out).unwrap();
        assert_eq!(out[..len], bytes, "{from}: {packets:?}");
    }
}

#[test]
fn every_captured_rtp_packet_is_written_as_it_came() {
    let (mut mids, mut levels, mut times) = (0, 0, 0);
    let packets = sessions("rtp");
    for (from, bytes) in &packets {
        assert!(!is_rtcp(bytes), "{from}");
        let packet = Packet::parse(&Bytes::copy_from_slice(bytes)).unwrap();
        let extensions = &packet.header.extensions;
        mids += usize::from(
            extensions
                .iter()
                .any(|(id, _)| extensions.typed::<Mid<'_>>(id).is_some()),
        );
        levels += usize::from(extensions.typed::<AudioLevel>(1).is_some());
        times += usize::from(extensions.typed::<AbsoluteSendTime>(2).is_some());
        let mut out = vec![0; packet.encoded_len()];
        packet.write(&mut out).unwrap();
        // Padding is not kept: its bit, and what stands behind the payload.
        assert_eq!(out[0], bytes[0] & !0x20, "{from}");
        assert_eq!(out[1..], bytes[1..out.len()], "{from}");
    }
    assert!(packets.is_empty() || mids > 100 && levels > 100 && times > 100);
}

#[test]
fn rtcp_kept_by_another_project_is_read_or_refused_as_its_name_says() {
    for path in captures("rtcp/aiortc") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let read = rtcp::Packet::parse(&fs::read(&path).unwrap());
        let broken = name.contains("invalid") || name.contains("truncated");
        assert_eq!(read.is_err(), broken, "{name}: {read:?}");
    }
}

#[test]
fn rtp_kept_by_another_project_is_read() {
    for path in captures("rtp/aiortc") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let packet = Packet::parse(&fs::read(&path).unwrap().into()).unwrap();
        let len = packet.payload.len();
        assert_eq!(len == 0, name.contains("only_padding"), "{name}");
        match name.as_str() {
            "rtp_with_csrc" => assert_eq!(packet.header.csrc[..], [0xabcd_ef01, 0xdead_beef]),
            "rtp_with_sdes_mid" => {
                let value = packet.header.extensions.iter().next().unwrap();
                assert_eq!(value, (9, &b"0"[..]));
            }
            "rtp_dtmf" => assert_eq!(packet.payload[..], [0x01, 0x8a, 0x03, 0xc0]),
            _ => {}
        }
    }
}

#[test]
fn what_fuzzers_kept_is_a_packet_or_an_error() {
    for path in captures("fuzz/libwebrtc/rtp-corpus") {
        let _ = Packet::parse(&fs::read(&path).unwrap().into());
    }
    for path in captures("fuzz/libwebrtc/rtcp-corpus") {
        for packet in packets(&fs::read(&path).unwrap()).flatten() {
            let mut out = vec![0; packet.encoded_len()];
            assert_eq!(packet.write(&mut out), Ok(out.len()));
        }
    }
    for path in captures("fuzz/libwebrtc/video_layers_allocation-corpus") {
        let bytes = fs::read(&path).unwrap();
        let layers = VideoLayersAllocation::parse(&bytes).unwrap();
        assert_eq!(layers.write().unwrap()[..], bytes);
    }
    for path in captures("fuzz/libwebrtc/dependency_descriptor-corpus") {
        let bytes = fs::read(&path).unwrap();
        let read = DependencyDescriptor::parse(&bytes, None);
        assert!(!matches!(read, Err(DecodeError::Version)));
    }
}
