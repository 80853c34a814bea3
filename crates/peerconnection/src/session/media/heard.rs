//! Which sources a receiver has heard lately (webrtc-pc §5.3.2, pc-043).

use crate::parameters::RtpContributingSource;
use layer::Start;
use rtp::Header;
use std::time::{Duration, Instant};

/// How long a source counts as heard.
const MEMORY: Duration = Duration::from_secs(10);

/// Sources that are remembered; the one heard longest ago makes room for another.
const MAX_HEARD: usize = 32;

/// The sources of a receiver, each with what was heard of it last.
#[derive(Debug, Default)]
pub(crate) struct HeardSources {
    list: Vec<Heard>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    source: u32,
    contributes: bool,
    at: Instant,
    rtp_timestamp: u32,
    /// -dBov, 0 to 127 (RFC 6464 §3).
    level: Option<u8>,
}

impl HeardSources {
    /// A packet goes to the application.
    pub(crate) fn note(&mut self, now: Instant, header: &Header, level: Option<u8>) {
        self.set(now, header.ssrc, false, header.timestamp, level);
        for source in header.csrc.iter() {
            self.set(now, *source, true, header.timestamp, None);
        }
    }

    fn set(
        &mut self,
        at: Instant,
        source: u32,
        contributes: bool,
        rtp_timestamp: u32,
        level: Option<u8>,
    ) {
        let heard = Heard {
            source,
            contributes,
            at,
            rtp_timestamp,
            level,
        };
        let known = |own: &&mut Heard| own.source == source && own.contributes == contributes;
        if let Some(own) = self.list.iter_mut().find(known) {
            *own = heard;
        } else if self.list.len() < MAX_HEARD {
            self.list.push(heard);
        } else if let Some(oldest) = self.list.iter_mut().min_by_key(|own| own.at) {
            *oldest = heard;
        }
    }

    /// Those heard in the last 10 s, the latest first: contributing ones, or those that send.
    pub(crate) fn lately(
        &self,
        now: Instant,
        start: Start,
        contributes: bool,
    ) -> Vec<RtpContributingSource> {
        let lately = |own: &&Heard| now.saturating_duration_since(own.at) <= MEMORY;
        let mut heard: Vec<&Heard> = self
            .list
            .iter()
            .filter(|own| own.contributes == contributes)
            .filter(lately)
            .collect();
        heard.sort_by_key(|own| std::cmp::Reverse(own.at));
        heard
            .into_iter()
            .map(|own| RtpContributingSource {
                timestamp: start.wall + own.at.saturating_duration_since(start.now),
                source: own.source,
                audio_level: own.level.map(linear),
                rtp_timestamp: own.rtp_timestamp,
            })
            .collect()
    }
}

/// From -dBov to a linear level: 127 is silence (webrtc-pc §5.3.2).
fn linear(level: u8) -> f64 {
    match level {
        127.. => 0.0,
        level => 10f64.powf(-f64::from(level) / 20.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use layer::Seed;
    use std::time::SystemTime;

    /// pc-043: for ten seconds, the latest first, with its level.
    #[test]
    fn sources_are_remembered_for_ten_seconds() {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests need some instant to start from"
        )]
        let now = Instant::now();
        let start = Start::new(now, SystemTime::UNIX_EPOCH, Seed::new([0; 32]));
        let mut heard = HeardSources::default();
        let mut header = Header {
            ssrc: 1,
            timestamp: 9,
            ..Header::default()
        };
        header.csrc.push(7);
        heard.note(now, &header, Some(20));
        header.ssrc = 2;
        header.csrc.clear();
        heard.note(now + Duration::from_secs(6), &header, Some(127));
        let at = |seconds| now + Duration::from_secs(seconds);
        let ssrcs = heard.lately(at(6), start, false);
        assert_eq!(ssrcs.len(), 2);
        assert_eq!((ssrcs[0].source, ssrcs[0].audio_level), (2, Some(0.0)));
        assert_eq!(
            ssrcs[0].timestamp,
            SystemTime::UNIX_EPOCH + Duration::from_secs(6)
        );
        assert!((ssrcs[1].audio_level.unwrap_or_default() - 0.1).abs() < 1e-9);
        assert_eq!(heard.lately(at(6), start, true)[0].source, 7);
        assert!(heard.lately(at(11), start, true).is_empty());
        for source in 100..200 {
            header.ssrc = source;
            heard.note(at(12), &header, None);
        }
        assert_eq!(heard.list.len(), MAX_HEARD);
    }
}
