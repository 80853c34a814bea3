//! What candidates show of this host: addresses, names in their place, addresses of a NAT that maps
//! one to one.

use super::Agent;
use crate::candidate::{Base, LocalCandidate};
use crate::config::{RewriteMode, RewriteRule};
use chacha20::rand_core::Rng;
use layer::{CandidateAddress, CandidateType, IceEvent, TransportPolicy};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The port of a related address that is not shown (RFC 8839 §5.1).
const DISCARD: u16 = 9;

impl Agent {
    /// Tells a candidate, unless the policy keeps it to ourselves.
    pub(super) fn tell(&mut self, local: &LocalCandidate) {
        let is_host = local.candidate.candidate_type == CandidateType::Host;
        if !is_host || self.policy == TransportPolicy::All {
            self.emit(IceEvent::Candidate(local.candidate.clone()));
        }
    }

    /// Whether the addresses of this host may be told.
    pub(super) fn shows_hosts(&self) -> bool {
        self.policy == TransportPolicy::All && !self.settings.multicast_names
    }

    /// A host candidate as it is shown: under a name, or as a NAT shows it.
    pub(super) fn disguise(&mut self, local: &mut LocalCandidate) {
        if self.settings.multicast_names && self.policy == TransportPolicy::All {
            let host = self.multicast_name(local.base.ip());
            let port = local.address.port();
            local.candidate.address = CandidateAddress::Name { host, port };
            return;
        }
        let rule = self.rewrite(local.base.ip(), RewriteMode::Host);
        if let Some(rule) = rule {
            let external = SocketAddr::new(rule.external, local.address.port());
            local.candidate.address = CandidateAddress::Socket(external);
            local.rewritten = Some(external);
        }
    }

    /// The first rule for an address of ours.
    fn rewrite(&self, local: IpAddr, mode: RewriteMode) -> Option<RewriteRule> {
        let mut rules = self.settings.rewrites.iter();
        let applies = |rule: &&RewriteRule| {
            let same_family = rule.external.is_ipv4() == local.is_ipv4();
            rule.mode == mode && same_family && rule.local.is_none_or(|it| it == local)
        };
        rules.find(applies).copied()
    }

    /// A server-reflexive candidate that no server has to be asked for: the NAT maps one to one.
    pub(super) fn add_mapped(&mut self, base: &Base) {
        let Some(rule) = self.rewrite(base.local.ip(), RewriteMode::ServerReflexive) else {
            return;
        };
        let external = SocketAddr::new(rule.external, base.local.port());
        self.add_reflexive(base, external, None, external);
    }

    /// The related address of a candidate, or in its place what says nothing (ice-012, ice-069;
    /// RFC 8839 §5.1).
    pub(super) fn related(&self, candidate_type: CandidateType, related: SocketAddr) -> SocketAddr {
        let is_shown = match candidate_type {
            // Its own is an address that servers see, not the host's.
            CandidateType::Relayed => self.policy != TransportPolicy::Relay,
            _ => self.shows_hosts(),
        };
        if is_shown {
            return related;
        }
        let nowhere: IpAddr = match related {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        SocketAddr::new(nowhere, DISCARD)
    }

    /// The name under which an address is shown: always the same, and a different one for each
    /// address (mDNS draft §3.1.1).
    fn multicast_name(&mut self, address: IpAddr) -> String {
        if let Some(name) = self.names.get(&address) {
            return name.clone();
        }
        let mut bytes = [0; 16];
        self.rng.fill_bytes(&mut bytes);
        let host = format!("{}.local", uuid(bytes));
        self.names.insert(address, host.clone());
        self.emit(IceEvent::PublishName {
            host: host.clone(),
            address,
        });
        host
    }
}

/// A UUID of random bytes (RFC 9562 §5.4).
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // ice-069
    #[test]
    fn a_name_is_a_version_4_uuid() {
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xFF; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
