//! Payload formats: how encoded frames are cut into packets and put together again.
//!
//! [`Packetizer`] cuts a frame, [`Depacketizer`] puts one together.

use crate::DecodeError;
use bytes::{Bytes, BytesMut};

/// Cuts encoded frames into RTP payloads.
pub trait Packetizer: Send + std::fmt::Debug {
    /// Cuts a frame into payloads of at most `max_payload` bytes, given to `emit` in order with the
    /// value of the marker bit. Payloads are parts of `frame` where the format allows it.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] if the frame is not of this codec; nothing is emitted then.
    fn packetize(
        &mut self,
        frame: &Bytes,
        max_payload: usize,
        emit: &mut dyn FnMut(Bytes, bool),
    ) -> Result<(), DecodeError>;
}

/// Puts the payloads of one stream together to frames.
pub trait Depacketizer: Send + std::fmt::Debug {
    /// Adds a payload to the frame under way in `frame`; payloads come in order. After an error the
    /// frame under way is void: [`reset`](Self::reset), and skip to the next frame.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] if the payload is not of this format, or does not continue the frame.
    fn depacketize(
        &mut self,
        payload: &Bytes,
        marker: bool,
        frame: &mut BytesMut,
    ) -> Result<(), DecodeError>;

    /// Forgets what is under way.
    fn reset(&mut self);

    /// Whether a frame may begin with this payload.
    fn is_frame_start(&self, payload: &[u8]) -> bool;

    /// Whether this payload begins a frame that a decoder can begin with.
    fn is_keyframe(&self, payload: &[u8]) -> bool;
}
