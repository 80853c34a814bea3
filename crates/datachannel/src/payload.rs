/// What a message of the user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payload {
    /// Text, UTF-8.
    Text,
    /// Bytes.
    Binary,
}

/// The payload protocol identifiers of data channels (RFC 8831 §8, RFC 8832 §8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum PayloadProtocol {
    /// A message of DCEP itself.
    Control = 50,
    /// Text of at least one byte.
    Text = 51,
    /// Part of a binary message that continues in the next message; deprecated, read, never written.
    BinaryPartial = 52,
    /// Bytes, at least one.
    Binary = 53,
    /// Part of a text that continues in the next message; deprecated, read, never written.
    TextPartial = 54,
    /// An empty text, sent as one zero byte.
    TextEmpty = 56,
    /// An empty binary message, sent as one zero byte.
    BinaryEmpty = 57,
}

impl PayloadProtocol {
    /// The identifier's meaning, if it has one here.
    #[must_use]
    pub fn from_id(id: u32) -> Option<Self> {
        [
            Self::Control,
            Self::Text,
            Self::BinaryPartial,
            Self::Binary,
            Self::TextPartial,
            Self::TextEmpty,
            Self::BinaryEmpty,
        ]
        .into_iter()
        .find(|protocol| protocol.id() == id)
    }

    /// The identifier.
    #[must_use]
    pub fn id(self) -> u32 {
        self as u32
    }

    /// How a message is marked (RFC 8831 §6.6): SCTP has no empty messages, so they have their own.
    #[must_use]
    pub fn of(payload: Payload, is_empty: bool) -> Self {
        match (payload, is_empty) {
            (Payload::Text, false) => Self::Text,
            (Payload::Text, true) => Self::TextEmpty,
            (Payload::Binary, false) => Self::Binary,
            (Payload::Binary, true) => Self::BinaryEmpty,
        }
    }
}
