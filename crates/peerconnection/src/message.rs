use bytes::Bytes;

/// A message of a data channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataChannelMessage {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

/// A part of a message of a data channel that [receives in parts](crate::DataChannel::receive_in_parts).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataChannelPart {
    /// The bytes, of a text too: characters may lie across parts.
    pub data: Bytes,
    /// The message is text.
    pub is_text: bool,
    /// The message begins here.
    pub first: bool,
    /// It ends here.
    pub last: bool,
    /// It ends here because the peer gave it up: forget what there is of it.
    pub aborted: bool,
}
