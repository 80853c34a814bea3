//! Plain RTP from any program, to every browser that opens the page.
//!
//! `cargo run --release --example rtp-to-webrtc`, then open <http://127.0.0.1:8080> and let ffmpeg send.

use bytes::Bytes;
use examples::signalling::{self, over};
use examples::{Flags, Outcome, codec};
use media::Codec;
use muonrtc::TrackLocal;
use muonrtc::rtp::{Packet, is_rtcp};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use tokio::net::UdpSocket;

const HELP: &str = "\
Shows plain RTP that comes over UDP to every browser that opens the page.

Usage: cargo run --release --example rtp-to-webrtc -- [OPTIONS]
       ffmpeg -re -f lavfi -i testsrc=size=640x480:rate=30 -c:v libvpx -deadline realtime -g 30 \\
           -f rtp 'rtp://127.0.0.1:5004?pkt_size=1200'

Options:
  --video CODEC       what comes: vp8, vp9, av1 or h264 [default: vp8]
  --from ADDRESS      the address that RTP comes to [default: 127.0.0.1]
  --audio-port PORT   the port that Opus comes to [default: 5006]
  --video-port PORT   the port that video comes to [default: 5004]
  --bind ADDRESS      the address to serve the page on [default: 127.0.0.1]
  --port PORT         the port to serve the page on, 0 for any free one [default: 8080]
  --help              print this and exit";

/// The largest datagram that is read whole: what UDP can carry.
const MAX_DATAGRAM: usize = 65_507;
/// The largest payload that is sent on. A browser's path takes 1200 bytes everywhere; a larger one
/// would be refused by some paths, and is cut by none.
const MAX_PAYLOAD: usize = 1200;

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, receive).await
}

async fn receive(flags: Flags) -> Outcome {
    let codec = codec::video(&flags.value("--video", "vp8".to_owned())?)?;
    let from = flags.value("--from", IpAddr::V4(Ipv4Addr::LOCALHOST))?;
    let audio_from = SocketAddr::new(from, flags.value("--audio-port", 5006)?);
    let video_from = SocketAddr::new(from, flags.value("--video-port", 5004)?);

    // Two tracks for all browsers. What is written to a track goes to every connection it was added
    // to: each encrypts for itself, and all share the payload.
    let video = TrackLocal::new("video", codec::negotiable(codec)?)?;
    let audio = TrackLocal::new("audio", codec::negotiable(Codec::Opus)?)?;
    examples::spawn(forward(socket(video_from).await?, video.clone()));
    examples::spawn(forward(socket(audio_from).await?, audio.clone()));
    let name = codec.mime_type();
    println!(
        "{name} is expected at {video_from} and audio/opus at {audio_from}: --help has a sender"
    );

    let page = include_str!("index.html");
    signalling::serve(flags.address()?, page, move |connection| {
        connection.add_track(&video, &["rtp"])?;
        connection.add_track(&audio, &["rtp"])?;
        examples::spawn(async move {
            over(&connection).await;
            Ok(())
        });
        Ok(())
    })
    .await
}

async fn socket(address: SocketAddr) -> Outcome<UdpSocket> {
    let bound = UdpSocket::bind(address).await;
    Ok(bound.map_err(|error| {
        format!("cannot receive on {address}: {error}; --audio-port and --video-port take others")
    })?)
}

/// Writes what comes into the track.
async fn forward(socket: UdpSocket, track: TrackLocal) -> Outcome {
    let mut datagram = vec![0; MAX_DATAGRAM];
    let (mut heard, mut refused) = (false, false);
    loop {
        let (len, from) = socket.recv_from(&mut datagram).await?;
        let datagram = &datagram[..len];
        // RFC 5761: reports may share the port. They are about the sender's own clock and count,
        // and each browser gets those of its connection instead.
        if is_rtcp(datagram) {
            continue;
        }
        // One copy, out of the buffer that the next datagram comes into.
        let Ok(mut packet) = Packet::parse(&Bytes::copy_from_slice(datagram)) else {
            continue;
        };
        if !heard {
            println!("{} comes from {from}", track.kind());
            heard = true;
        }
        if packet.payload.len() > MAX_PAYLOAD {
            if !refused {
                let size = packet.payload.len();
                eprintln!("left out packets of {size} bytes and more: see pkt_size of ffmpeg");
                refused = true;
            }
            continue;
        }
        // Ids of extensions mean what their sender says, which is not what these browsers were told.
        packet.header.extensions.clear();
        // Source, sequence numbers and payload type are set for each browser. A sender that stops
        // and starts again with others goes on in the same stream.
        track.write_rtp(&packet);
    }
}
