//! Packets to the peer: given their place in a stream, and protected.

use super::Transceivers;
use super::flow::Flow;
use super::transceiver::TransceiverKey;
use interceptor::Verdict;
use rtp::Packet;
use std::time::Instant;

/// The largest header that is written: 12 bytes, 15 contributing sources, and extensions.
const MAX_HEADER: usize = 512;

impl Transceivers {
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
        let ids = sender.extensions.hot;
        encoding
            .clock
            .place(now, header, clock_rate, ids.dependency_descriptor);
        header.payload_type = payload_type;
        header.ssrc = encoding.ssrc;
        if !encoding.acknowledged {
            // rtp-020, rtp-021: until the peer's reports show that it knows.
            let rid = encoding.parameters.rid.as_bytes();
            let mid = transceiver.mid.as_deref().unwrap_or_default().as_bytes();
            for (id, name) in [(ids.mid, mid), (ids.rid, rid)] {
                if let (Some(id), false) = (id, name.is_empty()) {
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
