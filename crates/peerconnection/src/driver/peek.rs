//! What a STUN message says of whose it is, before anybody has looked into it.

/// The header of a STUN message (RFC 8489 §5).
const HEADER: usize = 20;

const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// USERNAME (RFC 8489 §14.3).
const USERNAME: [u8; 2] = [0x00, 0x06];

/// The number by which a response names its request.
pub(crate) type TransactionId = [u8; 12];

/// A packet, as far as its owner can be told from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peeked<'a> {
    /// A STUN request, for the owner of this user name fragment (RFC 8445 §7.2.2).
    Request {
        fragment: Option<&'a str>,
        transaction: TransactionId,
    },
    /// A STUN response, for whoever has asked.
    Response(TransactionId),
    /// Known by the path it came on.
    Other,
}

/// Looks at a packet.
pub(crate) fn peek(packet: &[u8]) -> Peeked<'_> {
    let Some((header, attributes)) = packet.split_first_chunk::<HEADER>() else {
        return Peeked::Other;
    };
    // RFC 7983 §7, RFC 8489 §5: two zero bits and the cookie.
    if header[0] >> 6 != 0 || header[4..8] != MAGIC_COOKIE {
        return Peeked::Other;
    }
    let mut transaction = [0; 12];
    transaction.copy_from_slice(&header[8..]);
    // RFC 8489 §5: the class is bits 8 and 4 of the type.
    match (header[0] & 0x01, header[1] & 0x10) {
        (0, 0) => Peeked::Request {
            fragment: fragment(attributes),
            transaction,
        },
        (1, _) => Peeked::Response(transaction),
        _ => Peeked::Other,
    }
}

/// The part of USERNAME before the colon.
fn fragment(mut attributes: &[u8]) -> Option<&str> {
    loop {
        let ([t0, t1, l0, l1], rest) = attributes.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        if [*t0, *t1] == USERNAME {
            let name = std::str::from_utf8(rest.get(..length)?).ok()?;
            return name.split_once(':').map(|(ours, _)| ours);
        }
        // RFC 8489 §14: values are padded to four bytes.
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 5769 §2.1, the sample request: SOFTWARE, PRIORITY, ICE-CONTROLLED and USERNAME, cut before
    // MESSAGE-INTEGRITY.
    const REQUEST: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\
        \xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x10STUN test client\
        \x00\x24\x00\x04\x6e\x00\x01\xff\
        \x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
        \x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20";

    const TRANSACTION: TransactionId = *b"\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";

    #[test]
    fn a_request_names_the_fragment_it_is_for() {
        let expected = Peeked::Request {
            fragment: Some("evtj"),
            transaction: TRANSACTION,
        };
        assert_eq!(peek(REQUEST), expected);
    }

    #[test]
    fn a_request_that_is_cut_names_nobody_and_harms_nobody() {
        for length in 0..REQUEST.len() - 3 {
            let fragment = match peek(&REQUEST[..length]) {
                Peeked::Request { fragment, .. } => fragment,
                _ => None,
            };
            assert_eq!(fragment, None, "{length}");
        }
    }

    #[test]
    fn responses_are_known_by_their_transaction_and_the_rest_by_its_path() {
        let mut message = REQUEST.to_vec();
        message[0] = 0x01;
        assert_eq!(peek(&message), Peeked::Response(TRANSACTION), "success");
        message[1] = 0x11;
        assert_eq!(peek(&message), Peeked::Response(TRANSACTION), "error");
        message[0] = 0x00;
        assert_eq!(peek(&message), Peeked::Other, "indication");
        assert_eq!(peek(&[22; 100]), Peeked::Other, "dtls");
        assert_eq!(peek(&[0; 100]), Peeked::Other, "no cookie");
    }
}
