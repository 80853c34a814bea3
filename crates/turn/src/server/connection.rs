//! Connections with peers, for allocations that relay TCP (RFC 6062 §5).

use super::authentication::{Identity, Signer};
use super::request::{check_family, required};
use super::{AllocationId, Event, FiveTuple, Server};
use crate::Transport;
use chacha20::rand_core::Rng;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use stun::{Class, ConnectionId, ErrorCode, Message, Method, TransactionId, XorPeerAddress};

/// How long a peer may take to answer, and a client to take a connection over (RFC 6062 §5.2, §5.3).
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Connection {
    allocation: AllocationId,
    peer: SocketAddr,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The owner was asked to connect; with what is needed to answer the client then.
    Connecting {
        until: Instant,
        transaction: TransactionId,
        signer: Signer,
    },
    /// Nobody has taken it over.
    Pending { until: Instant },
    /// The client's stream that carries it.
    Bridged(FiveTuple),
}

impl Connection {
    fn until(&self) -> Option<Instant> {
        match self.stage {
            Stage::Connecting { until, .. } | Stage::Pending { until } => Some(until),
            Stage::Bridged(_) => None,
        }
    }
}

impl Server {
    // --- verbs ---

    /// The answer to [`Event::Connect`]: the peer has accepted, or not. Returns whether the
    /// connection is wanted; one that is not is closed by the owner.
    pub fn connected(&mut self, now: Instant, connection: ConnectionId, success: bool) -> bool {
        let Some(entry) = self.connections.get_mut(&connection) else {
            return false;
        };
        if !matches!(entry.stage, Stage::Connecting { .. }) {
            return false;
        }
        if !success {
            self.not_connected(connection);
            return false;
        }
        let until = now + CONNECTION_TIMEOUT;
        let stage = std::mem::replace(&mut entry.stage, Stage::Pending { until });
        let allocation = entry.allocation;
        if let Stage::Connecting {
            until: answer_by,
            transaction,
            signer,
        } = stage
        {
            self.deadlines.remove(&(answer_by, connection));
            if let Some(five_tuple) = self.five_tuple(allocation) {
                let (class, method) = (Class::Success, Method::CONNECT);
                let signer = Some(&signer);
                self.answer(five_tuple, class, method, transaction, signer, |builder| {
                    builder.attribute(&connection);
                });
            }
        }
        self.deadlines.insert((until, connection));
        true
    }

    /// A peer has connected to the relayed address of an allocation. The name of the connection, if
    /// the peer is permitted; otherwise the owner closes it at once (RFC 6062 §5.3).
    pub fn peer_connected(
        &mut self,
        now: Instant,
        allocation: AllocationId,
        peer: SocketAddr,
    ) -> Option<ConnectionId> {
        let entry = self.allocations.get(&allocation);
        let entry = entry.filter(|entry| entry.peers.is_permitted(now, peer.ip()));
        let Some(entry) = entry else {
            self.stats.unpermitted_to_clients += 1;
            return None;
        };
        let five_tuple = entry.five_tuple;
        if entry.connections.len() >= self.config.max_connections {
            self.stats.over_quota += 1;
            return None;
        }
        let until = now + CONNECTION_TIMEOUT;
        let connection = self.open(allocation, peer, Stage::Pending { until });
        let mut id = [0; 12];
        self.random.fill_bytes(&mut id);
        let (class, method) = (Class::Indication, Method::CONNECTION_ATTEMPT);
        self.answer(
            five_tuple,
            class,
            method,
            TransactionId(id),
            None,
            |builder| {
                builder.attribute(&XorPeerAddress(peer));
                builder.attribute(&connection);
            },
        );
        Some(connection)
    }

    /// The peer's stream was closed; the owner closes the client's (RFC 6062 §5.5).
    pub fn peer_closed(&mut self, connection: ConnectionId) {
        self.forget_connection(connection);
    }

    // --- requests ---

    /// Connect (RFC 6062 §5.2). The answer comes when the peer has given its own.
    pub(super) fn connect(
        &mut self,
        now: Instant,
        five_tuple: FiveTuple,
        message: &Message<'_>,
        identity: Identity,
    ) -> Result<(), (ErrorCode<'static>, Signer)> {
        let checked = self.check_connect(five_tuple, message, &identity);
        let (allocation, peer, from) = match checked {
            Ok(checked) => checked,
            Err(error) => return Err((error, identity.signer)),
        };
        let stage = Stage::Connecting {
            until: now + CONNECTION_TIMEOUT,
            transaction: message.transaction_id(),
            signer: identity.signer,
        };
        let connection = self.open(allocation, peer, stage);
        self.events.push_back(Event::Connect {
            connection,
            allocation,
            from,
            peer,
        });
        Ok(())
    }

    fn check_connect(
        &self,
        five_tuple: FiveTuple,
        message: &Message<'_>,
        identity: &Identity,
    ) -> Result<(AllocationId, SocketAddr, SocketAddr), ErrorCode<'static>> {
        let allocation = self.by_client.get(&five_tuple).copied();
        let allocation = allocation.ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        let entry = self.allocations.get(&allocation);
        let entry = entry.filter(|entry| entry.relays_tcp && entry.socket.relayed().is_some());
        let entry = entry.ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        if entry.username != identity.username {
            return Err(ErrorCode::WRONG_CREDENTIALS);
        }
        let XorPeerAddress(peer) = required(message)?;
        check_family(entry.family, peer.ip())?;
        let mut connections = entry.connections.iter();
        if connections.any(|id| self.connections.get(id).is_some_and(|it| it.peer == peer)) {
            return Err(ErrorCode::CONNECTION_ALREADY_EXISTS);
        }
        if !self.allows(peer) {
            return Err(ErrorCode::FORBIDDEN);
        }
        if entry.connections.len() >= self.config.max_connections {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        Ok((allocation, peer, entry.socket.local()))
    }

    /// ConnectionBind (RFC 6062 §5.4): this stream becomes the one to the peer.
    pub(super) fn connection_bind(
        &mut self,
        five_tuple: FiveTuple,
        message: &Message<'_>,
        identity: &Identity,
    ) -> Result<(), ErrorCode<'static>> {
        let connection: ConnectionId = required(message)?;
        let is_free = !self.by_client.contains_key(&five_tuple)
            && !self.bridges.contains_key(&five_tuple)
            && five_tuple.transport == Transport::Stream;
        let entry = self.connections.get_mut(&connection);
        let entry = entry.filter(|entry| is_free && matches!(entry.stage, Stage::Pending { .. }));
        let entry = entry.ok_or(ErrorCode::BAD_REQUEST)?;
        let owner = self.allocations.get(&entry.allocation);
        if owner.is_none_or(|owner| owner.username != identity.username) {
            return Err(ErrorCode::WRONG_CREDENTIALS);
        }
        if let Some(until) = entry.until() {
            self.deadlines.remove(&(until, connection));
        }
        entry.stage = Stage::Bridged(five_tuple);
        self.bridges.insert(five_tuple, connection);
        let id = message.transaction_id();
        let (class, method) = (Class::Success, Method::CONNECTION_BIND);
        self.answer(
            five_tuple,
            class,
            method,
            id,
            Some(&identity.signer),
            |_| {},
        );
        self.events.push_back(Event::Bridge {
            connection,
            five_tuple,
        });
        Ok(())
    }

    // --- inside ---

    /// Closes what was not taken over in time.
    pub(super) fn expire_connections(&mut self, now: Instant) {
        while let Some(&(until, connection)) = self.deadlines.first() {
            if now < until {
                break;
            }
            self.not_connected(connection);
        }
    }

    /// The client's stream of a connection was closed.
    pub(super) fn bridge_closed(&mut self, five_tuple: FiveTuple) {
        if let Some(&connection) = self.bridges.get(&five_tuple) {
            self.close_connection(connection);
        }
    }

    /// The allocation has ended (RFC 6062 §5.5).
    pub(super) fn close_connections(&mut self, connections: &[ConnectionId]) {
        for connection in connections {
            self.close_connection(*connection);
        }
    }

    fn five_tuple(&self, allocation: AllocationId) -> Option<FiveTuple> {
        self.allocations.get(&allocation).map(|it| it.five_tuple)
    }

    fn open(&mut self, allocation: AllocationId, peer: SocketAddr, stage: Stage) -> ConnectionId {
        let connection = loop {
            let id = ConnectionId(self.random.next_u32());
            if !self.connections.contains_key(&id) {
                break id;
            }
        };
        let entry = Connection {
            allocation,
            peer,
            stage,
        };
        if let Some(until) = entry.until() {
            self.deadlines.insert((until, connection));
        }
        self.connections.insert(connection, entry);
        if let Some(owner) = self.allocations.get_mut(&allocation) {
            owner.connections.push(connection);
        }
        connection
    }

    /// The peer does not answer, or nobody takes the connection over.
    fn not_connected(&mut self, connection: ConnectionId) {
        let Some(entry) = self.close_connection(connection) else {
            return;
        };
        let five_tuple = self.five_tuple(entry.allocation);
        if let (
            Stage::Connecting {
                transaction,
                signer,
                ..
            },
            Some(five_tuple),
        ) = (entry.stage, five_tuple)
        {
            let (class, method) = (Class::Error, Method::CONNECT);
            let signer = Some(&signer);
            self.answer(five_tuple, class, method, transaction, signer, |builder| {
                builder.attribute(&ErrorCode::CONNECTION_TIMEOUT_OR_FAILURE);
            });
        }
    }

    fn close_connection(&mut self, connection: ConnectionId) -> Option<Connection> {
        let entry = self.forget_connection(connection)?;
        self.events.push_back(Event::Close { connection });
        Some(entry)
    }

    fn forget_connection(&mut self, connection: ConnectionId) -> Option<Connection> {
        let entry = self.connections.remove(&connection)?;
        if let Some(until) = entry.until() {
            self.deadlines.remove(&(until, connection));
        }
        if let Some(owner) = self.allocations.get_mut(&entry.allocation) {
            owner.connections.retain(|it| *it != connection);
        }
        if let Stage::Bridged(five_tuple) = entry.stage {
            self.bridges.remove(&five_tuple);
        }
        Some(entry)
    }
}
