//! The RTCP of a call, decoded: what the two ends tell each other about it.
//!
//! `cargo run --release --example rtcp-processing`, then open <http://127.0.0.1:8080>.

use examples::signalling::{self, next_track};
use examples::{Flags, Outcome};
use muonrtc::rtp::rtcp::{ExtendedBlock, Packet, ReportBlock, SourceChunk, SourceItemType};
use muonrtc::{PeerConnection, TrackLocal, TrackRemote};
use std::process::ExitCode;

const HELP: &str = "\
Sends the page's camera and microphone back, and prints the RTCP that the browser sends.

Usage: cargo run --release --example rtcp-processing -- [OPTIONS]

Options:
  --bind ADDRESS   the address to listen on [default: 127.0.0.1]
  --port PORT      the port to listen on, 0 for any free one [default: 8080]
  --help           print this and exit";

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, process).await
}

async fn process(flags: Flags) -> Outcome {
    let page = include_str!("index.html");
    signalling::serve(flags.address()?, page, |connection| {
        // Something to send back for everything that the page sends.
        let mut back = Vec::new();
        for transceiver in connection.transceivers() {
            // Tracks of one connection are told apart by their ids.
            let kind = transceiver.kind();
            let track = TrackLocal::forwarding(kind.to_string(), kind);
            connection.add_track(&track, &["back"])?;
            back.push(track);
        }
        examples::spawn(follow(connection, back));
        Ok(())
    })
    .await
}

async fn follow(connection: PeerConnection, back: Vec<TrackLocal>) -> Outcome {
    while let Some(received) = next_track(&connection).await {
        let kind = received.track.kind();
        let (track, sender) = (received.track.clone(), received.transceiver.sender());
        // Both of these only look. Reports are sent, lost packets sent again and key frames asked
        // for by the connection, whether anybody reads here or not.
        examples::spawn(async move {
            while let Some(packet) = track.read_rtcp().await {
                println!("{kind}, about what it sends: {}", describe(&packet));
            }
            Ok(())
        });
        examples::spawn(async move {
            while let Some(packet) = sender.read_rtcp().await {
                println!("{kind}, about what we send: {}", describe(&packet));
            }
            Ok(())
        });
        if let Some(back) = back.iter().find(|track| track.kind() == kind) {
            examples::spawn(send_back(received.track, back.clone()));
        }
    }
    Ok(())
}

/// Media must flow both ways, or there is nothing to report.
async fn send_back(track: TrackRemote, back: TrackLocal) -> Outcome {
    loop {
        tokio::select! {
            packet = track.read_rtp() => match packet {
                Some(packet) => { back.write_rtp(&packet); }
                None => return Ok(()),
            },
            // The browser misses a key frame of what we send, which is its own picture.
            () = back.keyframe_requested() => track.request_keyframe(),
        }
    }
}

/// One packet in one line.
fn describe(packet: &Packet) -> String {
    match packet {
        // RFC 3550 §6.4.1: the media clock beside the wall clock, which puts streams together.
        Packet::SenderReport(report) => format!(
            "SR {:08x}: {} packets, {} bytes, timestamp {} at {:.3} s{}",
            report.ssrc,
            report.packet_count,
            report.octet_count,
            report.rtp_timestamp,
            seconds(report.ntp.0),
            blocks(&report.reports),
        ),
        Packet::ReceiverReport(report) => {
            format!("RR {:08x}{}", report.ssrc, blocks(&report.reports))
        }
        // RFC 3550 §6.5: the CNAME is the same for all streams of one end.
        Packet::SourceDescription(description) => {
            let chunk = |chunk: &SourceChunk| {
                let cname = chunk.get(SourceItemType::CNAME).unwrap_or_default();
                format!(" {:08x} is {}", chunk.ssrc, String::from_utf8_lossy(cname))
            };
            format!(
                "SDES{}",
                description.chunks.iter().map(chunk).collect::<String>()
            )
        }
        Packet::Goodbye(goodbye) => format!("BYE {:08x?}", goodbye.ssrcs),
        Packet::Nack(nack) => {
            let missing: Vec<u16> = nack.sequence_numbers().collect();
            format!("NACK {:08x}: {missing:?} did not come", nack.media_ssrc)
        }
        Packet::PictureLossIndication(loss) => {
            format!("PLI {:08x}: a key frame is wanted", loss.media_ssrc)
        }
        Packet::FullIntraRequest(request) => {
            let sources = request.entries.iter().map(|entry| entry.ssrc);
            let sources: Vec<u32> = sources.collect();
            format!("FIR {sources:08x?}: a key frame is wanted")
        }
        Packet::ReceiverEstimatedMaxBitrate(estimate) => {
            format!("REMB: room for {} kbit/s", estimate.bitrate / 1000)
        }
        Packet::TransportFeedback(feedback) => format!(
            "transport-wide feedback: {} of {} packets came",
            feedback.received.len(),
            feedback.status_count
        ),
        Packet::ExtendedReport(report) => {
            format!(
                "XR {:08x}: {}",
                report.sender_ssrc,
                extended(&report.blocks)
            )
        }
        other => format!("{other:?}"),
    }
}

/// How others are received (RFC 3550 §6.4.1).
fn blocks(reports: &[ReportBlock]) -> String {
    let block = |block: &ReportBlock| {
        format!(
            "; of {:08x} lost {:.1} % lately and {} in all, jitter {} ticks",
            block.ssrc,
            f64::from(block.fraction_lost) * 100.0 / 256.0,
            block.cumulative_lost,
            block.jitter
        )
    };
    reports.iter().map(block).collect()
}

/// More reports (RFC 3611): one who only receives measures the round trip by them.
fn extended(blocks: &[ExtendedBlock]) -> String {
    let texts = blocks.iter().map(|block| format!("{block:?}"));
    texts.collect::<Vec<_>>().join(", ")
}

/// Seconds since 1900, of a 64-bit NTP timestamp (RFC 3550 §4).
fn seconds(ntp: u64) -> f64 {
    let (whole, fraction) = (ntp >> 32, ntp & 0xFFFF_FFFF);
    whole as f64 + fraction as f64 / 4_294_967_296.0
}
