use super::Page;
use super::page::MAX_SEGMENTS;
use crate::codec::opus;
use crate::output::Output;
use crate::timeline::{Timeline, from_ticks, to_ticks};
use crate::{Codec, Error, OpusHead};
use bytes::{Bytes, BytesMut};
use rtp::Sample;
use std::io::Write;

/// A page is written when it has this much audio, in samples at 48 kHz: one second, as much as is lost
/// with a writer that is killed (RFC 7845 §4 recommends no more).
const PAGE_SAMPLES: u64 = 48_000;

/// The longest gap that is filled with silence, in samples at 48 kHz: one minute. Audio after a longer
/// one follows at once.
const MAX_GAP: u64 = 60 * 48_000;

/// The stream's serial number: any, as there is only one in the file.
const SERIAL: u32 = 0x6D75_6F6E;

/// Writes a file packet by packet; the output need not seek.
///
/// Gaps between samples that have RTP timestamps are filled with empty frames of the same kind, from
/// which a decoder conceals the loss (RFC 7845 §4.1). [`finish`](crate::Writer::finish) writes the
/// last second and marks the end.
#[derive(Debug)]
pub struct Writer<W> {
    output: Output<W>,
    timeline: Timeline,
    sequence: u32,
    /// The position after the last packet.
    position: u64,
    /// The position after the last page.
    written: u64,
    segments: Vec<u8>,
    body: BytesMut,
}

impl<W: Write> Writer<W> {
    /// Writes both headers.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn new(inner: W, head: &OpusHead) -> Result<Self, Error> {
        let mut writer = Self {
            output: Output::streaming(inner),
            timeline: Timeline::new(Codec::Opus.clock_rate()),
            sequence: 0,
            position: 0,
            written: 0,
            segments: Vec::new(),
            body: BytesMut::new(),
        };
        // Each header has its pages for itself (RFC 7845 §3).
        writer.push(&head.to_bytes());
        writer.write_page(false)?;
        writer.push(&comments());
        writer.write_page(false)?;
        Ok(writer)
    }

    /// The output back; what [`finish`](crate::Writer::finish) did not write is lost.
    pub fn into_inner(self) -> W {
        self.output.into_inner()
    }

    /// Puts a packet on the page under way.
    fn push(&mut self, packet: &[u8]) {
        let full = packet.len() / 255;
        self.segments.resize(self.segments.len() + full, 255);
        self.segments
            .push(u8::try_from(packet.len() % 255).unwrap_or(0));
        self.body.extend_from_slice(packet);
    }

    fn write_page(&mut self, last: bool) -> Result<(), Error> {
        let page = Page {
            first: self.sequence == 0,
            last,
            granule_position: self.position,
            serial: SERIAL,
            sequence: self.sequence,
            segments: std::mem::take(&mut self.segments),
            body: self.body.split().freeze(),
            ..Page::default()
        };
        self.output.write(&page.to_bytes())?;
        self.sequence = self.sequence.wrapping_add(1);
        self.written = self.position;
        Ok(())
    }

    /// Adds a packet; first writes the page under way if the packet does not go on it. So there is
    /// always a packet left for the page that marks the end.
    fn add(&mut self, packet: &[u8], samples: u32) -> Result<(), Error> {
        let segments = packet.len() / 255 + 1;
        let full = self.segments.len() + segments > MAX_SEGMENTS;
        if full || self.position - self.written >= PAGE_SAMPLES {
            self.write_page(false)?;
        }
        self.push(packet);
        self.position += u64::from(samples);
        Ok(())
    }

    /// Empty frames with the same first byte, of which each lasts as long as the last one's
    /// (RFC 7845 §4.1). What is left is shorter than a frame, and stays.
    fn fill(&mut self, gap: u64, toc: u8) -> Result<(), Error> {
        let frame = opus::frame_samples(toc);
        for _ in 0..gap / u64::from(frame) {
            self.add(&[toc & 0xFC], frame)?;
        }
        Ok(())
    }
}

/// The comments (RFC 7845 §5.2): who wrote it, and no more.
fn comments() -> Bytes {
    let vendor = b"muon";
    let mut bytes = BytesMut::from(&b"OpusTags"[..]);
    bytes.extend_from_slice(&4_u32.to_le_bytes());
    bytes.extend_from_slice(vendor);
    bytes.extend_from_slice(&0_u32.to_le_bytes());
    bytes.freeze()
}

impl<W: Write> crate::Writer for Writer<W> {
    fn write_sample(&mut self, sample: &Sample) -> Result<(), Error> {
        let samples = opus::samples(&sample.data).ok_or(Error::Sample("not a packet of Opus"))?;
        // Longer ones do not fit on a page (RFC 6716 §3.4 allows 61 440 bytes at most in RTP).
        if sample.data.len() >= 255 * (MAX_SEGMENTS - 1) {
            return Err(Error::Sample("the packet is too long for a page"));
        }
        let at = to_ticks(self.timeline.place(sample), Codec::Opus.clock_rate());
        if at.abs_diff(self.position) > MAX_GAP {
            let here = from_ticks(self.position, Codec::Opus.clock_rate());
            self.timeline.restart(here, sample);
        } else {
            self.fill(at.saturating_sub(self.position), sample.data[0])?;
        }
        self.add(&sample.data, samples)
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.write_page(true)?;
        self.output.flush()
    }
}
