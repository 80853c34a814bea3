use super::DecodeError;

/// The bytes before the label.
const HEADER_LEN: usize = 12;

/// The bit of the channel type that means unordered (RFC 8832 §8.2.2).
const UNORDERED: u8 = 0x80;

/// `DATA_CHANNEL_OPEN` (RFC 8832 §5.1).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Message Type |  Channel Type |            Priority           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                    Reliability Parameter                      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |         Label Length          |       Protocol Length         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \                                                               /
/// |                             Label                             |
/// /                                                               \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \                                                               /
/// |                            Protocol                           |
/// /                                                               \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// How messages are given up, with the reliability parameter.
    pub channel_type: ChannelType,
    /// Whether messages keep their order.
    pub ordered: bool,
    /// The weight (RFC 8831 §6.4).
    pub priority: u16,
    /// The name, at most 65535 bytes.
    pub label: String,
    /// The subprotocol, at most 65535 bytes.
    pub protocol: String,
}

/// The reliability of a channel (RFC 8832 §5.1), without the order bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelType {
    /// `DATA_CHANNEL_RELIABLE`: never given up. The parameter is 0 and ignored when received.
    Reliable,
    /// `DATA_CHANNEL_PARTIAL_RELIABLE_REXMIT`: given up after this many retransmissions.
    MaxRetransmits(u32),
    /// `DATA_CHANNEL_PARTIAL_RELIABLE_TIMED`: given up after this many milliseconds.
    MaxLifetime(u32),
}

impl Open {
    /// The message type.
    pub const TYPE: u8 = 0x03;

    /// The longest message: both texts of 65535 bytes.
    pub const MAX_LEN: usize = HEADER_LEN + 2 * u16::MAX as usize;

    /// Reads the message; bytes behind it are ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if it is cut, or if the channel type is unknown. A text that is not UTF-8 is
    /// read with replacement characters, as browsers accept it: aiortc counts characters where it
    /// should count bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let Some((header, texts)) = bytes.split_first_chunk::<HEADER_LEN>() else {
            return Err(DecodeError::Truncated);
        };
        let [kind, channel_type, p0, p1, r0, r1, r2, r3, l0, l1, s0, s1] = *header;
        if kind != Self::TYPE {
            return Err(DecodeError::Type(kind));
        }
        let parameter = u32::from_be_bytes([r0, r1, r2, r3]);
        let label_len = usize::from(u16::from_be_bytes([l0, l1]));
        let protocol_len = usize::from(u16::from_be_bytes([s0, s1]));
        let Some(texts) = texts.get(..label_len + protocol_len) else {
            return Err(DecodeError::Truncated);
        };
        let (label, protocol) = texts.split_at(label_len);
        Ok(Self {
            channel_type: match channel_type & !UNORDERED {
                0x00 => ChannelType::Reliable,
                0x01 => ChannelType::MaxRetransmits(parameter),
                0x02 => ChannelType::MaxLifetime(parameter),
                _ => return Err(DecodeError::ChannelType(channel_type)),
            },
            ordered: channel_type & UNORDERED == 0,
            priority: u16::from_be_bytes([p0, p1]),
            label: text(label),
            protocol: text(protocol),
        })
    }

    /// The message. A text beyond 65535 bytes is cut at its last whole character.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (kind, parameter) = match self.channel_type {
            ChannelType::Reliable => (0x00, 0),
            ChannelType::MaxRetransmits(count) => (0x01, count),
            ChannelType::MaxLifetime(milliseconds) => (0x02, milliseconds),
        };
        let order = if self.ordered { 0 } else { UNORDERED };
        let (label, label_len) = cut(&self.label);
        let (protocol, protocol_len) = cut(&self.protocol);
        let mut bytes = Vec::with_capacity(HEADER_LEN + label.len() + protocol.len());
        bytes.extend([Self::TYPE, kind | order]);
        bytes.extend(self.priority.to_be_bytes());
        bytes.extend(parameter.to_be_bytes());
        bytes.extend(label_len.to_be_bytes());
        bytes.extend(protocol_len.to_be_bytes());
        bytes.extend(label.as_bytes());
        bytes.extend(protocol.as_bytes());
        bytes
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// As much of a text as its length field can say, in whole characters.
fn cut(text: &str) -> (&str, u16) {
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    (text, u16::try_from(text.len()).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The diagram, filled in: "chat", unordered, three retransmissions, priority 256.
    const UNORDERED_REXMIT: [u8; 16] = [
        0x03, 0x81, 0x01, 0x00, 0, 0, 0, 3, 0, 4, 0, 0, b'c', b'h', b'a', b't',
    ];

    fn sample() -> Open {
        Open {
            channel_type: ChannelType::MaxRetransmits(3),
            ordered: false,
            priority: 256,
            label: "chat".into(),
            protocol: String::new(),
        }
    }

    // dc-004, dc-005
    #[test]
    fn the_fields_stand_where_the_diagram_says() {
        assert_eq!(Open::decode(&UNORDERED_REXMIT), Ok(sample()));
        assert_eq!(sample().encode(), UNORDERED_REXMIT);
    }

    /// Captured: `createDataChannel("echo é", {protocol: "interop/1"})`.
    const FIREFOX: &[u8] = b"\x03\0\0\0\0\0\0\0\0\x07\0\x09echo \xc3\xa9interop/1";
    /// The same; priority 256 is its default.
    const CHROMIUM: &[u8] = b"\x03\0\x01\0\0\0\0\0\0\x07\0\x09echo \xc3\xa9interop/1";

    // dc-004
    #[test]
    fn what_browsers_send_is_read_and_written_the_same() {
        for (bytes, priority) in [(FIREFOX, 0), (CHROMIUM, 256)] {
            let expected = Open {
                channel_type: ChannelType::Reliable,
                ordered: true,
                priority,
                label: "echo é".into(),
                protocol: "interop/1".into(),
            };
            assert_eq!(Open::decode(bytes).as_ref(), Ok(&expected));
            assert_eq!(expected.encode(), bytes);
        }
    }

    /// Captured: the same from aiortc, whose label length is one short.
    const AIORTC: &[u8] = b"\x03\0\0\0\0\0\0\0\0\x06\0\x09echo \xc3\xa9interop/1";

    #[test]
    fn a_text_that_is_not_utf_8_is_read_all_the_same() {
        let open = Open::decode(AIORTC).unwrap();
        assert_eq!(open.label, "echo \u{FFFD}");
        assert_eq!(open.protocol, "\u{FFFD}interop/");
    }

    #[test]
    fn a_cut_message_is_refused_at_every_length() {
        for len in 0..UNORDERED_REXMIT.len() {
            assert_eq!(
                Open::decode(&UNORDERED_REXMIT[..len]),
                Err(DecodeError::Truncated),
                "{len}"
            );
        }
    }

    #[test]
    fn unknown_channel_types_are_refused() {
        let mut bytes = UNORDERED_REXMIT;
        bytes[1] = 0x03;
        assert_eq!(Open::decode(&bytes), Err(DecodeError::ChannelType(3)));
    }

    #[test]
    fn what_is_behind_the_texts_is_ignored() {
        let longer = [&UNORDERED_REXMIT[..], &[0]].concat();
        assert_eq!(Open::decode(&longer), Ok(sample()));
    }

    #[test]
    fn a_text_too_long_is_cut_at_a_character() {
        let open = Open {
            label: "é".repeat(40_000),
            ..sample()
        };
        let read = Open::decode(&open.encode()).unwrap();
        assert_eq!(read.label.len(), 65534);
    }
}
