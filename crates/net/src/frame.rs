//! Packets in a stream: how they are put in, and cut out again.

use std::io;

/// How packets lie in a TCP or TLS stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Each behind a length of 16 bits (RFC 4571 §2).
    #[default]
    Length,
    /// One behind the other: STUN (RFC 8489 §6.2.2) and ChannelData (RFC 8656 §12.5) tell their own
    /// length, and ChannelData is padded to a multiple of four bytes.
    Stun,
}

/// The header of a STUN message (RFC 8489 §5).
const STUN_HEADER: usize = 20;

/// The header of ChannelData (RFC 8656 §12.4).
const CHANNEL_HEADER: usize = 4;

/// Where the packet lies that a stream begins with, and where the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) next: usize,
}

impl Framing {
    /// The frame that `bytes` begin with, which need not be there whole; `None` while there are too
    /// few bytes to tell.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] if no packet begins so: the stream cannot be followed.
    pub(crate) fn frame(self, bytes: &[u8]) -> io::Result<Option<Frame>> {
        match self {
            Self::Length => Ok(length_frame(bytes)),
            Self::Stun => stun_frame(bytes),
        }
    }

    /// Appends `packet` to `out` in its frame; `false` if no frame holds so long a packet.
    pub(crate) fn put(self, packet: &[u8], out: &mut Vec<u8>) -> bool {
        let Ok(length) = u16::try_from(packet.len()) else {
            return false;
        };
        match self {
            Self::Length => {
                out.extend_from_slice(&length.to_be_bytes());
                out.extend_from_slice(packet);
            }
            Self::Stun => {
                out.extend_from_slice(packet);
                let padding = packet.len().next_multiple_of(4) - packet.len();
                out.extend_from_slice(&[0; 3][..padding]);
            }
        }
        true
    }
}

fn length_frame(bytes: &[u8]) -> Option<Frame> {
    let length = usize::from(u16::from_be_bytes(*bytes.first_chunk()?));
    Some(Frame {
        start: 2,
        end: 2 + length,
        next: 2 + length,
    })
}

fn stun_frame(bytes: &[u8]) -> io::Result<Option<Frame>> {
    let Some(&[first, _, l0, l1]) = bytes.first_chunk() else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    // RFC 8656 §12: the two first bits tell STUN from ChannelData, and both from anything else.
    let (end, next) = match first >> 6 {
        0 if length.is_multiple_of(4) => (STUN_HEADER + length, STUN_HEADER + length),
        1 => {
            let end = CHANNEL_HEADER + length;
            (end, CHANNEL_HEADER + length.next_multiple_of(4))
        }
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    Ok(Some(Frame {
        start: 0,
        end,
        next,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINDING: [u8; 20] = *b"\x00\x01\x00\x00\x21\x12\xa4\x42unguessable!";
    const CHANNEL_DATA: [u8; 9] = *b"\x40\x01\x00\x05hello";

    fn cut(framing: Framing, mut stream: &[u8]) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        while let Some(frame) = framing.frame(stream).unwrap() {
            packets.push(stream[frame.start..frame.end].to_vec());
            stream = &stream[frame.next..];
        }
        packets
    }

    #[test]
    fn a_length_stands_before_each_packet() {
        let mut stream = Vec::new();
        assert!(Framing::Length.put(b"hello", &mut stream));
        assert!(Framing::Length.put(b"", &mut stream));
        assert!(Framing::Length.put(&[7; 65_535], &mut stream));
        assert_eq!(&stream[..9], b"\x00\x05hello\x00\x00");
        let packets = cut(Framing::Length, &stream);
        assert_eq!(packets, [b"hello".to_vec(), Vec::new(), vec![7; 65_535]]);
        assert!(!Framing::Length.put(&[7; 65_536], &mut stream));
    }

    // turn-017: ChannelData is padded on a stream, STUN needs no padding.
    #[test]
    fn stun_and_channel_data_tell_their_own_length() {
        let mut stream = Vec::new();
        for packet in [&BINDING[..], &CHANNEL_DATA, &BINDING] {
            assert!(Framing::Stun.put(packet, &mut stream));
        }
        assert_eq!(stream.len(), 20 + 12 + 20);
        assert_eq!(
            cut(Framing::Stun, &stream),
            [&BINDING[..], &CHANNEL_DATA, &BINDING]
        );
    }

    #[test]
    fn what_is_neither_cannot_be_followed() {
        assert!(Framing::Stun.frame(b"\x80\x00\x00\x00").is_err());
        assert!(Framing::Stun.frame(b"\x00\x01\x00\x03").is_err());
        assert_eq!(Framing::Stun.frame(b"\x80").unwrap(), None);
    }
}
