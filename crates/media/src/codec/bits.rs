/// Reads fields of bits, the most significant first.
#[derive(Clone, Debug)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        let byte = *self.bytes.get(self.position / 8)?;
        let flag = byte >> (7 - self.position % 8) & 1 == 1;
        self.position += 1;
        Some(flag)
    }

    /// A field of up to 32 bits.
    pub(super) fn field(&mut self, width: u32) -> Option<u32> {
        (0..width).try_fold(0, |value, _| Some(value << 1 | u32::from(self.flag()?)))
    }

    pub(super) fn skip(&mut self, width: usize) -> Option<()> {
        self.position = self.position.checked_add(width)?;
        (self.position <= 8 * self.bytes.len()).then_some(())
    }

    /// An Exp-Golomb code, ue(v) of H.264 §9.1 and H.265 §9.2; also uvlc() of AV1 §4.10.3.
    pub(super) fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros == 32 {
                return None;
            }
        }
        let rest = self.field(zeros)?;
        ((1 << zeros) - 1_u32).checked_add(rest)
    }

    /// A signed Exp-Golomb code, se(v): 0, 1, -1, 2, -2, …
    pub(super) fn se(&mut self) -> Option<i32> {
        let code = self.ue()?;
        let magnitude = i32::try_from(code.div_ceil(2)).ok()?;
        Some(if code % 2 == 1 { magnitude } else { -magnitude })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes_are_those_of_the_table() {
        // H.264 table 9-2: 1, 010, 011, 00100, 00101
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<_> = (0..5).map(|_| bits.ue().unwrap()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4]);
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<_> = (0..5).map(|_| bits.se().unwrap()).collect();
        assert_eq!(codes, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let mut bits = Bits::new(&[0xFF]);
        assert_eq!(bits.field(9), None);
        assert_eq!(Bits::new(&[0; 8]).ue(), None);
        assert_eq!(Bits::new(&[0]).skip(9), None);
    }
}
