//! Data to and from peers (RFC 8656 §11, §12), in place.

use super::{Client, Event, WrapError};
use crate::Transport;
use crate::channel_data::{self, is_channel_data, padding};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;
use stun::{
    Attribute, AttributeType, Builder, Class, ConnectionId, Data, DontFragment, HEADER_LEN, Icmp,
    Message, Method, XorPeerAddress,
};

/// How many events may wait before [`Event::Unreachable`], which is only a hint, is left out.
const MAX_EVENTS: usize = 256;

/// Type and length of an attribute.
const ATTRIBUTE_HEADER: usize = 4;

/// The attributes of a Data indication that must be understood.
const UNDERSTOOD: [AttributeType; 2] = [AttributeType::XOR_PEER_ADDRESS, AttributeType::DATA];

/// The attributes of a ConnectionAttempt indication that must be understood.
const UNDERSTOOD_IN_ATTEMPTS: [AttributeType; 2] = [
    AttributeType::XOR_PEER_ADDRESS,
    AttributeType::CONNECTION_ID,
];

/// What became of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// It was the client's own, or was dropped and counted.
    Consumed,
    /// Data from a permitted peer.
    Data {
        /// Who sent it.
        peer: SocketAddr,
        /// Where in the input it lies.
        range: Range<usize>,
    },
}

/// The room that a payload needs around it, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Room {
    /// Before it.
    pub headroom: usize,
    /// Behind it.
    pub tailroom: usize,
}

impl Client {
    /// A datagram, or a message out of a stream (see [`Frames`](crate::Frames)), from `remote`.
    pub fn handle_input(&mut self, now: Instant, remote: SocketAddr, bytes: &[u8]) -> Received {
        if remote != self.server {
            self.stats.foreign += 1;
            return Received::Consumed;
        }
        if is_channel_data(bytes) {
            return self.handle_channel_data(now, bytes);
        }
        let Ok(message) = Message::parse(bytes) else {
            self.stats.malformed += 1;
            return Received::Consumed;
        };
        match message.class() {
            Class::Success | Class::Error => self.handle_response(now, &message),
            Class::Indication if message.method() == Method::DATA => {
                return self.handle_data(now, &message);
            }
            Class::Indication if message.method() == Method::CONNECTION_ATTEMPT => {
                self.handle_attempt(&message);
            }
            Class::Request | Class::Indication => self.stats.unmatched += 1,
        }
        Received::Consumed
    }

    /// The room that [`wrap`](Client::wrap) needs around a payload for this peer. It shrinks when a
    /// channel is bound ([`Event::ChannelBound`]) and grows when the channel ends.
    #[must_use]
    pub fn room(&self, now: Instant, peer: SocketAddr) -> Room {
        if self.channel(now, peer).is_some() {
            let tailroom = match self.config.transport {
                Transport::Datagram => 0,
                Transport::Stream => 3,
            };
            return Room {
                headroom: channel_data::HEADER_LEN,
                tailroom,
            };
        }
        Room {
            headroom: self.send_header(peer),
            tailroom: 3,
        }
    }

    /// Puts ChannelData or a Send indication around `payload`, a range of `buf` with
    /// [`room`](Client::room) around it, and returns the range to be sent to
    /// [`server`](Client::server).
    ///
    /// # Errors
    ///
    /// [`WrapError`] if there is no allocation, permission or room.
    pub fn wrap(
        &mut self,
        now: Instant,
        peer: SocketAddr,
        buf: &mut [u8],
        payload: Range<usize>,
    ) -> Result<Range<usize>, WrapError> {
        if self.allocation().is_none() {
            return Err(WrapError::NotAllocated);
        }
        if self.relays_connections() {
            return Err(WrapError::Transport);
        }
        // turn-012
        if !self.peers.is_permitted(now, peer.ip()) {
            return Err(WrapError::NotPermitted);
        }
        let length = payload.len();
        let wrapped = match self.channel(now, peer) {
            Some(number) => channel_data::wrap(number, self.config.transport, buf, payload),
            None => self.wrap_send(peer, buf, payload),
        };
        let range = wrapped.ok_or(WrapError::NoRoom)?;
        self.peers.used(now, peer);
        self.stats.packets_sent += 1;
        self.stats.bytes_sent += length as u64;
        Ok(range)
    }

    fn channel(&self, now: Instant, peer: SocketAddr) -> Option<u16> {
        let channel = self.peers.channel(peer)?;
        channel.is_bound(now).then_some(channel.number)
    }

    /// What stands before the data of a Send indication.
    fn send_header(&self, peer: SocketAddr) -> usize {
        let address = ATTRIBUTE_HEADER + XorPeerAddress(peer).value_len();
        let flag = if self.dont_fragment {
            ATTRIBUTE_HEADER
        } else {
            0
        };
        HEADER_LEN + address + flag + ATTRIBUTE_HEADER
    }

    /// A Send indication whose data is there already (RFC 8656 §11.1).
    fn wrap_send(
        &mut self,
        peer: SocketAddr,
        buf: &mut [u8],
        payload: Range<usize>,
    ) -> Option<Range<usize>> {
        let header = self.send_header(peer);
        let start = payload.start.checked_sub(header)?;
        let end = payload.end + padding(payload.len());
        let body = u16::try_from(end - start - HEADER_LEN).ok()?;
        let length = u16::try_from(payload.len()).ok()?;
        buf.get_mut(payload.end..end)?.fill(0);
        let id = self.transaction_id();
        let area = buf.get_mut(start..payload.start)?;
        let mut builder = Builder::new(area, Class::Indication, Method::SEND, id);
        builder.attribute(&XorPeerAddress(peer));
        if self.dont_fragment {
            builder.attribute(&DontFragment);
        }
        builder.attribute(&Data(&[]));
        builder.finish().ok()?;
        // The lengths now count the data, which the builder has not seen.
        area[2..4].copy_from_slice(&body.to_be_bytes());
        area[header - 2..].copy_from_slice(&length.to_be_bytes());
        Some(start..end)
    }

    fn handle_channel_data(&mut self, now: Instant, bytes: &[u8]) -> Received {
        let Some((number, range)) = channel_data::parse(bytes) else {
            self.stats.malformed += 1;
            return Received::Consumed;
        };
        match self.peers.peer_of(number) {
            Some(peer) => self.received(now, peer, range),
            None => {
                self.stats.not_permitted += 1;
                Received::Consumed
            }
        }
    }

    /// A Data indication (RFC 8656 §11.4), with data or with what ICMP told (§11.6).
    fn handle_data(&mut self, now: Instant, message: &Message<'_>) -> Received {
        let data = message.attributes().find(|raw| raw.kind == Data::TYPE);
        let (Ok(Some(XorPeerAddress(peer))), None) =
            (message.attribute(), message.unknown_attributes(&UNDERSTOOD))
        else {
            self.stats.malformed += 1;
            return Received::Consumed;
        };
        if let Some(data) = data {
            return self.received(now, peer, data.range());
        }
        match message.attribute::<Icmp>() {
            // turn-025
            Ok(Some(icmp)) if self.peers.knows(peer.ip()) => {
                if self.events.len() < MAX_EVENTS {
                    self.events.push_back(Event::Unreachable { peer, icmp });
                }
            }
            Ok(Some(_)) => self.stats.not_permitted += 1,
            _ => self.stats.malformed += 1,
        }
        Received::Consumed
    }

    /// A peer has connected to the relayed address (RFC 6062 §4.4).
    fn handle_attempt(&mut self, message: &Message<'_>) {
        let (Ok(Some(XorPeerAddress(peer))), Ok(Some(connection)), None) = (
            message.attribute(),
            message.attribute::<ConnectionId>(),
            message.unknown_attributes(&UNDERSTOOD_IN_ATTEMPTS),
        ) else {
            self.stats.malformed += 1;
            return;
        };
        // The server has the bound; who does not look at events loses attempts, not memory.
        if self.peers.knows(peer.ip()) && self.events.len() < MAX_EVENTS {
            self.events
                .push_back(Event::ConnectionAttempt { peer, connection });
        } else {
            self.stats.not_permitted += 1;
        }
    }

    fn received(&mut self, now: Instant, peer: SocketAddr, range: Range<usize>) -> Received {
        // turn-018; one that is asked for counts, its answer may be late.
        let asked = self.peers.channel(peer).is_some_and(|it| it.is_wanted());
        if !asked && !self.peers.knows(peer.ip()) {
            self.stats.not_permitted += 1;
            return Received::Consumed;
        }
        self.peers.used(now, peer);
        self.stats.packets_received += 1;
        self.stats.bytes_received += range.len() as u64;
        Received::Data { peer, range }
    }
}
