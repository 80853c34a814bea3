//! Subnets, the routers above them, and the links that lead to them.

use super::firewall::{Firewall, Flows};
use super::host::HostId;
use super::nat::{Nat, Table};
use crate::transit::Transit;
use crate::{Link, Random};
use std::net::IpAddr;

/// Names one subnet of a [`Network`](super::Network), and the router above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubnetId(pub(super) usize);

/// Names one link of a [`Network`](super::Network): from a host, or from a router, up to a subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub(super) usize);

/// A range of addresses: an address and how many of its first bits count (RFC 4632 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// Reads `192.168.1.0/24` or `fd00::/64`.
    ///
    /// # Panics
    ///
    /// If it is neither: topologies are written by hand.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let parsed = text.split_once('/').and_then(|(address, length)| {
            let address: IpAddr = address.parse().ok()?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let length = length.parse().ok().filter(|length| *length <= most)?;
            Some(Self { address, length })
        });
        match parsed {
            Some(prefix) => prefix,
            None => panic!("{text:?} is not an address, a slash and a length"),
        }
    }

    /// Whether an address lies in the range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differing = own.to_bits() ^ other.to_bits();
                differing.leading_zeros() >= u32::from(self.length)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differing = own.to_bits() ^ other.to_bits();
                differing.leading_zeros() >= u32::from(self.length)
            }
            _ => false,
        }
    }
}

/// What stands between a subnet and the one above it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Router {
    /// Translates; `None` routes the addresses of the subnet as they are.
    pub nat: Option<Nat>,
    /// What may pass.
    pub firewall: Firewall,
}

impl Router {
    /// Routes everything.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// Translates, and lets everything pass.
    #[must_use]
    pub fn nat(nat: Nat) -> Self {
        Self {
            nat: Some(nat),
            ..Self::default()
        }
    }

    /// Routes, behind a firewall.
    #[must_use]
    pub fn firewall(firewall: Firewall) -> Self {
        Self {
            nat: None,
            firewall,
        }
    }
}

#[derive(Debug)]
pub(super) struct Subnet {
    /// None for the internet: every address may be there.
    pub(super) prefixes: Vec<Prefix>,
    pub(super) uplink: Option<Uplink>,
}

/// A router at work.
#[derive(Debug)]
pub(super) struct Uplink {
    pub(super) parent: SubnetId,
    pub(super) link: LinkId,
    pub(super) router: Router,
    pub(super) table: Table,
    pub(super) flows: Flows,
}

impl Subnet {
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.prefixes.iter().any(|prefix| prefix.contains(address))
    }

    /// Whether packets on the subnet above go to the router of this one.
    pub(super) fn answers_for(&self, address: IpAddr) -> bool {
        let Some(uplink) = &self.uplink else {
            return false;
        };
        match &uplink.router.nat {
            Some(nat) if nat.translates(address) => nat.external.contains(&address),
            _ => self.contains(address),
        }
    }
}

/// A link at work: both directions.
#[derive(Debug)]
pub(super) struct Attachment {
    /// The host and its address here; `None` for the link of a router.
    pub(super) host: Option<(HostId, IpAddr)>,
    pub(super) subnet: SubnetId,
    /// Whether it is plugged in.
    pub(super) live: bool,
    pub(super) up: Way,
    pub(super) down: Way,
}

/// One direction.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) link: Link,
    pub(super) transit: Transit,
}

impl Way {
    pub(super) fn new(seed: u64, index: usize, label: u8) -> Self {
        let number = u32::try_from(index).unwrap_or(u32::MAX).to_be_bytes();
        let [a, b, c, d] = number;
        let random = Random::new(seed, &[b'w', b'a', b'y', label, a, b, c, d]);
        Self {
            link: Link::perfect(),
            transit: Transit::new(random),
        }
    }
}
