//! Proxies in front of a server that is reached by TCP: HTTP CONNECT (RFC 9110 §9.3.6) and SOCKS5
//! (RFC 1928), sans-IO.
//!
//! A [`Tunnel`] speaks on a stream to the proxy until the stream leads to the server; then it is
//! thrown away, and TLS or TURN begins.

mod http;
mod socks5;

use std::fmt;
use std::net::SocketAddr;

/// The most bytes that a proxy may say before the stream leads to the server.
const MAX_ANSWER: usize = 16 * 1024;

/// Which protocol a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// CONNECT (RFC 9110 §9.3.6), with the Basic scheme (RFC 7617).
    Http,
    /// Version 5 (RFC 1928), with user name and password (RFC 1929).
    Socks5,
}

/// User name and password for a proxy. `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Login {
    /// The user name; 1 to 255 bytes for SOCKS5, no colon for HTTP.
    pub username: String,
    /// The password; 1 to 255 bytes for SOCKS5.
    pub password: String,
}

impl Login {
    /// Both parts.
    #[must_use]
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            password: password.into(),
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Where the stream is to lead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// An address.
    Address(SocketAddr),
    /// A name, which the proxy resolves, at most 255 bytes; and a port.
    Name(String, u16),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

/// Why the proxy does not let us through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It wants to know who we are, or does not accept what we said.
    Unauthenticated,
    /// It does not lead there, or cannot.
    Refused {
        /// The status of HTTP, 100 to 999, or the reply of SOCKS5, 1 to 255.
        code: u16,
    },
    /// It speaks another protocol.
    Malformed,
    /// A name, user name or password that the protocol has no room for.
    Unsendable,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthenticated => f.write_str("the proxy does not accept the credentials"),
            Self::Refused { code } => write!(f, "the proxy refuses with {code}"),
            Self::Malformed => f.write_str("the proxy speaks another protocol"),
            Self::Unsendable => f.write_str("name or credentials do not fit the proxy's protocol"),
        }
    }
}

impl std::error::Error for Refusal {}

/// How far a [`Tunnel`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Talking with the proxy.
    Asking,
    /// The stream leads to the server.
    Open,
    /// It does not.
    Refused(Refusal),
}

/// What a step of a protocol wants.
#[derive(Debug)]
enum Step {
    /// More bytes.
    More,
    /// Go on behind so many bytes; say this.
    Say(usize, Vec<u8>),
    /// The server begins behind so many bytes.
    Open(usize),
    Refused(Refusal),
}

/// The talk with a proxy. Send what [`poll_transmit`](Tunnel::poll_transmit) gives after the
/// beginning and after every [`handle_input`](Tunnel::handle_input), until
/// [`state`](Tunnel::state) is no longer [`State::Asking`].
#[derive(Debug)]
pub struct Tunnel {
    talk: Talk,
    received: Vec<u8>,
    out: Vec<u8>,
    state: State,
}

#[derive(Debug)]
enum Talk {
    Http,
    Socks5(socks5::Talk),
}

impl Tunnel {
    /// Asks a proxy of this kind for a stream to the target.
    #[must_use]
    pub fn new(protocol: Protocol, target: &Target, login: Option<&Login>) -> Self {
        let begun = match protocol {
            Protocol::Http => http::request(target, login).map(|out| (Talk::Http, out)),
            Protocol::Socks5 => {
                socks5::Talk::begin(target, login).map(|(talk, out)| (Talk::Socks5(talk), out))
            }
        };
        let (talk, out, state) = match begun {
            Ok((talk, out)) => (talk, out, State::Asking),
            Err(refusal) => (Talk::Http, Vec::new(), State::Refused(refusal)),
        };
        Self {
            talk,
            received: Vec::new(),
            out,
            state,
        }
    }

    /// Takes what the proxy says.
    pub fn handle_input(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
        while self.state == State::Asking {
            let step = match &mut self.talk {
                Talk::Http => http::read(&self.received),
                Talk::Socks5(talk) => talk.read(&self.received),
            };
            match step {
                Step::More if self.received.len() > MAX_ANSWER => {
                    self.state = State::Refused(Refusal::Malformed);
                }
                Step::More => return,
                Step::Say(read, words) => {
                    self.received.drain(..read);
                    self.out.extend(words);
                }
                Step::Open(read) => {
                    self.received.drain(..read);
                    self.state = State::Open;
                }
                Step::Refused(refusal) => self.state = State::Refused(refusal),
            }
        }
    }

    /// What to say to the proxy.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        let asking = self.state == State::Asking && !self.out.is_empty();
        asking.then(|| std::mem::take(&mut self.out))
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// What the server itself has said already.
    #[must_use]
    pub fn into_rest(self) -> Vec<u8> {
        match self.state {
            State::Open => self.received,
            _ => Vec::new(),
        }
    }
}
