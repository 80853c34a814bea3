//! Reads and writes the presentation language of TLS (RFC 8446 §3).

/// Bytes that are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecodeError;

/// Reads from the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `len` bytes.
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(DecodeError)?;
        self.0 = rest;
        Ok(taken)
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(DecodeError)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self) -> Result<usize, DecodeError> {
        let [a, b, c] = self.array()?;
        Ok(usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }

    /// A vector behind a length of 8 bits.
    pub(crate) fn vec8(&mut self) -> Result<Self, DecodeError> {
        let len = self.u8()?;
        self.take(len.into()).map(Self)
    }

    /// A vector behind a length of 16 bits.
    pub(crate) fn vec16(&mut self) -> Result<Self, DecodeError> {
        let len = self.u16()?;
        self.take(len.into()).map(Self)
    }

    /// A vector behind a length of 24 bits.
    pub(crate) fn vec24(&mut self) -> Result<Self, DecodeError> {
        let len = self.u24()?;
        self.take(len).map(Self)
    }

    /// The numbers of 16 bits that are left.
    pub(crate) fn all_u16(mut self) -> Result<Vec<u16>, DecodeError> {
        let mut numbers = Vec::new();
        while !self.is_empty() {
            numbers.push(self.u16()?);
        }
        Ok(numbers)
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(DecodeError)
        }
    }
}

/// Writes to the end of a buffer.
pub(crate) trait Write {
    fn u8(&mut self, value: u8);
    fn u16(&mut self, value: u16);
    fn bytes(&mut self, bytes: &[u8]);
    /// A vector behind a length of 8 bits.
    fn vec8(&mut self, content: impl FnOnce(&mut Self));
    /// A vector behind a length of 16 bits.
    fn vec16(&mut self, content: impl FnOnce(&mut Self));
    /// A vector behind a length of 24 bits.
    fn vec24(&mut self, content: impl FnOnce(&mut Self));
}

impl Write for Vec<u8> {
    fn u8(&mut self, value: u8) {
        self.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn vec8(&mut self, content: impl FnOnce(&mut Self)) {
        vector::<1>(self, content);
    }

    fn vec16(&mut self, content: impl FnOnce(&mut Self)) {
        vector::<2>(self, content);
    }

    fn vec24(&mut self, content: impl FnOnce(&mut Self)) {
        vector::<3>(self, content);
    }
}

/// The low 24 bits, big-endian.
pub(crate) fn u24(value: usize) -> [u8; 3] {
    let [.., a, b, c] = value.to_be_bytes();
    [a, b, c]
}

/// Writes the content, then its length in front of it. What we write always fits: lists of ours are
/// short, and a certificate has an import that bounds it.
fn vector<const N: usize>(out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; N]);
    content(out);
    let len = (out.len() - at - N).to_be_bytes();
    out[at..at + N].copy_from_slice(&len[len.len() - N..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_carry_their_length() {
        let mut out = Vec::new();
        out.vec8(|out| out.u16(0x0102));
        out.vec16(|out| out.vec24(|out| out.bytes(b"abc")));
        assert_eq!(out, [2, 1, 2, 0, 6, 0, 0, 3, b'a', b'b', b'c']);
        let mut reader = Reader::new(&out);
        assert_eq!(reader.vec8().unwrap().all_u16(), Ok(vec![0x0102]));
        let mut inner = reader.vec16().unwrap();
        assert_eq!(inner.vec24().unwrap().rest(), b"abc");
        assert_eq!(inner.end(), Ok(()));
        assert_eq!(reader.end(), Ok(()));
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        assert_eq!(Reader::new(&[1]).u16(), Err(DecodeError));
        assert!(Reader::new(&[3, 1, 2]).vec8().is_err());
        assert!(Reader::new(&[1, 2, 3]).all_u16().is_err());
        assert_eq!(Reader::new(&[1]).end(), Err(DecodeError));
    }
}
