//! The messages (RFC 1035 §4, RFC 6762 §18).
//!
//! ```text
//!  +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//!  |                      ID                       |
//!  |QR|   OPCODE  |AA|TC|RD|RA|   Z    |   RCODE   |
//!  |  QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT           |
//!  +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//!  question: NAME TYPE CLASS
//!  record:   NAME TYPE CLASS TTL RDLENGTH RDATA
//! ```

use std::net::IpAddr;

/// Any type of record (RFC 1035 §3.2.3).
const ANY: u16 = 255;

const HEADER: usize = 12;
/// The class of the internet.
const IN: u16 = 1;
/// RFC 6762 §10.2: the bit of the class that says that there are no other records. In questions
/// (§5.4) the same bit asks for a unicast answer.
const FLUSH: u16 = 0x8000;
/// A response (QR) that is authoritative (AA).
const RESPONSE: u16 = 0x8400;
/// RFC 6762 §10: seconds for a record that has a host's name.
const TTL: u32 = 120;
/// RFC 6762 §6.7: seconds at most for a simple resolver, which hears of no changes.
const LEGACY_TTL: u32 = 10;
/// Entries of one message that are looked at.
const MAX_ENTRIES: u16 = 64;
/// Labels of one name, and pointers within it.
const MAX_LABELS: usize = 32;

/// The records that hold an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Record {
    /// IPv4.
    A,
    /// IPv6.
    Aaaa,
}

impl Record {
    /// The one that holds this address.
    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::A,
            IpAddr::V6(_) => Self::Aaaa,
        }
    }

    fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Aaaa => 28,
        }
    }
}

/// What a simple resolver wants repeated (RFC 6762 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    id: u16,
    wanted: u16,
}

/// A question for both kinds of address; `None` if a label is too long.
pub(super) fn query(host: &str) -> Option<Vec<u8>> {
    // RFC 6762 §18.1: the id is zero.
    let mut out = header(0, 0, 2, 0);
    for record in [Record::A, Record::Aaaa] {
        put_name(host, &mut out)?;
        put(&mut out, &[record.number(), IN]);
    }
    Some(out)
}

/// The addresses that a response holds for this name.
pub(super) fn answers(message: &[u8], host: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    let Some(mut reader) = Reader::new(message).filter(|reader| reader.is_response) else {
        return found;
    };
    for _ in 0..reader.questions.min(MAX_ENTRIES) {
        if reader.question().is_none() {
            return found;
        }
    }
    for _ in 0..reader.records.min(MAX_ENTRIES) {
        let Some((name, kind, data)) = reader.record() else {
            break;
        };
        if name.eq_ignore_ascii_case(host) {
            found.extend(address(kind, data));
        }
    }
    found
}

fn address(kind: u16, data: &[u8]) -> Option<IpAddr> {
    if kind == Record::A.number() {
        return Some(IpAddr::from(<[u8; 4]>::try_from(data).ok()?));
    }
    if kind == Record::Aaaa.number() {
        return Some(IpAddr::from(<[u8; 16]>::try_from(data).ok()?));
    }
    None
}

/// The question for this name in a message, if the record of that address answers it.
pub(super) fn question(message: &[u8], host: &str, address: IpAddr) -> Option<Question> {
    let mut reader = Reader::new(message).filter(|reader| !reader.is_response)?;
    let kind = Record::of(address).number();
    for _ in 0..reader.questions.min(MAX_ENTRIES) {
        let (name, wanted) = reader.question()?;
        if name.eq_ignore_ascii_case(host) && [ANY, kind].contains(&wanted) {
            let id = reader.id;
            return Some(Question { id, wanted });
        }
    }
    None
}

/// The record of a name: for everybody, or for a simple resolver with its question.
pub(super) fn answer(host: &str, address: IpAddr, legacy: Option<Question>) -> Vec<u8> {
    let mut out = match legacy {
        None => header(0, RESPONSE, 0, 1),
        Some(question) => header(question.id, RESPONSE, 1, 1),
    };
    if let Some(question) = legacy {
        let _ = put_name(host, &mut out);
        put(&mut out, &[question.wanted, IN]);
    }
    let _ = put_name(host, &mut out);
    let kind = Record::of(address).number();
    match legacy {
        None => {
            put(&mut out, &[kind, IN | FLUSH]);
            out.extend_from_slice(&TTL.to_be_bytes());
        }
        // RFC 6762 §6.7: the bit is not for them.
        Some(_) => {
            put(&mut out, &[kind, IN]);
            out.extend_from_slice(&LEGACY_TTL.to_be_bytes());
        }
    }
    match address {
        IpAddr::V4(address) => {
            put(&mut out, &[4]);
            out.extend_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            put(&mut out, &[16]);
            out.extend_from_slice(&address.octets());
        }
    }
    out
}

fn header(id: u16, flags: u16, questions: u16, answers: u16) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    put(&mut out, &[id, flags, questions, answers, 0, 0]);
    out
}

fn put(out: &mut Vec<u8>, numbers: &[u16]) {
    for number in numbers {
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn put_name(name: &str, out: &mut Vec<u8>) -> Option<()> {
    for label in name.split('.') {
        // RFC 1035 §2.3.4.
        let length = u8::try_from(label.len()).ok();
        out.push(length.filter(|length| (1..=63).contains(length))?);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    Some(())
}

/// Reads a message from its beginning.
struct Reader<'a> {
    message: &'a [u8],
    at: usize,
    id: u16,
    is_response: bool,
    questions: u16,
    records: u16,
}

impl<'a> Reader<'a> {
    fn new(message: &'a [u8]) -> Option<Self> {
        let mut reader = Self {
            message,
            at: 0,
            id: 0,
            is_response: false,
            questions: 0,
            records: 0,
        };
        reader.id = reader.number()?;
        reader.is_response = reader.number()? & 0x8000 != 0;
        reader.questions = reader.number()?;
        let sections = [reader.number()?, reader.number()?, reader.number()?];
        let sum = |sum: u16, section: &u16| sum.saturating_add(*section);
        // Addresses may stand among the additional records.
        reader.records = sections.iter().fold(0, sum);
        debug_assert_eq!(reader.at, HEADER);
        Some(reader)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.message.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn question(&mut self) -> Option<(String, u16)> {
        let name = self.name()?;
        let wanted = self.number()?;
        self.number()?;
        Some((name, wanted))
    }

    /// Name, type and data; the type is 0 where the class is another one.
    fn record(&mut self) -> Option<(String, u16, &'a [u8])> {
        let name = self.name()?;
        let kind = self.number()?;
        let class = self.number()? & !FLUSH;
        self.take(4)?;
        let length = usize::from(self.number()?);
        let data = self.take(length)?;
        Some((name, if class == IN { kind } else { 0 }, data))
    }

    /// A name in text (RFC 1035 §4.1.4): labels, and pointers to labels before.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let mut after = None;
        for _ in 0..MAX_LABELS {
            let length = usize::from(*self.take(1)?.first()?);
            if length & 0xc0 == 0xc0 {
                let low = usize::from(*self.take(1)?.first()?);
                after = after.or(Some(self.at));
                self.at = (length & 0x3f) << 8 | low;
                continue;
            }
            if length == 0 {
                self.at = after.unwrap_or(self.at);
                return Some(name);
            }
            let label = self.take(length)?;
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(&String::from_utf8_lossy(label));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";

    fn v4() -> IpAddr {
        IpAddr::from([192, 0, 2, 7])
    }

    fn v6() -> IpAddr {
        "2001:db8::7".parse().unwrap()
    }

    #[test]
    fn a_question_is_answered_by_the_record_of_its_kind() {
        let asked = query(HOST).unwrap();
        assert_eq!(&asked[..6], b"\0\0\0\0\0\x02");
        for address in [v4(), v6()] {
            let understood = question(&asked, &HOST.to_uppercase(), address);
            assert!(understood.is_some(), "{address}");
            assert_eq!(answers(&answer(HOST, address, None), HOST), [address]);
            let legacy = answer(HOST, address, understood);
            assert_eq!(answers(&legacy, HOST), [address]);
            assert!(
                legacy
                    .windows(4)
                    .any(|bytes| bytes == LEGACY_TTL.to_be_bytes())
            );
        }
        assert_eq!(question(&asked, "other.local", v4()), None);
        assert!(answers(&answer(HOST, v4(), None), "other.local").is_empty());
        assert!(
            answers(&asked, HOST).is_empty(),
            "a question answers nothing"
        );
    }

    // RFC 1035 §4.1.4: the second name is a pointer to the first.
    #[test]
    fn a_name_may_point_to_one_before() {
        let mut message = header(0, RESPONSE, 1, 1);
        put_name("a.local", &mut message).unwrap();
        put(&mut message, &[1, IN, 0xc00c, 1, IN | FLUSH, 0, 120, 4]);
        message.extend_from_slice(&[192, 0, 2, 9]);
        assert_eq!(answers(&message, "a.local"), [IpAddr::from([192, 0, 2, 9])]);
    }

    #[test]
    fn what_is_cut_or_runs_in_circles_is_dropped() {
        let whole = answer(HOST, v6(), None);
        for length in 0..whole.len() {
            assert!(answers(&whole[..length], HOST).is_empty());
            assert_eq!(question(&whole[..length], HOST, v6()), None);
        }
        let mut circle = header(0, RESPONSE, 0, 1);
        put(&mut circle, &[0xc00c]);
        assert!(answers(&circle, HOST).is_empty());
        assert_eq!(query(&"x".repeat(64)), None);
    }
}
