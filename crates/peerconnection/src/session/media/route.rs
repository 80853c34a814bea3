//! Which section a packet is of (RFC 9143 §9.2).

use super::Transceivers;
use super::receiver::{MAX_SOURCES, Source};
use super::transceiver::TransceiverKey;
use crate::capability;
use interceptor::{Direction, Feedback, Rtx, Stream};
use rtp::Header;
use sdp::{Media, SsrcGroup};
use std::time::Instant;

impl Transceivers {
    /// Associates the source of a packet with its receiver, if it is not yet. `None` for a packet
    /// that matches nothing: it is dropped, not guessed (rtp-027).
    pub(super) fn route(&mut self, now: Instant, header: &Header) -> Option<TransceiverKey> {
        let known = self.routes.get(&header.ssrc).copied();
        let named = self.named_by_mid(header);
        match (known, named) {
            // §9.2: the mid of the packet wins over the table.
            (Some(known), Some(named)) if known != named => {
                self.forget_source(now, known, header.ssrc)
            }
            (Some(known), _) if self.is_bound(known, header.ssrc) => return Some(known),
            _ => {}
        }
        let key = named
            .or(known)
            .or_else(|| self.only_one_with(header.payload_type))?;
        self.associate(now, key, header).then_some(key)
    }

    fn named_by_mid(&self, header: &Header) -> Option<TransceiverKey> {
        if header.extensions.is_empty() {
            return None;
        }
        // rtp-019: the id means the same in every section of the bundle.
        let id = self
            .list
            .iter()
            .find_map(|transceiver| transceiver.receiver.extensions.id_of(capability::MID))?;
        let mid = header.extensions.get(id)?;
        self.list
            .iter()
            .find(|transceiver| {
                !transceiver.stopped
                    && transceiver
                        .mid
                        .as_ref()
                        .is_some_and(|own| own.as_bytes() == mid)
            })
            .map(|transceiver| transceiver.key)
    }

    /// The receiver with this payload type, if there is only one (§9.2, the last rule).
    fn only_one_with(&self, payload_type: u8) -> Option<TransceiverKey> {
        let mut found = self.list.iter().filter(|transceiver| {
            let receiver = &transceiver.receiver;
            transceiver.receives()
                && (receiver.codec(payload_type).is_some()
                    || receiver.is_retransmission(payload_type))
        });
        match (found.next(), found.next()) {
            (Some(one), None) => Some(one.key),
            _ => None,
        }
    }

    fn is_bound(&self, key: TransceiverKey, ssrc: u32) -> bool {
        self.get(key).is_some_and(|transceiver| {
            let mut sources = transceiver.receiver.sources.iter();
            sources.any(|source| {
                source.bound && (source.ssrc == ssrc || source.rtx_ssrc == Some(ssrc))
            })
        })
    }

    /// Makes a source known to its receiver and to the pipeline.
    fn associate(&mut self, now: Instant, key: TransceiverKey, header: &Header) -> bool {
        let Some(transceiver) = self.get(key) else {
            return false;
        };
        let receiver = &transceiver.receiver;
        if receiver.is_retransmission(header.payload_type) {
            return self.associate_retransmission(now, key, header);
        }
        // rtp-003: an unknown payload type is ignored.
        if receiver.codec(header.payload_type).is_none() {
            return false;
        }
        let declared = receiver.source(header.ssrc).is_some();
        let layer = match self.layer_of(key, header, capability::RID) {
            Some(layer) => layer,
            None if declared || receiver.layers.is_empty() => 0,
            None => return false,
        };
        if !declared {
            self.add_source(now, key, header.ssrc, layer);
        }
        if let Some(transceiver) = self.get_mut(key) {
            let sources = &mut transceiver.receiver.sources;
            if let Some(source) = sources.iter_mut().find(|own| own.ssrc == header.ssrc) {
                source.bound = true;
                source.layer = layer;
            }
        }
        self.bind_source(now, key, header.ssrc, header.payload_type);
        true
    }

    /// RFC 4588 §5.2, RFC 8852 §3: the layer, or else the only source, tells what it repairs.
    fn associate_retransmission(
        &mut self,
        now: Instant,
        key: TransceiverKey,
        header: &Header,
    ) -> bool {
        let layer = self
            .layer_of(key, header, capability::REPAIRED_RID)
            .or_else(|| self.layer_of(key, header, capability::RID));
        let Some(transceiver) = self.get_mut(key) else {
            return false;
        };
        let receiver = &mut transceiver.receiver;
        let layered = !receiver.layers.is_empty();
        let payload_type = receiver
            .codecs
            .iter()
            .find(|codec| codec.rtx_payload_type == Some(header.payload_type))
            .map(|codec| codec.payload_type);
        let mut sources = receiver.sources.iter_mut().rev();
        let repaired = sources.find(|source| {
            source.bound
                && (source.rtx_ssrc == Some(header.ssrc)
                    || (if layered {
                        Some(source.layer) == layer
                    } else {
                        true
                    }))
        });
        let (Some(source), Some(payload_type)) = (repaired, payload_type) else {
            return false;
        };
        let before = source.rtx_ssrc.replace(header.ssrc);
        let ssrc = source.ssrc;
        if let Some(before) = before {
            self.routes.remove(&before);
        }
        self.routes.insert(header.ssrc, key);
        self.bind_source(now, key, ssrc, payload_type);
        true
    }

    fn layer_of(&self, key: TransceiverKey, header: &Header, uri: &str) -> Option<u8> {
        let receiver = &self.get(key)?.receiver;
        let id = receiver.extensions.id_of(uri)?;
        let rid = std::str::from_utf8(header.extensions.get(id)?).ok()?;
        receiver.layer(rid)
    }

    pub(super) fn add_source(&mut self, now: Instant, key: TransceiverKey, ssrc: u32, layer: u8) {
        let Some(transceiver) = self.get_mut(key) else {
            return;
        };
        let sources = &mut transceiver.receiver.sources;
        sources.push(Source {
            ssrc,
            layer,
            rtx_ssrc: None,
            bound: false,
            left: false,
        });
        let oldest = (sources.len() > MAX_SOURCES).then(|| sources[0].ssrc);
        if let Some(oldest) = oldest {
            self.forget_source(now, key, oldest);
        }
        self.routes.insert(ssrc, key);
    }

    /// Takes the sources that a section declares (RFC 5576 §4.1, §4.2).
    pub(super) fn declare_sources(&mut self, now: Instant, key: TransceiverKey, section: &Media) {
        let groups = section.ssrc_groups().unwrap_or_default();
        let repairs: Vec<(u32, u32)> = groups
            .iter()
            .filter(|group| group.semantics == SsrcGroup::FID)
            .filter_map(|group| match group.ssrcs[..] {
                [media, rtx] => Some((media, rtx)),
                _ => None,
            })
            .collect();
        let mut declared: Vec<u32> = section
            .ssrcs()
            .unwrap_or_default()
            .iter()
            .map(|line| line.ssrc)
            .filter(|ssrc| !repairs.iter().any(|(_, rtx)| rtx == ssrc))
            .collect();
        declared.dedup();
        for ssrc in declared.into_iter().take(MAX_SOURCES) {
            let known = self
                .get(key)
                .is_some_and(|transceiver| transceiver.receiver.source(ssrc).is_some());
            if !known {
                self.add_source(now, key, ssrc, 0);
            }
            let rtx = repairs.iter().find(|(media, _)| *media == ssrc);
            let Some((_, rtx)) = rtx.copied() else {
                continue;
            };
            if let Some(transceiver) = self.get_mut(key) {
                let sources = &mut transceiver.receiver.sources;
                let source = sources.iter_mut().find(|own| own.ssrc == ssrc);
                let before = source.and_then(|source| source.rtx_ssrc.replace(rtx));
                if let Some(before) = before {
                    self.routes.remove(&before);
                }
            }
            self.routes.insert(rtx, key);
        }
    }

    /// A source is of nobody any more.
    pub(super) fn forget_source(&mut self, now: Instant, key: TransceiverKey, ssrc: u32) {
        self.routes.remove(&ssrc);
        let Some(transceiver) = self.get_mut(key) else {
            return;
        };
        let sources = &mut transceiver.receiver.sources;
        let Some(at) = sources.iter().position(|source| source.ssrc == ssrc) else {
            return;
        };
        let source = sources.remove(at);
        if let Some(rtx) = source.rtx_ssrc {
            self.routes.remove(&rtx);
        }
        if source.bound {
            self.flow.unbind(now, Direction::Incoming, ssrc);
        }
    }

    fn bind_source(&mut self, now: Instant, key: TransceiverKey, ssrc: u32, payload_type: u8) {
        let Some(transceiver) = self.get(key) else {
            return;
        };
        let receiver = &transceiver.receiver;
        let (Some(codec), Some(source)) = (receiver.codec(payload_type), receiver.source(ssrc))
        else {
            return;
        };
        let mut stream = Stream::new(ssrc, Direction::Incoming, codec.codec.clock_rate);
        stream.feedback = feedback(&codec.rtcp_feedback);
        stream.transport_sequence_id = receiver.extensions.id_of(capability::TRANSPORT_SEQUENCE);
        stream.absolute_send_time_id = receiver.extensions.id_of(capability::ABSOLUTE_SEND_TIME);
        stream.rid_id = receiver.extensions.id_of(capability::RID);
        stream.repaired_rid_id = receiver.extensions.id_of(capability::REPAIRED_RID);
        stream.rtx = source
            .rtx_ssrc
            .map(|rtx| Rtx::new(rtx, repair_types(&receiver.codecs)));
        // At its bound the pipeline lets the packets pass without repair.
        let _ = self
            .flow
            .pipeline(self.start, &self.cname)
            .bind(now, stream);
    }

    /// The outgoing streams of a transceiver, as they are negotiated now.
    pub(super) fn rebind(&mut self, now: Instant, key: TransceiverKey) {
        let Some(at) = self.position(key) else { return };
        let transceiver = &mut self.list[at];
        let sends = transceiver.sends();
        let sender = &mut transceiver.sender;
        let Some(codec) = sender.codecs.first() else {
            return;
        };
        let pipeline = self.flow.pipeline(self.start, &self.cname);
        for encoding in &mut sender.encodings {
            if !sends || !encoding.accepted {
                if std::mem::take(&mut encoding.bound) {
                    pipeline.unbind(now, Direction::Outgoing, encoding.ssrc);
                }
                continue;
            }
            let mut stream =
                Stream::new(encoding.ssrc, Direction::Outgoing, codec.codec.clock_rate);
            stream.feedback = feedback(&codec.rtcp_feedback);
            stream.transport_sequence_id = sender.extensions.id_of(capability::TRANSPORT_SEQUENCE);
            stream.absolute_send_time_id = sender.extensions.id_of(capability::ABSOLUTE_SEND_TIME);
            stream.rid_id = sender.extensions.id_of(capability::RID);
            stream.repaired_rid_id = sender.extensions.id_of(capability::REPAIRED_RID);
            let repairs = repair_types(&sender.codecs);
            stream.rtx = (!repairs.is_empty()).then(|| Rtx::new(encoding.rtx_ssrc, repairs));
            encoding.bound = true;
            let _ = pipeline.bind(now, stream);
        }
    }

    /// The outgoing streams of a transceiver end.
    pub(super) fn unbind_sender(&mut self, now: Instant, key: TransceiverKey) {
        let Some(at) = self.position(key) else { return };
        for encoding in &mut self.list[at].sender.encodings {
            if std::mem::take(&mut encoding.bound) {
                self.flow.unbind(now, Direction::Outgoing, encoding.ssrc);
            }
        }
    }

    /// All streams of a transceiver end.
    pub(super) fn unbind(&mut self, now: Instant, key: TransceiverKey) {
        self.unbind_sender(now, key);
        let Some(transceiver) = self.get(key) else {
            return;
        };
        let sources: Vec<u32> = transceiver
            .receiver
            .sources
            .iter()
            .map(|source| source.ssrc)
            .collect();
        for ssrc in sources {
            self.forget_source(now, key, ssrc);
        }
    }
}

/// The kinds of feedback behind `a=rtcp-fb` (RFC 4585 §4.2, RFC 5104 §7).
fn feedback(lines: &[String]) -> Feedback {
    let has = |wanted: &str| lines.iter().any(|line| line == wanted);
    let mut feedback = Feedback::default();
    feedback.nack = has("nack");
    feedback.pli = has("nack pli");
    feedback.fir = has("ccm fir");
    feedback.remb = has("goog-remb");
    feedback.transport_cc = has("transport-cc");
    feedback
}

/// Pairs of a payload type and that of its retransmissions.
fn repair_types(codecs: &[crate::parameters::RtpCodecParameters]) -> Vec<(u8, u8)> {
    codecs
        .iter()
        .filter_map(|codec| Some((codec.payload_type, codec.rtx_payload_type?)))
        .collect()
}
