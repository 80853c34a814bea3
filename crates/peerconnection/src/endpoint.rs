//! The owner of many connections behind one port: one shard for each processor, every packet run to
//! completion where it came in, and no task for a connection.

mod config;
pub(crate) mod member;
mod members;
mod shard;
mod socket;
mod stats;
mod timer;
mod transaction;

pub use self::config::EndpointConfig;
pub use self::stats::EndpointStats;

use self::member::Member;
use self::members::Members;
use self::shard::{Inbox, Notice, Shard};
use self::socket::Local;
use self::stats::Counters;
use self::transaction::Transactions;
use crate::error::{Error, ErrorKind};
use crate::shared::{Shared, now};
use layer::Interface;
use net::Connector;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::runtime::Handle as Runtime;

/// Many connections behind one UDP port and one TCP port.
///
/// Packets are handed to their connection by the user name fragment of its checks, and from then on
/// by the path that a check has validated. A handle is cheap to clone. When the last one is dropped,
/// the connections there are go on, and the port is given back with the last of them.
///
/// Two endpoints can have one connection with each other: what tells the packets of two connections
/// apart is the address of the peer, and there it is the same. For the same reason a relay cannot be
/// used through a shared UDP port.
#[derive(Clone)]
pub struct Endpoint {
    handle: Arc<Handle>,
}

/// What all handles share; dropping the last one lets the shards end.
struct Handle(Arc<Inner>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.orphaned.store(true, Ordering::Release);
        self.0.wake_all();
    }
}

/// The endpoint, between its handles, its shards and its connections.
pub(crate) struct Inner {
    locals: Vec<Local>,
    interfaces: Vec<Interface>,
    members: Mutex<Members>,
    transactions: Mutex<Transactions>,
    inboxes: Vec<Inbox>,
    counters: Counters,
    connector: Arc<Connector>,
    runtime: Runtime,
    max_connections: usize,
    /// There is no handle any more.
    orphaned: AtomicBool,
    /// Shards that run.
    running: Mutex<usize>,
}

impl Endpoint {
    /// Binds the ports and starts the shards on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Operation`] if no address can be bound, with what the system says as its source.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with IO and time enabled.
    pub fn bind(config: EndpointConfig) -> Result<Self, Error> {
        let failed = |error| {
            Error::new(ErrorKind::Operation, "the endpoint cannot be bound").with_source(error)
        };
        let shards = config.shard_count();
        let bound = socket::bind(&config, shards).map_err(failed)?;
        let inner = Arc::new(Inner {
            interfaces: bound.interfaces,
            locals: bound.locals,
            members: Mutex::default(),
            transactions: Mutex::default(),
            inboxes: (0..shards).map(|_| Inbox::default()).collect(),
            counters: Counters::default(),
            connector: config.connector,
            runtime: Runtime::current(),
            max_connections: config.max_connections,
            orphaned: AtomicBool::new(false),
            running: Mutex::new(shards),
        });
        for (index, listeners) in bound.listeners.into_iter().enumerate() {
            let shard = Shard::new(index, Arc::clone(&inner), listeners);
            let span = tracing::debug_span!("endpoint", shard = index);
            let _task = inner
                .runtime
                .spawn(tracing::Instrument::instrument(shard, span));
        }
        Ok(Self {
            handle: Arc::new(Handle(inner)),
        })
    }

    /// The UDP addresses, one for each address of this host that is used; all have the same port.
    #[must_use]
    pub fn udp_addrs(&self) -> Vec<SocketAddr> {
        let locals = self.inner().locals.iter();
        locals.filter_map(|local| local.udp_addr).collect()
    }

    /// The TCP addresses; all have the same port.
    #[must_use]
    pub fn tcp_addrs(&self) -> Vec<SocketAddr> {
        let locals = self.inner().locals.iter();
        locals.filter_map(|local| local.tcp_addr).collect()
    }

    /// How many connections there are, and what has been dropped.
    #[must_use]
    pub fn stats(&self) -> EndpointStats {
        let connections = self.inner().members().len();
        self.inner().counters.read(connections)
    }

    /// Closes all connections.
    pub fn close_connections(&self) {
        let members = self.inner().members().all();
        for member in members {
            member.shared.call(|state, now| state.session.close(now));
            member.shared.changed.notify_waiters();
        }
    }

    fn inner(&self) -> &Arc<Inner> {
        &self.handle.0
    }

    /// Takes a new connection in.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Operation`] beyond the bound of connections, and when the shards have ended.
    pub(crate) fn adopt(&self, shared: &Arc<Shared>) -> Result<(), Error> {
        let inner = self.inner();
        let refused = |text: &'static str| Err(Error::new(ErrorKind::Operation, text));
        let mut members = inner.members();
        if members.len() >= inner.max_connections {
            return refused("the endpoint holds no more connections");
        }
        if *inner.running() == 0 {
            return refused("the runtime of the endpoint has ended");
        }
        let id = members.next_id();
        let home = usize::try_from(id).unwrap_or(0) % inner.inboxes.len();
        let member = Arc::new(Member::new(id, home, shared, inner));
        let (host, settler): (Weak<Member>, Weak<Member>) =
            (Arc::downgrade(&member), Arc::downgrade(&member));
        shared.driver.join(host);
        shared.settle_by(settler);
        members.insert(member);
        Ok(())
    }
}

impl Inner {
    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn transactions(&self) -> MutexGuard<'_, Transactions> {
        self.transactions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, usize> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The local address with this IP.
    fn local(&self, ip: std::net::IpAddr) -> Option<(usize, &Local)> {
        let mut locals = self.locals.iter().enumerate();
        locals.find(|(_, local)| local.ip == ip)
    }

    /// Nobody can make a connection any more, and there is none.
    fn is_over(&self) -> bool {
        self.orphaned.load(Ordering::Acquire) && self.members().len() == 0
    }

    fn wake_all(&self) {
        for inbox in &self.inboxes {
            inbox.wake();
        }
    }

    /// A connection is closed and has said so: nobody is to remember it.
    fn forget(&self, member: &Arc<Member>) {
        if self.members().remove(member) {
            member.shared.end(now());
            for inbox in &self.inboxes {
                inbox.push(Notice::Ended(member.id));
            }
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("udp", &self.udp_addrs())
            .field("tcp", &self.tcp_addrs())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").finish_non_exhaustive()
    }
}
