use crate::codec::u24;
use crate::handshake::header::FragmentHeader;
use crate::handshake::kind;
use crypto::{Hash, HashContext};
use layer::DtlsVersion;

/// The messages of a handshake, as both versions count them.
///
/// 1.3 counts type, length and body (RFC 9147 §5.2), 1.2 the header of the message in one piece
/// (RFC 6347 §4.2.6).
#[derive(Debug)]
pub(crate) struct Transcript {
    version: DtlsVersion,
    hash: &'static dyn Hash,
    context: Box<dyn HashContext>,
    /// The messages themselves: a signature of 1.2 is over them, under whatever hash. `None`
    /// once that is over, and in 1.3.
    messages: Option<Vec<u8>>,
}

impl Transcript {
    pub(crate) fn new(version: DtlsVersion, hash: &'static dyn Hash) -> Self {
        Self {
            version,
            hash,
            context: hash.start(),
            messages: (version == DtlsVersion::V1_2).then(Vec::new),
        }
    }

    /// Counts a message, ours or the peer's.
    pub(crate) fn add(&mut self, kind: u8, sequence: u16, body: &[u8]) {
        let header = FragmentHeader::whole(kind, sequence, body.len()).to_bytes();
        let header = match self.version {
            DtlsVersion::V1_3 => &header[..4],
            _ => &header[..],
        };
        self.context.update(header);
        self.context.update(body);
        if let Some(messages) = &mut self.messages {
            messages.extend_from_slice(header);
            messages.extend_from_slice(body);
        }
    }

    /// Puts the hash of the first ClientHello in its place (RFC 8446 §4.4.1).
    pub(crate) fn replace_by_hash(&mut self) {
        let digest = self.digest();
        self.context = self.hash.start();
        self.context.update(&[kind::MESSAGE_HASH]);
        self.context.update(&u24(digest.len()));
        self.context.update(&digest);
    }

    /// The hash of all so far.
    pub(crate) fn digest(&self) -> Vec<u8> {
        let mut out = vec![0; self.hash.digest_len()];
        self.context.finish_copy(&mut out);
        out
    }

    /// All messages so far; in 1.2, until [`forget_messages`](Self::forget_messages).
    pub(crate) fn messages(&self) -> &[u8] {
        self.messages.as_deref().unwrap_or_default()
    }

    /// No signature over them comes any more.
    pub(crate) fn forget_messages(&mut self) {
        self.messages = None;
    }
}

#[cfg(test)]
#[cfg(feature = "ring")]
mod tests {
    use super::*;
    use crypto::Provider;

    fn transcript(version: DtlsVersion) -> Transcript {
        Transcript::new(version, Provider::default().sha256)
    }

    // dtls-024, dtls-035
    #[test]
    fn only_1_2_counts_the_sequence_of_a_message() {
        for (version, differs) in [(DtlsVersion::V1_2, true), (DtlsVersion::V1_3, false)] {
            let (mut one, mut other) = (transcript(version), transcript(version));
            one.add(kind::FINISHED, 1, b"body");
            other.add(kind::FINISHED, 2, b"body");
            assert_eq!(one.digest() != other.digest(), differs);
        }
    }

    #[test]
    fn a_retry_leaves_the_hash_of_the_first_hello() {
        let mut transcript = transcript(DtlsVersion::V1_3);
        transcript.add(kind::CLIENT_HELLO, 0, b"hello");
        transcript.replace_by_hash();
        let hello = [&[1, 0, 0, 5][..], b"hello"].concat();
        let sha256 = Provider::default().sha256;
        let synthetic = [&[254, 0, 0, 32][..], &sha256.digest(&hello)].concat();
        assert_eq!(transcript.digest(), sha256.digest(&synthetic));
    }
}
