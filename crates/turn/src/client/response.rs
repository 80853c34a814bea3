//! Answers (RFC 8489 §6.3, §9.2.5; RFC 8656 §7.3, §7.4, §8.3, §10.3, §12.3).

use super::authentication::{Challenge, hides_algorithms};
use super::request::{Purpose, Request};
use super::{Allocation, Client, Ending, Event, Failure, Phase, refresh_after};
use crate::Transport;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use stun::{
    AddressFamily, AlternateDomain, AlternateServer, Attribute, AttributeType, Class, ConnectionId,
    ErrorCode, Lifetime, Message, UnknownAttributes, XorMappedAddress, XorRelayedAddress,
};

/// How often a request is asked anew for another nonce or realm before the server is given up.
pub(super) const MAX_RENEWALS: u32 = 3;

/// How often the client follows ALTERNATE-SERVER.
const MAX_REDIRECTS: usize = 4;

/// The lifetime of an allocation whose server does not tell it (RFC 8656 §3.2).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

/// The attributes in answers that must be understood (RFC 8489 §6.3.3).
pub(super) const UNDERSTOOD: [AttributeType; 13] = [
    AttributeType::MAPPED_ADDRESS,
    AttributeType::USERNAME,
    AttributeType::ERROR_CODE,
    AttributeType::UNKNOWN_ATTRIBUTES,
    AttributeType::CHANNEL_NUMBER,
    AttributeType::LIFETIME,
    AttributeType::REALM,
    AttributeType::NONCE,
    AttributeType::XOR_RELAYED_ADDRESS,
    AttributeType::XOR_MAPPED_ADDRESS,
    AttributeType::RESERVATION_TOKEN,
    AttributeType::XOR_PEER_ADDRESS,
    AttributeType::CONNECTION_ID,
];

impl Client {
    pub(super) fn handle_response(&mut self, now: Instant, message: &Message<'_>) {
        let id = message.transaction_id();
        let Some(request) = self.requests.get_mut(id) else {
            self.stats.unmatched += 1;
            return;
        };
        if request.purpose.method() != message.method() {
            self.stats.unmatched += 1;
            return;
        }
        let code = match message.class() {
            Class::Error => match message.attribute::<ErrorCode<'_>>() {
                Ok(Some(error)) => Some((error.code, error.reason)),
                _ => {
                    self.stats.malformed += 1;
                    return;
                }
            },
            _ => None,
        };
        let phrase = code.map(|(_, phrase)| phrase);
        let code = code.map(|(code, _)| code);
        if !matches!(code, Some(401 | 438)) && !self.is_authentic(now, message) {
            return;
        }
        let Some(request) = self.requests.remove(id) else {
            return;
        };
        if let Some(round_trip) = request.transaction.round_trip(now) {
            self.round_trip.measured(now, round_trip);
        }
        if let Some(phrase) = phrase {
            phrase.clone_into(&mut self.phrase);
        }
        self.stats.responses_received += 1;
        match code {
            // stun-015
            _ if message.unknown_attributes(&UNDERSTOOD).is_some() => {
                self.failed(now, request.purpose, Failure::Malformed);
            }
            Some(401 | 438) => self.challenged(now, request, code == Some(438), message),
            Some(300) => self.redirected(now, request, message),
            Some(420) => self.not_understood(now, request, message),
            Some(code) => self.failed(now, request.purpose, Failure::from_code(code)),
            None => self.succeeded(now, request.purpose, message),
        }
        self.write_requests(now);
    }

    /// Whether an answer may change anything (stun-026, stun-035, stun-037). To a bare request there
    /// is nothing to verify.
    fn is_authentic(&mut self, now: Instant, message: &Message<'_>) -> bool {
        if hides_algorithms(message) {
            self.stats.unauthenticated += 1;
            return false;
        }
        let id = message.transaction_id();
        let (Some(request), Some(challenge)) = (self.requests.get_mut(id), &self.challenge) else {
            return true;
        };
        if request.realm.is_none() || challenge.verifies(message) {
            return true;
        }
        self.stats.unauthenticated += 1;
        request.violated = true;
        // A repetition cannot help on a stream (RFC 8489 §9.2.5).
        if self.config.transport == Transport::Stream
            && let Some(request) = self.requests.remove(id)
        {
            self.failed(now, request.purpose, Failure::IntegrityViolated);
            self.write_requests(now);
        }
        false
    }

    /// 401 or 438: asks again with what the server wants to see (turn-020, stun-036).
    fn challenged(&mut self, now: Instant, request: Request, stale: bool, message: &Message<'_>) {
        let (username, password) = (&self.config.username, &self.config.password);
        let read = Challenge::read(&self.config.provider, username, password, message);
        let challenge = match read {
            Ok(challenge) => challenge,
            Err(failure) => return self.failed(now, request.purpose, failure),
        };
        // The same user in the same realm would be refused again.
        let same_realm = request.realm.as_deref() == Some(challenge.realm());
        if !stale && same_realm {
            return self.failed(now, request.purpose, Failure::Unauthenticated);
        }
        if request.renewals >= MAX_RENEWALS {
            return self.failed(now, request.purpose, Failure::Unauthenticated);
        }
        if stale {
            self.stats.stale_nonces += 1;
        }
        self.challenge = Some(challenge);
        self.requests
            .want_again(request.purpose, request.renewals + 1);
    }

    /// 300: over UDP the client goes there itself, a stream or a DTLS session leads to one server
    /// (turn-022).
    fn redirected(&mut self, now: Instant, request: Request, message: &Message<'_>) {
        let servers = message
            .attributes()
            .filter(|raw| raw.kind == AttributeType::ALTERNATE_SERVER)
            .filter_map(|raw| AlternateServer::parse(raw.value, &message.transaction_id()).ok());
        let is_ours = |server: &SocketAddr| server.is_ipv4() == self.server.is_ipv4();
        let server = servers.map(|AlternateServer(server)| server).find(is_ours);
        let Some(server) = server else {
            return self.failed(now, request.purpose, Failure::Malformed);
        };
        // stun-041
        let seen = server == self.server || self.visited.contains(&server);
        if seen || self.visited.len() >= MAX_REDIRECTS {
            return self.failed(now, request.purpose, Failure::RedirectLoop);
        }
        let domain: Option<AlternateDomain<'_>> = message.attribute().unwrap_or_default();
        let allocating = matches!(self.phase, Phase::Allocating);
        let is_connected = self.config.is_connected || self.config.transport == Transport::Stream;
        if !allocating || is_connected {
            let domain = domain.map(|AlternateDomain(name)| name.to_owned());
            let failure = Failure::TryAlternate { server, domain };
            return self.failed(now, request.purpose, failure);
        }
        self.visited.push(self.server);
        self.server = server;
        // Realm and nonce are those of the server that gave them.
        self.challenge = None;
        self.events.push_back(Event::Redirected { server });
        self.requests.want(Purpose::Allocate);
    }

    /// 420: the only attribute of ours that one may do without is DONT-FRAGMENT (RFC 8656 §7.4).
    fn not_understood(&mut self, now: Instant, request: Request, message: &Message<'_>) {
        let unknown: Option<UnknownAttributes> = message.attribute().unwrap_or_default();
        let named = unknown.unwrap_or_default();
        let is_named = named.types().contains(&AttributeType::DONT_FRAGMENT);
        if request.purpose == Purpose::Allocate && self.dont_fragment && is_named {
            self.dont_fragment = false;
            self.requests
                .want_again(Purpose::Allocate, request.renewals);
        } else {
            self.failed(now, request.purpose, Failure::from_code(420));
        }
    }

    fn succeeded(&mut self, now: Instant, purpose: Purpose, message: &Message<'_>) {
        match purpose {
            Purpose::Allocate => self.allocated(now, message),
            Purpose::Refresh => self.refreshed(now, message),
            Purpose::Delete => self.closed(),
            Purpose::Permit(peers) => {
                for peer in peers {
                    // It may have been forgotten meanwhile.
                    if self.peers.knows(peer) && self.peers.permitted(now, peer) {
                        self.events.push_back(Event::Permitted { peer });
                    }
                }
            }
            Purpose::Connect(peer) => self.connected(now, peer, message),
            Purpose::Bind { peer, .. } => {
                let wanted = self.peers.channel(peer).is_some_and(|it| it.is_wanted());
                if !wanted {
                    return;
                }
                // turn-014: the permission comes with it (RFC 8656 §12.2).
                if self.peers.permitted(now, peer.ip()) {
                    self.events.push_back(Event::Permitted { peer: peer.ip() });
                }
                if self.peers.bound(now, peer) {
                    self.events.push_back(Event::ChannelBound { peer });
                }
            }
        }
    }

    fn allocated(&mut self, now: Instant, message: &Message<'_>) {
        let relayed: Option<XorRelayedAddress> = message.attribute().unwrap_or_default();
        let mapped: Option<XorMappedAddress> = message.attribute().unwrap_or_default();
        let (Some(XorRelayedAddress(relayed)), Some(XorMappedAddress(mapped))) = (relayed, mapped)
        else {
            return self.failed(now, Purpose::Allocate, Failure::Malformed);
        };
        if let Phase::Closing { .. } = self.phase {
            return self.delete(now);
        }
        // turn-006: what cannot be used is given back.
        if AddressFamily::of(relayed.ip()) != self.family() {
            let failure = Ending::Failed(Failure::AddressFamilyNotSupported);
            self.begin_closing(now, failure);
            return self.delete(now);
        }
        let lifetime = lifetime(message);
        self.phase = Phase::Allocated(Allocation {
            relayed,
            mapped,
            expires: now + lifetime,
            refresh: Some(now + refresh_after(lifetime)),
        });
        self.events.push_back(Event::Allocated { relayed, mapped });
    }

    /// The relay has a connection with the peer (RFC 6062 §4.3).
    fn connected(&mut self, now: Instant, peer: SocketAddr, message: &Message<'_>) {
        let Ok(Some(connection)) = message.attribute::<ConnectionId>() else {
            return self.failed(now, Purpose::Connect(peer), Failure::Malformed);
        };
        if self.connecting.remove(&peer) {
            self.events.push_back(Event::Connected { peer, connection });
        }
    }

    fn refreshed(&mut self, now: Instant, message: &Message<'_>) {
        if let Phase::Allocated(allocation) = &mut self.phase {
            let lifetime = lifetime(message);
            // turn-010
            allocation.expires = now + lifetime;
            allocation.refresh = Some(now + refresh_after(lifetime));
        }
    }

    /// What becomes of a request that is not carried out (turn-007).
    pub(super) fn failed(&mut self, now: Instant, purpose: Purpose, failure: Failure) {
        // The allocation, or our right to it, is gone, whatever was asked for.
        let is_over = matches!(
            failure,
            Failure::AllocationMismatch | Failure::WrongCredentials | Failure::Unauthenticated
        );
        match purpose {
            Purpose::Delete => self.closed(),
            Purpose::Allocate if matches!(self.phase, Phase::Closing { .. }) => self.closed(),
            Purpose::Allocate => self.end(Ending::Failed(failure)),
            _ if is_over => self.end(Ending::Failed(failure)),
            Purpose::Refresh => self.refresh_failed(now, failure),
            Purpose::Permit(peers) => self.permit_failed(&peers, &failure),
            Purpose::Connect(peer) => {
                if self.connecting.remove(&peer) {
                    let reason = failure;
                    self.events.push_back(Event::NotConnected { peer, reason });
                }
            }
            Purpose::Bind { peer, .. } => {
                if self.peers.unbind(now, peer) {
                    let reason = failure;
                    self.events
                        .push_back(Event::ChannelUnbound { peer, reason });
                }
            }
        }
    }

    /// Whoever did not answer may do so yet: there is time for one more request.
    fn refresh_failed(&mut self, now: Instant, failure: Failure) {
        match (&mut self.phase, failure) {
            (Phase::Allocated(allocation), Failure::TimedOut | Failure::IntegrityViolated) => {
                if now < allocation.expires {
                    self.requests.want(Purpose::Refresh);
                }
            }
            (_, failure) => self.end(Ending::Failed(failure)),
        }
    }

    /// A request for several peers is all or nothing (turn-013): then each is asked for alone.
    fn permit_failed(&mut self, peers: &[std::net::IpAddr], failure: &Failure) {
        for &peer in peers {
            if peers.len() > 1 && failure.code().is_some() {
                self.requests.want(Purpose::Permit(vec![peer]));
            } else if self.peers.forget(peer) {
                let reason = failure.clone();
                self.events.push_back(Event::NotPermitted { peer, reason });
            }
        }
    }
}

/// What the server grants.
fn lifetime(message: &Message<'_>) -> Duration {
    let granted: Option<Lifetime> = message.attribute().unwrap_or_default();
    granted.map_or(DEFAULT_LIFETIME, |Lifetime(seconds)| {
        Duration::from_secs(seconds.into())
    })
}
