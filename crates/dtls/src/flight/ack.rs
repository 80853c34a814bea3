use crate::codec::{DecodeError, Reader, Write};
use crate::record::RecordNumber;

/// ACK, a content type of its own in 1.3 (RFC 9147 §7).
///
/// ```text
/// struct {
///     uint64 epoch;
///     uint64 sequence_number;
/// } RecordNumber;
/// struct {
///     RecordNumber record_numbers<0..2^16-1>;
/// } ACK;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ack(pub(crate) Vec<RecordNumber>);

/// What one ACK of ours names, and what is read of the peer's: more than a flight has.
pub(crate) const MAX_RECORDS: usize = 64;

impl Ack {
    pub(crate) fn parse(content: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(content);
        let mut list = reader.vec16()?;
        reader.end()?;
        let mut records = Vec::new();
        while !list.is_empty() {
            let number = RecordNumber {
                epoch: list.u64()?,
                sequence: list.u64()?,
            };
            if records.len() < MAX_RECORDS {
                records.push(number);
            }
        }
        Ok(Self(records))
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 + 16 * self.0.len());
        out.vec16(|out| {
            for number in &self.0 {
                out.bytes(&number.epoch.to_be_bytes());
                out.bytes(&number.sequence.to_be_bytes());
            }
        });
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // dtls-036
    #[test]
    fn an_ack_round_trips() {
        let number = |epoch, sequence| RecordNumber { epoch, sequence };
        let ack = Ack(vec![number(0, 1), number(2, 1 << 40)]);
        let content = ack.write();
        assert_eq!(content.len(), 2 + 32);
        assert_eq!(Ack::parse(&content), Ok(ack));
        assert_eq!(Ack::parse(&[0, 0]), Ok(Ack::default()));
        assert!(Ack::parse(&content[..33]).is_err());
        assert!(Ack::parse(&[0, 1, 9]).is_err());
    }
}
