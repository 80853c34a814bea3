//! What requests carry (RFC 8656 §7.1, §8.1, §10.1, §12.1, RFC 6062 §4.3).

use super::Client;
use super::request::Purpose;
use std::net::SocketAddr;
use stun::{
    AddressFamily, Builder, ChannelNumber, Class, DontFragment, Lifetime, RequestedAddressFamily,
    Software, TransactionId, XorPeerAddress,
};

/// The largest request.
pub(super) const MAX_REQUEST: usize = 1500;

impl Client {
    /// Writes a request; `None` if it gets too large.
    pub(super) fn write(&self, id: TransactionId, purpose: &Purpose) -> Option<Vec<u8>> {
        let mut buf = [0; MAX_REQUEST];
        let mut builder = Builder::new(&mut buf, Class::Request, purpose.method(), id);
        if let Some(software) = &self.config.software {
            builder.attribute(&Software(software));
        }
        match purpose {
            Purpose::Allocate => self.write_allocate(&mut builder),
            Purpose::Refresh => self.write_lifetime(&mut builder),
            Purpose::Delete => {
                builder.attribute(&Lifetime(0));
            }
            Purpose::Permit(peers) => {
                // turn-013
                for peer in peers {
                    builder.attribute(&XorPeerAddress(SocketAddr::new(*peer, 0)));
                }
            }
            Purpose::Bind { number, peer } => {
                builder.attribute(&ChannelNumber(*number));
                builder.attribute(&XorPeerAddress(*peer));
            }
            Purpose::Connect(peer) => {
                builder.attribute(&XorPeerAddress(*peer));
            }
        }
        // turn-001: the first request is bare, there is no challenge yet.
        if let Some(challenge) = &self.challenge {
            challenge.sign(&self.config.username, &mut builder);
        }
        let len = builder.finish().ok()?;
        Some(buf[..len].to_vec())
    }

    fn write_allocate(&self, builder: &mut Builder<'_>) {
        // turn-003
        builder.attribute(&self.config.requested_transport);
        if let Some(family) = self.config.family {
            builder.attribute(&RequestedAddressFamily(family));
        }
        // RFC 6062 §4.1: not for connections.
        if self.dont_fragment && !self.relays_connections() {
            builder.attribute(&DontFragment);
        }
        self.write_lifetime(builder);
    }

    fn write_lifetime(&self, builder: &mut Builder<'_>) {
        if let Some(lifetime) = self.config.lifetime {
            let seconds = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
            builder.attribute(&Lifetime(seconds.max(1)));
        }
    }

    /// The family of the relayed address that was asked for (RFC 8656 §7.2).
    pub(super) fn family(&self) -> AddressFamily {
        self.config.family.unwrap_or(AddressFamily::Ipv4)
    }
}
