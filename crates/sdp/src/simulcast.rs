//! Several encodings of one source (RFC 8853 §5.1).
//!
//! ```text
//! sc-value    = ( sc-send [SP sc-recv] ) / ( sc-recv [SP sc-send] )
//! sc-send     = "send" SP sc-str-list
//! sc-recv     = "recv" SP sc-str-list
//! sc-str-list = sc-alt-list *( ";" sc-alt-list )
//! sc-alt-list = sc-id *( "," sc-id )
//! sc-id       = ["~"] rid-id
//! ```

use crate::error::AttributeError;
use crate::line::fields;
use crate::media::Media;
use crate::rid::{RidDirection, is_rid_id};
use std::fmt;

/// One of the formats a simulcast stream may have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SimulcastStream {
    /// The name of its [`Rid`](crate::Rid).
    pub rid: String,
    /// `~`: it begins paused.
    pub paused: bool,
}

impl SimulcastStream {
    /// A stream that is not paused.
    #[must_use]
    pub fn new(rid: impl Into<String>) -> Self {
        Self {
            rid: rid.into(),
            paused: false,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (rid, paused) = match text.strip_prefix('~') {
            Some(rid) => (rid, true),
            None => (text, false),
        };
        is_rid_id(rid).then(|| Self {
            rid: rid.into(),
            paused,
        })
    }
}

impl fmt::Display for SimulcastStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.paused { "~" } else { "" })?;
        f.write_str(&self.rid)
    }
}

/// An `a=simulcast` line (RFC 8853 §5). Each direction is a list of streams, and each stream a list
/// of alternatives, both in order of preference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Simulcast {
    /// What the writer of the description sends; empty for nothing.
    pub send: Vec<Vec<SimulcastStream>>,
    /// What it receives.
    pub recv: Vec<Vec<SimulcastStream>>,
}

impl Simulcast {
    fn parse(value: &str) -> Option<Self> {
        let mut simulcast = Self::default();
        let mut fields = fields(value);
        while let Some(direction) = fields.next() {
            let streams = match RidDirection::named(direction)? {
                RidDirection::Send => &mut simulcast.send,
                RidDirection::Recv => &mut simulcast.recv,
            };
            // RFC 8853 §5.1: a direction stands once.
            if !streams.is_empty() {
                return None;
            }
            *streams = list(fields.next()?)?;
        }
        (simulcast != Self::default()).then_some(simulcast)
    }
}

/// RFC 8853 §5.1, `sc-str-list`.
fn list(text: &str) -> Option<Vec<Vec<SimulcastStream>>> {
    let alternatives = |text: &str| text.split(',').map(SimulcastStream::parse).collect();
    text.split(';').map(alternatives).collect()
}

impl fmt::Display for Simulcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (direction, streams) in [("send", &self.send), ("recv", &self.recv)] {
            if streams.is_empty() {
                continue;
            }
            write!(f, "{separator}{direction} ")?;
            separator = " ";
            for (index, alternatives) in streams.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { ";" })?;
                for (index, stream) in alternatives.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "," })?;
                    write!(f, "{stream}")?;
                }
            }
        }
        Ok(())
    }
}

impl Media {
    /// `a=simulcast` (RFC 8853 §5). Two of them disable simulcast (RFC 8853 §5.3.2), as does none.
    ///
    /// # Errors
    ///
    /// If the line is malformed, or a direction stands twice in it.
    pub fn simulcast(&self) -> Result<Option<Simulcast>, AttributeError> {
        let mut lines = self.attributes("simulcast");
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return Ok(None);
        };
        let malformed = AttributeError::malformed("simulcast");
        Simulcast::parse(line).map(Some).ok_or(malformed)
    }
}
