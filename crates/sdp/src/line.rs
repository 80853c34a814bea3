//! The small grammar that all lines share (RFC 8866 §9).

use crate::error::{AttributeError, AttributeErrorKind};

/// What a decimal number is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberError {
    Malformed,
    OutOfRange,
}

/// Reads digits only: no sign, no space. Overflow is told apart from bad form.
pub(crate) fn number<T: TryFrom<u64>>(text: &str) -> Result<T, NumberError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::Malformed);
    }
    text.parse::<u64>()
        .ok()
        .and_then(|value| T::try_from(value).ok())
        .ok_or(NumberError::OutOfRange)
}

/// The same for the value of an attribute.
pub(crate) fn attribute_number<T: TryFrom<u64>>(
    key: &'static str,
    text: &str,
) -> Result<T, AttributeError> {
    number(text).map_err(|error| {
        let kind = match error {
            NumberError::Malformed => AttributeErrorKind::Malformed,
            NumberError::OutOfRange => AttributeErrorKind::OutOfRange,
        };
        AttributeError::new(key, kind)
    })
}

/// RFC 8866 §9, `token-char`: visible ASCII without separators.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| {
            matches!(byte,
                0x21 | 0x23..=0x27 | 0x2A..=0x2B | 0x2D..=0x2E | 0x30..=0x39 | 0x41..=0x5A | 0x5E..=0x7E)
        })
}

/// RFC 8839 §5.1, `ice-char`: letters, digits, `+` and `/`. The four others are none, but old peers
/// write them and browsers read them.
pub(crate) fn is_ice_text(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/-=#_".contains(&byte))
}

/// The fields of a line: split at spaces, of which some peers write more than one.
pub(crate) fn fields(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|field| !field.is_empty())
}
