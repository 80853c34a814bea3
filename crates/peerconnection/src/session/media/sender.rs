use super::codec;
use super::extension::ExtensionMap;
use crate::api::state::MediaKind;
use crate::capability::Capabilities;
use crate::parameters::{RtpCodec, RtpCodecParameters, RtpEncodingParameters};
use rtp::{Extensions, Header};
use std::time::{Duration, Instant};

/// The longest data of a header extension (RFC 8285 §4.3).
const MAX_EXTENSION: usize = 255;

/// The sending half of a transceiver (webrtc-pc §5.2).
#[derive(Debug)]
pub(crate) struct Sender {
    /// The track, by its id; `None` sends nothing.
    pub(crate) track: Option<String>,
    /// What the track is of; `None` for a track whose packets say it themselves.
    pub(crate) track_codec: Option<RtpCodec>,
    /// The streams of `a=msid`.
    pub(crate) streams: Vec<String>,
    /// The name of the track in `a=msid`, for the life of the sender.
    pub(crate) msid_track: String,
    pub(crate) encodings: Vec<Encoding>,
    /// Negotiated, in the numbers of the wire.
    pub(crate) codecs: Vec<RtpCodecParameters>,
    /// From the numbers of the application to those of the wire.
    payload_types: Vec<(u8, u8)>,
    /// The payload type of `track_codec`.
    fixed: Option<u8>,
    pub(crate) extensions: ExtensionMap,
    pub(crate) transaction: u64,
}

/// One encoding: a stream of its own, and that of its retransmissions.
#[derive(Debug)]
pub(crate) struct Encoding {
    pub(crate) parameters: RtpEncodingParameters,
    pub(crate) ssrc: u32,
    pub(crate) rtx_ssrc: u32,
    /// The peer has reported on it: it knows by now which section and layer it is of (dfx-018).
    pub(crate) acknowledged: bool,
    /// The answer took it, or there was none yet.
    pub(crate) accepted: bool,
    pub(crate) bound: bool,
    pub(crate) clock: Clock,
}

/// Joins the packets of one source after another to one stream: sequence numbers and timestamps go
/// on where the source before ended (rtp-002, rtp-006).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    source: Option<u32>,
    sequence_offset: u16,
    timestamp_offset: u32,
    last_sequence: u16,
    last_timestamp: u32,
    last_at: Option<Instant>,
    frame_offset: u16,
    last_frame: Option<u16>,
}

impl Clock {
    /// Begins at random numbers (RFC 3550 §5.1).
    pub(crate) fn new(sequence: u16, timestamp: u32) -> Self {
        Self {
            source: None,
            sequence_offset: 0,
            timestamp_offset: 0,
            // Half the range is left before the first wrap, so that a receiver whose first packet
            // is late cannot mistake it for one of a cycle before (RFC 3711 §3.3.1).
            last_sequence: sequence & 0x7FFF,
            last_timestamp: timestamp,
            last_at: None,
            frame_offset: 0,
            last_frame: None,
        }
    }

    /// Gives a packet its place in the stream. `dependency` is the id of the dependency descriptor, as
    /// far as it was negotiated.
    pub(crate) fn place(
        &mut self,
        now: Instant,
        header: &mut Header,
        clock_rate: u32,
        dependency: Option<u8>,
    ) {
        let joins = self.source != Some(header.ssrc);
        if let Some(id) = dependency {
            self.place_frame(joins, &mut header.extensions, id);
        }
        if joins {
            // Two frames never share a timestamp.
            let elapsed = self.last_at.map_or(0, |last| {
                ticks(now.saturating_duration_since(last), clock_rate).max(1)
            });
            let next = self.last_timestamp.wrapping_add(elapsed);
            self.timestamp_offset = next.wrapping_sub(header.timestamp);
            self.sequence_offset = self
                .last_sequence
                .wrapping_add(1)
                .wrapping_sub(header.sequence_number);
            self.source = Some(header.ssrc);
        }
        header.sequence_number = header.sequence_number.wrapping_add(self.sequence_offset);
        header.timestamp = header.timestamp.wrapping_add(self.timestamp_offset);
        let ahead = header.sequence_number.wrapping_sub(self.last_sequence);
        if ahead < 1 << 15 {
            self.last_sequence = header.sequence_number;
            self.last_timestamp = header.timestamp;
            self.last_at = Some(now);
        }
    }

    /// Frame numbers go on too (AV1 RTP Specification §A.8.2: 16 bits after the first byte; references
    /// between frames are differences of them). Layers of a simulcast share one count, so without
    /// this a frame of another layer could seem to be older than those before it.
    fn place_frame(&mut self, joins: bool, extensions: &mut Extensions, id: u8) {
        let Some(&[first, high, low, ref rest @ ..]) = extensions.get(id) else {
            return;
        };
        let number = u16::from_be_bytes([high, low]);
        if joins {
            let next = self.last_frame.map_or(number, |last| last.wrapping_add(1));
            self.frame_offset = next.wrapping_sub(number);
        }
        let number = number.wrapping_add(self.frame_offset);
        let before = self.last_frame.unwrap_or(number);
        if number.wrapping_sub(before) < 1 << 15 {
            self.last_frame = Some(number);
        }
        let [high, low] = number.to_be_bytes();
        let mut data = [0; MAX_EXTENSION];
        let len = 3 + rest.len();
        data[..3].copy_from_slice(&[first, high, low]);
        data[3..len].copy_from_slice(rest);
        // As long as it was, it fits as it did.
        let _ = extensions.set(id, &data[..len]);
    }
}

/// A time in ticks of a media clock, which wraps.
fn ticks(time: Duration, clock_rate: u32) -> u32 {
    let ticks = time.as_nanos() * u128::from(clock_rate) / 1_000_000_000;
    let [.., a, b, c, d] = ticks.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

impl Encoding {
    pub(crate) fn new(parameters: RtpEncodingParameters, mut draw: impl FnMut() -> u32) -> Self {
        let ssrc = if parameters.ssrc == 0 {
            draw()
        } else {
            parameters.ssrc
        };
        let [a, b, ..] = draw().to_be_bytes();
        Self {
            rtx_ssrc: draw(),
            clock: Clock::new(u16::from_be_bytes([a, b]), draw()),
            parameters: RtpEncodingParameters { ssrc, ..parameters },
            ssrc,
            acknowledged: false,
            accepted: true,
            bound: false,
        }
    }
}

impl Sender {
    pub(crate) fn new(msid_track: String, encodings: Vec<Encoding>) -> Self {
        Self {
            track: None,
            track_codec: None,
            streams: Vec::new(),
            msid_track,
            encodings,
            codecs: Vec::new(),
            payload_types: Vec::new(),
            fixed: None,
            extensions: ExtensionMap::default(),
            transaction: 0,
        }
    }

    /// Takes what was negotiated.
    pub(crate) fn negotiated(
        &mut self,
        codecs: Vec<RtpCodecParameters>,
        extensions: ExtensionMap,
        capabilities: &Capabilities,
        kind: MediaKind,
    ) {
        self.payload_types = payload_types(&codecs, capabilities.codecs(kind));
        self.codecs = codecs;
        self.extensions = extensions;
        self.choose();
    }

    /// Another track, or none.
    pub(crate) fn set_track(&mut self, track: Option<(String, Option<RtpCodec>)>) {
        let (track, codec) = track.unzip();
        for encoding in &mut self.encodings {
            encoding.clock.source = None;
        }
        self.track = track;
        self.track_codec = codec.flatten();
        self.choose();
    }

    /// The payload type for the codec of the track: the same configuration, or at least the name.
    fn choose(&mut self) {
        let Some(wanted) = &self.track_codec else {
            self.fixed = None;
            return;
        };
        let exact = self
            .codecs
            .iter()
            .find(|own| codec::matches(&own.codec, wanted));
        let named = || {
            self.codecs
                .iter()
                .find(|own| own.codec.is(wanted.encoding_name()))
        };
        self.fixed = exact.or_else(named).map(|own| own.payload_type);
    }

    /// The payload type of a packet on the wire; `None` if its codec was not negotiated.
    pub(crate) fn payload_type(&self, application: u8) -> Option<u8> {
        if self.track_codec.is_some() {
            return self.fixed;
        }
        self.payload_types
            .iter()
            .find(|(own, _)| *own == application)
            .map(|(_, wire)| *wire)
    }

    /// The codec with this payload type on the wire.
    pub(crate) fn codec(&self, payload_type: u8) -> Option<&RtpCodecParameters> {
        self.codecs
            .iter()
            .find(|own| own.payload_type == payload_type)
    }
}

/// Pairs of the numbers that the application knows and those of the wire. Every capability has one
/// if at all possible: by its configuration, or else by its name.
fn payload_types(
    negotiated: &[RtpCodecParameters],
    capabilities: &[RtpCodecParameters],
) -> Vec<(u8, u8)> {
    let wire_of = |own: &RtpCodecParameters| {
        let exact = negotiated
            .iter()
            .find(|wire| codec::matches(&wire.codec, &own.codec));
        let named = || {
            let mut wires = negotiated.iter();
            wires.find(|wire| {
                wire.codec.is(own.codec.encoding_name())
                    && wire.codec.clock_rate == own.codec.clock_rate
            })
        };
        let wire = exact.or_else(named)?;
        Some((own.payload_type, wire.payload_type))
    };
    capabilities.iter().filter_map(wire_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPENDENCY: u8 = 12;

    fn packet(ssrc: u32, sequence_number: u16, frame: u16) -> Header {
        let mut header = Header {
            ssrc,
            sequence_number,
            ..Header::default()
        };
        let [high, low] = frame.to_be_bytes();
        let descriptor = [0xC5, high, low, 0x12];
        header.extensions.set(DEPENDENCY, &descriptor).unwrap();
        header
    }

    /// rtp-006: a layer whose key frame was numbered before the last frame of the other one follows
    /// it; within a layer, distances stay.
    #[test]
    fn frame_numbers_go_on_from_layer_to_layer() {
        #[expect(clippy::disallowed_methods, reason = "any instant will do")]
        let now = Instant::now();
        let mut clock = Clock::new(7, 0);
        let mut placed = |ssrc, sequence, frame| {
            let mut header = packet(ssrc, sequence, frame);
            clock.place(now, &mut header, 90_000, Some(DEPENDENCY));
            let data = header.extensions.get(DEPENDENCY).unwrap();
            assert_eq!((data[0], data[3]), (0xC5, 0x12));
            u16::from_be_bytes([data[1], data[2]])
        };
        assert_eq!(placed(1, 100, 0x34C), 0x34C);
        assert_eq!(placed(2, 500, 0x34A), 0x34D);
        assert_eq!(placed(2, 502, 0x34D), 0x350);
        assert_eq!(placed(2, 501, 0x34C), 0x34F, "late, and in its place");
        assert_eq!(placed(1, 101, 0x350), 0x351);
    }
}
