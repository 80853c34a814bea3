use crate::{Direction, Interest, Stage, Stream, StreamStats, Verdict};
use rtp::Packet;
use rtp::rtcp;
use std::collections::BTreeMap;
use std::time::Instant;

/// Counts the packets of every stream, and the feedback about it. It stands next to the wire, so
/// that it sees headers as they are sent.
#[derive(Debug, Default)]
pub struct Statistics {
    outgoing: BTreeMap<u32, Counters>,
    incoming: BTreeMap<u32, Counters>,
}

/// The counters of one SSRC.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    /// The media, for a retransmission stream.
    media: Option<u32>,
    rtx: Option<u32>,
    packets: u64,
    bytes: u64,
    header_bytes: u64,
    /// Packets and bytes that were sent again on the same SSRC.
    repeated_packets: u64,
    repeated_bytes: u64,
    /// The highest sequence number that was sent.
    highest: Option<u16>,
    last_packet: Option<Instant>,
    nack: u64,
    pli: u64,
    fir: u64,
}

impl Counters {
    fn count(&mut self, now: Instant, packet: &Packet) {
        self.packets += 1;
        self.bytes += length(packet.payload.len());
        self.header_bytes += length(packet.header.encoded_len());
        self.last_packet = Some(now);
    }

    /// An outgoing packet that does not go forward is sent again.
    fn count_repetition(&mut self, packet: &Packet) {
        let number = packet.header.sequence_number;
        let ahead = self
            .highest
            .map_or(1, |highest| number.wrapping_sub(highest));
        if (1..1 << 15).contains(&ahead) {
            self.highest = Some(number);
        } else {
            self.repeated_packets += 1;
            self.repeated_bytes += length(packet.payload.len());
        }
    }

    fn add_to(&self, stats: &mut StreamStats) {
        stats.packets += self.packets;
        stats.bytes += self.bytes;
        stats.header_bytes += self.header_bytes;
        stats.retransmitted_packets += self.repeated_packets;
        stats.retransmitted_bytes += self.repeated_bytes;
        if self.media.is_some() {
            stats.retransmitted_packets += self.packets;
            stats.retransmitted_bytes += self.bytes;
        }
        stats.last_packet = stats.last_packet.max(self.last_packet);
        stats.nack_count += self.nack;
        stats.pli_count += self.pli;
        stats.fir_count += self.fir;
    }
}

impl Statistics {
    /// Without streams.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn of(&mut self, direction: Direction) -> &mut BTreeMap<u32, Counters> {
        match direction {
            Direction::Outgoing => &mut self.outgoing,
            Direction::Incoming => &mut self.incoming,
        }
    }
}

impl Stage for Statistics {
    fn bind(&mut self, _: Instant, stream: &Stream) -> Interest {
        let rtx = stream.rtx.as_ref().map(|rtx| rtx.ssrc);
        let streams = self.of(stream.direction);
        streams.entry(stream.ssrc).or_default().rtx = rtx;
        streams.retain(|&ssrc, one| one.media != Some(stream.ssrc) || Some(ssrc) == rtx);
        if let Some(rtx) = rtx {
            streams.entry(rtx).or_default().media = Some(stream.ssrc);
        }
        Interest::Quiet
    }

    fn unbind(&mut self, direction: Direction, ssrc: u32) {
        let streams = self.of(direction);
        streams.retain(|&own, one| own != ssrc && one.media != Some(ssrc));
    }

    fn handle_outgoing(&mut self, now: Instant, packet: &mut Packet) -> Verdict {
        if let Some(counters) = self.outgoing.get_mut(&packet.header.ssrc) {
            counters.count(now, packet);
            counters.count_repetition(packet);
        }
        Verdict::Pass
    }

    fn handle_incoming(&mut self, now: Instant, packet: &mut Packet) -> Verdict {
        if let Some(counters) = self.incoming.get_mut(&packet.header.ssrc) {
            counters.count(now, packet);
        }
        Verdict::Pass
    }

    fn handle_outgoing_rtcp(&mut self, _: Instant, packet: &mut rtcp::Packet) {
        count_feedback(&mut self.incoming, packet);
    }

    fn handle_incoming_rtcp(&mut self, _: Instant, packet: &rtcp::Packet) {
        count_feedback(&mut self.outgoing, packet);
    }

    fn describe(&self, direction: Direction, ssrc: u32, stats: &mut StreamStats) {
        let streams = match direction {
            Direction::Outgoing => &self.outgoing,
            Direction::Incoming => &self.incoming,
        };
        let Some(media) = streams.get(&ssrc) else {
            return;
        };
        media.add_to(stats);
        if let Some(rtx) = media.rtx.and_then(|rtx| streams.get(&rtx)) {
            rtx.add_to(stats);
        }
    }
}

fn count_feedback(streams: &mut BTreeMap<u32, Counters>, packet: &rtcp::Packet) {
    let mut count = |ssrc: u32, add: fn(&mut Counters)| {
        if let Some(counters) = streams.get_mut(&ssrc) {
            add(counters);
        }
    };
    match packet {
        rtcp::Packet::Nack(nack) => count(nack.media_ssrc, |one| one.nack += 1),
        rtcp::Packet::PictureLossIndication(pli) => count(pli.media_ssrc, |one| one.pli += 1),
        rtcp::Packet::FullIntraRequest(fir) => {
            for entry in &fir.entries {
                count(entry.ssrc, |one| one.fir += 1);
            }
        }
        _ => {}
    }
}

fn length(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
