//! What kind of NAT a router is, in the words of RFC 4787.

mod table;

pub(super) use table::{Table, Translated};

use std::net::IpAddr;
use std::time::Duration;

/// On what of the remote endpoint a mapping or a filter depends (RFC 4787 §4.1, §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependence {
    /// On nothing.
    EndpointIndependent,
    /// On its address.
    AddressDependent,
    /// On its address and its port.
    AddressAndPortDependent,
}

/// Which external port a mapping gets (RFC 4787 §4.2.1). A port that is taken is never shared: port
/// overloading is left out (REQ-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortAssignment {
    /// The internal port where it is free, else the next free one.
    Preserving,
    /// The port after the one that was given last.
    Sequential,
    /// Any, from the seed of the network.
    Random,
}

/// Which of several external addresses a mapping gets (RFC 4787 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// All mappings of one internal address share one external address (REQ-2).
    Paired,
    /// Each mapping gets the next one.
    Arbitrary,
}

/// What happens to a packet from inside to an external address of the NAT itself (RFC 4787 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hairpinning {
    /// It is lost.
    Unsupported,
    /// It is turned around, with the external address of its sender as its source (REQ-9a).
    ExternalSource,
    /// It is turned around with its internal source.
    InternalSource,
}

/// A network address translator as RFC 4787 describes them (UDP; TCP is mapped in the same ways,
/// RFC 5382). Take a preset and change fields.
///
/// Addresses of a family of which the NAT has no external address pass untranslated: give it IPv4
/// addresses only, and IPv6 is routed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Nat {
    /// The external addresses, on the subnet above.
    pub external: Vec<IpAddr>,
    /// Whether one internal endpoint keeps its external one towards everybody (RFC 4787 §4.1, REQ-1).
    pub mapping: Dependence,
    /// Who may send to an external endpoint: everybody, addresses that were sent to, or endpoints
    /// that were sent to (RFC 4787 §5, REQ-8).
    pub filtering: Dependence,
    /// Default: paired.
    pub pooling: Pooling,
    /// Default: preserving, and random for [`symmetric`](Nat::symmetric).
    pub ports: PortAssignment,
    /// Whether even ports become even ports and odd ones odd (REQ-4). Default: yes.
    pub parity: bool,
    /// How long a mapping and a filter of datagrams last without traffic that refreshes them (REQ-5).
    /// Default 5 minutes.
    pub lifetime: Duration,
    /// The same for streams. Default 2 hours and 4 minutes (RFC 5382 REQ-5).
    pub stream_lifetime: Duration,
    /// Whether what goes out refreshes (REQ-6). Default: yes.
    pub outbound_refresh: bool,
    /// Whether what comes in refreshes as well (REQ-6a). Default: no.
    pub inbound_refresh: bool,
    /// Default: with the external source.
    pub hairpinning: Hairpinning,
    /// How many mappings it has at once; what would need another one is lost. Default 4096.
    pub max_mappings: usize,
}

impl Nat {
    /// Any mapping and filtering.
    #[must_use]
    pub fn new(external: IpAddr, mapping: Dependence, filtering: Dependence) -> Self {
        Self {
            external: vec![external],
            mapping,
            filtering,
            pooling: Pooling::Paired,
            ports: PortAssignment::Preserving,
            parity: true,
            lifetime: Duration::from_secs(300),
            stream_lifetime: Duration::from_secs(2 * 3600 + 4 * 60),
            outbound_refresh: true,
            inbound_refresh: false,
            hairpinning: Hairpinning::ExternalSource,
            max_mappings: 4096,
        }
    }

    /// "Full cone": both endpoint-independent.
    #[must_use]
    pub fn full_cone(external: IpAddr) -> Self {
        let free = Dependence::EndpointIndependent;
        Self::new(external, free, free)
    }

    /// "Restricted cone": endpoint-independent mapping, address-dependent filtering.
    #[must_use]
    pub fn restricted(external: IpAddr) -> Self {
        let filtering = Dependence::AddressDependent;
        Self::new(external, Dependence::EndpointIndependent, filtering)
    }

    /// "Port-restricted cone": endpoint-independent mapping, address- and port-dependent filtering.
    #[must_use]
    pub fn port_restricted(external: IpAddr) -> Self {
        let filtering = Dependence::AddressAndPortDependent;
        Self::new(external, Dependence::EndpointIndependent, filtering)
    }

    /// "Symmetric": both address- and port-dependent, and random ports.
    #[must_use]
    pub fn symmetric(external: IpAddr) -> Self {
        let strict = Dependence::AddressAndPortDependent;
        Self {
            ports: PortAssignment::Random,
            ..Self::new(external, strict, strict)
        }
    }

    /// Whether addresses like this one are translated.
    pub(super) fn translates(&self, address: IpAddr) -> bool {
        let mut external = self.external.iter();
        external.any(|own| own.is_ipv4() == address.is_ipv4())
    }
}
