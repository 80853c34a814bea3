use crate::codec::{DecodeError, Reader, Write};

/// ClientKeyExchange of ECDHE, of 1.2 alone (RFC 8422 §5.7).
///
/// ```text
/// struct {
///     opaque ecdh_Yc<1..2^8-1>;
/// } ClientKeyExchange;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientKeyExchange {
    pub(crate) point: Vec<u8>,
}

impl ClientKeyExchange {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let point = reader.vec8()?.rest().to_vec();
        reader.end()?;
        Ok(Self { point })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.point.len() + 1);
        out.vec8(|out| out.bytes(&self.point));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_round_trips() {
        let exchange = ClientKeyExchange {
            point: vec![4, 1, 2],
        };
        let body = exchange.write();
        assert_eq!(body, [3, 4, 1, 2]);
        assert_eq!(ClientKeyExchange::parse(&body), Ok(exchange));
        assert!(ClientKeyExchange::parse(&[3, 4, 1]).is_err());
        assert!(ClientKeyExchange::parse(&[1, 4, 1]).is_err());
    }
}
