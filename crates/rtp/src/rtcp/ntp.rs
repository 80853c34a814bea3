use std::ops::Add;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds from 1900 to 1970.
const UNIX_EPOCH_IN_NTP: u64 = 2_208_988_800;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// Wall clock time as RTCP carries it: 32 bits of seconds since 1900, wrapping in 2036, and 32 bits
/// of fraction (RFC 3550 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtpTimestamp(pub u64);

impl NtpTimestamp {
    /// The timestamp of a wall clock time. Times before 1970 become 1970.
    #[must_use]
    pub fn from_system_time(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(UNIX_EPOCH_IN_NTP << 32) + since
    }

    /// The wall clock time, between 1970 and 2106: seconds below the middle of the range mean the
    /// era that begins in 2036.
    #[must_use]
    pub fn to_system_time(self) -> SystemTime {
        let since_unix = self.0.wrapping_sub(UNIX_EPOCH_IN_NTP << 32);
        let nanos = (u128::from(since_unix & 0xFFFF_FFFF) * NANOS_PER_SECOND) >> 32;
        let nanos = u32::try_from(nanos).unwrap_or_default();
        UNIX_EPOCH + Duration::new(since_unix >> 32, nanos)
    }

    /// The middle 32 bits: seconds modulo 65 536 in units of 1/65 536 s, as report blocks repeat
    /// them (RFC 3550 §6.4.1, LSR).
    #[must_use]
    pub fn middle(self) -> u32 {
        let [_, _, a, b, c, d, _, _] = self.0.to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

impl Add<Duration> for NtpTimestamp {
    type Output = Self;

    /// The later time, wrapping with the era.
    fn add(self, duration: Duration) -> Self {
        let fraction = (u64::from(duration.subsec_nanos()) << 32) / 1_000_000_000;
        let units = (duration.as_secs() << 32) | fraction;
        Self(self.0.wrapping_add(units))
    }
}

/// A duration in units of 1/65 536 s, as DLSR and DLRR have it, saturating at 18 hours.
pub(super) fn short_from_duration(duration: Duration) -> u32 {
    u32::try_from((duration.as_nanos() << 16) / NANOS_PER_SECOND).unwrap_or(u32::MAX)
}

/// The duration of units of 1/65 536 s.
pub(super) fn short_to_duration(short: u32) -> Duration {
    Duration::from_nanos((u64::from(short) * 1_000_000_000) >> 16)
}

/// How long the path is there and back: now, less when the report was sent, less how long the peer
/// kept it (RFC 3550 §6.4.1). `None` when the peer has heard no report (LSR 0); zero when clocks
/// make it negative.
pub(super) fn round_trip(now: NtpTimestamp, last: u32, delay: u32) -> Option<Duration> {
    if last == 0 {
        return None;
    }
    let short = now.middle().wrapping_sub(last).wrapping_sub(delay);
    let negative = short > u32::MAX / 2;
    Some(short_to_duration(if negative { 0 } else { short }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_time_comes_back() {
        for nanos in [0, 1_u64, 999_999_999, 1_700_000_000_123_456_789] {
            let time = UNIX_EPOCH + Duration::from_nanos(nanos);
            let back = NtpTimestamp::from_system_time(time).to_system_time();
            let lost = time.duration_since(back).unwrap();
            assert!(lost < Duration::from_nanos(2), "{nanos}: {lost:?}");
        }
    }

    #[test]
    fn time_goes_on_after_2036() {
        let time = UNIX_EPOCH + Duration::from_secs(2_100_000_000);
        let ntp = NtpTimestamp::from_system_time(time);
        assert!(ntp.0 >> 32 < 1_000_000_000);
        assert_eq!(ntp.to_system_time(), time);
    }

    // rtcp-010: the example of RFC 3550 §6.4.1, figure 2.
    #[test]
    fn the_round_trip_of_the_rfc_comes_out() {
        let now = NtpTimestamp(0xb710_8000_u64 << 16);
        let round_trip = round_trip(now, 0xb705_2000, 0x0005_4000).unwrap();
        assert_eq!(round_trip, Duration::from_millis(6125));
    }

    #[test]
    fn without_a_last_report_there_is_no_round_trip() {
        assert_eq!(round_trip(NtpTimestamp(1 << 40), 0, 0), None);
    }

    #[test]
    fn a_negative_round_trip_is_zero() {
        let now = NtpTimestamp(0x1000_u64 << 16);
        assert_eq!(round_trip(now, 0x1000, 1), Some(Duration::ZERO));
    }
}
