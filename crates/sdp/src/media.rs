use crate::attribute::{Attribute, attribute_verbs};
use crate::error::AttributeError;
use crate::line::{NumberError, fields, is_token, number};
use std::net::SocketAddr;

/// A media section (RFC 8866 §5.14): the `m=` line and what follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Media {
    /// What flows: `audio`, `video`, `application`.
    pub kind: String,
    /// The port; 9 where ICE decides, 0 for a rejected or bundle-only section.
    pub port: u16,
    /// How many ports, where written: `m=video 49170/2`.
    pub port_count: Option<u16>,
    /// The transport: `UDP/DTLS/SCTP`, `UDP/TLS/RTP/SAVPF`.
    pub protocol: String,
    /// Payload types, or `webrtc-datachannel`; at least one.
    pub formats: Vec<String>,
    /// `i=`
    pub title: Option<String>,
    /// `c=`
    pub connections: Vec<String>,
    /// `b=`
    pub bandwidths: Vec<String>,
    /// `a=`
    pub attributes: Vec<Attribute>,
}

impl Media {
    /// Puts an address into the section, with its port, in the place of those there are
    /// (RFC 8839 §4.2.1.2).
    pub fn set_address(&mut self, address: SocketAddr) {
        let family = if address.is_ipv4() { "IP4" } else { "IP6" };
        self.connections = vec![format!("IN {family} {}", address.ip())];
        self.port = address.port();
    }

    /// A section on port 9 without an address, as WebRTC begins it: `c=IN IP4 0.0.0.0`
    /// (RFC 9429 §5.2.1).
    #[must_use]
    pub fn new<F: Into<String>>(
        kind: impl Into<String>,
        protocol: impl Into<String>,
        formats: impl IntoIterator<Item = F>,
    ) -> Self {
        Self {
            kind: kind.into(),
            port: 9,
            protocol: protocol.into(),
            formats: formats.into_iter().map(Into::into).collect(),
            connections: vec!["IN IP4 0.0.0.0".into()],
            ..Self::default()
        }
    }

    /// The value of the `m=` line.
    pub(crate) fn parse(value: &str) -> Result<Self, NumberError> {
        let mut fields = fields(value);
        let mut next = || fields.next().ok_or(NumberError::Malformed);
        let (kind, ports, protocol) = (next()?, next()?, next()?);
        let (port, port_count) = match ports.split_once('/') {
            Some((port, count)) => (port, Some(number(count)?)),
            None => (ports, None),
        };
        let formats: Vec<String> = fields.map(String::from).collect();
        let tokens = is_token(kind)
            && protocol.split('/').all(is_token)
            && formats.iter().all(|format| is_token(format));
        if !tokens || formats.is_empty() {
            return Err(NumberError::Malformed);
        }
        Ok(Self {
            kind: kind.into(),
            port: number(port)?,
            port_count,
            protocol: protocol.into(),
            formats,
            ..Self::default()
        })
    }

    /// The section's name, `a=mid` (RFC 5888 §4); the first, if there are several.
    #[must_use]
    pub fn mid(&self) -> Option<&str> {
        self.attribute("mid")
    }

    /// The section's name, checked.
    ///
    /// # Errors
    ///
    /// If it is not a token, or stands twice.
    pub fn checked_mid(&self) -> Result<Option<&str>, AttributeError> {
        match self.single_attribute("mid")? {
            Some(mid) if !is_token(mid) => Err(AttributeError::malformed("mid")),
            mid => Ok(mid),
        }
    }

    /// `a=bundle-only` (RFC 9143 §6): port 0, and yet not rejected.
    #[must_use]
    pub fn is_bundle_only(&self) -> bool {
        self.has_attribute("bundle-only")
    }

    /// Whether the section is rejected: port 0 (RFC 3264 §6), unless it is bundle-only (RFC 9143 §6).
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        self.port == 0 && !self.is_bundle_only()
    }
}

attribute_verbs!(Media, "section's");
