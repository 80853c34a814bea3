//! With which peers clients may talk (RFC 8656 §21.1.7, §21.2.2): a relay must not become a way into
//! the network that it stands in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses: those whose first bits are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    address: IpAddr,
    prefix: u8,
}

impl AddressRange {
    /// The addresses that share the first `prefix` bits with this one; more bits than an address has
    /// mean all of them.
    #[must_use]
    pub fn new(address: IpAddr, prefix: u8) -> Self {
        Self { address, prefix }
    }

    /// Whether the address lies in the range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let outside = match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                (u32::from(a) ^ u32::from(b)).leading_zeros() < u32::from(self.prefix.min(32))
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                (u128::from(a) ^ u128::from(b)).leading_zeros() < u32::from(self.prefix.min(128))
            }
            _ => true,
        };
        !outside
    }
}

/// Which peers are refused with 403. What is neither unicast nor addressable (unspecified, multicast,
/// broadcast, reserved) always is, and so is the server itself but for the ports it relays with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerPolicy {
    /// Relay to loopback addresses. Default `false`.
    pub loopback: bool,
    /// Relay to link-local addresses, where clouds keep their metadata services. Default `false`.
    pub link_local: bool,
    /// Relay to private, shared and unique local addresses (RFC 1918, RFC 6598, RFC 4193). Default
    /// `false`; a server for one site wants `true`.
    pub private: bool,
    /// Refused whatever else is said. Default none.
    pub denied: Vec<AddressRange>,
    /// Allowed unless `denied`, the server's own addresses with all their ports too. Default none.
    pub allowed: Vec<AddressRange>,
}

impl PeerPolicy {
    /// Whether the server relays to that address.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        if let Some(listed) = self.listed(address) {
            return listed;
        }
        // An IPv4 address in the clothes of an IPv6 one is judged as what it is.
        match address.to_canonical() {
            IpAddr::V4(address) => self.allows_v4(address),
            IpAddr::V6(address) => self.allows_v6(address),
        }
    }

    /// What `denied` and `allowed` say about it, if anything.
    pub(super) fn listed(&self, address: IpAddr) -> Option<bool> {
        let address = address.to_canonical();
        let lies_in = |ranges: &[AddressRange]| ranges.iter().any(|range| range.contains(address));
        if lies_in(&self.denied) {
            return Some(false);
        }
        lies_in(&self.allowed).then_some(true)
    }

    fn allows_v4(&self, address: Ipv4Addr) -> bool {
        let [a, b, ..] = address.octets();
        match (a, b) {
            (127, _) => self.loopback,
            (169, 254) => self.link_local,
            (10, _) | (172, 16..=31) | (192, 168) | (100, 64..=127) => self.private,
            // "This network" (RFC 791 §3.2), multicast, reserved and broadcast.
            (0 | 224.., _) => false,
            _ => true,
        }
    }

    fn allows_v6(&self, address: Ipv6Addr) -> bool {
        if address.is_loopback() {
            return self.loopback;
        }
        if let Some(embedded) = embedded_v4(address) {
            return self.allows_v4(embedded);
        }
        match address.segments()[0] {
            0xFE80..=0xFEBF => self.link_local,
            0xFC00..=0xFDFF => self.private,
            // Unspecified and the rest of ::/8 (RFC 4291 §2.4), site-local (deprecated), multicast.
            0x0000..=0x00FF | 0xFEC0..=0xFFFF => false,
            _ => true,
        }
    }
}

/// The IPv4 address that a translator or tunnel would send to: NAT64's well-known prefix (RFC 6052
/// §2.1) and 6to4 (RFC 3056 §2).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xFF9B, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(policy: &PeerPolicy, address: &str) -> bool {
        policy.allows(address.parse().unwrap())
    }

    // turn-036
    #[test]
    fn only_public_unicast_addresses_are_allowed_by_default() {
        let policy = PeerPolicy::default();
        for address in ["192.0.2.1", "8.8.8.8", "2001:db8::1", "64:ff9b::808:808"] {
            assert!(allows(&policy, address), "{address}");
        }
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
        ] {
            assert!(!allows(&policy, address), "{address}");
        }
    }

    #[test]
    fn ranges_go_before_everything_else() {
        let mut policy = PeerPolicy::default();
        let site = AddressRange::new("10.1.0.0".parse().unwrap(), 16);
        let host = AddressRange::new("10.1.2.3".parse().unwrap(), 99);
        policy.allowed = vec![site];
        policy.denied = vec![host];
        assert!(allows(&policy, "10.1.2.2"));
        assert!(allows(&policy, "::ffff:10.1.2.2"));
        assert!(!allows(&policy, "10.1.2.3"));
        assert!(!allows(&policy, "10.2.0.1"));
        policy.private = true;
        assert!(allows(&policy, "10.2.0.1"));
        policy.denied = vec![AddressRange::new("::".parse().unwrap(), 0)];
        assert!(!allows(&policy, "2001:db8::1"));
        assert!(allows(&policy, "10.2.0.1"), "of the other family");
    }
}
