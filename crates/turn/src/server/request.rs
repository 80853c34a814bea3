//! Requests from clients (RFC 8656 §7.2, §8.2, §10.2, §12.2).

use super::allocation::{Allocation, BindError, Peers, Socket};
use super::authentication::{Identity, Refusal, Signer};
use super::{AllocationId, BIND_TIMEOUT, FiveTuple, Reason, Server, Traffic, seconds};
use crate::Transport;
use crate::channel_data::{NUMBERS, OLD_NUMBERS};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use stun::{
    AdditionalAddressFamily, AddressFamily, Attribute, AttributeType, ChannelNumber, Class,
    ErrorCode, EvenPort, Lifetime, Message, Method, RequestedAddressFamily, RequestedTransport,
    ReservationToken, UnknownAttributes, XorMappedAddress, XorPeerAddress,
};

/// The attributes in requests that the server understands.
const UNDERSTOOD: [AttributeType; 14] = [
    AttributeType::USERNAME,
    AttributeType::USERHASH,
    AttributeType::REALM,
    AttributeType::NONCE,
    AttributeType::PASSWORD_ALGORITHM,
    AttributeType::CHANNEL_NUMBER,
    AttributeType::LIFETIME,
    AttributeType::XOR_PEER_ADDRESS,
    AttributeType::REQUESTED_ADDRESS_FAMILY,
    AttributeType::EVEN_PORT,
    AttributeType::REQUESTED_TRANSPORT,
    AttributeType::RESERVATION_TOKEN,
    AttributeType::CONNECTION_ID,
    AttributeType::DONT_FRAGMENT,
];

/// What an Allocate request asks for.
struct Wish {
    family: AddressFamily,
    relays_tcp: bool,
    refused_family: Option<AddressFamily>,
    even: bool,
    lifetime: Duration,
}

impl Server {
    pub(super) fn handle_request(
        &mut self,
        now: Instant,
        five_tuple: FiveTuple,
        message: &Message<'_>,
    ) {
        if message.method() == Method::BINDING {
            return self.handle_binding(now, five_tuple, message);
        }
        let identity = match self.authenticate(now, five_tuple, message) {
            Ok(identity) => identity,
            Err(refusal) => return self.refuse(now, five_tuple, message, refusal),
        };
        if let Some(unknown) = self.unknown(message) {
            let signer = Some(&identity.signer);
            return self.answer_unknown(five_tuple, message, unknown, signer);
        }
        let carried_out = match message.method() {
            Method::ALLOCATE => self.allocate(now, five_tuple, message, identity),
            Method::CONNECT => self.connect(now, five_tuple, message, identity),
            Method::CONNECTION_BIND => self
                .connection_bind(five_tuple, message, &identity)
                .map_err(|error| (error, identity.signer)),
            method => {
                let result = self.handle_allocated(now, five_tuple, message, &identity);
                match result {
                    Ok(lifetime) => {
                        let id = message.transaction_id();
                        let signer = Some(&identity.signer);
                        let class = Class::Success;
                        self.answer(five_tuple, class, method, id, signer, |builder| {
                            if let Some(lifetime) = lifetime {
                                builder.attribute(&Lifetime(lifetime));
                            }
                        });
                        Ok(())
                    }
                    Err(error) => Err((error, identity.signer)),
                }
            }
        };
        match carried_out {
            Ok(()) => self.stats.requests_served += 1,
            Err((error, signer)) => self.answer_error(five_tuple, message, error, &signer),
        }
    }

    /// STUN itself, for who wants to know its address (RFC 8489 §12).
    fn handle_binding(&mut self, now: Instant, five_tuple: FiveTuple, message: &Message<'_>) {
        if !self.config.binding || !self.may_challenge(now) {
            return;
        }
        if let Some(unknown) = message.unknown_attributes(&UNDERSTOOD) {
            return self.answer_unknown(five_tuple, message, unknown, None);
        }
        self.stats.bindings += 1;
        let id = message.transaction_id();
        let (class, method) = (Class::Success, Method::BINDING);
        self.answer(five_tuple, class, method, id, None, |builder| {
            builder.attribute(&XorMappedAddress(five_tuple.mapped()));
        });
    }

    /// DONT-FRAGMENT is unknown to a server that cannot set DF (RFC 8656 §7.2).
    fn unknown(&self, message: &Message<'_>) -> Option<UnknownAttributes> {
        let last = UNDERSTOOD.len() - usize::from(!self.config.dont_fragment);
        message.unknown_attributes(&UNDERSTOOD[..last])
    }

    /// An answer to somebody who has not shown who they are.
    fn refuse(
        &mut self,
        now: Instant,
        five_tuple: FiveTuple,
        message: &Message<'_>,
        refusal: Refusal,
    ) {
        match refusal {
            Refusal::Bare => self.stats.challenges += 1,
            Refusal::Wrong => self.stats.unauthenticated += 1,
            Refusal::Stale => self.stats.stale_nonces += 1,
            Refusal::Bad => self.stats.refused += 1,
        }
        if !self.may_challenge(now) || self.answers.len() >= self.config.max_answers {
            return;
        }
        let mut challenge = [0; super::MAX_ANSWER];
        let (method, id) = (message.method(), message.transaction_id());
        let mut builder = stun::Builder::new(&mut challenge, Class::Error, method, id);
        builder.attribute(&refusal.code());
        if refusal.is_challenge() {
            self.challenge(now, five_tuple, &mut builder);
        }
        match builder.finish() {
            Ok(len) => self
                .answers
                .push_back((five_tuple, challenge[..len].to_vec())),
            Err(_) => self.stats.answers_dropped += 1,
        }
    }

    /// Whether the second has room for one more answer to a stranger.
    fn may_challenge(&mut self, now: Instant) -> bool {
        let (begin, count) = &mut self.challenges;
        if now.saturating_duration_since(*begin) >= Duration::from_secs(1) {
            (*begin, *count) = (now, 0);
        }
        if *count >= self.config.max_challenges_per_second {
            self.stats.challenges_suppressed += 1;
            return false;
        }
        *count += 1;
        true
    }

    fn answer_error(
        &mut self,
        five_tuple: FiveTuple,
        message: &Message<'_>,
        error: ErrorCode<'static>,
        signer: &Signer,
    ) {
        match error.code {
            403 => self.stats.denied_peers += 1,
            486 | 508 => self.stats.over_quota += 1,
            _ => self.stats.refused += 1,
        }
        let (method, id) = (message.method(), message.transaction_id());
        self.answer(five_tuple, Class::Error, method, id, Some(signer), |it| {
            it.attribute(&error);
        });
    }

    fn answer_unknown(
        &mut self,
        five_tuple: FiveTuple,
        message: &Message<'_>,
        unknown: UnknownAttributes,
        signer: Option<&Signer>,
    ) {
        self.stats.refused += 1;
        let (method, id) = (message.method(), message.transaction_id());
        self.answer(five_tuple, Class::Error, method, id, signer, |builder| {
            builder.attribute(&ErrorCode::UNKNOWN_ATTRIBUTE);
            builder.attribute(&unknown);
        });
    }

    /// Allocate (RFC 8656 §7.2). The answer comes when there is a socket.
    fn allocate(
        &mut self,
        now: Instant,
        five_tuple: FiveTuple,
        message: &Message<'_>,
        identity: Identity,
    ) -> Result<(), (ErrorCode<'static>, Signer)> {
        if let Some(&allocation) = self.by_client.get(&five_tuple) {
            return self.allocate_again(now, allocation, message, identity);
        }
        let wish = match self.wish(five_tuple, message) {
            Ok(wish) => wish,
            Err(error) => return Err((error, identity.signer)),
        };
        let Some(relay) = self.config.relay(wish.family) else {
            let error = ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED;
            return Err((error, identity.signer));
        };
        // turn-033
        let count = self.users.get(&identity.user).copied().unwrap_or(0);
        if count >= self.config.max_allocations_per_user {
            return Err((ErrorCode::ALLOCATION_QUOTA_REACHED, identity.signer));
        }
        if self.allocations.len() >= self.config.max_allocations {
            return Err((ErrorCode::INSUFFICIENT_CAPACITY, identity.signer));
        }
        let allocation = AllocationId(self.next_id);
        self.next_id += 1;
        let expires = now + BIND_TIMEOUT;
        *self.users.entry(identity.user.clone()).or_default() += 1;
        let entry = Allocation {
            five_tuple,
            username: identity.username,
            user: identity.user,
            transaction: message.transaction_id(),
            family: wish.family,
            relays_tcp: wish.relays_tcp,
            connections: Vec::new(),
            expires,
            socket: Socket::Wanted {
                address: SocketAddr::new(relay.bind, 0),
                attempts: 0,
                even: wish.even,
                lifetime: wish.lifetime,
                refused_family: wish.refused_family,
                signer: identity.signer,
            },
            traffic: Traffic::default(),
            peers: Peers::default(),
        };
        self.allocations.insert(allocation, entry);
        self.by_client.insert(five_tuple, allocation);
        self.timers.insert((expires, allocation));
        if !self.ask_for_socket(allocation) {
            self.stats.over_quota += 1;
            self.refuse_pending(allocation, ErrorCode::INSUFFICIENT_CAPACITY);
            self.release(allocation, Reason::NoSocket);
        }
        Ok(())
    }

    /// A repetition gets the same answer, if need be when there is one; anything else is a mismatch
    /// (turn-027).
    fn allocate_again(
        &mut self,
        now: Instant,
        allocation: AllocationId,
        message: &Message<'_>,
        identity: Identity,
    ) -> Result<(), (ErrorCode<'static>, Signer)> {
        let entry = self.allocations.get(&allocation);
        let same = entry.is_some_and(|entry| {
            entry.transaction == message.transaction_id() && entry.username == identity.username
        });
        if !same {
            return Err((ErrorCode::ALLOCATION_MISMATCH, identity.signer));
        }
        let additional: Option<AdditionalAddressFamily> = message.attribute().unwrap_or_default();
        let refused = additional.map(|AdditionalAddressFamily(family)| family);
        self.answer_allocated(now, allocation, refused, &identity.signer);
        Ok(())
    }

    /// The checks 3 to 9 of RFC 8656 §7.2.
    fn wish(
        &self,
        five_tuple: FiveTuple,
        message: &Message<'_>,
    ) -> Result<Wish, ErrorCode<'static>> {
        let relays_tcp = match required(message)? {
            RequestedTransport::UDP => false,
            RequestedTransport::TCP if self.config.tcp => true,
            _ => return Err(ErrorCode::UNSUPPORTED_TRANSPORT_PROTOCOL),
        };
        if relays_tcp {
            check_tcp(five_tuple, message)?;
        }
        let requested: Option<RequestedAddressFamily> = optional(message)?;
        let additional: Option<AdditionalAddressFamily> = optional(message)?;
        let even: Option<EvenPort> = optional(message)?;
        // turn-004
        if optional::<ReservationToken>(message)?.is_some() {
            let excluded = even.is_some() || requested.is_some() || additional.is_some();
            return Err(if excluded {
                ErrorCode::BAD_REQUEST
            } else {
                // Nothing is ever reserved here, so no token is valid.
                ErrorCode::INSUFFICIENT_CAPACITY
            });
        }
        let refused_family = match additional {
            Some(AdditionalAddressFamily(AddressFamily::Ipv4)) => {
                return Err(ErrorCode::BAD_REQUEST);
            }
            Some(_) if requested.is_some() => return Err(ErrorCode::BAD_REQUEST),
            Some(AdditionalAddressFamily(family)) => Some(family),
            None => None,
        };
        let reserve = even.is_some_and(|even| even.reserve_next);
        if reserve {
            return Err(if additional.is_some() {
                ErrorCode::BAD_REQUEST
            } else {
                ErrorCode::INSUFFICIENT_CAPACITY
            });
        }
        Ok(Wish {
            family: requested.map_or(AddressFamily::Ipv4, |RequestedAddressFamily(it)| it),
            relays_tcp,
            refused_family,
            even: even.is_some(),
            lifetime: self.lifetime(optional(message)?),
        })
    }

    /// turn-028
    fn lifetime(&self, asked: Option<Lifetime>) -> Duration {
        let asked = asked.map_or(Duration::ZERO, |Lifetime(seconds)| {
            Duration::from_secs(seconds.into())
        });
        asked
            .min(self.config.max_lifetime)
            .max(self.config.default_lifetime)
    }

    /// Everything but Allocate needs an allocation, and the user who made it. Returns the LIFETIME of
    /// the answer, if it has one.
    fn handle_allocated(
        &mut self,
        now: Instant,
        five_tuple: FiveTuple,
        message: &Message<'_>,
        identity: &Identity,
    ) -> Result<Option<u32>, ErrorCode<'static>> {
        let allocation = self.by_client.get(&five_tuple).copied();
        let allocation = allocation.ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        let entry = self.allocations.get(&allocation);
        let entry = entry.ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        if entry.socket.relayed().is_none() {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        }
        // turn-002
        if entry.username != identity.username {
            return Err(ErrorCode::WRONG_CREDENTIALS);
        }
        let family = entry.family;
        match message.method() {
            Method::REFRESH => self.refresh(now, allocation, family, message).map(Some),
            Method::CREATE_PERMISSION => {
                self.create_permission(now, allocation, family, message)?;
                Ok(None)
            }
            Method::CHANNEL_BIND => {
                self.channel_bind(now, allocation, family, message)?;
                Ok(None)
            }
            _ => Err(ErrorCode::BAD_REQUEST),
        }
    }

    /// Refresh (RFC 8656 §8.2).
    fn refresh(
        &mut self,
        now: Instant,
        allocation: AllocationId,
        family: AddressFamily,
        message: &Message<'_>,
    ) -> Result<u32, ErrorCode<'static>> {
        let requested: Option<RequestedAddressFamily> = optional(message)?;
        if requested.is_some_and(|RequestedAddressFamily(it)| it != family) {
            return Err(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH);
        }
        let asked: Option<Lifetime> = optional(message)?;
        // turn-010
        if asked == Some(Lifetime(0)) {
            self.release(allocation, Reason::Deleted);
            return Ok(0);
        }
        let lifetime = self.lifetime(asked);
        self.set_expiry(allocation, now + lifetime);
        Ok(seconds(lifetime))
    }

    /// CreatePermission (RFC 8656 §10.2): all peers or none.
    fn create_permission(
        &mut self,
        now: Instant,
        allocation: AllocationId,
        family: AddressFamily,
        message: &Message<'_>,
    ) -> Result<(), ErrorCode<'static>> {
        let raws = message.attributes();
        let peers: Vec<IpAddr> = raws
            .filter(|raw| raw.kind == XorPeerAddress::TYPE)
            .map(|raw| XorPeerAddress::parse(raw.value, &message.transaction_id()))
            .map(|parsed| parsed.map(|XorPeerAddress(peer)| peer.ip()))
            .collect::<Result<_, _>>()
            .map_err(|_| ErrorCode::BAD_REQUEST)?;
        if peers.is_empty() {
            return Err(ErrorCode::BAD_REQUEST);
        }
        for &peer in &peers {
            check_family(family, peer)?;
            if !self.allows_address(peer) {
                return Err(ErrorCode::FORBIDDEN);
            }
        }
        let max = self.config.max_permissions;
        let entry = self.allocations.get_mut(&allocation);
        let entry = entry.ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        if !entry.peers.fits(now, &peers, max) {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        for peer in peers {
            entry.peers.permit(now, peer);
        }
        Ok(())
    }

    /// ChannelBind (RFC 8656 §12.2).
    fn channel_bind(
        &mut self,
        now: Instant,
        allocation: AllocationId,
        family: AddressFamily,
        message: &Message<'_>,
    ) -> Result<(), ErrorCode<'static>> {
        let ChannelNumber(number) = required(message)?;
        let XorPeerAddress(peer) = required(message)?;
        // turn-014
        let numbers = if self.config.old_channel_numbers {
            OLD_NUMBERS
        } else {
            NUMBERS
        };
        if !numbers.contains(&number) {
            return Err(ErrorCode::BAD_REQUEST);
        }
        check_family(family, peer.ip())?;
        if !self.allows(peer) {
            return Err(ErrorCode::FORBIDDEN);
        }
        let max = self.config.max_permissions;
        let max_channels = self.config.max_channels;
        let entry = self.allocations.get_mut(&allocation);
        let entry = entry.ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        // Channels are for datagrams.
        if entry.relays_tcp {
            return Err(ErrorCode::BAD_REQUEST);
        }
        if !entry.peers.fits(now, &[peer.ip()], max) {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        let bound = entry.peers.bind(now, number, peer, max_channels);
        bound.map_err(|error| match error {
            BindError::Conflict => ErrorCode::BAD_REQUEST,
            BindError::Full => ErrorCode::INSUFFICIENT_CAPACITY,
        })?;
        entry.peers.permit(now, peer.ip());
        Ok(())
    }
}

/// RFC 6062 §5.1: over a stream only, and without what is for datagrams.
fn check_tcp(five_tuple: FiveTuple, message: &Message<'_>) -> Result<(), ErrorCode<'static>> {
    let is_excluded = |kind| {
        let excluded = [
            AttributeType::DONT_FRAGMENT,
            AttributeType::EVEN_PORT,
            AttributeType::RESERVATION_TOKEN,
        ];
        excluded.contains(&kind)
    };
    let mut kinds = message.attributes().map(|raw| raw.kind);
    if five_tuple.transport != Transport::Stream || kinds.any(is_excluded) {
        return Err(ErrorCode::BAD_REQUEST);
    }
    Ok(())
}

/// turn-034
pub(super) fn check_family(family: AddressFamily, peer: IpAddr) -> Result<(), ErrorCode<'static>> {
    if AddressFamily::of(peer) == family {
        Ok(())
    } else {
        Err(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH)
    }
}

fn optional<'a, A: Attribute<'a>>(message: &Message<'a>) -> Result<Option<A>, ErrorCode<'static>> {
    message.attribute().map_err(|_| ErrorCode::BAD_REQUEST)
}

pub(super) fn required<'a, A: Attribute<'a>>(
    message: &Message<'a>,
) -> Result<A, ErrorCode<'static>> {
    optional(message)?.ok_or(ErrorCode::BAD_REQUEST)
}
