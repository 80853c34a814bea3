//! Checks what a configuration says of servers (webrtc-pc §4.4.1.2, RFC 7064, RFC 7065).

use crate::error::{Error, ErrorKind};
use layer::IceServer;

/// Refuses servers that cannot be asked: pc-007.
pub(crate) fn check(servers: &[IceServer]) -> Result<(), Error> {
    for server in servers {
        if server.urls.is_empty() {
            return Err(syntax("a server has no url"));
        }
        for url in &server.urls {
            let is_turn = check_url(url)?;
            if is_turn && (server.username.is_empty() || server.credential.is_empty()) {
                return Err(Error::new(
                    ErrorKind::InvalidAccess,
                    format!("{url} needs a username and a credential"),
                ));
            }
        }
    }
    Ok(())
}

/// Whether the URL is of a TURN server.
fn check_url(url: &str) -> Result<bool, Error> {
    let wrong = || syntax(format!("{url:?} is not the url of a stun or turn server"));
    let (scheme, rest) = url.split_once(':').ok_or_else(wrong)?;
    let is_turn = match scheme.to_ascii_lowercase().as_str() {
        "stun" | "stuns" => false,
        "turn" | "turns" => true,
        _ => return Err(wrong()),
    };
    let (authority, query) = match rest.split_once('?') {
        Some((authority, query)) => (authority, Some(query)),
        None => (rest, None),
    };
    // RFC 7065 §3.1: the one parameter, and only with TURN.
    let transport = query.map(|query| query.strip_prefix("transport=").unwrap_or_default());
    let known = transport.is_none_or(|it| is_turn && matches!(it, "udp" | "tcp"));
    if !known || !is_authority(authority) {
        return Err(wrong());
    }
    Ok(is_turn)
}

/// A host, and perhaps a port; IPv6 addresses stand in brackets.
fn is_authority(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, after)) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
                (address, after)
            }
            _ => return false,
        },
        None => match authority.find(':') {
            Some(at) => authority.split_at(at),
            None => (authority, ""),
        },
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%:".contains(&byte);
    let port_fits = match port.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok_and(|port| port != 0),
        None => port.is_empty(),
    };
    !host.is_empty() && host.bytes().all(is_name) && port_fits
}

fn syntax(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Syntax, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(url: &str, credential: &str) -> Option<ErrorKind> {
        let mut server = IceServer::new(vec![url.to_owned()]);
        server.username = credential.to_owned();
        server.credential = credential.to_owned();
        check(&[server]).err().map(|error| error.kind())
    }

    #[test]
    fn urls_are_checked_when_they_are_given() {
        for good in [
            "stun:a.example",
            "stuns:192.0.2.1:5349",
            "STUN:[2001:db8::1]:3478",
        ] {
            assert_eq!(kind_of(good, ""), None, "{good}");
        }
        for good in ["turn:a.example?transport=tcp", "turns:a.example:443"] {
            assert_eq!(kind_of(good, "x"), None, "{good}");
            assert_eq!(kind_of(good, ""), Some(ErrorKind::InvalidAccess), "{good}");
        }
        for wrong in [
            "",
            "a.example",
            "http:a",
            "stun:",
            "stun:a:0",
            "stun:a:99999",
            "stun:[::1",
            "stun:[x]",
            "stun:a?transport=udp",
            "turn:a?transport=sctp",
            "turn:a?x=y",
            "stun:a b",
        ] {
            assert_eq!(kind_of(wrong, "x"), Some(ErrorKind::Syntax), "{wrong}");
        }
        let nothing = check(&[IceServer::new(Vec::new())]);
        assert_eq!(
            nothing.err().map(|error| error.kind()),
            Some(ErrorKind::Syntax)
        );
    }
}
