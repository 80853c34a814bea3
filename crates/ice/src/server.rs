//! The addresses of STUN and TURN servers (RFC 7064 §3.1, RFC 7065 §3.1).

use std::net::{IpAddr, Ipv6Addr};

/// The port of STUN and TURN over UDP and TCP (RFC 8489 §8.1).
const DEFAULT_PORT: u16 = 3478;

/// What a URL of a server says, as far as it can be asked over UDP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StunUrl {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// A name to be resolved, or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    Name(String),
}

impl StunUrl {
    /// Reads a `stun:` URL; `None` for another scheme, or one that does not parse.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        if !scheme.eq_ignore_ascii_case("stun") {
            return None;
        }
        let (host, port) = split_port(rest)?;
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0)?,
            None => DEFAULT_PORT,
        };
        Some(Self {
            host: Host::parse(host)?,
            port,
        })
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

    #[test]
    fn urls_say_host_and_port() {
        let parsed = |url| StunUrl::parse(url).map(|url| (url.host, url.port));
        let name = |name: &str| Host::Name(name.to_owned());
        assert_eq!(parsed("stun:a.example"), Some((name("a.example"), 3478)));
        assert_eq!(
            parsed("STUN:a.example:19302"),
            Some((name("a.example"), 19302))
        );
        let address = |text: &str| Host::Address(text.parse().unwrap());
        assert_eq!(parsed("stun:192.0.2.1:1"), Some((address("192.0.2.1"), 1)));
        assert_eq!(
            parsed("stun:[2001:db8::1]"),
            Some((address("2001:db8::1"), 3478))
        );
        assert_eq!(
            parsed("stun:[2001:db8::1]:5"),
            Some((address("2001:db8::1"), 5))
        );
        for wrong in [
            "stun:",
            "stun",
            "stuns:a",
            "turn:a",
            "stun:a:0",
            "stun:a:x",
            "stun:a:70000",
            "stun:[::1",
            "stun:[::1]x:5",
            "stun:a b",
            "stun://a",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
