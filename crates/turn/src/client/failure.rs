use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// Why the server does not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// Nobody answered.
    TimedOut,
    /// Answers came, and none had the right integrity: somebody stands in between, or the server does
    /// not know our password either (RFC 8489 §9.2.5).
    IntegrityViolated,
    /// Something the nonce promises is missing, or no password algorithm is known: an attempt to make
    /// us use a weaker one (RFC 8489 §9.2.1).
    BidDown,
    /// The answer lacks what it must have, or has what must be understood and is not.
    Malformed,
    /// The request is longer than 1500 bytes with this user name, realm and nonce.
    TooLarge,
    /// The connection to the server was closed.
    ConnectionLost,
    /// Not refreshed because it was not used.
    Unused,
    /// 300: ask this server, over a connection of its own (RFC 8489 §10).
    TryAlternate {
        /// The other server.
        server: SocketAddr,
        /// The name in its certificate.
        domain: Option<String>,
    },
    /// 300, to a server that was asked already.
    RedirectLoop,
    /// 401: the credentials are wrong.
    Unauthenticated,
    /// 403: the server will not do that.
    Forbidden,
    /// 437: on an attempt to allocate, the local address is taken; later, the allocation is gone.
    AllocationMismatch,
    /// 440: the server has no relayed addresses of that family, or gave one of another.
    AddressFamilyNotSupported,
    /// 441: the allocation was made by somebody else.
    WrongCredentials,
    /// 442: the server does not relay UDP.
    UnsupportedTransportProtocol,
    /// 443: the peer's address is not of the allocation's family.
    PeerAddressFamilyMismatch,
    /// 446: the relay has a connection with this peer (RFC 6062 §6.3).
    ConnectionAlreadyExists,
    /// 447: the peer does not answer, or the connection is gone (RFC 6062 §6.3).
    ConnectionFailed,
    /// 486: this user has as many allocations as allowed.
    AllocationQuotaReached,
    /// 508: the server is full.
    InsufficientCapacity,
    /// Another error code.
    Refused {
        /// The code, 300 to 699.
        code: u16,
    },
}

/// What to do after an attempt to allocate failed (RFC 8656 §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// Ask from another local address, three in all; after that leave the server alone for 2 min.
    OtherLocalAddress,
    /// Leave the server alone for this long.
    Wait(Duration),
    /// Ask another server or over another transport.
    OtherServer,
    /// Follow it with a new client over a new connection.
    Follow(SocketAddr),
    /// Asking again would give the same answer.
    GiveUp,
}

impl Failure {
    pub(super) fn from_code(code: u16) -> Self {
        match code {
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            437 => Self::AllocationMismatch,
            440 => Self::AddressFamilyNotSupported,
            441 => Self::WrongCredentials,
            442 => Self::UnsupportedTransportProtocol,
            443 => Self::PeerAddressFamilyMismatch,
            446 => Self::ConnectionAlreadyExists,
            447 => Self::ConnectionFailed,
            486 => Self::AllocationQuotaReached,
            508 => Self::InsufficientCapacity,
            code => Self::Refused { code },
        }
    }

    /// The error code of the server, if it gave one.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        Some(match self {
            Self::TryAlternate { .. } | Self::RedirectLoop => 300,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::AllocationMismatch => 437,
            Self::AddressFamilyNotSupported => 440,
            Self::WrongCredentials => 441,
            Self::UnsupportedTransportProtocol => 442,
            Self::PeerAddressFamilyMismatch => 443,
            Self::ConnectionAlreadyExists => 446,
            Self::ConnectionFailed => 447,
            Self::AllocationQuotaReached => 486,
            Self::InsufficientCapacity => 508,
            Self::Refused { code } => *code,
            _ => return None,
        })
    }

    /// What the RFC suggests to do next.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            // turn-008
            Self::AllocationMismatch => Advice::OtherLocalAddress,
            // turn-009
            Self::AllocationQuotaReached | Self::InsufficientCapacity => {
                Advice::Wait(Duration::from_secs(60))
            }
            Self::TryAlternate { server, .. } => Advice::Follow(*server),
            // turn-024
            Self::TimedOut | Self::ConnectionLost | Self::RedirectLoop => Advice::OtherServer,
            _ => Advice::GiveUp,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "the server does not answer",
            Self::IntegrityViolated => "no answer of the server has the right integrity",
            Self::BidDown => "the server's security features were taken away",
            Self::Malformed => "the server's answer is malformed",
            Self::TooLarge => "the request is too large",
            Self::ConnectionLost => "the connection to the server was closed",
            Self::Unused => "it was not used",
            Self::TryAlternate { server, .. } => return write!(f, "the server is now {server}"),
            Self::RedirectLoop => "the server sends back to where we were",
            Self::Unauthenticated => "the server does not accept the credentials",
            Self::Forbidden => "the server forbids it",
            Self::AllocationMismatch => "the server has another or no allocation for this address",
            Self::AddressFamilyNotSupported => "the server does not support this address family",
            Self::WrongCredentials => "the allocation belongs to other credentials",
            Self::UnsupportedTransportProtocol => "the server does not relay this protocol",
            Self::PeerAddressFamilyMismatch => "the peer's address family is not the relay's",
            Self::ConnectionAlreadyExists => "the relay has a connection with this peer",
            Self::ConnectionFailed => "the peer does not answer the relay",
            Self::AllocationQuotaReached => "the user has too many allocations",
            Self::InsufficientCapacity => "the server is full",
            Self::Refused { code } => return write!(f, "the server refuses with {code}"),
        })
    }
}

impl std::error::Error for Failure {}
