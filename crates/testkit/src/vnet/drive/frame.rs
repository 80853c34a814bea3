//! Packets on streams, each behind a 16-bit length (RFC 4571 §2).

/// A packet with its length before it. One that is too long for a length is left out: agents make
/// none.
pub(super) fn framed(packet: &[u8]) -> Vec<u8> {
    let Ok(length) = u16::try_from(packet.len()) else {
        return Vec::new();
    };
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(packet);
    framed
}

/// The bytes of a stream, on their way to be packets again: at most one frame is kept.
#[derive(Debug, Default)]
pub(super) struct Frames(Vec<u8>);

impl Frames {
    /// The packets that are whole with these bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.0.extend_from_slice(bytes);
        let mut packets = Vec::new();
        let mut rest = self.0.as_slice();
        while let Some((length, body)) = rest.split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            let Some((packet, after)) = body.split_at_checked(length) else {
                break;
            };
            packets.push(packet.to_vec());
            rest = after;
        }
        self.0 = rest.to_vec();
        packets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_out_of_a_stream_however_it_is_cut() {
        let packets: [&[u8]; 4] = [b"one", b"", b"three", &[7; 1000]];
        let stream: Vec<u8> = packets.iter().flat_map(|packet| framed(packet)).collect();
        for size in [1, 2, 3, 7, 999, 2000] {
            let mut frames = Frames::default();
            let taken: Vec<Vec<u8>> = stream.chunks(size).flat_map(|it| frames.take(it)).collect();
            assert_eq!(taken, packets, "in pieces of {size}");
        }
    }
}
