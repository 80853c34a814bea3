//! The addresses of STUN and TURN servers (RFC 7064 §3.1, RFC 7065 §3.1).

use std::net::{IpAddr, Ipv6Addr};

/// The port of STUN and TURN over UDP and TCP (RFC 8489 §8.1).
const DEFAULT_PORT: u16 = 3478;

/// The port of both over TLS and DTLS.
const DEFAULT_SECURE_PORT: u16 = 5349;

/// What a URL of a server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    pub(crate) service: Service,
    pub(crate) transport: Transport,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// What a server is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Tells where we are seen from.
    Stun,
    /// Relays.
    Turn,
}

/// How a server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Transport {
    Udp,
    Tcp,
    Tls,
    Dtls,
}

/// A name to be resolved, or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    Name(String),
}

impl ServerUrl {
    /// Reads a URL; `None` for another scheme, or one that does not parse.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let (service, is_secure) = match scheme.to_ascii_lowercase().as_str() {
            "stun" => (Service::Stun, false),
            "stuns" => (Service::Stun, true),
            "turn" => (Service::Turn, false),
            "turns" => (Service::Turn, true),
            _ => return None,
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) if service == Service::Turn => (rest, Some(query)),
            Some(_) => return None,
            None => (rest, None),
        };
        let (host, port) = split_port(rest)?;
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0)?,
            None if is_secure => DEFAULT_SECURE_PORT,
            None => DEFAULT_PORT,
        };
        let host = Host::parse(host)?;
        // stun-042: nothing says what name the certificate would have (RFC 8489 §8.1).
        if service == Service::Stun && is_secure && matches!(host, Host::Address(_)) {
            return None;
        }
        Some(Self {
            service,
            transport: Transport::of(is_secure, query)?,
            host,
            port,
        })
    }
}

impl Transport {
    /// Whether its packets lie in a stream.
    pub(crate) fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }

    /// Whether a connection is made to the server, which then has no other end.
    pub(crate) fn is_connected(self) -> bool {
        self != Self::Udp
    }

    /// Whether the server shows a certificate.
    pub(crate) fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Dtls)
    }

    /// turn-023: without a parameter UDP, or TLS over TCP (RFC 7065 §3.1, RFC 7064 §3.1).
    fn of(is_secure: bool, query: Option<&str>) -> Option<Self> {
        let transport = match query {
            Some(query) => {
                let (name, value) = query.split_once('=')?;
                name.eq_ignore_ascii_case("transport").then_some(value)
            }
            None => Some(if is_secure { "tcp" } else { "udp" }),
        }?;
        match (transport.to_ascii_lowercase().as_str(), is_secure) {
            ("udp", false) => Some(Self::Udp),
            ("udp", true) => Some(Self::Dtls),
            ("tcp", false) => Some(Self::Tcp),
            ("tcp", true) => Some(Self::Tls),
            _ => None,
        }
    }
}

impl Host {
    fn parse(host: &str) -> Option<Self> {
        if let Some(inner) = host.strip_prefix('[') {
            let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(address.into()));
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            return Some(Self::Address(address));
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
        let fits = !host.is_empty() && host.bytes().all(is_name);
        fits.then(|| Self::Name(host.to_owned()))
    }

    /// What a certificate of the server is issued for.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Address(address) => address.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

/// Host and port; an IPv6 address stands in brackets.
fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    let after_address = text.rfind(']').map_or(0, |at| at + 1);
    match text[after_address..].rfind(':') {
        None => Some((text, None)),
        Some(at) if after_address > 0 && at > 0 => None,
        Some(at) => {
            let at = after_address + at;
            Some((&text[..at], Some(&text[at + 1..])))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // stun-042
    #[test]
    fn urls_say_host_and_port() {
        let parsed = |url| ServerUrl::parse(url).map(|url| (url.host, url.port));
        let name = |name: &str| Host::Name(name.to_owned());
        assert_eq!(parsed("stun:a.example"), Some((name("a.example"), 3478)));
        assert_eq!(
            parsed("STUN:a.example:19302"),
            Some((name("a.example"), 19302))
        );
        let address = |text: &str| Host::Address(text.parse().unwrap());
        assert_eq!(parsed("stun:192.0.2.1:1"), Some((address("192.0.2.1"), 1)));
        assert_eq!(
            parsed("turn:[2001:db8::1]"),
            Some((address("2001:db8::1"), 3478))
        );
        assert_eq!(
            parsed("turns:[2001:db8::1]:5?transport=tcp"),
            Some((address("2001:db8::1"), 5))
        );
        for wrong in [
            "stun:",
            "stun",
            "http:a",
            "stun:a:0",
            "stun:a:x",
            "stun:a:70000",
            "stun:[::1",
            "stun:[::1]x:5",
            "stun:a b",
            "stun://a",
            "stuns:192.0.2.1",
            "stuns:[2001:db8::1]:5349",
            "stun:a?transport=udp",
            "turn:a?transport=sctp",
            "turn:a?udp",
            "turn:a?via=udp",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    // turn-023
    #[test]
    fn scheme_and_parameter_say_transport_and_port() {
        let parsed = |url| {
            let url = ServerUrl::parse(url).unwrap();
            (url.service, url.transport, url.port)
        };
        use Service::{Stun, Turn};
        assert_eq!(parsed("stun:a"), (Stun, Transport::Udp, 3478));
        assert_eq!(parsed("stuns:a"), (Stun, Transport::Tls, 5349));
        assert_eq!(parsed("turn:a"), (Turn, Transport::Udp, 3478));
        assert_eq!(parsed("turn:a?transport=udp"), (Turn, Transport::Udp, 3478));
        assert_eq!(
            parsed("turn:a:80?transport=TCP"),
            (Turn, Transport::Tcp, 80)
        );
        assert_eq!(parsed("turns:a"), (Turn, Transport::Tls, 5349));
        assert_eq!(
            parsed("turns:a:443?transport=tcp"),
            (Turn, Transport::Tls, 443)
        );
        assert_eq!(
            parsed("turns:a?transport=udp"),
            (Turn, Transport::Dtls, 5349)
        );
    }
}
