//! The peers: permissions (RFC 8656 §9) and channels (RFC 8656 §12).

use crate::channel_data::NUMBERS;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// How long a permission lasts (RFC 8656 §9).
pub(super) const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);

/// How long a channel is bound (RFC 8656 §12).
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

/// How long number and peer of an expired channel stay tied to each other (RFC 8656 §12).
const CHANNEL_REST: Duration = Duration::from_secs(300);

/// How long before its end something is asked for again: more than a request can last.
pub(super) const MARGIN: Duration = Duration::from_secs(60);

/// A peer that may send to us, or is going to.
#[derive(Debug)]
pub(super) struct Permission {
    /// Until when the server has it; `None` before its first answer.
    until: Option<Instant>,
    /// When to ask for it or look at it again; `None` while a request is under way.
    next: Option<Instant>,
    /// When somebody last wanted it: us, or the peer by sending.
    used: Instant,
}

/// A channel, or a number that rests.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) number: u16,
    /// Until when the server has it; `None` before its first answer and after a refusal.
    until: Option<Instant>,
    /// When to ask for it, look at it or forget it; `None` while a request is under way.
    next: Option<Instant>,
    used: Instant,
    /// Neither asked for nor bound: kept until its number may go to another peer.
    resting: bool,
}

impl Channel {
    /// Asked for or bound.
    pub(super) fn is_wanted(&self) -> bool {
        !self.resting
    }

    pub(super) fn is_bound(&self, now: Instant) -> bool {
        !self.resting && self.until.is_some_and(|until| now < until)
    }
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Permit(IpAddr),
    Lapsed(IpAddr),
    Bind { number: u16, peer: SocketAddr },
    Unbound(SocketAddr),
}

#[derive(Debug, Default)]
pub(super) struct Peers {
    permissions: BTreeMap<IpAddr, Permission>,
    channels: BTreeMap<SocketAddr, Channel>,
    numbers: BTreeMap<u16, SocketAddr>,
}

impl Peers {
    pub(super) fn permissions(&self) -> usize {
        self.permissions.len()
    }

    pub(super) fn knows(&self, peer: IpAddr) -> bool {
        self.permissions.contains_key(&peer)
    }

    /// Whether the server lets data through to the peer.
    pub(super) fn is_permitted(&self, now: Instant, peer: IpAddr) -> bool {
        let permission = self.permissions.get(&peer);
        let until = permission.and_then(|permission| permission.until);
        until.is_some_and(|until| now < until)
    }

    /// Wants a permission; whether it has to be asked for.
    pub(super) fn permit(&mut self, now: Instant, peer: IpAddr) -> bool {
        if let Some(permission) = self.permissions.get_mut(&peer) {
            permission.used = now;
            return false;
        }
        let permission = Permission {
            until: None,
            next: None,
            used: now,
        };
        self.permissions.insert(peer, permission);
        true
    }

    /// The server has a permission for another five minutes. A channel that was bound has one too.
    pub(super) fn permitted(&mut self, now: Instant, peer: IpAddr) -> bool {
        let permission = self.permissions.entry(peer).or_insert(Permission {
            until: None,
            next: None,
            used: now,
        });
        let is_new = permission.until.is_none_or(|until| until <= now);
        // turn-011
        let until = now + PERMISSION_LIFETIME;
        permission.until = Some(until);
        permission.next = Some(until - MARGIN);
        is_new
    }

    /// Forgets a permission; whether there was one.
    pub(super) fn forget(&mut self, peer: IpAddr) -> bool {
        self.permissions.remove(&peer).is_some()
    }

    pub(super) fn channel(&self, peer: SocketAddr) -> Option<&Channel> {
        self.channels.get(&peer)
    }

    /// The peer of a channel that was asked for. Data may come before the answer (turn-016), and as
    /// long as number and peer are tied it can be meant for nobody else.
    pub(super) fn peer_of(&self, number: u16) -> Option<SocketAddr> {
        self.numbers.get(&number).copied()
    }

    /// Gives the peer a number, the one it had before if it is still tied to it (turn-015); `None`
    /// if nothing is to be asked for, an error if there are too many.
    pub(super) fn bind(
        &mut self,
        now: Instant,
        peer: SocketAddr,
        max_channels: usize,
    ) -> Result<Option<u16>, ()> {
        if let Some(channel) = self.channels.get_mut(&peer) {
            channel.used = now;
            if !channel.resting {
                return Ok(None);
            }
            channel.resting = false;
            channel.next = None;
            return Ok(Some(channel.number));
        }
        if self.channels.len() >= max_channels {
            return Err(());
        }
        let mut free = NUMBERS.filter(|number| !self.numbers.contains_key(number));
        let number = free.next().ok_or(())?;
        let channel = Channel {
            number,
            until: None,
            next: None,
            used: now,
            resting: false,
        };
        self.channels.insert(peer, channel);
        self.numbers.insert(number, peer);
        Ok(Some(number))
    }

    /// The server has the channel for another ten minutes; whether it had not before.
    pub(super) fn bound(&mut self, now: Instant, peer: SocketAddr) -> bool {
        let Some(channel) = self.channels.get_mut(&peer) else {
            return false;
        };
        let is_new = !channel.is_bound(now);
        let until = now + CHANNEL_LIFETIME;
        channel.resting = false;
        channel.until = Some(until);
        channel.next = Some(until - MARGIN);
        is_new
    }

    /// The channel is not wanted any more, or was refused; its number rests. Whether it was wanted.
    pub(super) fn unbind(&mut self, now: Instant, peer: SocketAddr) -> bool {
        let Some(channel) = self.channels.get_mut(&peer) else {
            return false;
        };
        let was_wanted = !channel.resting;
        let until = channel.until.take().unwrap_or(now).max(now);
        channel.resting = true;
        // turn-015
        channel.next = Some(until + CHANNEL_REST);
        was_wanted
    }

    /// The peers at an address that have a channel.
    pub(super) fn channels_of(&self, peer: IpAddr) -> Vec<SocketAddr> {
        let channels = self.channels.iter();
        channels
            .filter(|(address, channel)| address.ip() == peer && !channel.resting)
            .map(|(address, _)| *address)
            .collect()
    }

    /// Data went to the peer or came from it.
    pub(super) fn used(&mut self, now: Instant, peer: SocketAddr) {
        if let Some(permission) = self.permissions.get_mut(&peer.ip()) {
            permission.used = now;
        }
        if let Some(channel) = self.channels.get_mut(&peer) {
            channel.used = now;
        }
    }

    /// The next thing that is due.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<Due> {
        self.next_permission(now).or_else(|| self.next_channel(now))
    }

    fn next_permission(&mut self, now: Instant) -> Option<Due> {
        for (peer, permission) in &mut self.permissions {
            if permission.next.is_none_or(|next| now < next) {
                continue;
            }
            if now.duration_since(permission.used) < PERMISSION_LIFETIME {
                permission.next = None;
                return Some(Due::Permit(*peer));
            }
            match permission.until {
                // Nobody wants it: it ends by itself, unless it is used until then.
                Some(until) if now < until => permission.next = Some(until),
                _ => {
                    let peer = *peer;
                    self.permissions.remove(&peer);
                    return Some(Due::Lapsed(peer));
                }
            }
        }
        None
    }

    fn next_channel(&mut self, now: Instant) -> Option<Due> {
        let is_due = |channel: &Channel| channel.next.is_some_and(|next| next <= now);
        let mut rested = None;
        let mut due = None;
        for (&peer, channel) in &mut self.channels {
            if !is_due(channel) {
                continue;
            }
            if channel.resting {
                rested = Some(peer);
                break;
            }
            if now.duration_since(channel.used) < PERMISSION_LIFETIME {
                channel.next = None;
                let number = channel.number;
                return Some(Due::Bind { number, peer });
            }
            match channel.until {
                Some(until) if now < until => channel.next = Some(until),
                _ => {
                    due = Some(Due::Unbound(peer));
                    break;
                }
            }
        }
        if let Some(peer) = rested {
            if let Some(channel) = self.channels.remove(&peer) {
                self.numbers.remove(&channel.number);
            }
            return self.next_channel(now);
        }
        if let Some(Due::Unbound(peer)) = due {
            self.unbind(now, peer);
        }
        due
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let permissions = self.permissions.values().filter_map(|it| it.next);
        let channels = self.channels.values().filter_map(|it| it.next);
        permissions.chain(channels).min()
    }
}
