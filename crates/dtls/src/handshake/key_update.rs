use crate::codec::DecodeError;

/// KeyUpdate (RFC 8446 §4.6.3, RFC 9147 §8).
///
/// ```text
/// enum {
///     update_not_requested(0), update_requested(1), (255)
/// } KeyUpdateRequest;
/// struct {
///     KeyUpdateRequest request_update;
/// } KeyUpdate;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyUpdate {
    /// The sender wants new keys from us too.
    pub(crate) is_requested: bool,
}

impl KeyUpdate {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        match body {
            [0] => Ok(Self {
                is_requested: false,
            }),
            [1] => Ok(Self { is_requested: true }),
            _ => Err(DecodeError),
        }
    }

    pub(crate) fn write(self) -> Vec<u8> {
        vec![self.is_requested.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // dtls-041
    #[test]
    fn an_update_round_trips() {
        for is_requested in [false, true] {
            let update = KeyUpdate { is_requested };
            assert_eq!(KeyUpdate::parse(&update.write()), Ok(update));
        }
        for body in [&[][..], &[2], &[0, 0]] {
            assert_eq!(KeyUpdate::parse(body), Err(DecodeError));
        }
    }
}
