//! Messages on a stream (RFC 8656 §12.5, RFC 8489 §6.2.2): STUN and ChannelData tell their own length.

use crate::channel_data::{self, is_channel_data};
use std::fmt;
use stun::MAGIC_COOKIE;

/// The longest message: ChannelData with 65535 bytes and its padding, or STUN with as many.
const MAX_FRAME: usize = 65_556;

/// Bytes that belong to neither STUN nor ChannelData, or to a longer message than allowed: the
/// stream cannot be followed any more and must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError;

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream holds neither stun nor channel data of an allowed length")
    }
}

impl std::error::Error for FrameError {}

/// How long the message is that `bytes` begin with, padding included; `None` if there are too few to
/// tell. The message itself need not be there whole.
///
/// # Errors
///
/// [`FrameError`] if no message begins so.
pub fn frame_len(bytes: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some(first) = bytes.first() else {
        return Ok(None);
    };
    if first >> 6 > 1 {
        return Err(FrameError);
    }
    let Some(&[_, _, l0, l1]) = bytes.first_chunk() else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    if is_channel_data(bytes) {
        let padded = length + channel_data::padding(length);
        return Ok(Some(channel_data::HEADER_LEN + padded));
    }
    let cookie = MAGIC_COOKIE.to_be_bytes();
    let seen = bytes.get(4..).unwrap_or_default();
    let seen = &seen[..seen.len().min(4)];
    if !length.is_multiple_of(4) || !cookie.starts_with(seen) {
        return Err(FrameError);
    }
    Ok(Some(stun::HEADER_LEN + length))
}

/// Cuts a stream into messages. It never holds more than one message and what one read brought.
#[derive(Debug)]
pub struct Frames {
    buffer: Vec<u8>,
    /// How much of the buffer has been handed out.
    taken: usize,
    max: usize,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            buffer: Vec::new(),
            taken: 0,
            max: MAX_FRAME,
        }
    }
}

impl Frames {
    /// An empty stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a message of more than `max` bytes for an error from now on: who has shown no
    /// credentials yet need not be given 64 KiB.
    pub fn set_max(&mut self, max: usize) {
        self.max = max;
    }

    /// Adds what has been read. Take all messages out before the next call.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, to be handed to `handle_input`.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if the stream cannot be followed; it gives nothing else from then on.
    pub fn pop(&mut self) -> Result<Option<&mut [u8]>, FrameError> {
        let rest = &self.buffer[self.taken..];
        let Some(length) = frame_len(rest)? else {
            return Ok(None);
        };
        if length > self.max {
            return Err(FrameError);
        }
        if rest.len() < length {
            return Ok(None);
        }
        let start = self.taken;
        self.taken += length;
        Ok(Some(&mut self.buffer[start..self.taken]))
    }

    /// How many bytes wait for the rest of their message. A stream that waits long is slow on
    /// purpose.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.buffer.len() - self.taken
    }

    /// What has been read beyond the last message: the beginning of a stream of something else
    /// (RFC 6062 §4.3).
    #[must_use]
    pub fn into_rest(mut self) -> Vec<u8> {
        self.buffer.drain(..self.taken);
        self.buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINDING: [u8; 20] = *b"\x00\x01\x00\x00\x21\x12\xa4\x42unguessable!";
    const CHANNEL_DATA: [u8; 12] = *b"\x40\x01\x00\x05hello\0\0\0";

    // stun-043, turn-017
    #[test]
    fn messages_come_whole_however_the_stream_is_cut() {
        let stream = [&BINDING[..], &CHANNEL_DATA, &BINDING].concat();
        for size in 1..=stream.len() {
            let mut frames = Frames::new();
            let mut messages = Vec::new();
            for chunk in stream.chunks(size) {
                frames.push(chunk);
                while let Some(message) = frames.pop().unwrap() {
                    messages.push(message.to_vec());
                }
            }
            assert_eq!(messages, [&BINDING[..], &CHANNEL_DATA, &BINDING], "{size}");
        }
    }

    #[test]
    fn a_message_that_is_too_long_is_refused_by_its_header() {
        let mut frames = Frames::new();
        frames.set_max(20);
        frames.push(&BINDING);
        assert!(matches!(frames.pop(), Ok(Some(_))));
        frames.push(&[0x40, 0, 0, 17]);
        assert_eq!(frames.pop(), Err(FrameError));
        frames.set_max(65_556);
        assert_eq!(frames.pop(), Ok(None));
        assert_eq!(frames.waiting(), 4);
        assert_eq!(frames.into_rest(), [0x40, 0, 0, 17]);
    }

    #[test]
    fn a_stream_of_something_else_is_given_up_at_its_first_wrong_byte() {
        assert_eq!(frame_len(b"\xC0"), Err(FrameError));
        assert_eq!(frame_len(b"GE"), Ok(None), "G is a channel's first byte");
        assert_eq!(frame_len(b"\x00\x01\x00\x03"), Err(FrameError));
        assert_eq!(frame_len(b"\x00\x01\x00\x00\x21\x13"), Err(FrameError));
        let mut frames = Frames::new();
        frames.push(b"\x80");
        assert!(frames.pop().is_err());
        assert!(frames.pop().is_err());
    }
}
