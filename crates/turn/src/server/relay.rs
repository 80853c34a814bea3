//! Data between clients and peers (RFC 8656 §11, §12), in place.

use super::{AllocationId, FiveTuple, HEADROOM, Server};
use crate::channel_data::{self, is_channel_data, padding};
use chacha20::rand_core::Rng;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;
use stun::{
    Attribute, AttributeType, Builder, Class, Data, DontFragment, Icmp, Message, Method,
    TransactionId, XorPeerAddress,
};

/// The attributes of a Send indication that must be understood; the last one by a server that can
/// set DF.
const UNDERSTOOD: [AttributeType; 3] = [
    AttributeType::XOR_PEER_ADDRESS,
    AttributeType::DATA,
    AttributeType::DONT_FRAGMENT,
];

/// What became of a client's input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// It was the server's own, or was dropped and counted.
    Consumed,
    /// Data to be sent from the socket of an allocation.
    Relay {
        /// Whose socket.
        allocation: AllocationId,
        /// Where to.
        peer: SocketAddr,
        /// Where in the input the data lies.
        range: Range<usize>,
        /// Whether DF is to be set.
        dont_fragment: bool,
    },
}

impl Server {
    /// A datagram, or a message out of a stream (see [`Frames`](crate::Frames)), from a client.
    pub fn handle_input(&mut self, now: Instant, five_tuple: FiveTuple, bytes: &[u8]) -> Received {
        if is_channel_data(bytes) {
            return self.handle_channel_data(now, five_tuple, bytes);
        }
        let Ok(message) = Message::parse(bytes) else {
            self.stats.malformed += 1;
            return Received::Consumed;
        };
        if message.fingerprint() == Some(false) {
            self.stats.malformed += 1;
            return Received::Consumed;
        }
        match (message.class(), message.method()) {
            (Class::Request, _) => self.handle_request(now, five_tuple, &message),
            (Class::Indication, Method::SEND) => {
                return self.handle_send(now, five_tuple, &message);
            }
            // A client that keeps its NAT binding alive (RFC 8489 §3).
            (Class::Indication, Method::BINDING) => {}
            _ => self.stats.unexpected += 1,
        }
        Received::Consumed
    }

    /// A Send indication (RFC 8656 §11.2).
    fn handle_send(
        &mut self,
        now: Instant,
        five_tuple: FiveTuple,
        message: &Message<'_>,
    ) -> Received {
        let last = UNDERSTOOD.len() - usize::from(!self.config.dont_fragment);
        let data = message.attributes().find(|raw| raw.kind == Data::TYPE);
        let unknown = message.unknown_attributes(&UNDERSTOOD[..last]);
        let (Ok(Some(XorPeerAddress(peer))), Some(data), None) =
            (message.attribute(), data, unknown)
        else {
            self.stats.malformed += 1;
            return Received::Consumed;
        };
        let dont_fragment = matches!(message.attribute::<DontFragment>(), Ok(Some(_)));
        // The permission is for an address; here the port is known too.
        if !self.allows(peer) {
            self.stats.unpermitted_to_peers += 1;
            return Received::Consumed;
        }
        let allocation = self.by_client.get(&five_tuple).copied();
        self.relay(now, allocation, peer, data.range(), dont_fragment)
    }

    fn handle_channel_data(
        &mut self,
        now: Instant,
        five_tuple: FiveTuple,
        bytes: &[u8],
    ) -> Received {
        let Some((number, range)) = channel_data::parse(bytes) else {
            self.stats.malformed += 1;
            return Received::Consumed;
        };
        let allocation = self.by_client.get(&five_tuple).copied();
        let entry = allocation.and_then(|allocation| self.allocations.get(&allocation));
        let Some(peer) = entry.and_then(|entry| entry.peers.peer_of(now, number)) else {
            self.stats.unpermitted_to_peers += 1;
            return Received::Consumed;
        };
        self.relay(now, allocation, peer, range, false)
    }

    fn relay(
        &mut self,
        now: Instant,
        allocation: Option<AllocationId>,
        peer: SocketAddr,
        range: Range<usize>,
        dont_fragment: bool,
    ) -> Received {
        let found = allocation.and_then(|id| Some((id, self.allocations.get_mut(&id)?)));
        // turn-032: data refreshes nothing.
        let Some((allocation, entry)) = found
            .filter(|(_, entry)| !entry.relays_tcp && entry.peers.is_permitted(now, peer.ip()))
        else {
            self.stats.unpermitted_to_peers += 1;
            return Received::Consumed;
        };
        entry.traffic.packets_to_peers += 1;
        entry.traffic.bytes_to_peers += range.len() as u64;
        self.count(range.len());
        Received::Relay {
            allocation,
            peer,
            range,
            dont_fragment,
        }
    }

    /// A datagram from a peer on the socket of an allocation: `payload` is a range of `buf` with
    /// [`HEADROOM`] bytes free before it and [`TAILROOM`](super::TAILROOM) behind. Returns the range
    /// to be sent and to whom; `None` if it was dropped and counted.
    pub fn handle_peer_input(
        &mut self,
        now: Instant,
        allocation: AllocationId,
        peer: SocketAddr,
        buf: &mut [u8],
        payload: Range<usize>,
    ) -> Option<(FiveTuple, Range<usize>)> {
        let length = payload.len();
        let entry = self.allocations.get_mut(&allocation);
        // turn-031
        let Some(entry) = entry.filter(|entry| entry.peers.is_permitted(now, peer.ip())) else {
            self.stats.unpermitted_to_clients += 1;
            return None;
        };
        let five_tuple = entry.five_tuple;
        let range = match entry.peers.channel_of(now, peer) {
            Some(number) => channel_data::wrap(number, five_tuple.transport, buf, payload),
            None => {
                let mut id = [0; 12];
                self.random.fill_bytes(&mut id);
                wrap_data(TransactionId(id), peer, buf, payload)
            }
        };
        let Some(range) = range else {
            self.stats.malformed += 1;
            return None;
        };
        entry.traffic.packets_to_client += 1;
        entry.traffic.bytes_to_client += length as u64;
        self.count(length);
        Some((five_tuple, range))
    }

    /// A router told that a datagram to a peer did not arrive; the client is told if it has a
    /// permission for the peer (RFC 8656 §11.5).
    pub fn peer_unreachable(
        &mut self,
        now: Instant,
        allocation: AllocationId,
        peer: SocketAddr,
        icmp: Icmp,
    ) {
        let entry = self.allocations.get(&allocation);
        let Some(entry) = entry.filter(|entry| entry.peers.is_permitted(now, peer.ip())) else {
            self.stats.unpermitted_to_clients += 1;
            return;
        };
        let five_tuple = entry.five_tuple;
        let mut id = [0; 12];
        self.random.fill_bytes(&mut id);
        let id = TransactionId(id);
        let (class, method) = (Class::Indication, Method::DATA);
        self.answer(five_tuple, class, method, id, None, |builder| {
            builder.attribute(&XorPeerAddress(peer));
            builder.attribute(&icmp);
        });
    }

    fn count(&mut self, length: usize) {
        self.stats.packets_relayed += 1;
        self.stats.bytes_relayed += length as u64;
    }
}

/// A Data indication around data that is there already (RFC 8656 §11.3).
fn wrap_data(
    id: TransactionId,
    peer: SocketAddr,
    buf: &mut [u8],
    payload: Range<usize>,
) -> Option<Range<usize>> {
    let header = stun::HEADER_LEN + 4 + XorPeerAddress(peer).value_len() + 4;
    debug_assert!(header <= HEADROOM);
    let start = payload.start.checked_sub(header)?;
    let end = payload.end + padding(payload.len());
    let body = u16::try_from(end - start - stun::HEADER_LEN).ok()?;
    let length = u16::try_from(payload.len()).ok()?;
    buf.get_mut(payload.end..end)?.fill(0);
    let area = buf.get_mut(start..payload.start)?;
    Builder::new(area, Class::Indication, Method::DATA, id)
        .attribute(&XorPeerAddress(peer))
        .attribute(&Data(&[]))
        .finish()
        .ok()?;
    // The lengths now count the data, which the builder has not seen.
    area[2..4].copy_from_slice(&body.to_be_bytes());
    area[header - 2..].copy_from_slice(&length.to_be_bytes());
    Some(start..end)
}
