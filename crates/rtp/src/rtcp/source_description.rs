//! SDES, the source description (RFC 3550 §6.5).
//!
//! ```text
//!         0                   1                   2                   3
//!         0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//!        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! header |V=2|P|    SC   |  PT=SDES=202  |             length            |
//!        +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! chunk  |                          SSRC/CSRC_1                          |
//!   1    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!        |      type     |     length    |  text                       ...
//!        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//!        |  ...   0      |
//!        +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! ```

use super::body::{Body, SsrcList};
use crate::reader::Reader;
use crate::{DecodeError, EncodeError};
use bytes::BufMut;
use smallvec::{SmallVec, smallvec};

pub(super) const TYPE: u8 = 202;

/// What names its sources have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceDescription {
    /// One for each source, 31 at most.
    pub chunks: SmallVec<[SourceChunk; 1]>,
}

/// The names of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceChunk {
    /// The source.
    pub ssrc: u32,
    /// Its names, [`MAX_ITEMS`](Self::MAX_ITEMS) at most.
    pub items: SmallVec<[SourceItem; 2]>,
}

/// One name of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceItem {
    /// Which name.
    pub item_type: SourceItemType,
    /// The name, UTF-8 if the sender obeys; 255 bytes at most.
    pub text: SmallVec<[u8; 40]>,
}

/// Which name of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceItemType(pub u8);

impl SourceItemType {
    /// The canonical name, the same for all streams of an endpoint (RFC 3550 §6.5.1).
    pub const CNAME: Self = Self(1);
    /// The name of a user (§6.5.2).
    pub const NAME: Self = Self(2);
    /// A tool's name (§6.5.6).
    pub const TOOL: Self = Self(6);
    /// A private extension (§6.5.8).
    pub const PRIV: Self = Self(8);
    /// The id of a simulcast stream (RFC 8852 §4.1).
    pub const RTP_STREAM_ID: Self = Self(12);
    /// The id of the simulcast stream that is repaired (RFC 8852 §4.2).
    pub const REPAIRED_RTP_STREAM_ID: Self = Self(13);
    /// The identification of a media section (RFC 9143 §15.1).
    pub const MID: Self = Self(15);
}

impl SourceDescription {
    /// The canonical name of one source: what every compound must carry (RFC 3550 §6.1).
    #[must_use]
    pub fn cname(ssrc: u32, cname: &str) -> Self {
        let item = SourceItem {
            item_type: SourceItemType::CNAME,
            text: cname.as_bytes().into(),
        };
        Self {
            chunks: smallvec![SourceChunk {
                ssrc,
                items: smallvec![item],
            }],
        }
    }

    pub(super) fn parse(count: u8, body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let chunks = (0..count).map(|_| SourceChunk::parse(&mut reader));
        Ok(Self {
            chunks: chunks.collect::<Result<_, _>>()?,
        })
    }
}

impl SourceChunk {
    /// The most names a source has; more than there are types of them in use. Those behind them
    /// are ignored when a packet is read.
    pub const MAX_ITEMS: usize = 16;

    /// The text of the first item of a type.
    #[must_use]
    pub fn get(&self, item_type: SourceItemType) -> Option<&[u8]> {
        self.items
            .iter()
            .find(|item| item.item_type == item_type)
            .map(|item| &item.text[..])
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let before = reader.len();
        let ssrc = reader.u32()?;
        let mut items = SmallVec::new();
        loop {
            match reader.u8()? {
                0 => break,
                item_type => {
                    let len = reader.u8()?;
                    let text = reader.take(len.into())?;
                    if items.len() < Self::MAX_ITEMS {
                        items.push(SourceItem {
                            item_type: SourceItemType(item_type),
                            text: text.into(),
                        });
                    }
                }
            }
        }
        // The list ends with one or more null bytes, up to a boundary of 32 bits (§6.5).
        let read = before - reader.len();
        reader.take(read.next_multiple_of(4) - read)?;
        Ok(Self { ssrc, items })
    }

    fn len(&self) -> usize {
        let items = self.items.iter().map(|item| 2 + item.text.len());
        (4 + items.sum::<usize>() + 1).next_multiple_of(4)
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        if self.items.len() > Self::MAX_ITEMS {
            return Err(EncodeError::Value);
        }
        out.put_u32(self.ssrc);
        for item in &self.items {
            // A type of 0 would end the list.
            if item.item_type.0 == 0 {
                return Err(EncodeError::Value);
            }
            out.put_u8(item.item_type.0);
            out.put_u8(u8::try_from(item.text.len()).map_err(|_| EncodeError::Value)?);
            out.put_slice(&item.text);
        }
        out.fill(0);
        Ok(())
    }
}

impl Body for SourceDescription {
    fn packet_type(&self) -> u8 {
        TYPE
    }

    fn count(&self) -> usize {
        self.chunks.len()
    }

    fn len(&self) -> usize {
        self.chunks.iter().map(SourceChunk::len).sum()
    }

    fn write(&self, mut out: &mut [u8]) -> Result<(), EncodeError> {
        for chunk in &self.chunks {
            let (own, rest) = out.split_at_mut(chunk.len());
            chunk.write(own)?;
            out = rest;
        }
        Ok(())
    }

    fn sender_ssrc(&self) -> Option<u32> {
        None
    }

    fn destination_ssrcs(&self, list: &mut SsrcList) {
        list.extend(self.chunks.iter().map(|chunk| chunk.ssrc));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::Packet;
    use crate::rtcp::packet::same_bytes;

    const CHROMIUM: &str = "81ca000655ab86970110695139463438596e516d414e7a45396d0000";
    const FIREFOX: &str = "81ca000cd305260e01267b31356330623063642d356632322d343464352d\
                           623331622d6430373435643637623565357d00000000";

    #[test]
    fn captured_names_come_back() {
        let chromium = SourceDescription::cname(0x55ab_8697, "iQ9F48YnQmANzE9m");
        same_bytes(CHROMIUM, &chromium.into());
        let cname = "{15c0b0cd-5f22-44d5-b31b-d0745d67b5e5}";
        let firefox = SourceDescription::cname(0xd305_260e, cname);
        same_bytes(FIREFOX, &firefox.into());
    }

    // rtcp-032, rtp-020, rtp-021
    #[test]
    fn several_sources_have_several_names() {
        let chunk = |ssrc, mid: &str| SourceChunk {
            ssrc,
            items: [
                (SourceItemType::CNAME, "c"),
                (SourceItemType::MID, mid),
                (SourceItemType::RTP_STREAM_ID, "hi"),
            ]
            .map(|(item_type, text)| SourceItem {
                item_type,
                text: text.as_bytes().into(),
            })
            .into_iter()
            .collect(),
        };
        let names = SourceDescription {
            chunks: smallvec![chunk(1, "0"), chunk(2, "")],
        };
        assert_eq!(names.chunks[0].get(SourceItemType::MID), Some(&b"0"[..]));
        assert_eq!(names.chunks[0].get(SourceItemType::TOOL), None);
        let packet = Packet::from(names);
        let mut out = [0xFF; 64];
        let len = packet.write(&mut out).unwrap();
        assert_eq!(len, packet.encoded_len());
        assert_eq!(Packet::parse(&out[..len]), Ok(packet));
    }

    // rtcp-011
    #[test]
    fn a_chunk_whose_list_does_not_end_is_refused() {
        for packet in [
            &[0x81, 202, 0, 1, 0, 0, 0, 1][..],
            &[0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, 65, 66],
            &[0x81, 202, 0, 2, 0, 0, 0, 1, 1, 9, 65, 0],
            &[0x82, 202, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0],
        ] {
            assert_eq!(Packet::parse(packet), Err(DecodeError::Truncated));
        }
    }

    #[test]
    fn names_beyond_sixteen_are_ignored_and_not_written() {
        let mut packet = vec![0x81, 202, 0, 12, 0, 0, 0, 1];
        packet.extend([1, 0].repeat(20));
        packet.extend([0; 4]);
        let Ok(Packet::SourceDescription(mut names)) = Packet::parse(&packet) else {
            panic!("it is a source description");
        };
        let items = &mut names.chunks[0].items;
        assert_eq!(items.len(), SourceChunk::MAX_ITEMS);
        items.push(items[0].clone());
        let written = Packet::from(names).write(&mut [0; 512]);
        assert_eq!(written, Err(EncodeError::Value));
    }

    #[test]
    fn a_text_of_more_than_255_bytes_is_not_written() {
        let names = SourceDescription::cname(1, &"x".repeat(256));
        let written = Packet::from(names).write(&mut [0; 512]);
        assert_eq!(written, Err(EncodeError::Value));
    }
}
