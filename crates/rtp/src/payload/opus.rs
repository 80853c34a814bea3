//! Opus (RFC 7587): one Opus packet (RFC 6716 §3) is one payload, whatever its sampling rate.
//!
//! The rtpmap is always `opus/48000/2` (RFC 7587 §7).

use super::Verbatim;
use crate::DecodeError;
use bytes::Bytes;
use std::time::Duration;

/// The clock rate of timestamps, in Hz, at every sampling rate (RFC 7587 §4.1).
pub const CLOCK_RATE: u32 = 48_000;

/// The longest packet (RFC 6716 §3.2.5).
pub const MAX_DURATION: Duration = Duration::from_millis(120);

/// Packets as short as this hold a table of contents and at most one byte: the encoder sends
/// nothing, because there is nothing to hear (RFC 6716 §2.1.9).
const SILENCE_LEN: usize = 2;

/// The receiving end of the format; the sending end is [`Packetizer`].
pub const DEPACKETIZER: Verbatim = Verbatim::new(|packet| TableOfContents::parse(packet).map(drop));

/// What the first bytes of an Opus packet say (RFC 6716 §3.1).
///
/// ```text
///  0 1 2 3 4 5 6 7      0 1 2 3 4 5 6 7
/// +-+-+-+-+-+-+-+-+    +-+-+-+-+-+-+-+-+
/// | config  |s| c |    |v|p|     M     |  c = 3
/// +-+-+-+-+-+-+-+-+    +-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableOfContents {
    /// config: the mode, the bandwidth and the length of a frame, 0 to 31.
    pub config: u8,
    /// s: two channels.
    pub stereo: bool,
    /// The frames in the packet, 1 to 48.
    pub frames: u8,
}

impl TableOfContents {
    /// Reads the beginning of a packet.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if there is none, [`DecodeError::Length`] if the packet holds no
    /// frame, or lasts longer than [`MAX_DURATION`].
    pub fn parse(packet: &[u8]) -> Result<Self, DecodeError> {
        let first = packet.first().ok_or(DecodeError::Truncated)?;
        let frames = match first & 0x03 {
            0 => 1,
            1 | 2 => 2,
            _ => packet.get(1).ok_or(DecodeError::Truncated)? & 0x3F,
        };
        let contents = Self {
            config: first >> 3,
            stereo: first & 0x04 != 0,
            frames,
        };
        if frames == 0 || contents.duration() > MAX_DURATION {
            return Err(DecodeError::Length);
        }
        Ok(contents)
    }

    /// How long one frame lasts (RFC 6716 §3.1, table 2).
    #[must_use]
    pub fn frame_duration(&self) -> Duration {
        let size = usize::from(self.config & 0x03);
        Duration::from_micros(match self.config {
            ..=11 => [10_000, 20_000, 40_000, 60_000][size],
            12..=15 => [10_000, 20_000][size % 2],
            _ => [2_500, 5_000, 10_000, 20_000][size],
        })
    }

    /// How long the packet lasts.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.frame_duration() * u32::from(self.frames)
    }
}

/// Sends Opus packets. The first after silence has the marker bit (RFC 7587 §4.1).
#[derive(Debug)]
pub struct Packetizer {
    /// Whether the packet before was the encoder's sign for silence, or there was none.
    silent: bool,
}

impl Default for Packetizer {
    fn default() -> Self {
        Self { silent: true }
    }
}

impl super::Packetizer for Packetizer {
    fn packetize(
        &mut self,
        frame: &Bytes,
        max_payload: usize,
        emit: &mut dyn FnMut(Bytes, bool),
    ) -> Result<(), DecodeError> {
        TableOfContents::parse(frame)?;
        if frame.len() > max_payload {
            return Err(DecodeError::Length);
        }
        let silent = frame.len() <= SILENCE_LEN;
        emit(frame.clone(), self.silent && !silent);
        self.silent = silent;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{CLOCK_RATE, DEPACKETIZER, Packetizer, TableOfContents};
    use crate::payload::Packetizer as _;
    use crate::payload::sample_builder::{Config, SampleBuilder};
    use crate::{DecodeError, Header, Packet, Sample};
    use bytes::Bytes;
    use std::time::Duration;

    // media-010
    #[test]
    fn the_length_of_a_packet_is_read_from_its_first_bytes() {
        let micros =
            |packet: &[u8]| TableOfContents::parse(packet).map(|t| t.duration().as_micros());
        // Table 2 of RFC 6716 §3.1, row for row.
        let sizes = |configs: std::ops::Range<u8>| -> Vec<u128> {
            configs
                .map(|config| micros(&[config << 3]).unwrap())
                .collect()
        };
        for silk in [0..4, 4..8, 8..12] {
            assert_eq!(sizes(silk), [10_000, 20_000, 40_000, 60_000]);
        }
        assert_eq!(sizes(12..14), [10_000, 20_000]);
        assert_eq!(sizes(14..16), [10_000, 20_000]);
        for celt in [16..20, 20..24, 24..28, 28..32] {
            assert_eq!(sizes(celt), [2_500, 5_000, 10_000, 20_000]);
        }
        // Two frames of 20 ms; six of 20 ms; seven would be longer than 120 ms; none is nothing.
        assert_eq!(micros(&[31 << 3 | 1]), Ok(40_000));
        assert_eq!(micros(&[31 << 3 | 3, 6]), Ok(120_000));
        assert_eq!(micros(&[31 << 3 | 3, 7]), Err(DecodeError::Length));
        assert_eq!(micros(&[31 << 3 | 3, 0xC0]), Err(DecodeError::Length));
        assert_eq!(micros(&[31 << 3 | 3]), Err(DecodeError::Truncated));
        assert_eq!(micros(&[]), Err(DecodeError::Truncated));
    }

    #[test]
    fn the_stereo_bit_is_read() {
        let packet = TableOfContents::parse(&[0xFC, 1]).unwrap();
        assert!(packet.stereo);
        assert_eq!(packet.config, 31);
        assert_eq!(packet.frame_duration(), Duration::from_millis(20));
    }

    // media-011, rtp-007
    #[test]
    fn the_marker_is_set_after_silence_only() {
        let mut markers = Vec::new();
        let mut packetizer = Packetizer::default();
        for packet in [&[0xFC, 1, 2][..], &[0xFC, 3, 4], &[0xFC], &[0xFC, 5, 6]] {
            packetizer
                .packetize(&Bytes::copy_from_slice(packet), 100, &mut |_, marker| {
                    markers.push(marker);
                })
                .unwrap();
        }
        assert_eq!(markers, [true, false, false, true]);
    }

    // RFC 7587 §4.2: one Opus packet is one payload, as it is, and none is cut.
    #[test]
    fn a_packet_is_one_payload_or_refused() {
        let packet = Bytes::from(vec![0xFC; 100]);
        let mut payloads = Vec::new();
        let mut packetizer = Packetizer::default();
        packetizer
            .packetize(&packet, 100, &mut |payload, _| payloads.push(payload))
            .unwrap();
        assert_eq!(payloads, std::slice::from_ref(&packet));
        let refused = packetizer.packetize(&packet, 99, &mut |_, _| panic!("emitted"));
        assert_eq!(refused, Err(DecodeError::Length));
    }

    /// A packet of one frame in this configuration, at this sample of the clock.
    fn sent(number: u16, at: u32, config: u8, stereo: bool) -> Packet {
        let header = Header {
            sequence_number: number,
            timestamp: at,
            ..Header::default()
        };
        let first = config << 3 | u8::from(stereo) << 2;
        Packet::new(header, vec![first, number.to_be_bytes()[1], 7])
    }

    // media-008: mode, bandwidth and channels change from packet to packet, by one clock of 48 kHz
    // (RFC 7587 §4.1), and what comes twice is a sample once.
    #[test]
    fn packets_of_every_configuration_are_samples_once() {
        let mut builder = SampleBuilder::new(Box::new(DEPACKETIZER), Config::new(CLOCK_RATE));
        let mut samples: Vec<Sample> = Vec::new();
        let (mut at, mut lengths) = (0, Vec::new());
        for number in 0..64_u16 {
            let config = (number / 2).to_be_bytes()[1];
            let packet = sent(number, at, config, number % 2 == 1);
            let contents = TableOfContents::parse(&packet.payload).unwrap();
            at += u32::try_from(contents.duration().as_micros()).unwrap() * 48 / 1000;
            lengths.push(contents.duration());
            for copy in [packet.clone(), packet] {
                builder.push(copy);
                samples.extend(std::iter::from_fn(|| builder.pop()));
            }
        }
        builder.flush();
        samples.extend(std::iter::from_fn(|| builder.pop()));
        let numbers: Vec<_> = samples.iter().map(|sample| sample.data[1]).collect();
        assert_eq!(numbers, (0..64).collect::<Vec<_>>());
        for (sample, length) in samples[1..].iter().zip(lengths) {
            assert_eq!(sample.duration, length, "the time since the sample before");
        }
    }
}
