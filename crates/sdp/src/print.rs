//! Printing (RFC 8866 §5): the lines in their order, each ended by CRLF.

use crate::attribute::Attribute;
use crate::description::Description;
use crate::media::Media;
use crate::origin::Origin;
use crate::timing::Timing;
use std::fmt::{self, Display, Formatter};

impl Display for Description {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        line(f, 'v', "0")?;
        line(f, 'o', &self.origin.to_string())?;
        line(f, 's', &self.session_name)?;
        lines(f, 'i', &self.information)?;
        lines(f, 'u', &self.uri)?;
        lines(f, 'e', &self.emails)?;
        lines(f, 'p', &self.phones)?;
        lines(f, 'c', &self.connection)?;
        lines(f, 'b', &self.bandwidths)?;
        self.timings.iter().try_for_each(|timing| timing.fmt(f))?;
        self.attributes
            .iter()
            .try_for_each(|attribute| line(f, 'a', &attribute.to_string()))?;
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}

impl Display for Media {
    /// The whole section.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ports = match self.port_count {
            Some(count) => format!("{}/{count}", self.port),
            None => self.port.to_string(),
        };
        let formats = self.formats.join(" ");
        let value = format!("{} {ports} {} {formats}", self.kind, self.protocol);
        line(f, 'm', &value)?;
        lines(f, 'i', &self.title)?;
        lines(f, 'c', &self.connections)?;
        lines(f, 'b', &self.bandwidths)?;
        self.attributes
            .iter()
            .try_for_each(|attribute| line(f, 'a', &attribute.to_string()))
    }
}

impl Display for Timing {
    /// Its lines.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        line(f, 't', &self.active)?;
        lines(f, 'r', &self.repeats)?;
        lines(f, 'z', &self.zones)
    }
}

impl Display for Origin {
    /// The value of the line.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            username,
            session_id,
            session_version,
            address,
        } = self;
        write!(f, "{username} {session_id} {session_version} {address}")
    }
}

impl Display for Attribute {
    /// The value of the line: `key` or `key:value`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}:{value}", self.key),
            None => f.write_str(&self.key),
        }
    }
}

fn lines<'a>(
    f: &mut Formatter<'_>,
    kind: char,
    values: impl IntoIterator<Item = &'a String>,
) -> fmt::Result {
    values
        .into_iter()
        .try_for_each(|value| line(f, kind, value))
}

/// One line. A value cannot end its line early and begin another: what would is left out.
fn line(f: &mut Formatter<'_>, kind: char, value: &str) -> fmt::Result {
    write!(f, "{kind}=")?;
    value
        .split(['\r', '\n', '\0'])
        .try_for_each(|part| f.write_str(part))?;
    f.write_str("\r\n")
}
