use super::Page;
use crate::input::{Input, MAX_FRAME_LEN};
use crate::{Codec, Error, OpusHead};
use bytes::{Bytes, BytesMut};
use rtp::Sample;
use std::collections::VecDeque;
use std::io::Read;

/// Pages of other streams before the first one of Opus, and again at each link of a chain.
const MAX_FOREIGN_PAGES: u32 = 1000;

/// Reads a file packet by packet.
///
/// Streams of other codecs in the same file are passed over; files put one after the other (a chain,
/// RFC 3533 §4) are read on. A broken page is passed over, and the sample after it says so in
/// [`lost_before`](Sample::lost_before), in pages.
#[derive(Debug)]
pub struct Reader<R> {
    input: Input<R>,
    head: OpusHead,
    serial: u32,
    /// The sequence number of the next page.
    sequence: u32,
    granule_position: u64,
    ended: bool,
    /// Packets of the last page.
    packets: VecDeque<Bytes>,
    /// A packet whose end is on a later page.
    partial: BytesMut,
    /// Pages lost since the last sample.
    lost: u16,
}

impl<R: Read> Reader<R> {
    /// Reads both headers.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownFormat`] if there is no page in the file, [`Error::Unsupported`] if no stream is
    /// of Opus, and as [`OpusHead::parse`].
    pub fn new(inner: R) -> Result<Self, Error> {
        let mut input = Input::new(inner);
        let first = find_head(&mut input)?;
        let mut reader = Self {
            input,
            head: OpusHead::parse(&first.body)?,
            serial: first.serial,
            sequence: first.sequence.wrapping_add(1),
            granule_position: 0,
            ended: false,
            packets: VecDeque::new(),
            partial: BytesMut::new(),
            lost: 0,
        };
        reader.skip_comments()?;
        Ok(reader)
    }

    /// The identification header of the stream that is being read.
    pub fn head(&self) -> &OpusHead {
        &self.head
    }

    /// The position after the last packet of the page that is being read, in samples at 48 kHz and
    /// with the pre-skip.
    pub fn granule_position(&self) -> u64 {
        self.granule_position
    }

    /// The comments are the second packet (RFC 7845 §3); nothing in them is wanted.
    fn skip_comments(&mut self) -> Result<(), Error> {
        match self.next_packet()? {
            Some(packet) if packet.starts_with(b"OpusTags") => Ok(()),
            Some(_) => Err(self.input.malformed("no OpusTags")),
            None => Err(Error::Truncated),
        }
    }

    fn next_packet(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(packet) = self.packets.pop_front() {
                return Ok(Some(packet));
            }
            let Some(page) = Page::read(&mut self.input)? else {
                return Ok(None);
            };
            self.take_page(&page)?;
        }
    }

    fn take_page(&mut self, page: &Page) -> Result<(), Error> {
        if page.first && self.ended && page.body.starts_with(OpusHead::MAGIC) {
            self.head = OpusHead::parse(&page.body)?;
            self.serial = page.serial;
            self.sequence = page.sequence.wrapping_add(1);
            self.ended = false;
            self.partial.clear();
            return Ok(());
        }
        if page.serial != self.serial || self.ended {
            return Ok(());
        }
        let lost = page.sequence.wrapping_sub(self.sequence);
        if lost != 0 {
            self.lost = self
                .lost
                .saturating_add(u16::try_from(lost).unwrap_or(u16::MAX));
            self.partial.clear();
        }
        self.sequence = page.sequence.wrapping_add(1);
        self.ended = page.last;
        if page.granule_position != u64::MAX {
            self.granule_position = page.granule_position;
        }
        self.take_parts(page)
    }

    fn take_parts(&mut self, page: &Page) -> Result<(), Error> {
        let mut parts = page.parts();
        // The rest of a packet whose start is not here says nothing, and so does a start whose rest
        // does not come (RFC 3533 §6).
        let mut skip = page.continued && self.partial.is_empty();
        if !page.continued {
            self.partial.clear();
        }
        for (part, ends) in parts.by_ref() {
            if self.partial.len() + part.len() > MAX_FRAME_LEN {
                return Err(self.input.malformed("a packet without end"));
            }
            match (ends, self.partial.is_empty()) {
                _ if skip => skip = false,
                (true, true) => self.packets.push_back(part),
                (true, false) => {
                    self.partial.extend_from_slice(&part);
                    self.packets.push_back(self.partial.split().freeze());
                }
                (false, _) => self.partial.extend_from_slice(&part),
            }
        }
        Ok(())
    }
}

/// The page with the identification header, of the streams that begin together.
fn find_head(input: &mut Input<impl Read>) -> Result<Page, Error> {
    for _ in 0..MAX_FOREIGN_PAGES {
        let page = Page::read(input)?.ok_or(Error::UnknownFormat)?;
        if page.first && page.body.starts_with(OpusHead::MAGIC) {
            return Ok(page);
        }
        if !page.first {
            // All first pages come before all others (RFC 3533 §4).
            break;
        }
    }
    Err(Error::Unsupported("a file of Ogg without Opus"))
}

impl<R: Read> crate::Reader for Reader<R> {
    fn codec(&self) -> Codec {
        Codec::Opus
    }

    fn channels(&self) -> u8 {
        self.head.channels
    }

    /// The next packet; it lasts as long as its first bytes say. Packets that say nothing are passed
    /// over, as are the comments of the next link of a chain.
    fn read_sample(&mut self) -> Result<Option<Sample>, Error> {
        while let Some(packet) = self.next_packet()? {
            if packet.starts_with(b"OpusTags") {
                continue;
            }
            let Some(duration) = Codec::Opus.duration(&packet) else {
                continue;
            };
            let mut sample = Sample::new(packet, duration);
            sample.keyframe = true;
            sample.lost_before = std::mem::take(&mut self.lost);
            return Ok(Some(sample));
        }
        Ok(None)
    }
}
