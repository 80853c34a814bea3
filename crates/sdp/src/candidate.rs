use crate::line::{fields, is_ice_text, is_token, number};
use std::fmt;
use std::str::FromStr;

/// The longest candidate line that is parsed, in bytes.
const MAX_CANDIDATE_LEN: usize = 4096;

/// The largest priority, 2^31 - 1 (RFC 8839 §5.1).
const MAX_PRIORITY: u32 = (1 << 31) - 1;

/// A candidate line (RFC 8839 §5.1), TCP included (RFC 6544 §4.5).
///
/// ```text
/// candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type>
///     [raddr <address>] [rport <port>] *(<name> <value>)
/// ```
///
/// [`FromStr`] reads it with `a=` or `candidate:` before it or without, and with or without an end
/// of line; [`Display`](fmt::Display) prints it from `candidate:` on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// Equal for candidates of one type, base, server and transport: 1 to 32 letters, digits, `+`, `/`.
    pub foundation: String,
    /// 1 to 256. 1 for RTP and everything multiplexed with it, 2 for RTCP.
    pub component: u16,
    /// `udp` or `tcp`, in any case, as written.
    pub transport: String,
    /// 1 to 2^31 - 1; larger is preferred.
    pub priority: u32,
    /// An IP address, or a name, such as one of multicast DNS that ends in `.local`.
    pub address: String,
    /// The port; 9 for an active TCP candidate.
    pub port: u16,
    /// `host`, `srflx`, `prflx`, `relay`, or an extension, as written.
    pub kind: String,
    /// `raddr`: the base of a reflexive candidate, the mapped address of a relayed one.
    pub related_address: Option<String>,
    /// `rport`: its port.
    pub related_port: Option<u16>,
    /// Names and values that follow, in order: `tcptype`, `ufrag`, `generation`, `network-cost`, …
    pub extensions: Vec<(String, String)>,
}

impl Candidate {
    /// The value of the first extension of that name.
    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.extensions
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// `tcptype`: `active`, `passive` or `so` (RFC 6544 §4.5).
    #[must_use]
    pub fn tcp_type(&self) -> Option<&str> {
        self.extension("tcptype")
    }

    /// `ufrag`: the generation to which it belongs, where browsers say so.
    #[must_use]
    pub fn ufrag(&self) -> Option<&str> {
        self.extension("ufrag")
    }

    /// The value of an `a=candidate` line: what stands after the colon.
    pub(crate) fn parse_value(value: &str) -> Result<Self, CandidateError> {
        if value.len() > MAX_CANDIDATE_LEN {
            return Err(CandidateError::TooLong);
        }
        if value.contains(|c: char| c.is_control()) {
            return Err(CandidateError::Extension);
        }
        let mut fields = fields(value);
        let mut next = || fields.next().ok_or(CandidateError::Truncated);
        let mut candidate = Self {
            foundation: foundation(next()?)?,
            component: component(next()?)?,
            transport: token(next()?, CandidateError::Transport)?,
            priority: priority(next()?)?,
            address: next()?.into(),
            port: number(next()?).map_err(|_| CandidateError::Port)?,
            kind: typ(next()?, next()?)?,
            related_address: None,
            related_port: None,
            extensions: Vec::new(),
        };
        while let Some(name) = fields.next() {
            candidate.read_extension(name, fields.next().unwrap_or_default())?;
        }
        Ok(candidate)
    }

    /// One pair. `raddr` and `rport` come first (RFC 8839 §5.1); a repetition is kept as it stands.
    fn read_extension(&mut self, name: &str, value: &str) -> Result<(), CandidateError> {
        match name {
            "raddr" if self.related_address.is_none() && self.extensions.is_empty() => {
                if value.is_empty() {
                    return Err(CandidateError::Truncated);
                }
                self.related_address = Some(value.into());
            }
            "rport" if self.related_port.is_none() && self.extensions.is_empty() => {
                self.related_port = Some(number(value).map_err(|_| CandidateError::Port)?);
            }
            _ => {
                let name = token(name, CandidateError::Extension)?;
                self.extensions.push((name, value.into()));
            }
        }
        Ok(())
    }
}

fn foundation(text: &str) -> Result<String, CandidateError> {
    if is_ice_text(text) && text.len() <= 32 {
        return Ok(text.into());
    }
    Err(CandidateError::Foundation)
}

fn component(text: &str) -> Result<u16, CandidateError> {
    number(text)
        .ok()
        .filter(|component| (1..=256).contains(component))
        .ok_or(CandidateError::Component)
}

fn priority(text: &str) -> Result<u32, CandidateError> {
    number(text)
        .ok()
        .filter(|priority| (1..=MAX_PRIORITY).contains(priority))
        .ok_or(CandidateError::Priority)
}

fn token(text: &str, error: CandidateError) -> Result<String, CandidateError> {
    if is_token(text) {
        return Ok(text.into());
    }
    Err(error)
}

fn typ(name: &str, value: &str) -> Result<String, CandidateError> {
    match name {
        "typ" => token(value, CandidateError::Type),
        _ => Err(CandidateError::Type),
    }
}

impl FromStr for Candidate {
    type Err = CandidateError;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let line = line.trim_end_matches(['\r', '\n']);
        let line = line.strip_prefix("a=").unwrap_or(line);
        Self::parse_value(line.strip_prefix("candidate:").unwrap_or(line))
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "candidate:{} {} {} {} {} {} typ {}",
            self.foundation,
            self.component,
            self.transport,
            self.priority,
            self.address,
            self.port,
            self.kind
        )?;
        if let Some(address) = &self.related_address {
            write!(f, " raddr {address}")?;
        }
        if let Some(port) = self.related_port {
            write!(f, " rport {port}")?;
        }
        self.extensions
            .iter()
            .try_for_each(|(name, value)| write!(f, " {name} {value}"))
    }
}

/// Why a candidate line cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CandidateError {
    /// Longer than any candidate.
    TooLong,
    /// It ends before its type.
    Truncated,
    /// Not 1 to 32 letters, digits, `+`, `/`.
    Foundation,
    /// Not 1 to 256.
    Component,
    /// Not a token.
    Transport,
    /// Not 1 to 2^31 - 1.
    Priority,
    /// Not 0 to 65535.
    Port,
    /// Not `typ` and a token.
    Type,
    /// What follows is not names and values.
    Extension,
}

impl fmt::Display for CandidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the candidate is too long",
            Self::Truncated => "the candidate ends too early",
            Self::Foundation => "the foundation of the candidate is not 1 to 32 ice characters",
            Self::Component => "the component of the candidate is not 1 to 256",
            Self::Transport => "the transport of the candidate is not a token",
            Self::Priority => "the priority of the candidate is not 1 to 2^31 - 1",
            Self::Port => "a port of the candidate is not 0 to 65535",
            Self::Type => "the candidate has no type",
            Self::Extension => "the extensions of the candidate are not names and values",
        })
    }
}

impl std::error::Error for CandidateError {}
