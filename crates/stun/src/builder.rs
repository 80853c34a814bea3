use crate::attribute::{Attribute, AttributeType, fingerprint, integrity};
use crate::message::message_type;
use crate::{Class, EncodeError, HEADER_LEN, MAGIC_COOKIE, Method, TransactionId};
use crypto::HmacKey;

/// Writes one message into a lent buffer.
///
/// Attributes go out in the order of the calls: [`integrity`](Builder::integrity) after everything
/// it protects, [`fingerprint`](Builder::fingerprint) last. What goes wrong on the way is told once,
/// by [`finish`](Builder::finish).
#[derive(Debug)]
pub struct Builder<'b> {
    buf: &'b mut [u8],
    len: usize,
    transaction: TransactionId,
    /// How far the message has come: what may still follow.
    stage: Stage,
    failed: Option<EncodeError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Attributes,
    Integrity,
    IntegritySha256,
    Fingerprint,
}

impl<'b> Builder<'b> {
    /// Begins a message.
    #[must_use]
    pub fn new(
        buf: &'b mut [u8],
        class: Class,
        method: Method,
        transaction: TransactionId,
    ) -> Self {
        let mut builder = Self {
            buf,
            len: 0,
            transaction,
            stage: Stage::Attributes,
            failed: None,
        };
        if let Some(header) = builder.reserve(HEADER_LEN) {
            header[..2].copy_from_slice(&message_type(class, method).to_be_bytes());
            header[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
            header[8..].copy_from_slice(&transaction.0);
        }
        builder
    }

    /// Adds an attribute.
    pub fn attribute<'v, A: Attribute<'v>>(&mut self, attribute: &A) -> &mut Self {
        let transaction = self.transaction;
        if let Err(error) = attribute.check() {
            self.failed.get_or_insert(error);
        }
        if let Some(value) = self.open(A::TYPE, attribute.value_len(), Stage::Attributes) {
            attribute.write(value, &transaction);
        }
        self
    }

    /// Adds MESSAGE-INTEGRITY under an HMAC-SHA1 key (RFC 8489 §14.5).
    pub fn integrity(&mut self, key: &dyn HmacKey) -> &mut Self {
        let kind = AttributeType::MESSAGE_INTEGRITY;
        self.sign(kind, key, 20, Stage::Integrity)
    }

    /// Adds MESSAGE-INTEGRITY-SHA256 under an HMAC-SHA256 key (RFC 8489 §14.6).
    pub fn integrity_sha256(&mut self, key: &dyn HmacKey) -> &mut Self {
        let kind = AttributeType::MESSAGE_INTEGRITY_SHA256;
        self.sign(kind, key, 32, Stage::IntegritySha256)
    }

    /// Adds FINGERPRINT (RFC 8489 §14.7).
    pub fn fingerprint(&mut self) -> &mut Self {
        if self
            .open(AttributeType::FINGERPRINT, 4, Stage::Fingerprint)
            .is_some()
        {
            let (message, value) = self.buf[..self.len].split_at_mut(self.len - 4);
            value.copy_from_slice(&fingerprint::value(&message[..message.len() - 4]).to_be_bytes());
        }
        self
    }

    /// The length of the message in the buffer.
    ///
    /// # Errors
    ///
    /// The first [`EncodeError`] on the way; the buffer then holds nothing of use.
    pub fn finish(&self) -> Result<usize, EncodeError> {
        self.failed.map_or(Ok(self.len), Err)
    }

    fn sign(
        &mut self,
        kind: AttributeType,
        key: &dyn HmacKey,
        tag_len: usize,
        stage: Stage,
    ) -> &mut Self {
        if self.open(kind, tag_len, stage).is_some() {
            let (message, value) = self.buf[..self.len].split_at_mut(self.len - tag_len);
            integrity::sign(&message[..message.len() - 4], key, value);
        }
        self
    }

    /// Writes type and length of an attribute, zeroes its padding, lets the header's length end
    /// after it, and lends its value.
    fn open(&mut self, kind: AttributeType, length: usize, stage: Stage) -> Option<&mut [u8]> {
        if stage < self.stage || (stage == self.stage && stage != Stage::Attributes) {
            self.failed.get_or_insert(EncodeError::Order(kind.0));
        }
        let Ok(short) = u16::try_from(length) else {
            self.failed.get_or_insert(EncodeError::Value(kind.0));
            return None;
        };
        self.stage = stage;
        let start = self.len;
        // stun-005: the padding is zero and the length leaves it out (RFC 8489 §14).
        let area = self.reserve(4 + length.next_multiple_of(4))?;
        area[..2].copy_from_slice(&kind.0.to_be_bytes());
        area[2..4].copy_from_slice(&short.to_be_bytes());
        let Ok(body) = u16::try_from(self.len - HEADER_LEN) else {
            self.failed.get_or_insert(EncodeError::BufferTooSmall);
            return None;
        };
        self.buf[2..4].copy_from_slice(&body.to_be_bytes());
        Some(&mut self.buf[start + 4..start + 4 + length])
    }

    fn reserve(&mut self, length: usize) -> Option<&mut [u8]> {
        if self.failed.is_some() {
            return None;
        }
        let end = self.len + length;
        let Some(area) = self.buf.get_mut(self.len..end) else {
            self.failed = Some(EncodeError::BufferTooSmall);
            return None;
        };
        self.len = end;
        area.fill(0);
        Some(area)
    }
}
