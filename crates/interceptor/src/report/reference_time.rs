use rtp::rtcp::{Dlrr, ExtendedBlock, ExtendedReport, NtpTimestamp};
use smallvec::SmallVec;
use std::time::{Duration, Instant};

/// Reference times of the peer's receivers that wait for their answer; of more, the new ones are
/// not answered.
const MAX_ANSWERS: usize = 16;

/// The round trip of a receiver that sends nothing (RFC 3611 §4.4, §4.5): it says what time it is,
/// and the sender answers how long ago that was.
#[derive(Debug)]
pub(super) struct ReferenceTime {
    /// Whether we ask.
    enabled: bool,
    /// Whom we owe an answer: the receiver, its time, and when that came.
    owed: Vec<(u32, NtpTimestamp, Instant)>,
}

impl ReferenceTime {
    pub(super) fn new(enabled: bool) -> Self {
        Self {
            enabled,
            owed: Vec::new(),
        }
    }

    /// Takes a report of the peer; an answer to `reporter` gives the round trip.
    pub(super) fn handle(
        &mut self,
        now: Instant,
        ntp: NtpTimestamp,
        reporter: u32,
        report: &ExtendedReport,
    ) -> Option<Duration> {
        let mut round_trip = None;
        for block in &report.blocks {
            match block {
                ExtendedBlock::ReceiverReferenceTime(time) => {
                    self.owe(report.sender_ssrc, *time, now);
                }
                ExtendedBlock::Dlrr(answers) => {
                    let own = answers.iter().find(|answer| answer.ssrc == reporter);
                    round_trip = own.and_then(|own| own.round_trip(ntp)).or(round_trip);
                }
                _ => {}
            }
        }
        round_trip
    }

    fn owe(&mut self, receiver: u32, time: NtpTimestamp, now: Instant) {
        let known = self.owed.iter_mut().find(|owed| owed.0 == receiver);
        if let Some(owed) = known {
            *owed = (receiver, time, now);
        } else if self.owed.len() < MAX_ANSWERS {
            self.owed.push((receiver, time, now));
        }
    }

    /// What goes with the next reports; `sends` says that sender reports measure the round trip
    /// already.
    pub(super) fn report(
        &mut self,
        now: Instant,
        ntp: NtpTimestamp,
        reporter: u32,
        sends: bool,
    ) -> Option<ExtendedReport> {
        let answers: SmallVec<[Dlrr; 2]> = self
            .owed
            .drain(..)
            .map(|(ssrc, time, came)| Dlrr::new(ssrc, time, now.saturating_duration_since(came)))
            .collect();
        let mut blocks = SmallVec::new();
        if self.enabled && !sends {
            blocks.push(ExtendedBlock::ReceiverReferenceTime(ntp));
        }
        if !answers.is_empty() {
            blocks.push(ExtendedBlock::Dlrr(answers));
        }
        (!blocks.is_empty()).then_some(ExtendedReport {
            sender_ssrc: reporter,
            blocks,
        })
    }
}
