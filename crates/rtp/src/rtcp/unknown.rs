use super::body::{Body, SsrcList};
use super::frame::Frame;
use crate::EncodeError;
use smallvec::SmallVec;

/// A packet whose type, or whose feedback message type, is not spoken here; kept as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// The packet type, PT.
    pub packet_type: u8,
    /// The 5 bits beside the version: a count, a subtype or a feedback message type.
    pub count: u8,
    /// What follows the first word, without padding; a multiple of 4 bytes.
    pub body: SmallVec<[u8; 32]>,
}

impl Unknown {
    pub(super) fn parse(frame: Frame<'_>) -> Self {
        Self {
            packet_type: frame.packet_type,
            count: frame.count,
            body: frame.body.into(),
        }
    }
}

impl Body for Unknown {
    fn packet_type(&self) -> u8 {
        self.packet_type
    }

    fn count(&self) -> usize {
        self.count.into()
    }

    fn len(&self) -> usize {
        self.body.len().next_multiple_of(4)
    }

    fn write(&self, out: &mut [u8]) -> Result<(), EncodeError> {
        if out.len() != self.body.len() {
            return Err(EncodeError::Value);
        }
        out.copy_from_slice(&self.body);
        Ok(())
    }

    fn sender_ssrc(&self) -> Option<u32> {
        None
    }

    fn destination_ssrcs(&self, _: &mut SsrcList) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::Packet;
    use crate::rtcp::packet::same_bytes;
    use smallvec::smallvec;

    // rtcp-005
    #[test]
    fn an_unknown_type_is_kept_as_it_is() {
        let unknown = Unknown {
            packet_type: 222,
            count: 9,
            body: smallvec![1, 2, 3, 4],
        };
        same_bytes("89de000101020304", &unknown.into());
    }

    #[test]
    fn an_unknown_feedback_message_is_no_error() {
        for (packet_type, count) in [(205, 31), (206, 31), (206, 15)] {
            let packet = [0x80 | count, packet_type, 0, 0];
            assert!(matches!(Packet::parse(&packet), Ok(Packet::Unknown(_))));
        }
    }

    #[test]
    fn a_body_of_odd_length_is_not_written() {
        let unknown = Unknown {
            body: smallvec![1],
            ..Unknown::default()
        };
        let written = Packet::from(unknown).write(&mut [0; 16]);
        assert_eq!(written, Err(EncodeError::Value));
    }
}
