use bytes::Bytes;

/// A message of a data channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataChannelMessage {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}
