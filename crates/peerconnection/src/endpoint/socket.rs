//! The sockets of an endpoint: for each address one for each shard, all on the same port.

use super::EndpointConfig;
use crate::driver::interface::interfaces;
use crate::shared::now;
use layer::{Interface, SocketId};
use net::{PacketListener, UdpSocket};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// How many free ports are tried until one is free on every address.
const MAX_TRIES: usize = 16;

/// One address of this host.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) ip: IpAddr,
    /// The number that connections know its UDP sockets by.
    pub(super) socket: SocketId,
    pub(super) udp_addr: Option<SocketAddr>,
    pub(super) tcp_addr: Option<SocketAddr>,
    /// One for each shard; none without UDP.
    pub(super) udp: Vec<Arc<UdpSocket>>,
}

/// Everything that was bound.
pub(super) struct Sockets {
    pub(super) locals: Vec<Local>,
    /// What connections are told of this host.
    pub(super) interfaces: Vec<Interface>,
    /// For each shard its listeners, and which address they belong to.
    pub(super) listeners: Vec<Vec<(usize, PacketListener)>>,
}

/// Binds all there is.
pub(super) fn bind(config: &EndpointConfig, shards: usize) -> io::Result<Sockets> {
    let interfaces = wanted(&config.addresses);
    if interfaces.is_empty() {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    }
    let ips: Vec<IpAddr> = interfaces.iter().map(|it| it.address).collect();
    let udp = at_one_port(config.udp_port, &ips, shards, UdpSocket::bind_shared)?;
    let tcp = at_one_port(config.tcp_port, &ips, shards, PacketListener::bind_shared)?;
    let mut listeners: Vec<Vec<_>> = (0..shards).map(|_| Vec::new()).collect();
    let mut locals = Vec::new();
    for (index, (udp, tcp)) in udp.into_iter().zip(tcp).enumerate() {
        let udp: Vec<_> = udp.into_iter().map(Arc::new).collect();
        locals.push(Local {
            ip: ips[index],
            socket: SocketId(u32::try_from(index).unwrap_or(u32::MAX)),
            udp_addr: udp.first().map(|socket| socket.local_addr()),
            tcp_addr: tcp.first().map(PacketListener::local_addr),
            udp,
        });
        for (shard, listener) in tcp.into_iter().enumerate() {
            listeners[shard].push((index, listener));
        }
    }
    Ok(Sockets {
        locals,
        interfaces,
        listeners,
    })
}

/// The interfaces that have these addresses, or all.
fn wanted(addresses: &[IpAddr]) -> Vec<Interface> {
    let all = interfaces(now());
    if addresses.is_empty() {
        let all = all.iter().filter(|it| !is_link_local(it.address));
        return all.cloned().collect();
    }
    let found = addresses.iter().map(|address| {
        let known = all.iter().find(|it| it.address == *address);
        // The system may accept an address that no interface lists, such as all of 127/8.
        known
            .cloned()
            .unwrap_or_else(|| Interface::new("", *address))
    });
    found.collect()
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// For each address as many sockets as there are shards, all at the same port; empty lists if there
/// is to be no port.
fn at_one_port<S: Bound>(
    port: Option<u16>,
    ips: &[IpAddr],
    shards: usize,
    bind: impl Fn(SocketAddr) -> io::Result<S>,
) -> io::Result<Vec<Vec<S>>> {
    let Some(wanted) = port else {
        return Ok(ips.iter().map(|_| Vec::new()).collect());
    };
    let mut tries = 0;
    loop {
        tries += 1;
        match all_at(wanted, ips, shards, &bind) {
            // A port that is free on one address may be taken on another.
            Err(error) if wanted == 0 && tries < MAX_TRIES => {
                tracing::debug!(%error, "a port is not free on every address");
            }
            result => return result,
        }
    }
}

fn all_at<S: Bound>(
    mut port: u16,
    ips: &[IpAddr],
    shards: usize,
    bind: &impl Fn(SocketAddr) -> io::Result<S>,
) -> io::Result<Vec<Vec<S>>> {
    let mut all = Vec::new();
    for ip in ips {
        let mut sockets = Vec::new();
        for _ in 0..shards {
            let socket = bind(SocketAddr::new(*ip, port))?;
            port = socket.port();
            sockets.push(socket);
        }
        all.push(sockets);
    }
    Ok(all)
}

trait Bound {
    fn port(&self) -> u16;
}

impl Bound for UdpSocket {
    fn port(&self) -> u16 {
        self.local_addr().port()
    }
}

impl Bound for PacketListener {
    fn port(&self) -> u16 {
        self.local_addr().port()
    }
}
