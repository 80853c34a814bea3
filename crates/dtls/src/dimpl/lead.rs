//! What a datagram begins with, as far as it shows without keys.
//!
//! DTLS 1.2 and plaintext records of 1.3 (RFC 9147 §4.1):
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------+-------------------------------+---------------+
//! |  ContentType  |            version            |     epoch     |
//! +---------------+-------------------------------+---------------+
//! |     epoch     |            sequence number                    |
//! +---------------+-----------------------------------------------+
//! |                sequence number                |    length     |
//! +-----------------------------------------------+---------------+
//! |    length     |  fragment ...
//! +---------------+
//! ```
//!
//! Protected records of 1.3 begin with one byte `001CSLEE` (RFC 9147 §4).

use crate::alert::Alert;
use std::ops::RangeInclusive;

/// The first bytes that belong to DTLS (RFC 7983 §7).
const FIRST_BYTES: RangeInclusive<u8> = 20..=63;

const HEADER_LEN: usize = 13;
const HANDSHAKE_HEADER_LEN: usize = 12;

const CONTENT_ALERT: u8 = 21;
const CONTENT_HANDSHAKE: u8 = 22;
const CONTENT_APPLICATION_DATA: u8 = 23;

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const HELLO_VERIFY_REQUEST: u8 = 3;

/// `001CSLEE`: the bits that mark it, and the low bits of the epoch.
const UNIFIED_MASK: u8 = 0b1110_0000;
const UNIFIED: u8 = 0b0010_0000;
const UNIFIED_EPOCH: u8 = 0b0000_0011;
/// The epoch of application data in 1.3 (RFC 9147 §6.1). Later ones, which share its low bits
/// with others, only come after a handshake.
const APPLICATION_EPOCH: u8 = 3;

/// The first record of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// A fragment of a ClientHello in plaintext.
    ClientHello,
    /// What a server answers first: a ServerHello or HelloVerifyRequest, in one fragment.
    ServerAnswer,
    /// A fatal alert in plaintext.
    FatalAlert(Alert),
    /// Application data, in whichever version.
    ApplicationData,
    /// Another record of DTLS.
    Other,
    /// Not DTLS.
    Foreign,
}

impl Lead {
    /// Looks at a datagram.
    pub(super) fn of(datagram: &[u8]) -> Self {
        let Some(&first) = datagram.first() else {
            return Self::Foreign;
        };
        if first & UNIFIED_MASK == UNIFIED {
            return if first & UNIFIED_EPOCH == APPLICATION_EPOCH {
                Self::ApplicationData
            } else {
                Self::Other
            };
        }
        if !FIRST_BYTES.contains(&first) || datagram.len() < HEADER_LEN {
            return Self::Foreign;
        }
        let len = usize::from(u16::from_be_bytes([datagram[11], datagram[12]]));
        let Some(fragment) = datagram[HEADER_LEN..].get(..len) else {
            return Self::Foreign;
        };
        let plaintext = datagram[3..5] == [0, 0];
        match first {
            CONTENT_APPLICATION_DATA => Self::ApplicationData,
            CONTENT_HANDSHAKE if plaintext => Self::of_handshake(fragment),
            CONTENT_ALERT if plaintext => {
                Alert::parse_fatal(fragment).map_or(Self::Other, Self::FatalAlert)
            }
            _ => Self::Other,
        }
    }

    /// Looks at a handshake message (RFC 6347 §4.2.2): type, 24-bit length, 16-bit sequence,
    /// 24-bit fragment offset, 24-bit fragment length.
    fn of_handshake(fragment: &[u8]) -> Self {
        let Some((header, body)) = fragment.split_at_checked(HANDSHAKE_HEADER_LEN) else {
            return Self::Foreign;
        };
        let whole = header[1..4] == header[9..12] && header[6..9] == [0, 0, 0];
        let fragment_len = u32::from_be_bytes([0, header[9], header[10], header[11]]);
        let present = usize::try_from(fragment_len).is_ok_and(|len| len <= body.len());
        match header[0] {
            _ if !present => Self::Foreign,
            CLIENT_HELLO => Self::ClientHello,
            SERVER_HELLO | HELLO_VERIFY_REQUEST if whole => Self::ServerAnswer,
            _ => Self::Other,
        }
    }
}

/// The records of a datagram, one by one; what is cut short or not understood is left in one piece.
pub(super) fn records(datagram: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let len = record_len(rest)?.min(rest.len());
        let (record, next) = rest.split_at(len);
        rest = next;
        Some(record)
    })
}

/// The length of the first record, its header included; `None` for an empty datagram.
fn record_len(datagram: &[u8]) -> Option<usize> {
    /// `C`: a connection id, whose length only the session knows.
    const CONNECTION_ID: u8 = 0b0001_0000;
    /// `S`: the sequence number has 16 bits.
    const LONG_NUMBER: u8 = 0b0000_1000;
    /// `L`: there is a length; without it the record goes on to the end of the datagram.
    const HAS_LENGTH: u8 = 0b0000_0100;
    let first = *datagram.first()?;
    let length_at = match first & UNIFIED_MASK == UNIFIED {
        true if first & CONNECTION_ID != 0 || first & HAS_LENGTH == 0 => {
            return Some(datagram.len());
        }
        true if first & LONG_NUMBER != 0 => 3,
        true => 2,
        false => HEADER_LEN - 2,
    };
    Some(match datagram.get(length_at..length_at + 2) {
        Some(len) => length_at + 2 + usize::from(u16::from_be_bytes([len[0], len[1]])),
        None => datagram.len(),
    })
}

/// Adds to the sequence numbers of all records of epoch 0 in a datagram, which nothing authenticates.
pub(super) fn renumber(datagram: &mut [u8], offset: u64) {
    let mut rest = datagram;
    while let Some((header, body)) = rest.split_at_mut_checked(HEADER_LEN) {
        if !FIRST_BYTES.contains(&header[0]) || header[0] & UNIFIED_MASK == UNIFIED {
            // A protected record of 1.3: there is no plaintext behind it.
            return;
        }
        if header[3..5] == [0, 0] {
            let mut number = [0; 8];
            number[2..].copy_from_slice(&header[5..11]);
            let number = u64::from_be_bytes(number)
                .wrapping_add(offset)
                .to_be_bytes();
            header[5..11].copy_from_slice(&number[2..]);
        }
        let len = usize::from(u16::from_be_bytes([header[11], header[12]]));
        let Some((_, next)) = body.split_at_mut_checked(len) else {
            return;
        };
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content: u8, epoch: u8, fragment: &[u8]) -> Vec<u8> {
        let len = u16::try_from(fragment.len()).unwrap().to_be_bytes();
        let mut out = vec![content, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0];
        out.extend(len);
        out.extend(fragment);
        out
    }

    fn handshake(kind: u8, len: u8, offset: u8, body: &[u8]) -> Vec<u8> {
        let fragment_len = u8::try_from(body.len()).unwrap();
        let mut out = vec![kind, 0, 0, len, 0, 0, 0, 0, offset, 0, 0, fragment_len];
        out.extend(body);
        record(CONTENT_HANDSHAKE, 0, &out)
    }

    #[test]
    fn plaintext_handshake_messages_are_told_apart() {
        assert_eq!(Lead::of(&handshake(1, 9, 3, &[0; 4])), Lead::ClientHello);
        assert_eq!(Lead::of(&handshake(2, 4, 0, &[0; 4])), Lead::ServerAnswer);
        assert_eq!(Lead::of(&handshake(3, 4, 0, &[0; 4])), Lead::ServerAnswer);
        assert_eq!(Lead::of(&handshake(2, 9, 0, &[0; 4])), Lead::Other);
        assert_eq!(Lead::of(&handshake(11, 4, 0, &[0; 4])), Lead::Other);
    }

    #[test]
    fn a_fatal_alert_counts_in_plaintext_only() {
        let lead = Lead::of(&record(CONTENT_ALERT, 0, &[2, 42]));
        assert_eq!(lead, Lead::FatalAlert(Alert::BAD_CERTIFICATE));
        assert_eq!(Lead::of(&record(CONTENT_ALERT, 0, &[1, 0])), Lead::Other);
        assert_eq!(Lead::of(&record(CONTENT_ALERT, 1, &[2, 42])), Lead::Other);
    }

    #[test]
    fn application_data_is_known_in_both_versions() {
        assert_eq!(Lead::of(&record(23, 1, &[0; 30])), Lead::ApplicationData);
        assert_eq!(Lead::of(&[0b0010_1111, 0, 0]), Lead::ApplicationData);
        assert_eq!(Lead::of(&[0b0010_1110, 0, 0]), Lead::Other);
    }

    #[test]
    fn a_datagram_comes_apart_into_its_records() {
        let plaintext = record(CONTENT_HANDSHAKE, 0, &[1, 2, 3]);
        let protected = [0b0010_1110, 0, 1, 0, 2, 9, 9];
        let last = [0b0010_1010, 0, 1, 7, 7, 7];
        let datagram = [&plaintext[..], &protected, &last].concat();
        let found: Vec<&[u8]> = records(&datagram).collect();
        assert_eq!(found, [&plaintext[..], &protected, &last]);
        assert_eq!(records(&plaintext[..5]).count(), 1, "cut short");
        assert_eq!(records(&[]).count(), 0);
    }

    #[test]
    fn only_plaintext_records_are_renumbered() {
        let mut datagram = [record(22, 0, &[1; 5]), record(22, 1, &[2; 5])].concat();
        datagram.extend(record(20, 0, &[1]));
        datagram.extend([0b0010_1110, 9, 9]);
        let before = datagram.clone();
        renumber(&mut datagram, 0x1_02);
        let mut expected = before;
        for at in [9, 2 * 18 + 9] {
            expected[at..at + 2].copy_from_slice(&[1, 2]);
        }
        assert_eq!(datagram, expected);
    }

    // dtls-051
    #[test]
    fn what_is_not_dtls_is_foreign() {
        let cut = &record(CONTENT_HANDSHAKE, 0, &[1; 20])[..20];
        for datagram in [&[][..], &[0; 20], &[64; 20], &[128; 20], &[22; 5], cut] {
            assert_eq!(Lead::of(datagram), Lead::Foreign);
        }
    }
}
