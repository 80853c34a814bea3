//! The limits of a section, `b=` (RFC 8866 §5.8).

use crate::line::number;
use crate::media::Media;

impl Media {
    /// The most that the section's writer wants to receive, in bits per second: `b=TIAS`, which
    /// counts no headers below RTP (RFC 3890 §6.2), else `b=AS`, which is written in kbit/s and counts
    /// them (RFC 8866 §5.8). `TIAS` wins where both stand (RFC 3890 §6.2.2).
    #[must_use]
    pub fn bandwidth(&self) -> Option<u64> {
        self.tias().or_else(|| {
            self.limit("AS")
                .map(|kilobits| kilobits.saturating_mul(1000))
        })
    }

    /// `b=TIAS`, bits per second (RFC 3890 §6.2).
    #[must_use]
    pub fn tias(&self) -> Option<u64> {
        self.limit("TIAS")
    }

    /// `b=AS`, kbit/s (RFC 8866 §5.8).
    #[must_use]
    pub fn application_specific(&self) -> Option<u64> {
        self.limit("AS")
    }

    /// The number of the first line of that kind.
    fn limit(&self, name: &str) -> Option<u64> {
        self.bandwidths.iter().find_map(|line| {
            let (kind, amount) = line.split_once(':')?;
            (kind == name).then(|| number(amount.trim_end_matches(' ')).ok())?
        })
    }

    /// Adds `b=TIAS:…`, bits per second.
    pub fn push_tias(&mut self, bits_per_second: u64) -> &mut Self {
        self.bandwidths.push(format!("TIAS:{bits_per_second}"));
        self
    }

    /// Adds `b=AS:…`, kbit/s.
    pub fn push_application_specific(&mut self, kilobits_per_second: u64) -> &mut Self {
        self.bandwidths.push(format!("AS:{kilobits_per_second}"));
        self
    }
}
