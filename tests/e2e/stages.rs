//! Stages of the application's own in the pipeline of a connection (`Stack::stages`).

use crate::loopback::connect;
use muonrtc::interceptor::{NewStage, Place, Stage, Verdict};
use muonrtc::rtp::{Packet, Sample};
use muonrtc::{
    Configuration, PeerConnection, PeerConnectionEvent, RtpCodec, Stack, TrackLocal, TrackRemote,
};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// What the peers know and the forwarder does not.
const SECRET: u8 = 0xa5;
const PAYLOAD: [u8; 5] = [0x78, 1, 2, 3, 4];
/// A payload that the receiver's stage refuses.
const REFUSED: [u8; 2] = [0x78, 0xff];

/// The same stage at both ends: what it does to a payload undoes it too.
#[derive(Debug)]
struct Disguise;

impl NewStage for Disguise {
    fn place(&self) -> Place {
        Place::Application
    }

    fn new_stage(&self) -> Box<dyn Stage> {
        Box::new(Self)
    }
}

impl Stage for Disguise {
    fn handle_outgoing(&mut self, _: Instant, packet: &mut Packet) -> Verdict {
        packet.payload = packet.payload.iter().map(|byte| byte ^ SECRET).collect();
        Verdict::Pass
    }

    fn handle_incoming(&mut self, now: Instant, packet: &mut Packet) -> Verdict {
        let verdict = self.handle_outgoing(now, packet);
        if packet.payload == REFUSED[..] {
            return Verdict::Drop;
        }
        verdict
    }
}

fn peer(stages: &[Arc<dyn NewStage>]) -> PeerConnection {
    let mut stack = Stack::default();
    stack.stages.extend_from_slice(stages);
    PeerConnection::with_stack(Configuration::default(), stack)
        .build()
        .unwrap()
}

async fn received(connection: &PeerConnection) -> TrackRemote {
    while let Some(event) = connection.next_event().await {
        if let PeerConnectionEvent::Track(track) = event.kind {
            return track.track;
        }
    }
    panic!("the connection closed before a track came");
}

/// A payload is disguised before anything else of the pipeline sees it, crosses a forwarder that
/// has no such stage, and comes out as it was; what the stage drops never comes out.
#[tokio::test]
async fn a_payload_crosses_a_forwarder_in_disguise() {
    let disguise: [Arc<dyn NewStage>; 1] = [Arc::new(Disguise)];
    let (alice, bob) = (peer(&disguise), peer(&disguise));
    let (inward, outward) = (peer(&[]), peer(&[]));
    let opus = RtpCodec::new("audio/opus", 48_000).with_channels(2);
    let spoken = TrackLocal::new("spoken", opus).unwrap();
    alice.add_track(&spoken, &[]).unwrap();
    connect(&alice, &inward).await;
    let seen = received(&inward).await;
    let passed_on = TrackLocal::forwarding("passed on", seen.kind());
    outward.add_track(&passed_on, &[]).unwrap();
    connect(&outward, &bob).await;
    let heard = received(&bob).await;

    let disguised = PAYLOAD.map(|byte| byte ^ SECRET);
    let refused = REFUSED.map(|byte| byte ^ SECRET);
    let crossed = async {
        let mut count = 0;
        while count < 10 {
            for payload in [&REFUSED[..], &PAYLOAD] {
                let sample = Sample::new(payload.to_vec(), Duration::from_millis(20));
                spoken.write_sample(&sample).unwrap();
            }
            // What is written before the connections are up is lost, as media is.
            let wait = Duration::from_millis(20);
            while let Ok(Some(packet)) = timeout(wait, seen.read_rtp()).await {
                assert!(packet.payload == disguised[..] || packet.payload == refused[..]);
                passed_on.write_rtp(&packet);
                if packet.payload == disguised[..] {
                    break;
                }
            }
            if let Ok(packet) = timeout(wait, heard.read_rtp()).await {
                assert_eq!(packet.unwrap().payload, PAYLOAD[..]);
                count += 1;
            }
        }
    };
    timeout(Duration::from_secs(20), crossed).await.unwrap();
}
