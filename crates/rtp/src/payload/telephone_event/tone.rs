use super::Event;

/// How often the last packet of an event, or of a segment, is sent (RFC 4733 §2.5.1.4).
const TRANSMISSIONS: u8 = 3;

/// The packets that make one event, in the order they are sent (RFC 4733 §2.5.1).
///
/// Times are in units of the clock rate, since the beginning of the event. An event that is longer
/// than a duration field can say is parted into segments (§2.5.1.3).
///
/// ```
/// use muonrtc_rtp::payload::telephone_event::{Tone, code};
///
/// // The digit 5 for 100 ms at 8 000 Hz, a packet each 50 ms, at -10 dBm0.
/// let tone = Tone::new(code('5').expect("a digit"), 10, 800, 400);
/// for report in tone.clone() {
///     // At `report.at`: send `report.event.to_bytes()` with the timestamp of the beginning
///     // plus `report.timestamp`, and the marker bit `report.marker`.
/// }
/// # assert_eq!(tone.count(), 4);
/// ```
#[derive(Clone, Debug)]
pub struct Tone {
    code: u8,
    volume: u8,
    length: u32,
    interval: u32,
    /// When the last report was made.
    at: u32,
    /// The beginning of the segment under way.
    segment: u32,
    /// The beginning of the segment before, which is reported so many times more.
    closed: (u32, u8),
    /// Whether that is to be reported at this time.
    repeat: bool,
    /// How often the end has been reported.
    ends: u8,
}

/// One packet of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// When it is sent.
    pub at: u32,
    /// Its timestamp.
    pub timestamp: u32,
    /// Its marker bit: set in the first one only (§2.5.1.2).
    pub marker: bool,
    /// Its payload.
    pub event: Event,
}

impl Tone {
    /// An event of a length, reported at an interval, both in units of the clock rate and at least
    /// 1. 50 ms is recommended as the interval (§2.5.1.2), or that of the audio packets.
    #[must_use]
    pub fn new(code: u8, volume: u8, length: u32, interval: u32) -> Self {
        Self {
            code,
            volume,
            length: length.max(1),
            interval: interval.max(1),
            at: 0,
            segment: 0,
            closed: (0, 0),
            repeat: false,
            ends: 0,
        }
    }

    fn report(&self, segment: u32, duration: u32, end: bool) -> Report {
        Report {
            at: self.at,
            timestamp: segment,
            marker: false,
            event: Event {
                code: self.code,
                end,
                volume: self.volume,
                duration: u16::try_from(duration).unwrap_or(u16::MAX),
            },
        }
    }
}

impl Iterator for Tone {
    type Item = Report;

    fn next(&mut self) -> Option<Report> {
        let (closed, left) = self.closed;
        if self.repeat && left > 0 {
            self.repeat = false;
            self.closed.1 -= 1;
            return Some(self.report(closed, u32::from(u16::MAX), false));
        }
        if self.ends == TRANSMISSIONS {
            return None;
        }
        let marker = self.at == 0;
        let limit = self.segment.saturating_add(u32::from(u16::MAX));
        self.at = self.at.saturating_add(self.interval);
        if self.ends > 0 {
            self.ends += 1;
        } else {
            self.at = self.at.min(limit).min(self.length);
            self.ends = u8::from(self.at == self.length);
        }
        let duration = self.at.min(self.length) - self.segment;
        let report = self.report(self.segment, duration, self.ends > 0);
        self.repeat = left > 0;
        if self.ends == 0 && self.at == limit {
            self.closed = (self.segment, TRANSMISSIONS - 1);
            self.segment = limit;
        }
        Some(Report { marker, ..report })
    }
}
