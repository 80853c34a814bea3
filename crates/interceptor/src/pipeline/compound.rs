use crate::PipelineStats;
use rtp::rtcp::{self, ReceiverReport, SourceChunk, SourceDescription};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// What the 5 bits of an SDES can count (RFC 3550 §6.5).
const MAX_CHUNKS: usize = 31;

/// Header and CNAME item of an SDES, without the name: 4 bytes of header, and for each chunk an
/// SSRC, type, length and the ending null.
const SDES_HEADER: usize = 4;
const CHUNK_OVERHEAD: usize = 4 + 2 + 1;

/// What the 8 bits of an SDES item can count, in bytes (RFC 3550 §6.5).
const MAX_CNAME_LEN: usize = 255;

/// RTCP packets that wait, and the compounds that are made of them (RFC 3550 §6.1): reports first,
/// the CNAME of who reports, feedback, goodbyes last.
#[derive(Debug)]
pub(super) struct Compound {
    pub(super) reporter: u32,
    cname: String,
    pub(super) reduced_size: bool,
    max_len: usize,
    reports: VecDeque<rtcp::Packet>,
    feedback: VecDeque<rtcp::Packet>,
    goodbyes: VecDeque<rtcp::Packet>,
}

/// A datagram in the making.
struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
    packets: u64,
}

impl Writer<'_> {
    fn has_room(&self, len: usize) -> bool {
        self.len + len <= self.out.len()
    }

    /// Writes a packet for which there is room; one that cannot be written is left out.
    fn write(&mut self, packet: &rtcp::Packet, stats: &mut PipelineStats) {
        match packet.write(&mut self.out[self.len..]) {
            Ok(len) => {
                self.len += len;
                self.packets += 1;
            }
            Err(_) => stats.rtcp_oversized += 1,
        }
    }
}

impl Compound {
    pub(super) fn new(
        reporter: u32,
        mut cname: String,
        reduced_size: bool,
        max_len: usize,
    ) -> Self {
        while cname.len() > MAX_CNAME_LEN {
            cname.pop();
        }
        Self {
            reporter,
            cname,
            reduced_size,
            max_len,
            reports: VecDeque::new(),
            feedback: VecDeque::new(),
            goodbyes: VecDeque::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.reports.len() + self.feedback.len() + self.goodbyes.len()
    }

    pub(super) fn push(&mut self, packet: rtcp::Packet) {
        match packet {
            rtcp::Packet::SenderReport(_) | rtcp::Packet::ReceiverReport(_) => &mut self.reports,
            rtcp::Packet::Goodbye(_) => &mut self.goodbyes,
            _ => &mut self.feedback,
        }
        .push_back(packet);
    }

    /// The stream goes on: it does not say goodbye.
    pub(super) fn keep(&mut self, ssrc: u32) {
        self.goodbyes.retain(|packet| match packet {
            rtcp::Packet::Goodbye(goodbye) => goodbye.ssrcs[..] != [ssrc],
            _ => true,
        });
    }

    /// Writes the next datagram.
    pub(super) fn write(&mut self, out: &mut [u8], stats: &mut PipelineStats) -> Option<usize> {
        let room = out.len().min(self.max_len);
        let mut writer = Writer {
            out: &mut out[..room],
            len: 0,
            packets: 0,
        };
        while self.len() > 0 {
            let waiting = self.len();
            self.write_reports(&mut writer, stats);
            self.write_rest(&mut writer, stats);
            if self.len() < waiting && writer.len > 0 {
                stats.rtcp_sent += writer.packets;
                return Some(writer.len);
            }
            if self.len() == waiting {
                // Not even alone: what cannot be sent must not stop what comes behind it.
                self.drop_first(stats);
            }
            (writer.len, writer.packets) = (0, 0);
        }
        None
    }

    /// The reports and the CNAME of each that reports. Without reports nothing, where reduced size
    /// allows it (RFC 5506 §3.4.1), or an empty one (RFC 3550 §6.4.2): feedback between the reports
    /// is a minimal compound (RFC 4585 §3.1), whose intervals of loss the regular ones keep.
    fn write_reports(&mut self, writer: &mut Writer<'_>, stats: &mut PipelineStats) {
        let mut reporters: SmallVec<[u32; MAX_CHUNKS]> = SmallVec::new();
        while let Some(report) = self.reports.front() {
            let ssrc = report.sender_ssrc().unwrap_or(self.reporter);
            let known = reporters.contains(&ssrc);
            let chunks = reporters.len() + usize::from(!known);
            let needed = report.encoded_len() + self.description_len(chunks);
            if chunks > MAX_CHUNKS || !writer.has_room(needed) {
                break;
            }
            if !known {
                reporters.push(ssrc);
            }
            writer.write(report, stats);
            self.reports.pop_front();
        }
        if reporters.is_empty() {
            let may_reduce = self.reduced_size && self.goodbyes.is_empty();
            let empty = rtcp::Packet::from(ReceiverReport {
                ssrc: self.reporter,
                ..ReceiverReport::default()
            });
            let needed = empty.encoded_len() + self.description_len(1);
            if may_reduce || !writer.has_room(needed) {
                return;
            }
            writer.write(&empty, stats);
            reporters.push(self.reporter);
        }
        writer.write(&self.description(&reporters), stats);
    }

    fn write_rest(&mut self, writer: &mut Writer<'_>, stats: &mut PipelineStats) {
        while let Some(packet) = self.feedback.front() {
            if !writer.has_room(packet.encoded_len()) {
                return;
            }
            writer.write(packet, stats);
            self.feedback.pop_front();
        }
        // RFC 3550 §6.1: BYE is the last packet of its source; reports may still wait.
        while self.reports.is_empty() {
            let Some(packet) = self.goodbyes.front() else {
                return;
            };
            if !writer.has_room(packet.encoded_len()) {
                return;
            }
            writer.write(packet, stats);
            self.goodbyes.pop_front();
        }
    }

    fn drop_first(&mut self, stats: &mut PipelineStats) {
        let queues = [&mut self.reports, &mut self.feedback, &mut self.goodbyes];
        if queues.into_iter().find_map(VecDeque::pop_front).is_some() {
            stats.rtcp_oversized += 1;
        }
    }

    fn description_len(&self, chunks: usize) -> usize {
        SDES_HEADER + chunks * (CHUNK_OVERHEAD + self.cname.len()).next_multiple_of(4)
    }

    fn description(&self, reporters: &[u32]) -> rtcp::Packet {
        let chunk = |&ssrc: &u32| SourceDescription::cname(ssrc, &self.cname).chunks;
        let chunks = reporters.iter().flat_map(chunk);
        SourceDescription {
            chunks: chunks.collect::<SmallVec<[SourceChunk; 1]>>(),
        }
        .into()
    }
}
