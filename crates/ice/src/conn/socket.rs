//! The sockets of a front: which addresses, which ports.

use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::net::UdpSocket;

/// Binds the first free port of the range.
pub(super) fn bind(local: SocketAddr, ports: Option<(u16, u16)>) -> io::Result<UdpSocket> {
    let ports = match ports {
        Some((first, last)) if local.port() == 0 => first..=last,
        _ => local.port()..=local.port(),
    };
    let mut result = Err(io::ErrorKind::AddrInUse.into());
    for port in ports {
        result = std::net::UdpSocket::bind(SocketAddr::new(local.ip(), port));
        if result.is_ok() {
            break;
        }
    }
    let socket = result?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// The given addresses, or those that packets to the world leave from; connecting a UDP socket
/// sends nothing.
pub(super) fn usable(addresses: &[IpAddr]) -> Vec<IpAddr> {
    if !addresses.is_empty() {
        return addresses.to_vec();
    }
    let leaves_from = |any: &str, far: &str| {
        let socket = std::net::UdpSocket::bind(any).ok()?;
        socket.connect(far).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    let v6 = leaves_from("[::]:0", "[2001:db8::1]:9");
    let v4 = leaves_from("0.0.0.0:0", "192.0.2.1:9");
    let found: Vec<IpAddr> = v6.into_iter().chain(v4).collect();
    if found.is_empty() {
        vec![IpAddr::from([127, 0, 0, 1])]
    } else {
        found
    }
}
