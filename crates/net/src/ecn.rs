use quinn_udp::EcnCodepoint;

/// The two congestion notification bits of the IP header, when they are not zero (RFC 3168 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ecn {
    /// ECT(1): L4S-capable (RFC 9331).
    Ect1 = 0b01,
    /// ECT(0): ECN-capable.
    Ect0 = 0b10,
    /// Congestion experienced.
    Ce = 0b11,
}

impl From<EcnCodepoint> for Ecn {
    fn from(bits: EcnCodepoint) -> Self {
        match bits {
            EcnCodepoint::Ect1 => Self::Ect1,
            EcnCodepoint::Ect0 => Self::Ect0,
            EcnCodepoint::Ce => Self::Ce,
        }
    }
}

impl From<Ecn> for EcnCodepoint {
    fn from(bits: Ecn) -> Self {
        match bits {
            Ecn::Ect1 => Self::Ect1,
            Ecn::Ect0 => Self::Ect0,
            Ecn::Ce => Self::Ce,
        }
    }
}
