//! What shows of a datagram without keys. The backend takes a handshake for failed at bytes that no
//! peer sends, so they do not get that far.

use crate::codec::Reader;
use crate::handshake::header::FragmentHeader;
use crate::record::ContentType;
use crate::record::header::{HEADER_LEN, Header};

/// Whether a datagram is made of records of 1.2 alone, and those of epoch 0 hold what their type
/// says: messages that could be of a handshake.
pub(super) fn is_well_formed(datagram: &[u8]) -> bool {
    let mut rest = datagram;
    while let Some(header) = Header::parse(rest) {
        let (record, next) = rest.split_at(HEADER_LEN + usize::from(header.length));
        if !fits(header, &record[HEADER_LEN..]) {
            return false;
        }
        rest = next;
    }
    rest.is_empty() && !datagram.is_empty()
}

fn fits(header: Header, fragment: &[u8]) -> bool {
    match header.content {
        ContentType::Ack => false,
        _ if header.epoch > 0 => true,
        ContentType::ChangeCipherSpec => fragment == [1],
        ContentType::Alert => matches!(fragment, [1 | 2, _]),
        ContentType::Handshake => FragmentHeader::parse(&mut Reader::new(fragment)).is_ok(),
        ContentType::ApplicationData => false,
    }
}

/// Whether a datagram begins with a record of epoch 0.
pub(super) fn is_plaintext(datagram: &[u8]) -> bool {
    matches!(datagram, [_, _, _, 0, 0, ..])
}

/// Whether a datagram begins with a handshake message in plaintext.
pub(super) fn is_plain_handshake(datagram: &[u8]) -> bool {
    datagram.first() == Some(&(ContentType::Handshake as u8)) && is_plaintext(datagram)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content: ContentType, epoch: u16, fragment: &[u8]) -> Vec<u8> {
        let header = Header {
            content,
            epoch,
            sequence: 7,
            length: u16::try_from(fragment.len()).unwrap(),
        };
        [&header.to_bytes()[..], fragment].concat()
    }

    #[test]
    fn records_hold_what_their_type_says() {
        let message = FragmentHeader::whole(1, 0, 4).to_bytes();
        let message = [&message[..], &[0; 4]].concat();
        let hello = record(ContentType::Handshake, 0, &message);
        assert!(is_well_formed(&hello) && is_plain_handshake(&hello));
        let cut = record(ContentType::Handshake, 0, &message[..15]);
        assert!(!is_well_formed(&cut));
        let data = record(ContentType::ApplicationData, 1, &[9; 40]);
        assert!(is_well_formed(&data) && !is_plaintext(&data));
        assert!(is_well_formed(&[hello.clone(), data.clone()].concat()));
        assert!(!is_well_formed(&[&hello[..], &[0]].concat()));
        assert!(!is_well_formed(&record(
            ContentType::ApplicationData,
            0,
            &[9; 40]
        )));
        assert!(is_well_formed(&record(ContentType::Alert, 0, &[2, 40])));
        assert!(!is_well_formed(&record(ContentType::Alert, 0, &[3, 40])));
        assert!(!is_well_formed(&record(
            ContentType::ChangeCipherSpec,
            0,
            &[2]
        )));
        assert!(!is_well_formed(&[]));
    }
}
