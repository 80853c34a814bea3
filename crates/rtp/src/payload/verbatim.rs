use crate::DecodeError;
use bytes::{BufMut, Bytes, BytesMut};

/// Both ends of a format whose payload is the encoded frame as it is, one for each packet. A frame
/// is never cut: it must fit, and the marker bit is left 0.
#[derive(Clone, Copy, Debug)]
pub struct Verbatim {
    check: fn(&[u8]) -> Result<(), DecodeError>,
}

impl Verbatim {
    /// A format whose payloads satisfy `check`.
    #[must_use]
    pub const fn new(check: fn(&[u8]) -> Result<(), DecodeError>) -> Self {
        Self { check }
    }
}

impl super::Packetizer for Verbatim {
    fn packetize(
        &mut self,
        frame: &Bytes,
        max_payload: usize,
        emit: &mut dyn FnMut(Bytes, bool),
    ) -> Result<(), DecodeError> {
        (self.check)(frame)?;
        if frame.len() > max_payload {
            return Err(DecodeError::Length);
        }
        emit(frame.clone(), false);
        Ok(())
    }
}

impl super::Depacketizer for Verbatim {
    fn depacketize(
        &mut self,
        payload: &Bytes,
        _last: bool,
        frame: &mut BytesMut,
    ) -> Result<(), DecodeError> {
        if !payload.is_empty() {
            (self.check)(payload)?;
            frame.put_slice(payload);
        }
        Ok(())
    }

    fn reset(&mut self) {}

    fn is_frame_start(&self, _payload: &[u8]) -> bool {
        true
    }

    fn is_frame_end(&self, _payload: &[u8], _marker: bool) -> bool {
        true
    }

    fn is_keyframe(&self, _payload: &[u8]) -> bool {
        true
    }
}
