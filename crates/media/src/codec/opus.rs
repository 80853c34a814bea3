//! Opus packets (RFC 6716 §3.1).

use std::time::Duration;

/// The longest packet there is (RFC 6716 §3.2.5 R5), in samples at 48 kHz.
const MAX_SAMPLES: u32 = 120 * 48;

/// How long a packet lasts, in samples at 48 kHz; `None` if it is no packet (media-010).
///
/// ```text
///   0 1 2 3 4 5 6 7
///  +-+-+-+-+-+-+-+-+
///  | config  |s| c |
///  +-+-+-+-+-+-+-+-+
/// ```
pub(crate) fn samples(packet: &[u8]) -> Option<u32> {
    let toc = *packet.first()?;
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3F),
    };
    let samples = frames * frame_samples(toc);
    (samples > 0 && samples <= MAX_SAMPLES).then_some(samples)
}

/// How long each frame of a packet lasts (RFC 6716 table 2), in samples at 48 kHz.
pub(crate) fn frame_samples(toc: u8) -> u32 {
    let config = toc >> 3;
    match (config, config & 3) {
        // SILK: 10, 20, 40, 60 ms.
        (0..=11, 3) => 2880,
        (0..=11, size) => 480 << size,
        // Hybrid: 10, 20 ms.
        (12..=15, size) => 480 << (size & 1),
        // CELT: 2.5, 5, 10, 20 ms.
        (_, size) => 120 << size,
    }
}

/// How long a packet lasts.
pub(super) fn duration(packet: &[u8]) -> Option<Duration> {
    samples(packet).map(|samples| Duration::from_micros(u64::from(samples) * 125 / 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// media-010
    #[test]
    fn the_first_byte_says_how_long_a_packet_lasts() {
        let toc = |config: u8, code: u8| config << 3 | code;
        let milliseconds = |packet: &[u8]| samples(packet).map(|samples| f64::from(samples) / 48.0);
        assert_eq!(milliseconds(&[toc(0, 0)]), Some(10.0));
        assert_eq!(milliseconds(&[toc(3, 0)]), Some(60.0));
        assert_eq!(milliseconds(&[toc(10, 0)]), Some(40.0));
        assert_eq!(milliseconds(&[toc(13, 1)]), Some(40.0));
        assert_eq!(milliseconds(&[toc(16, 0)]), Some(2.5));
        assert_eq!(milliseconds(&[toc(31, 2)]), Some(40.0));
        assert_eq!(milliseconds(&[toc(31, 3), 6]), Some(120.0));
    }

    #[test]
    fn a_packet_of_nothing_or_of_more_than_120_ms_is_none() {
        assert_eq!(samples(&[]), None);
        assert_eq!(samples(&[0xFF]), None);
        assert_eq!(samples(&[0xFF, 0]), None);
        assert_eq!(samples(&[0xFF, 7]), None);
    }
}
