//! Camera and microphone of a browser as plain RTP over UDP, for any program that reads RTP.
//!
//! `cargo run --release --example rtp-forwarder`, then open <http://127.0.0.1:8080> and the file that
//! it names in ffplay.

use examples::signalling::{self, next_track};
use examples::{Flags, Outcome, codec};
use media::Codec;
use muonrtc::rtp::rtcp;
use muonrtc::{MediaKind, PeerConnection, RtpCodec, TrackRemote};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::interval;

const HELP: &str = "\
Forwards what the page's camera and microphone send as plain RTP, and writes a description of it.

Usage: cargo run --release --example rtp-forwarder -- [OPTIONS]
       ffplay -protocol_whitelist file,udp,rtp muon.sdp

Options:
  --video CODEC      what the browser shall send: vp8, vp9, av1 or h264 [default: vp8]
  --to ADDRESS       where to send [default: 127.0.0.1]
  --audio-port PORT  where audio goes; its RTCP goes to the next port [default: 4000]
  --video-port PORT  where video goes; its RTCP goes to the next port [default: 4002]
  --sdp FILE         the description to write [default: muon.sdp]
  --bind ADDRESS     the address to listen on [default: 127.0.0.1]
  --port PORT        the port to listen on, 0 for any free one [default: 8080]
  --help             print this and exit";

/// How often the browser is asked for a key frame. Who opens the stream later, or loses a packet of
/// it, sees a picture from the next one; plain RTP has no way back by which to ask.
const KEYFRAME_INTERVAL: Duration = Duration::from_secs(3);
/// The largest packet: what an Ethernet frame holds.
const MAX_PACKET: usize = 1500;

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, forward).await
}

async fn forward(flags: Flags) -> Outcome {
    let video = codec::video(&flags.value("--video", "vp8".to_owned())?)?;
    let to = flags.value("--to", IpAddr::V4(Ipv4Addr::LOCALHOST))?;
    let audio_to = SocketAddr::new(to, port(&flags, "--audio-port", 4000)?);
    let video_to = SocketAddr::new(to, port(&flags, "--video-port", 4002)?);
    if audio_to.port().abs_diff(video_to.port()) < 2 {
        return Err("--audio-port and --video-port: each is two ports, for RTP and RTCP".into());
    }

    let sdp = flags.value("--sdp", "muon.sdp".to_owned())?;
    std::fs::write(&sdp, description(audio_to, video_to, video)?)
        .map_err(|error| format!("--sdp {sdp}: {error}"))?;
    println!("when the page sends: ffplay -protocol_whitelist file,udp,rtp {sdp}");

    let page = include_str!("index.html");
    signalling::serve(flags.address()?, page, move |connection| {
        // The description is already written, so the browser must send what it says.
        codec::insist(&connection, video)?;
        codec::insist(&connection, Codec::Opus)?;
        examples::spawn(follow(connection, audio_to, video_to));
        Ok(())
    })
    .await
}

/// The port of RTP, above which there is one for RTCP.
fn port(flags: &Flags, name: &str, default: u16) -> Outcome<u16> {
    match flags.value(name, default)? {
        port @ 1..=65534 => Ok(port),
        port => Err(format!("{name} {port}: it is between 1 and 65534").into()),
    }
}

/// Forwards the tracks of one connection until it is over.
async fn follow(connection: PeerConnection, audio: SocketAddr, video: SocketAddr) -> Outcome {
    while let Some(received) = next_track(&connection).await {
        let to = match received.track.kind() {
            MediaKind::Audio => audio,
            MediaKind::Video => video,
        };
        println!("forwarding {} to {to}", received.track.kind());
        examples::spawn(forward_rtcp(received.track.clone(), to));
        examples::spawn(forward_rtp(received.track, to));
    }
    println!("the browser left");
    Ok(())
}

/// Sends every packet of the track on.
async fn forward_rtp(track: TrackRemote, to: SocketAddr) -> Outcome {
    let socket = socket(to).await?;
    let mut datagram = [0; MAX_PACKET];
    let mut keyframe = interval(KEYFRAME_INTERVAL);
    loop {
        let mut packet = tokio::select! {
            packet = track.read_rtp() => match packet {
                Some(packet) => packet,
                None => return Ok(()),
            },
            _ = keyframe.tick(), if track.kind() == MediaKind::Video => {
                track.request_keyframe();
                continue;
            }
        };
        // The payload type is the one of our capabilities, whatever was negotiated, and stands in
        // the description. The extensions mean nothing to who has no description of theirs.
        packet.header.extensions.clear();
        let len = packet.write(&mut datagram)?;
        // Nobody may be listening yet, of which loopback tells; and the next packet may be heard.
        let _ = socket.send(&datagram[..len]).await;
    }
}

/// Sends the browser's sender reports on: by them, a player brings picture and sound together.
async fn forward_rtcp(track: TrackRemote, to: SocketAddr) -> Outcome {
    // RFC 3550 §11: RTCP goes to the next higher port.
    let to = SocketAddr::new(to.ip(), to.port() + 1);
    let socket = socket(to).await?;
    let mut datagram = [0; MAX_PACKET];
    while let Some(packet) = track.read_rtcp().await {
        if let rtcp::Packet::SenderReport(_) = &packet {
            let len = packet.write(&mut datagram)?;
            let _ = socket.send(&datagram[..len]).await;
        }
    }
    Ok(())
}

async fn socket(to: SocketAddr) -> Outcome<UdpSocket> {
    let any: SocketAddr = match to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(to).await?;
    Ok(socket)
}

/// What goes where, for a player (RFC 8866).
fn description(audio: SocketAddr, video: SocketAddr, codec: Codec) -> Outcome<String> {
    let family = if audio.is_ipv4() { "IP4" } else { "IP6" };
    let address = audio.ip();
    let mut text = format!(
        "v=0\r\no=- 0 0 IN {family} {address}\r\ns=Muon\r\nc=IN {family} {address}\r\nt=0 0\r\n"
    );
    for (kind, to, codec) in [("audio", audio, Codec::Opus), ("video", video, codec)] {
        let payload_type = codec::payload_type(codec)?;
        let RtpCodec {
            clock_rate,
            channels,
            sdp_fmtp_line,
            ..
        } = codec::negotiable(codec)?;
        let (_, name) = codec.mime_type().split_once('/').unwrap_or_default();
        let channels = channels.map_or(String::new(), |channels| format!("/{channels}"));
        text += &format!("m={kind} {} RTP/AVP {payload_type}\r\n", to.port());
        text += &format!("a=rtpmap:{payload_type} {name}/{clock_rate}{channels}\r\n");
        if !sdp_fmtp_line.is_empty() {
            text += &format!("a=fmtp:{payload_type} {sdp_fmtp_line}\r\n");
        }
    }
    Ok(text)
}
