//! What the server keeps for one client (RFC 8656 §3.2).

use super::authentication::Signer;
use super::{FiveTuple, Traffic};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use stun::{AddressFamily, ConnectionId, TransactionId};

/// How long a permission lasts (RFC 8656 §9).
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);

/// How long a channel is bound (RFC 8656 §12).
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) five_tuple: FiveTuple,
    /// Who made it: every later request has the same name (turn-002).
    pub(super) username: String,
    /// Whose quota it counts for.
    pub(super) user: String,
    /// The request that made it, so that its repetition gets the same answer (turn-027).
    pub(super) transaction: TransactionId,
    pub(super) family: AddressFamily,
    /// TCP instead of UDP (RFC 6062).
    pub(super) relays_tcp: bool,
    /// With peers, if it does.
    pub(super) connections: Vec<ConnectionId>,
    pub(super) expires: Instant,
    pub(super) socket: Socket,
    pub(super) traffic: Traffic,
    pub(super) peers: Peers,
}

/// The socket to relay with.
#[derive(Debug)]
pub(super) enum Socket {
    /// The owner was asked for it; with what is needed to answer the client then.
    Wanted {
        address: SocketAddr,
        attempts: u32,
        even: bool,
        lifetime: Duration,
        refused_family: Option<AddressFamily>,
        signer: Signer,
    },
    Bound {
        local: SocketAddr,
        relayed: SocketAddr,
    },
}

impl Socket {
    /// The address bound or to be bound.
    pub(super) fn local(&self) -> SocketAddr {
        match self {
            Self::Wanted { address, .. } => *address,
            Self::Bound { local, .. } => *local,
        }
    }

    pub(super) fn relayed(&self) -> Option<SocketAddr> {
        match self {
            Self::Wanted { .. } => None,
            Self::Bound { relayed, .. } => Some(*relayed),
        }
    }
}

/// Why a channel is not bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BindError {
    /// Number or peer belongs to another channel.
    Conflict,
    /// There are too many.
    Full,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    number: u16,
    until: Instant,
}

/// Permissions and channels. What has expired is as good as absent, and is thrown away when there is
/// need for its place.
#[derive(Debug, Default)]
pub(super) struct Peers {
    permissions: BTreeMap<IpAddr, Instant>,
    channels: BTreeMap<SocketAddr, Channel>,
    numbers: BTreeMap<u16, SocketAddr>,
}

impl Peers {
    pub(super) fn is_permitted(&self, now: Instant, peer: IpAddr) -> bool {
        self.permissions
            .get(&peer)
            .is_some_and(|until| now < *until)
    }

    /// Whether there is room for these permissions (turn-013: all or nothing).
    pub(super) fn fits(&mut self, now: Instant, peers: &[IpAddr], max: usize) -> bool {
        let new = |permissions: &BTreeMap<IpAddr, Instant>| {
            let new = peers.iter().filter(|peer| !permissions.contains_key(peer));
            permissions.len() + new.count()
        };
        if new(&self.permissions) > max {
            self.permissions.retain(|_, until| now < *until);
        }
        new(&self.permissions) <= max
    }

    /// Installs or refreshes a permission.
    pub(super) fn permit(&mut self, now: Instant, peer: IpAddr) {
        // turn-011
        self.permissions.insert(peer, now + PERMISSION_LIFETIME);
    }

    /// Binds or refreshes a channel (RFC 8656 §12.2).
    pub(super) fn bind(
        &mut self,
        now: Instant,
        number: u16,
        peer: SocketAddr,
        max: usize,
    ) -> Result<(), BindError> {
        if self.channels.len() >= max && !self.channels.contains_key(&peer) {
            self.channels.retain(|_, channel| now < channel.until);
            let channels = &self.channels;
            self.numbers.retain(|_, peer| channels.contains_key(peer));
        }
        self.drop_expired(now, number, peer);
        let other_number = self
            .channels
            .get(&peer)
            .is_some_and(|it| it.number != number);
        let other_peer = self.numbers.get(&number).is_some_and(|it| *it != peer);
        if other_number || other_peer {
            return Err(BindError::Conflict);
        }
        if self.channels.len() >= max && !self.channels.contains_key(&peer) {
            return Err(BindError::Full);
        }
        let until = now + CHANNEL_LIFETIME;
        self.channels.insert(peer, Channel { number, until });
        self.numbers.insert(number, peer);
        Ok(())
    }

    /// An expired channel binds neither its number nor its peer any more.
    fn drop_expired(&mut self, now: Instant, number: u16, peer: SocketAddr) {
        let holder = self.numbers.get(&number).copied();
        for peer in holder.into_iter().chain([peer]) {
            if let Some(channel) = self.channels.get(&peer)
                && channel.until <= now
            {
                self.numbers.remove(&channel.number);
                self.channels.remove(&peer);
            }
        }
    }

    /// The peer of a bound channel.
    pub(super) fn peer_of(&self, now: Instant, number: u16) -> Option<SocketAddr> {
        let peer = *self.numbers.get(&number)?;
        self.channel_of(now, peer).map(|_| peer)
    }

    /// The number of the channel bound to a peer.
    pub(super) fn channel_of(&self, now: Instant, peer: SocketAddr) -> Option<u16> {
        let channel = self.channels.get(&peer)?;
        (now < channel.until).then_some(channel.number)
    }
}
