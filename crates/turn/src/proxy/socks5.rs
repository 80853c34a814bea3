//! SOCKS version 5 (RFC 1928), with user name and password (RFC 1929).
//!
//! ```text
//! we:    VER 5 | NMETHODS | METHODS                          greeting
//! proxy: VER 5 | METHOD
//! we:    VER 1 | ULEN | UNAME | PLEN | PASSWD                if METHOD is 2
//! proxy: VER 1 | STATUS
//! we:    VER 5 | CMD 1 | RSV 0 | ATYP | DST.ADDR | DST.PORT
//! proxy: VER 5 | REP | RSV 0 | ATYP | BND.ADDR | BND.PORT
//! ```

use super::{Login, Refusal, Step, Target};
use std::net::SocketAddr;

const VERSION: u8 = 5;
const LOGIN_VERSION: u8 = 1;
const NO_AUTHENTICATION: u8 = 0;
const USERNAME_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// What is waited for.
#[derive(Debug)]
enum Stage {
    Method,
    Login,
    Reply,
}

/// Our side of it.
#[derive(Debug)]
pub(super) struct Talk {
    stage: Stage,
    login: Option<Vec<u8>>,
    request: Vec<u8>,
}

impl Talk {
    /// The greeting, and what comes after it.
    pub(super) fn begin(
        target: &Target,
        login: Option<&Login>,
    ) -> Result<(Self, Vec<u8>), Refusal> {
        let talk = Self {
            stage: Stage::Method,
            login: login.map(write_login).transpose()?,
            request: write_request(target)?,
        };
        let greeting = match login {
            Some(_) => vec![VERSION, 2, NO_AUTHENTICATION, USERNAME_PASSWORD],
            None => vec![VERSION, 1, NO_AUTHENTICATION],
        };
        Ok((talk, greeting))
    }

    pub(super) fn read(&mut self, received: &[u8]) -> Step {
        match self.stage {
            Stage::Method => self.read_method(received),
            Stage::Login => self.read_login(received),
            Stage::Reply => read_reply(received),
        }
    }

    /// RFC 1928 §3
    fn read_method(&mut self, received: &[u8]) -> Step {
        let &[version, method, ..] = received else {
            return Step::More;
        };
        if version != VERSION {
            return Step::Refused(Refusal::Malformed);
        }
        match (method, self.login.take()) {
            (NO_AUTHENTICATION, _) => self.ask(2),
            (USERNAME_PASSWORD, Some(login)) => {
                self.stage = Stage::Login;
                Step::Say(2, login)
            }
            _ => Step::Refused(Refusal::Unauthenticated),
        }
    }

    /// RFC 1929 §2
    fn read_login(&mut self, received: &[u8]) -> Step {
        match received {
            &[LOGIN_VERSION, 0, ..] => self.ask(2),
            &[LOGIN_VERSION, _, ..] => Step::Refused(Refusal::Unauthenticated),
            [LOGIN_VERSION] | [] => Step::More,
            _ => Step::Refused(Refusal::Malformed),
        }
    }

    fn ask(&mut self, read: usize) -> Step {
        self.stage = Stage::Reply;
        Step::Say(read, std::mem::take(&mut self.request))
    }
}

/// RFC 1928 §6: the address that the proxy is bound to does not matter here, its length does.
fn read_reply(received: &[u8]) -> Step {
    match *received {
        [] | [VERSION] => return Step::More,
        [VERSION, 0, ..] => {}
        [VERSION, reply, ..] => {
            return Step::Refused(Refusal::Refused { code: reply.into() });
        }
        _ => return Step::Refused(Refusal::Malformed),
    }
    let &[_, _, _, kind, first, ..] = received else {
        return Step::More;
    };
    let address = match kind {
        IPV4 => 4,
        NAME => 1 + usize::from(first),
        IPV6 => 16,
        _ => return Step::Refused(Refusal::Malformed),
    };
    let length = 4 + address + 2;
    if received.len() < length {
        return Step::More;
    }
    Step::Open(length)
}

/// RFC 1929 §2
fn write_login(login: &Login) -> Result<Vec<u8>, Refusal> {
    let mut out = vec![LOGIN_VERSION];
    for text in [&login.username, &login.password] {
        out.push(short_len(text)?);
        out.extend(text.as_bytes());
    }
    Ok(out)
}

/// RFC 1928 §4
fn write_request(target: &Target) -> Result<Vec<u8>, Refusal> {
    let mut out = vec![VERSION, CONNECT, 0];
    let port = match target {
        Target::Address(SocketAddr::V4(address)) => {
            out.push(IPV4);
            out.extend(address.ip().octets());
            address.port()
        }
        Target::Address(SocketAddr::V6(address)) => {
            out.push(IPV6);
            out.extend(address.ip().octets());
            address.port()
        }
        Target::Name(name, port) => {
            out.extend([NAME, short_len(name)?]);
            out.extend(name.as_bytes());
            *port
        }
    };
    out.extend(port.to_be_bytes());
    Ok(out)
}

/// 1 to 255 bytes.
fn short_len(text: &str) -> Result<u8, Refusal> {
    match u8::try_from(text.len()) {
        Ok(length @ 1..) => Ok(length),
        _ => Err(Refusal::Unsendable),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Protocol, State, Tunnel};
    use super::*;

    fn target() -> Target {
        Target::Name("turn.example.org".to_owned(), 443)
    }

    const REQUEST: &[u8] = b"\x05\x01\x00\x03\x10turn.example.org\x01\xbb";

    #[test]
    fn a_stream_opens_without_credentials() {
        let mut tunnel = Tunnel::new(Protocol::Socks5, &target(), None);
        assert_eq!(tunnel.poll_transmit().unwrap(), b"\x05\x01\x00");
        assert_eq!(tunnel.poll_transmit(), None);
        tunnel.handle_input(b"\x05\x00");
        assert_eq!(tunnel.poll_transmit().unwrap(), REQUEST);
        tunnel.handle_input(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00rest");
        assert_eq!(tunnel.state(), State::Open);
        assert_eq!(tunnel.into_rest(), b"rest");
    }

    #[test]
    fn a_stream_opens_with_credentials_however_it_is_cut() {
        let login = Login::new("alice", "secret");
        let answers = b"\x05\x02\x01\x00\x05\x00\x00\x03\x01x\x00\x00rest";
        for size in 1..=answers.len() {
            let mut tunnel = Tunnel::new(Protocol::Socks5, &target(), Some(&login));
            let mut said = Vec::new();
            for chunk in answers.chunks(size) {
                said.extend(tunnel.poll_transmit().unwrap_or_default());
                tunnel.handle_input(chunk);
            }
            assert_eq!(tunnel.state(), State::Open, "{size}");
            assert_eq!(tunnel.into_rest(), b"rest");
            let expected = [b"\x05\x02\x00\x02\x01\x05alice\x06secret", REQUEST].concat();
            assert!(expected.starts_with(&said));
        }
    }

    #[test]
    fn refusals_are_told_apart() {
        let login = Login::new("alice", "wrong");
        for (login, answers, refusal) in [
            (None, &b"\x05\x02"[..], Refusal::Unauthenticated),
            (None, b"\x05\xff", Refusal::Unauthenticated),
            (Some(&login), b"\x05\x02\x01\x01", Refusal::Unauthenticated),
            (Some(&login), b"\x05\x02\x05\x00", Refusal::Malformed),
            (
                None,
                b"\x05\x00\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00",
                Refusal::Refused { code: 5 },
            ),
            (None, b"\x05\x00\x05\x00\x00\x09\x00", Refusal::Malformed),
            (None, b"\x04\x00", Refusal::Malformed),
        ] {
            let mut tunnel = Tunnel::new(Protocol::Socks5, &target(), login);
            tunnel.handle_input(answers);
            assert_eq!(tunnel.state(), State::Refused(refusal), "{answers:?}");
        }
    }

    #[test]
    fn what_has_no_room_is_not_sent() {
        let long = "x".repeat(256);
        let refused = State::Refused(Refusal::Unsendable);
        let name = Target::Name(long.clone(), 1);
        let tunnel = Tunnel::new(Protocol::Socks5, &name, None);
        assert_eq!(tunnel.state(), refused);
        let login = Login::new(long, "");
        let mut tunnel = Tunnel::new(Protocol::Socks5, &target(), Some(&login));
        assert_eq!(tunnel.state(), refused);
        assert_eq!(tunnel.poll_transmit(), None);
    }
}
