//! Packets on their way: SRTP, the pipeline, and the tracks.

use super::pool::Pool;
use super::transceiver::TransceiverKey;
use super::{MediaEvent, Transceivers};
use crate::capability;
use interceptor::{Direction, Event, NewStage, Pipeline, StreamStats, Verdict};
use layer::{Srtp, Start};
use rtp::extension::AudioLevel;
use rtp::{Header, Packet, rtcp};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The largest header that is written: 12 bytes, 15 contributing sources, and extensions.
const MAX_HEADER: usize = 512;

/// Packets that come before the keys are kept up to this many: the peer may be ready a flight
/// earlier than we are.
const MAX_EARLY: usize = 64;

/// Packets that the application has not taken from the session; at the bound new ones are dropped.
/// The async front takes them after every batch.
const MAX_RECEIVED: usize = 4096;

/// RTCP packets that the application has not taken; at the bound the oldest go.
const MAX_RTCP: usize = 256;

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
    stages: Vec<Arc<dyn NewStage>>,
    srtp: Option<Box<dyn Srtp>>,
    pipeline: Option<Box<Pipeline>>,
    pool: Pool,
    early: VecDeque<Vec<u8>>,
    received: VecDeque<IncomingRtp>,
    rtcp: VecDeque<IncomingRtcp>,
    /// Whether the application reads RTCP.
    pub(super) wants_rtcp: bool,
    dropped: u64,
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

    /// One packet of the path: SRTP or SRTCP (RFC 5761 §4 tells which).
    pub(crate) fn handle_packet(&mut self, now: Instant, packet: &mut [u8]) {
        let Some(srtp) = &mut self.flow.srtp else {
            if self.flow.early.len() < MAX_EARLY {
                self.flow.early.push_back(packet.to_vec());
            } else {
                self.flow.dropped += 1;
            }
            return;
        };
        if rtp::is_rtcp(packet) {
            if let Ok(len) = srtp.unprotect_rtcp_in_place(packet) {
                self.handle_rtcp(now, &packet[..len]);
            }
        } else if let Ok(len) = srtp.unprotect_in_place(packet) {
            self.handle_rtp(now, &packet[..len]);
        }
    }

    fn handle_rtp(&mut self, now: Instant, packet: &[u8]) {
        let Ok((header, payload)) = Header::parse(packet) else {
            self.flow.dropped += 1;
            return;
        };
        let Some(key) = self.route(now, &header) else {
            self.flow.dropped += 1;
            return;
        };
        let payload = self.flow.pool.copy(&packet[payload]);
        let mut packet = Packet { header, payload };
        let Some(pipeline) = &mut self.flow.pipeline else {
            return;
        };
        if pipeline.handle_incoming(now, &mut packet) == Verdict::Pass {
            self.deliver(now, key, packet);
        }
        while let Some(repaired) = self
            .flow
            .pipeline
            .as_mut()
            .and_then(|p| p.poll_receive(now))
        {
            if let Some(key) = self.routes.get(&repaired.header.ssrc).copied() {
                self.deliver(now, key, repaired);
            }
        }
    }

    /// Hands a packet to its track, in the numbers that the application knows.
    fn deliver(&mut self, now: Instant, key: TransceiverKey, mut packet: Packet) {
        let Some(at) = self.position(key) else { return };
        let transceiver = &mut self.list[at];
        let receiver = &transceiver.receiver;
        let header = &mut packet.header;
        let known = receiver.payload_type(header.payload_type);
        let (Some(payload_type), Some(source)) = (known, receiver.source(header.ssrc)) else {
            self.flow.dropped += 1;
            return;
        };
        // pc-042: what is still on its way when a direction has closed is not for the track.
        if !transceiver.receives() || self.flow.received.len() >= MAX_RECEIVED {
            self.flow.dropped += 1;
            return;
        }
        header.payload_type = payload_type;
        let level = receiver.extensions.id_of(capability::AUDIO_LEVEL);
        let level = level.and_then(|id| header.extensions.typed::<AudioLevel>(id));
        receiver.extensions.to_application(&mut header.extensions);
        let layer = source.layer;
        let heard = &mut transceiver.receiver.heard;
        heard.note(now, header, level.map(|heard| heard.level));
        if std::mem::take(&mut transceiver.receiver.muted) {
            self.events.push_back(MediaEvent::TrackUnmuted(key));
        }
        self.flow.received.push_back(IncomingRtp {
            transceiver: key,
            layer,
            packet,
        });
    }

    fn handle_rtcp(&mut self, now: Instant, packet: &[u8]) {
        let Some(pipeline) = &mut self.flow.pipeline else {
            return;
        };
        let mut seen: Vec<rtcp::Packet> = Vec::new();
        let wanted = self.flow.wants_rtcp;
        let list = &mut self.list;
        pipeline.handle_incoming_rtcp(now, packet, |packet| {
            acknowledge(list, packet);
            if wanted {
                seen.push(packet.clone());
            }
        });
        for packet in seen {
            let senders = self.senders_told_by(&packet);
            let receivers = self.receivers_told_by(&packet);
            if self.flow.rtcp.len() >= MAX_RTCP {
                self.flow.rtcp.pop_front();
            }
            self.flow.rtcp.push_back(IncomingRtcp {
                senders,
                receivers,
                packet,
            });
        }
        self.pump_pipeline(now);
    }

    /// rtp-026: whose stream it is about.
    fn senders_told_by(&self, packet: &rtcp::Packet) -> Vec<TransceiverKey> {
        let about = packet.destination_ssrcs();
        let is_told = |transceiver: &&super::Transceiver| {
            let mut encodings = transceiver.sender.encodings.iter();
            encodings.any(|own| about.contains(&own.ssrc) || about.contains(&own.rtx_ssrc))
        };
        let told = self.list.iter().filter(is_told);
        told.map(|transceiver| transceiver.key).collect()
    }

    /// rtp-026: whose stream the peer says something of.
    fn receivers_told_by(&self, packet: &rtcp::Packet) -> Vec<TransceiverKey> {
        use rtcp::Packet::{
            ApplicationDefined, ExtendedReport, Goodbye, SenderReport, SourceDescription, Unknown,
        };
        let sources = match packet {
            SourceDescription(_) | Goodbye(_) => packet.destination_ssrcs(),
            SenderReport(_) | ExtendedReport(_) | ApplicationDefined(_) | Unknown(_) => {
                packet.sender_ssrc().into_iter().collect()
            }
            // Reports and feedback on what others send carry the source of one of the peer's streams,
            // and say nothing of it.
            _ => return Vec::new(),
        };
        let is_told = |transceiver: &&super::Transceiver| {
            let receiver = &transceiver.receiver;
            sources.iter().any(|ssrc| receiver.source(*ssrc).is_some())
        };
        let told = self.list.iter().filter(is_told);
        told.map(|transceiver| transceiver.key).collect()
    }

    /// What the pipeline tells.
    fn pump_pipeline(&mut self, now: Instant) {
        while let Some(event) = self.flow.pipeline.as_mut().and_then(|p| p.poll_event()) {
            match event {
                Event::KeyframeRequested { ssrc } => {
                    if let Some((key, layer)) = self.sender_of(ssrc) {
                        self.events
                            .push_back(MediaEvent::KeyframeRequested(key, layer));
                    }
                }
                Event::Goodbye { ssrc } => {
                    if let Some(key) = self.routes.get(&ssrc).copied() {
                        self.forget_source(now, key, ssrc);
                    }
                }
                _ => {}
            }
        }
    }

    fn sender_of(&self, ssrc: u32) -> Option<(TransceiverKey, u8)> {
        self.list.iter().find_map(|transceiver| {
            let mut encodings = transceiver.sender.encodings.iter();
            let layer = encodings.position(|own| own.ssrc == ssrc)?;
            Some((transceiver.key, u8::try_from(layer).ok()?))
        })
    }

    /// Protects a packet of the application into `out` and returns its length; 0 if it goes
    /// nowhere: the direction does not send, its codec was not negotiated, or there are no keys yet.
    pub(crate) fn write_rtp(
        &mut self,
        now: Instant,
        key: TransceiverKey,
        layer: usize,
        packet: &Packet,
        out: &mut [u8],
    ) -> usize {
        let Some(at) = self.position(key) else {
            return 0;
        };
        let transceiver = &mut self.list[at];
        if !transceiver.sends() {
            return 0;
        }
        let sender = &mut transceiver.sender;
        let payload_type = sender.payload_type(packet.header.payload_type);
        let Some((payload_type, clock_rate)) = payload_type.and_then(|number| {
            let codec = sender.codec(number)?;
            Some((number, codec.codec.clock_rate))
        }) else {
            self.flow.dropped += 1;
            return 0;
        };
        let Some(encoding) = sender.encodings.get_mut(layer) else {
            return 0;
        };
        if !encoding.parameters.active || !encoding.accepted {
            return 0;
        }
        let mut packet = packet.clone();
        let header = &mut packet.header;
        sender.extensions.to_wire(&mut header.extensions);
        encoding.clock.place(now, header, clock_rate);
        header.payload_type = payload_type;
        header.ssrc = encoding.ssrc;
        if !encoding.acknowledged {
            // rtp-020, rtp-021: until the peer's reports show that it knows.
            let rid = encoding.parameters.rid.as_bytes();
            let mid = transceiver.mid.as_deref().unwrap_or_default().as_bytes();
            for (uri, name) in [(capability::MID, mid), (capability::RID, rid)] {
                if let (Some(id), false) = (sender.extensions.id_of(uri), name.is_empty()) {
                    // A name that fits no extension is left out; the source is declared then.
                    let _ = header.extensions.set(id, name);
                }
            }
        }
        let Some(pipeline) = &mut self.flow.pipeline else {
            return 0;
        };
        if pipeline.handle_outgoing(now, &mut packet) != Verdict::Pass {
            return 0;
        }
        self.flow.seal(&packet, out)
    }

    /// The next packet of the pipeline's own, protected: retransmissions, reports, feedback.
    pub(crate) fn poll_transmit(&mut self, now: Instant, out: &mut [u8]) -> Option<usize> {
        self.flow.srtp.as_ref()?;
        while let Some(packet) = self.flow.pipeline.as_mut()?.poll_transmit(now) {
            let len = self.flow.seal(&packet, out);
            if len > 0 {
                return Some(len);
            }
        }
        let (pipeline, srtp) = (self.flow.pipeline.as_mut()?, self.flow.srtp.as_mut()?);
        let mut compound = [0; super::super::transports::MAX_DATAGRAM];
        let room = out
            .len()
            .checked_sub(srtp.rtcp_overhead())?
            .min(compound.len());
        let len = pipeline.poll_rtcp(now, &mut compound[..room])?;
        srtp.protect_rtcp_into(&compound[..len], out).ok()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(pipeline) = &mut self.flow.pipeline {
            pipeline.handle_timeout(now);
            self.pump_pipeline(now);
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

impl Flow {
    /// Header and payload, protected.
    fn seal(&mut self, packet: &Packet, out: &mut [u8]) -> usize {
        let Some(srtp) = &mut self.srtp else {
            self.dropped += 1;
            return 0;
        };
        let mut head = [0; MAX_HEADER];
        let sealed = packet
            .header
            .write(&mut head)
            .ok()
            .and_then(|len| srtp.protect_into(&head[..len], &packet.payload, out).ok());
        if sealed.is_none() {
            self.dropped += 1;
        }
        sealed.unwrap_or_default()
    }
}

/// Notes the sources that a report of the peer is about.
fn acknowledge(list: &mut [super::Transceiver], packet: &rtcp::Packet) {
    let reports = match packet {
        rtcp::Packet::SenderReport(report) => &report.reports[..],
        rtcp::Packet::ReceiverReport(report) => &report.reports[..],
        _ => return,
    };
    for transceiver in list {
        for encoding in &mut transceiver.sender.encodings {
            if !encoding.acknowledged {
                encoding.acknowledged = reports.iter().any(|block| block.ssrc == encoding.ssrc);
            }
        }
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
