use crate::codec::{DecodeError, Reader, Write};

/// ServerKeyExchange of ECDHE, of 1.2 alone (RFC 8422 §5.4).
///
/// ```text
/// struct {
///     ECCurveType    curve_type = named_curve(3);
///     NamedCurve     namedcurve;
///     opaque         point<1..2^8-1>;
///     SignatureAndHashAlgorithm algorithm;
///     opaque         signature<0..2^16-1>;
/// } ServerKeyExchange;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerKeyExchange {
    pub(crate) group: u16,
    pub(crate) point: Vec<u8>,
    pub(crate) scheme: u16,
    pub(crate) signature: Vec<u8>,
}

const NAMED_CURVE: u8 = 3;

impl ServerKeyExchange {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        if reader.u8()? != NAMED_CURVE {
            return Err(DecodeError);
        }
        let exchange = Self {
            group: reader.u16()?,
            point: reader.vec8()?.rest().to_vec(),
            scheme: reader.u16()?,
            signature: reader.vec16()?.rest().to_vec(),
        };
        reader.end()?;
        Ok(exchange)
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = params(self.group, &self.point);
        out.u16(self.scheme);
        out.vec16(|out| out.bytes(&self.signature));
        out
    }
}

fn params(group: u16, point: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    out.u8(NAMED_CURVE);
    out.u16(group);
    out.vec8(|out| out.bytes(point));
    out
}

/// What is signed: both randoms and the parameters.
pub(crate) fn signed_content(
    client_random: &[u8; 32],
    server_random: &[u8; 32],
    group: u16,
    point: &[u8],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    out.bytes(client_random);
    out.bytes(server_random);
    out.bytes(&params(group, point));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_round_trips() {
        let exchange = ServerKeyExchange {
            group: 0x001D,
            point: vec![9; 32],
            scheme: 0x0403,
            signature: vec![1; 71],
        };
        let body = exchange.write();
        for len in 0..body.len() {
            assert!(ServerKeyExchange::parse(&body[..len]).is_err());
        }
        assert_eq!(ServerKeyExchange::parse(&body), Ok(exchange));
        let signed = signed_content(&[1; 32], &[2; 32], 0x001D, &[9; 32]);
        assert_eq!(signed[64..68], [3, 0, 0x1D, 32]);
    }
}
