//! What takes memory and what does not, shown by an allocator that counts. A process has one
//! allocator, so this is a binary of its own; it has one test, so that nothing else is counted.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod counter;

use bytes::Bytes;
use counter::allocations;
use muonrtc::rtp::{Header, Packet};
use muonrtc::{
    Configuration, MediaKind, PeerConnection, PeerConnectionEvent, RtpCodec, TrackLocal,
    TrackRemote,
};
use std::time::Duration;

/// Connections that a packet is forwarded to.
const RECEIVERS: usize = 3;

/// Bytes of a packet after its header.
const PAYLOAD: usize = 1180;

/// Packets until histories and queues have grown to what the rate needs: the history of a stream
/// holds at most 1024 of them, what is known of packets sent 8192.
const WARM_UP: u16 = 10_000;

/// Packets of one window, and how many windows are looked at.
const WINDOW: u16 = 20;
const WINDOWS: usize = 201;

/// A packet that is received, read, written to several connections and received there takes no
/// memory, on any of the ways: publisher, forwarder, receivers. Feedback, reports and connectivity
/// checks, which come several times a second, do, on a slow machine in more windows than on a fast
/// one; so half of the windows must be without.
#[tokio::test]
async fn forwarding_a_packet_takes_no_memory() {
    let source = TrackLocal::new("camera", RtpCodec::new("video/VP8", 90_000)).unwrap();
    let forwarded = TrackLocal::forwarding("forwarded", MediaKind::Video);
    let mut path = Path::connect(source, forwarded).await;
    path.carry(WARM_UP).await;
    let mut taken = Vec::new();
    for _ in 0..WINDOWS {
        let before = allocations();
        path.carry(WINDOW).await;
        taken.push(allocations() - before);
    }
    taken.sort_unstable();
    assert_eq!(
        taken[WINDOWS / 2],
        0,
        "allocations in each window: {taken:?}"
    );
}

/// From a publisher through a forwarder to several receivers.
struct Path {
    source: TrackLocal,
    published: TrackRemote,
    forwarded: TrackLocal,
    received: Vec<TrackRemote>,
    packet: Packet,
    _connections: Vec<PeerConnection>,
}

impl Path {
    async fn connect(source: TrackLocal, forwarded: TrackLocal) -> Self {
        let mut connections = Vec::new();
        let published = connect(&source, &mut connections).await;
        let mut received = Vec::new();
        for _ in 0..RECEIVERS {
            received.push(connect(&forwarded, &mut connections).await);
        }
        let header = Header {
            ssrc: 1,
            ..Header::default()
        };
        Self {
            source,
            published,
            forwarded,
            received,
            packet: Packet::new(header, Bytes::from(vec![0x10; PAYLOAD])),
            _connections: connections,
        }
    }

    /// Carries packets one by one over the whole way.
    async fn carry(&mut self, packets: u16) {
        for _ in 0..packets {
            let header = &mut self.packet.header;
            header.sequence_number = header.sequence_number.wrapping_add(1);
            header.timestamp = header.timestamp.wrapping_add(90);
            assert_eq!(self.source.write_rtp(&self.packet), 1);
            let packet = next(&self.published).await;
            assert_eq!(self.forwarded.write_rtp(&packet), RECEIVERS);
            for track in &self.received {
                next(track).await;
            }
        }
    }
}

/// The next packet of the path; those that the connections began with are passed over.
async fn next(track: &TrackRemote) -> Packet {
    loop {
        let packet = track.read_rtp().await.unwrap();
        if packet.payload.len() == PAYLOAD {
            return packet;
        }
    }
}

/// Connects two more peers, of which the first sends the track; what the second receives, when the
/// first packets have come.
async fn connect(track: &TrackLocal, connections: &mut Vec<PeerConnection>) -> TrackRemote {
    let [near, far] = [(); 2].map(|()| {
        PeerConnection::builder(Configuration::default())
            .build()
            .unwrap()
    });
    near.add_track(track, &["stream"]).unwrap();
    near.set_local_description(None).await.unwrap();
    near.gathering_complete().await;
    let offer = near.local_description().unwrap();
    far.set_remote_description(offer).await.unwrap();
    far.set_local_description(None).await.unwrap();
    far.gathering_complete().await;
    let answer = far.local_description().unwrap();
    near.set_remote_description(answer).await.unwrap();
    let remote = loop {
        let event = far.next_event().await.unwrap();
        if let PeerConnectionEvent::Track(received) = event.kind {
            break received.track;
        }
    };
    connections.extend([near, far]);
    let mut first = Packet::new(Header::default(), Bytes::from_static(&[0x10; 20]));
    first.header.ssrc = 2;
    first.header.payload_type = 96;
    loop {
        track.write_rtp(&first);
        first.header.sequence_number += 1;
        let wait = tokio::time::timeout(Duration::from_millis(20), remote.read_rtp());
        if wait.await.is_ok() {
            return remote;
        }
    }
}
