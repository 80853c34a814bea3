use super::Reports;
use rtp::rtcp::{self, ReceiverReport, ReportBlock};
use smallvec::SmallVec;
use std::ops::Bound;
use std::time::Instant;

/// What the 5 bits of a report can count (RFC 3550 §6.4).
const MAX_BLOCKS: usize = 31;

/// How far one round of reports has come. Reports are made one at a time, as they are polled, so
/// that a thousand streams need no queue.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Round {
    /// The last outgoing stream that has reported.
    sender: Option<u32>,
    /// The last incoming stream that was reported on.
    receiver: Option<u32>,
    /// Whether the reporter has reported: a round without it says nothing about who we are.
    reported: bool,
    /// Whether the extended report is out.
    extended: bool,
}

impl Reports {
    /// The next packet of the round: sender reports, then what blocks are left, then an empty
    /// receiver report if there was neither (RFC 3550 §6.4.2), then the extended report.
    pub(super) fn next_report(&mut self, now: Instant, round: &mut Round) -> Option<rtcp::Packet> {
        if let Some(report) = self.next_sender_report(now, round) {
            return Some(report);
        }
        let blocks = self.next_blocks(now, round);
        if !blocks.is_empty() || !round.reported {
            round.reported = true;
            let ssrc = self.reporter;
            let reports = blocks;
            return Some(ReceiverReport { ssrc, reports }.into());
        }
        if round.extended {
            return None;
        }
        round.extended = true;
        let sends = self.outgoing.values().any(|stream| !stream.is_new());
        let ntp = self.wall.at(now);
        let report = self.reference_time.report(now, ntp, self.reporter, sends)?;
        Some(report.into())
    }

    fn next_sender_report(&mut self, now: Instant, round: &mut Round) -> Option<rtcp::Packet> {
        // RFC 3550 §6.4: who has sent since the last two reports.
        let within = 2 * self.average_interval();
        let mut rest = self.outgoing.range(after(round.sender));
        let (&ssrc, stream) = rest.find(|(_, stream)| stream.is_active(now, within))?;
        round.sender = Some(ssrc);
        let mut report = stream.report(now, self.wall.at(now), ssrc);
        round.reported = true;
        if ssrc == self.reporter {
            report.reports = self.next_blocks(now, round);
        }
        Some(report.into())
    }

    fn next_blocks(&mut self, now: Instant, round: &mut Round) -> SmallVec<[ReportBlock; 4]> {
        let mut blocks = SmallVec::new();
        for (&ssrc, reception) in self.incoming.range_mut(after(round.receiver)) {
            if blocks.len() == MAX_BLOCKS {
                break;
            }
            round.receiver = Some(ssrc);
            if reception.is_heard() {
                blocks.push(reception.report(now, ssrc));
            }
        }
        blocks
    }
}

fn after(ssrc: Option<u32>) -> (Bound<u32>, Bound<u32>) {
    (
        ssrc.map_or(Bound::Unbounded, Bound::Excluded),
        Bound::Unbounded,
    )
}
