//! Packets on their way: SRTP, the pipeline, and the tracks.

use super::Transceivers;
use super::pool::Pool;
use super::transceiver::TransceiverKey;
use interceptor::{Direction, NewStage, Pipeline, StreamStats};
use layer::{Srtp, Start};
use rtp::{Packet, rtcp};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A media packet for the application.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IncomingRtp {
    /// The transceiver whose receiver it is for.
    pub transceiver: TransceiverKey,
    /// The layer of a simulcast, counted in the order of the description; 0 where there are none.
    pub layer: u8,
    /// The packet. Payload type and extension ids are those of the connection's
    /// [`Capabilities`](crate::Capabilities), whatever was negotiated.
    pub packet: Packet,
}

/// An RTCP packet for the application, as the peer sent it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IncomingRtcp {
    /// The transceivers whose sender it is about: reports and feedback on what we send.
    pub senders: Vec<TransceiverKey>,
    /// The transceivers whose receiver it is for: what the peer says of the streams that it sends.
    pub receivers: Vec<TransceiverKey>,
    /// The packet.
    pub packet: rtcp::Packet,
}

/// What all transceivers share on the way to and from the transport.
pub(crate) struct Flow {
    pub(super) stages: Vec<Arc<dyn NewStage>>,
    pub(super) srtp: Option<Box<dyn Srtp>>,
    pub(super) pipeline: Option<Box<Pipeline>>,
    pub(super) pool: Pool,
    pub(super) early: VecDeque<Vec<u8>>,
    pub(super) received: VecDeque<IncomingRtp>,
    pub(super) rtcp: VecDeque<IncomingRtcp>,
    /// Whether the application reads RTCP.
    pub(super) wants_rtcp: bool,
    pub(super) dropped: u64,
}

impl Flow {
    pub(super) fn new(stages: Vec<Arc<dyn NewStage>>) -> Self {
        Self {
            stages,
            srtp: None,
            pipeline: None,
            pool: Pool::default(),
            early: VecDeque::new(),
            received: VecDeque::new(),
            rtcp: VecDeque::new(),
            wants_rtcp: false,
            dropped: 0,
        }
    }

    /// The pipeline, made when the first stream needs it.
    pub(super) fn pipeline(&mut self, start: Start, cname: &str) -> &mut Pipeline {
        let (stages, now) = (&self.stages, start.now);
        self.pipeline.get_or_insert_with(|| {
            let mut config = interceptor::Config::default();
            config.cname = Some(cname.to_owned());
            let start =
                interceptor::PipelineStart::new(start.now, start.wall, *start.seed.as_bytes());
            let mut pipeline = Pipeline::new(start, config);
            for factory in stages {
                let added = pipeline.add(now, factory.place(), factory.new_stage());
                if let Err(error) = added {
                    tracing::warn!(%error, stage = ?factory, "a stage was left out");
                }
            }
            Box::new(pipeline)
        })
    }

    pub(super) fn unbind(&mut self, now: Instant, direction: Direction, ssrc: u32) {
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.unbind(now, direction, ssrc);
        }
    }
}

impl Transceivers {
    /// Whether there is anything to protect.
    pub(crate) fn wants_keys(&self) -> bool {
        self.flow.srtp.is_none() && !self.list.is_empty()
    }

    /// The transport is gone, and its keys with it.
    pub(crate) fn transport_ended(&mut self) {
        self.flow.srtp = None;
        self.flow.early.clear();
    }

    /// The keys are there.
    pub(crate) fn secure(&mut self, now: Instant, srtp: Box<dyn Srtp>) {
        self.flow.srtp = Some(srtp);
        for mut packet in std::mem::take(&mut self.flow.early) {
            self.handle_packet(now, &mut packet);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(pipeline) = &mut self.flow.pipeline {
            pipeline.handle_timeout(now);
            self.pump_pipeline();
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        // Without keys nothing can be said; a timer would only spin.
        self.flow.srtp.as_ref()?;
        self.flow.pipeline.as_ref()?.poll_timeout()
    }

    pub(crate) fn poll_rtp(&mut self) -> Option<IncomingRtp> {
        self.flow.received.pop_front()
    }

    pub(crate) fn poll_rtcp(&mut self) -> Option<IncomingRtcp> {
        self.flow.rtcp.pop_front()
    }

    /// The counters of our encodings, in their order; zero for one that has not been sent.
    pub(crate) fn sender_stats(&self, key: TransceiverKey) -> Vec<StreamStats> {
        let encodings = self.get(key).map(|found| &found.sender.encodings[..]);
        encodings
            .unwrap_or_default()
            .iter()
            .map(|encoding| self.stream_stats(Direction::Outgoing, encoding.ssrc))
            .collect()
    }

    /// The counters of the source that a layer of a receiver was last heard from.
    pub(crate) fn receiver_stats(&self, key: TransceiverKey, layer: u8) -> Option<StreamStats> {
        let mut sources = self.get(key)?.receiver.sources.iter().rev();
        let source = sources.find(|source| source.bound && source.layer == layer)?;
        Some(self.stream_stats(Direction::Incoming, source.ssrc))
    }

    pub(super) fn stream_stats(&self, direction: Direction, ssrc: u32) -> StreamStats {
        let pipeline = self.flow.pipeline.as_ref();
        let stats = pipeline.and_then(|pipeline| pipeline.stats(direction, ssrc));
        stats.unwrap_or_default()
    }

    /// ICE has measured the path.
    pub(crate) fn set_round_trip(&mut self, now: Instant, round_trip: Duration) {
        if let Some(pipeline) = &mut self.flow.pipeline {
            pipeline.set_round_trip(now, round_trip);
        }
    }

    /// Whether both sides take feedback that is not a whole compound (RFC 5506).
    pub(super) fn set_reduced_size(&mut self, reduced: bool) {
        if let Some(pipeline) = &mut self.flow.pipeline {
            pipeline.set_reduced_size(reduced);
        }
    }

    /// Asks the peer for a key frame of a layer; it is limited by the pipeline.
    pub(crate) fn request_keyframe(&mut self, now: Instant, key: TransceiverKey, layer: u8) {
        let Some(transceiver) = self.get(key) else {
            return;
        };
        let sources = transceiver.receiver.sources.iter();
        let wanted: Vec<u32> = sources
            .filter(|source| source.bound && source.layer == layer)
            .map(|source| source.ssrc)
            .collect();
        if let Some(pipeline) = &mut self.flow.pipeline {
            for ssrc in wanted {
                pipeline.request_keyframe(now, ssrc);
            }
        }
    }

    /// Sends an RTCP packet of the application with the next compound.
    pub(crate) fn write_rtcp(&mut self, now: Instant, packet: rtcp::Packet) {
        if let Some(pipeline) = &mut self.flow.pipeline
            && pipeline.send_rtcp(now, packet).is_err()
        {
            self.flow.dropped += 1;
        }
    }

    /// From now on RTCP is kept for the application.
    pub(crate) fn read_rtcp(&mut self) {
        self.flow.wants_rtcp = true;
    }
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flow")
            .field("secured", &self.srtp.is_some())
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}
