//! Names that end in `.local`, by multicast DNS (RFC 6762), as far as candidates need it
//! (draft-ietf-mmusic-mdns-ice-candidates): one name is asked for, or one is answered for.

mod message;

use crate::interfaces;
use socket2::{Domain, Protocol, Socket, Type};
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until, timeout_at};

/// RFC 6762 §3.
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const PORT: u16 = 5353;

/// When a question is asked, from the start: again after one second and then twice as long
/// (RFC 6762 §5.2).
const QUESTIONS: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// When nobody is waited for any more.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the other addresses of a name may take after the first.
const GATHERING: Duration = Duration::from_millis(50);

/// Addresses of one name; more are not looked at.
const MAX_ADDRESSES: usize = 8;

/// The largest message (RFC 6762 §17).
const MAX_MESSAGE: usize = 9000;

/// Whether a name is for multicast DNS alone: one label and `.local`
/// (draft-ietf-mmusic-mdns-ice-candidates §3.2.1).
#[must_use]
pub fn is_local_name(host: &str) -> bool {
    let Some((label, domain)) = host.split_once('.') else {
        return false;
    };
    !label.is_empty() && domain.eq_ignore_ascii_case("local")
}

/// The addresses of a `.local` name, asked of everybody on the links of this host; none if nobody
/// answers within five seconds.
///
/// Cancel safe.
///
/// # Errors
///
/// [`io::ErrorKind::InvalidInput`] if it is no such name; what the system says if there is no link to
/// ask on.
pub async fn resolve_local(host: &str) -> io::Result<Vec<IpAddr>> {
    if !is_local_name(host) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let links = Links::open()?;
    let question = message::query(host).ok_or(io::ErrorKind::InvalidInput)?;
    let start = now();
    let mut end = start + PATIENCE;
    let mut found = Vec::new();
    let mut times = QUESTIONS.iter().map(|after| start + *after);
    let mut next = times.next();
    let mut buffer = [0; MAX_MESSAGE];
    while found.len() < MAX_ADDRESSES {
        let now = now();
        if now >= end {
            break;
        }
        if next.is_some_and(|at| at <= now) {
            if found.is_empty() {
                links.send(&question).await?;
            }
            next = times.next();
        }
        let wake = next.map_or(end, |at| at.min(end));
        let Ok(received) = timeout_at(wake, links.socket.recv_from(&mut buffer)).await else {
            continue;
        };
        let (length, _) = received?;
        for address in message::answers(&buffer[..length], host) {
            if !found.contains(&address) && found.len() < MAX_ADDRESSES {
                found.push(address);
                end = end.min(now + GATHERING);
            }
        }
    }
    Ok(found)
}

/// Answers for a `.local` name until the future is dropped.
///
/// # Errors
///
/// [`io::ErrorKind::InvalidInput`] if it is no such name; what the system says if there is no link to
/// listen on, or the socket fails.
pub async fn publish_local(host: &str, address: IpAddr) -> io::Result<Infallible> {
    if !is_local_name(host) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let links = Links::open()?;
    let mut buffer = [0; MAX_MESSAGE];
    let mut quiet_until = now();
    loop {
        let (length, from) = links.socket.recv_from(&mut buffer).await?;
        let Some(question) = message::question(&buffer[..length], host, address) else {
            continue;
        };
        if from.port() != PORT {
            // RFC 6762 §6.7: a simple resolver, which hears only what is sent to itself.
            let answer = message::answer(host, address, Some(question));
            // It may be gone already.
            let _ = links.socket.send_to(&answer, from).await;
            continue;
        }
        // RFC 6762 §6: a record goes out once a second. Who asked too early is answered then.
        if now() < quiet_until {
            sleep_until(quiet_until).await;
        }
        quiet_until = now() + Duration::from_secs(1);
        links.send(&message::answer(host, address, None)).await?;
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the operating system's side"
)]
fn now() -> Instant {
    Instant::now()
}

/// A socket that hears the group on every link of this host, beside others on the same port.
struct Links {
    socket: UdpSocket,
    addresses: Vec<Ipv4Addr>,
}

impl Links {
    fn open() -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        // RFC 6762 §15.1: others listen on the port too.
        socket.set_reuse_address(true)?;
        #[cfg(unix)]
        socket.set_reuse_port(true)?;
        socket.set_nonblocking(true)?;
        // RFC 6762 §11: so that answers are known to come from the link.
        socket.set_multicast_ttl_v4(255)?;
        socket.set_multicast_loop_v4(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
        let mut addresses = Vec::new();
        for interface in interfaces()? {
            if let IpAddr::V4(address) = interface.address
                && socket.join_multicast_v4(&GROUP, &address).is_ok()
            {
                addresses.push(address);
            }
        }
        if addresses.is_empty() {
            return Err(io::ErrorKind::NetworkUnreachable.into());
        }
        let socket = UdpSocket::from_std(socket.into())?;
        Ok(Self { socket, addresses })
    }

    /// Sends on every link that takes it.
    async fn send(&self, message: &[u8]) -> io::Result<()> {
        let group = SocketAddr::V4(SocketAddrV4::new(GROUP, PORT));
        let mut sent = Err(io::ErrorKind::NetworkUnreachable.into());
        for address in &self.addresses {
            let socket = socket2::SockRef::from(&self.socket);
            let result = match socket.set_multicast_if_v4(address) {
                Ok(()) => self.socket.send_to(message, group).await.map(|_| ()),
                Err(error) => Err(error),
            };
            // One link is enough.
            if sent.is_err() {
                sent = result;
            }
        }
        sent
    }
}
