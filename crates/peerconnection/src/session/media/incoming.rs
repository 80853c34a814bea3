//! Packets from the peer: unprotected, routed to their receiver, and handed to their track.

use super::flow::{IncomingRtcp, IncomingRtp};
use super::transceiver::TransceiverKey;
use super::{MediaEvent, Transceivers};
use interceptor::{Event, Verdict};
use rtp::extension::AudioLevel;
use rtp::{Header, Packet, rtcp};
use std::time::Instant;

/// Packets that come before the keys are kept up to this many: the peer may be ready a flight
/// earlier than we are.
const MAX_EARLY: usize = 64;

/// Packets that the application has not taken from the session; at the bound new ones are dropped.
/// The async front takes them after every batch.
const MAX_RECEIVED: usize = 4096;

/// RTCP packets that the application has not taken; at the bound the oldest go.
const MAX_RTCP: usize = 256;

impl Transceivers {
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
        let level = receiver.extensions.hot.audio_level;
        let level = level.and_then(|id| header.extensions.typed::<AudioLevel>(id));
        receiver.extensions.to_application(&mut header.extensions);
        let (layer, ssrc, left) = (source.layer, source.ssrc, source.left);
        if left {
            transceiver.receiver.set_left(ssrc, false);
        }
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
        self.pump_pipeline();
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
    pub(super) fn pump_pipeline(&mut self) {
        while let Some(event) = self.flow.pipeline.as_mut().and_then(|p| p.poll_event()) {
            match event {
                Event::KeyframeRequested { ssrc } => {
                    if let Some((key, layer)) = self.sender_of(ssrc) {
                        self.events
                            .push_back(MediaEvent::KeyframeRequested(key, layer));
                    }
                }
                Event::Goodbye { ssrc } => self.handle_goodbye(ssrc),
                _ => {}
            }
        }
    }

    /// webrtc-pc §5.3: the tracks are muted. The source is not forgotten: browsers say goodbye for a
    /// layer that they leave out for a while, and go on with packets that do not name it again.
    fn handle_goodbye(&mut self, ssrc: u32) {
        let key = self.routes.get(&ssrc).copied();
        let Some(transceiver) = key.and_then(|key| self.get_mut(key)) else {
            return;
        };
        let receiver = &mut transceiver.receiver;
        receiver.set_left(ssrc, true);
        let mut bound = receiver.sources.iter().filter(|source| source.bound);
        if bound.all(|source| source.left)
            && let Some(muted) = transceiver.mute()
        {
            self.events.push_back(muted);
        }
    }

    fn sender_of(&self, ssrc: u32) -> Option<(TransceiverKey, u8)> {
        self.list.iter().find_map(|transceiver| {
            let mut encodings = transceiver.sender.encodings.iter();
            let layer = encodings.position(|own| own.ssrc == ssrc)?;
            Some((transceiver.key, u8::try_from(layer).ok()?))
        })
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
