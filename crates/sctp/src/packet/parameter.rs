use super::{DecodeError, OnUnknown, padded};
use bytes::BufMut;

/// One parameter, not yet interpreted (RFC 9260 §3.2.1). Error causes have the same shape.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |        Parameter Type         |       Parameter Length        |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// \                        Parameter Value                        \
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// The type, one of [`ParameterType`] where known.
    pub kind: u16,
    /// The value, without padding.
    pub value: &'a [u8],
    /// The parameter as it came, header included, for reports of unknown ones.
    pub whole: &'a [u8],
}

impl Parameter<'_> {
    /// What to do if the type is not known (RFC 9260 §3.2.1).
    #[must_use]
    pub fn on_unknown(&self) -> OnUnknown {
        OnUnknown {
            skip: self.kind & 0x8000 != 0,
            report: self.kind & 0x4000 != 0,
        }
    }
}

/// The types of parameters.
#[derive(Clone, Copy, Debug)]
pub struct ParameterType;

impl ParameterType {
    /// Heartbeat Info (RFC 9260 §3.3.5).
    pub const HEARTBEAT_INFO: u16 = 1;
    /// IPv4 Address (RFC 9260 §3.3.2.1.1).
    pub const IPV4_ADDRESS: u16 = 5;
    /// IPv6 Address (RFC 9260 §3.3.2.1.2).
    pub const IPV6_ADDRESS: u16 = 6;
    /// State Cookie (RFC 9260 §3.3.3.1.1).
    pub const STATE_COOKIE: u16 = 7;
    /// Unrecognized Parameter (RFC 9260 §3.3.3.1.2).
    pub const UNRECOGNIZED_PARAMETER: u16 = 8;
    /// Cookie Preservative (RFC 9260 §3.3.2.1.3).
    pub const COOKIE_PRESERVATIVE: u16 = 9;
    /// Host Name Address, deprecated (RFC 9260 §3.3.2.1.4).
    pub const HOST_NAME_ADDRESS: u16 = 11;
    /// Supported Address Types (RFC 9260 §3.3.2.1.5).
    pub const SUPPORTED_ADDRESS_TYPES: u16 = 12;
    /// Outgoing SSN Reset Request (RFC 6525 §4.1).
    pub const OUTGOING_RESET: u16 = 13;
    /// Incoming SSN Reset Request (RFC 6525 §4.2).
    pub const INCOMING_RESET: u16 = 14;
    /// SSN/TSN Reset Request (RFC 6525 §4.3).
    pub const TSN_RESET: u16 = 15;
    /// Re-configuration Response (RFC 6525 §4.4).
    pub const RE_CONFIG_RESPONSE: u16 = 16;
    /// Add Outgoing Streams Request (RFC 6525 §4.5).
    pub const ADD_OUTGOING_STREAMS: u16 = 17;
    /// Add Incoming Streams Request (RFC 6525 §4.6).
    pub const ADD_INCOMING_STREAMS: u16 = 18;
    /// Supported Extensions (RFC 5061 §4.2.7).
    pub const SUPPORTED_EXTENSIONS: u16 = 0x8008;
    /// Zero Checksum Acceptable (RFC 9653 §4).
    pub const ZERO_CHECKSUM_ACCEPTABLE: u16 = 0x8001;
    /// Forward-TSN-Supported (RFC 3758 §3.1).
    pub const FORWARD_TSN_SUPPORTED: u16 = 0xc000;
}

/// Iterates over parameters. It ends after the first error.
#[derive(Clone, Debug)]
pub struct Parameters<'a> {
    rest: &'a [u8],
}

impl<'a> Parameters<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    fn take(&mut self) -> Result<Parameter<'a>, DecodeError> {
        let bytes = std::mem::take(&mut self.rest);
        let &[k0, k1, l0, l1, ..] = bytes else {
            return Err(DecodeError::Truncated);
        };
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        if len < 4 {
            return Err(DecodeError::Length);
        }
        let whole = bytes.get(..len).ok_or(DecodeError::Truncated)?;
        // The padding of the last parameter is not part of the chunk (RFC 9260 §3.2).
        self.rest = bytes.get(padded(len)..).unwrap_or_default();
        Ok(Parameter {
            kind: u16::from_be_bytes([k0, k1]),
            value: whole.get(4..).unwrap_or_default(),
            whole,
        })
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Result<Parameter<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.take())
    }
}

/// Appends a parameter to others, padding what stands before it. The last one stays unpadded, as
/// the length of a chunk does not include that padding (RFC 9260 §3.2).
///
/// A value longer than the 16-bit length can say is cut.
pub fn write_parameter(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.resize(padded(out.len()), 0);
    let value = value.get(..0xfff0).unwrap_or(value);
    out.put_u16(kind);
    out.put_u16(u16::try_from(4 + value.len()).unwrap_or(u16::MAX));
    out.put_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    // sctp-004
    #[test]
    fn the_two_high_bits_say_what_to_do_with_unknown_ones() {
        let unknown = |kind| {
            Parameter {
                kind,
                value: &[],
                whole: &[],
            }
            .on_unknown()
        };
        assert_eq!(
            (unknown(0x0fff).skip, unknown(0x0fff).report),
            (false, false)
        );
        assert_eq!(
            (unknown(0x4fff).skip, unknown(0x4fff).report),
            (false, true)
        );
        assert_eq!(
            (unknown(0x8fff).skip, unknown(0x8fff).report),
            (true, false)
        );
        assert_eq!((unknown(0xcfff).skip, unknown(0xcfff).report), (true, true));
    }

    #[test]
    fn a_length_below_four_ends_the_list() {
        let mut parameters = Parameters::new(&[0, 1, 0, 3, 0, 0, 0, 0]);
        assert_eq!(parameters.next(), Some(Err(DecodeError::Length)));
        assert_eq!(parameters.next(), None);
    }

    #[test]
    fn parameters_are_padded_between_but_not_at_the_end() {
        let mut out = Vec::new();
        write_parameter(&mut out, 1, &[9]);
        assert_eq!(out.len(), 5);
        write_parameter(&mut out, 2, &[8, 8]);
        assert_eq!(out, [0, 1, 0, 5, 9, 0, 0, 0, 0, 2, 0, 6, 8, 8]);
        let kinds: Vec<_> = Parameters::new(&out)
            .map(|parameter| parameter.unwrap().kind)
            .collect();
        assert_eq!(kinds, [1, 2]);
    }
}
