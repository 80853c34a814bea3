//! Packets on streams, as [`Framing`] says.

use layer::Framing;

/// A packet as it lies in a stream. One that is too long for a length is left out: agents make none.
pub(super) fn framed(framing: Framing, packet: &[u8]) -> Vec<u8> {
    match (framing, u16::try_from(packet.len())) {
        (Framing::Length, Ok(length)) => [&length.to_be_bytes(), packet].concat(),
        (Framing::Length, Err(_)) => Vec::new(),
        // STUN and ChannelData tell their own length.
        (_, _) => packet.to_vec(),
    }
}

/// The bytes of a stream, on their way to be packets again: at most one frame is kept.
#[derive(Debug)]
pub(super) enum Frames {
    Length(Vec<u8>),
    Stun(turn::Frames),
}

impl Frames {
    pub(super) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Length => Self::Length(Vec::new()),
            _ => Self::Stun(turn::Frames::new()),
        }
    }

    pub(super) fn framing(&self) -> Framing {
        match self {
            Self::Length(_) => Framing::Length,
            Self::Stun(_) => Framing::Stun,
        }
    }

    /// The packets that are whole with these bytes.
    ///
    /// # Errors
    ///
    /// If the stream holds something else and cannot be followed.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, turn::FrameError> {
        let mut packets = Vec::new();
        match self {
            Self::Length(kept) => {
                kept.extend_from_slice(bytes);
                let mut rest = kept.as_slice();
                while let Some((length, body)) = rest.split_first_chunk::<2>() {
                    let length = usize::from(u16::from_be_bytes(*length));
                    let Some((packet, after)) = body.split_at_checked(length) else {
                        break;
                    };
                    packets.push(packet.to_vec());
                    rest = after;
                }
                *kept = rest.to_vec();
            }
            Self::Stun(frames) => {
                frames.push(bytes);
                while let Some(packet) = frames.pop()? {
                    packets.push(packet.to_vec());
                }
            }
        }
        Ok(packets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(framing: Framing, packets: &[&[u8]]) {
        let stream: Vec<u8> = packets.iter().flat_map(|it| framed(framing, it)).collect();
        for size in [1, 2, 3, 7, 999, 2000] {
            let mut frames = Frames::new(framing);
            let chunks = stream.chunks(size);
            let taken: Vec<_> = chunks.flat_map(|it| frames.take(it).unwrap()).collect();
            assert_eq!(taken, packets, "in pieces of {size}");
        }
    }

    #[test]
    fn packets_come_out_of_a_stream_however_it_is_cut() {
        cut(Framing::Length, &[b"one", b"", b"three", &[7; 1000]]);
        let binding: &[u8] = b"\x00\x01\x00\x00\x21\x12\xa4\x42unguessable!";
        let channel_data: &[u8] = b"\x40\x01\x00\x05hello\0\0\0";
        cut(Framing::Stun, &[binding, channel_data, binding]);
    }

    #[test]
    fn a_stream_of_something_else_is_refused() {
        assert!(Frames::new(Framing::Stun).take(b"HTTP/1.1 400").is_ok());
        assert!(Frames::new(Framing::Stun).take(b"\xff").is_err());
    }
}
