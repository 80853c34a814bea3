//! What the payload types of an RTP section mean (RFC 8866 §6.6).
//!
//! ```text
//! a=rtpmap:<payload type> <encoding name>/<clock rate>[/<channels>]
//! ```

use crate::error::{AttributeError, AttributeErrorKind};
use crate::line::{attribute_number, fields, is_token};
use crate::media::Media;
use std::fmt;

/// An `a=rtpmap` line (RFC 8866 §6.6): what a payload type means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RtpMap {
    /// The payload type.
    pub payload_type: u8,
    /// The name of the encoding; its case does not count.
    pub encoding: String,
    /// The clock rate of the timestamps, Hz.
    pub clock_rate: u32,
    /// Audio channels; 1 where nothing is said.
    pub channels: u16,
}

/// The payload types of RFC 3551 §6 that are still offered, and need no line.
const STATIC: [(u8, &str, u32); 4] = [
    (0, "PCMU", 8000),
    (8, "PCMA", 8000),
    (9, "G722", 8000),
    (13, "CN", 8000),
];

impl RtpMap {
    /// What a payload type means without a line (RFC 3551 §6): 0, 8, 9 or 13.
    #[must_use]
    pub fn of_static(payload_type: u8) -> Option<Self> {
        STATIC
            .into_iter()
            .find(|(number, ..)| *number == payload_type)
            .map(|(payload_type, encoding, clock_rate)| Self {
                payload_type,
                encoding: encoding.into(),
                clock_rate,
                channels: 1,
            })
    }

    fn parse(value: &str) -> Result<Self, AttributeError> {
        let malformed = AttributeError::malformed("rtpmap");
        let mut fields = fields(value);
        let (Some(number), Some(map), None) = (fields.next(), fields.next(), fields.next()) else {
            return Err(malformed);
        };
        let mut parts = map.split('/');
        let (Some(encoding), Some(rate), channels, None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed);
        };
        if !is_token(encoding) {
            return Err(malformed);
        }
        Ok(Self {
            payload_type: payload_type("rtpmap", number)?,
            encoding: encoding.into(),
            clock_rate: attribute_number("rtpmap", rate)?,
            channels: channels.map_or(Ok(1), |text| attribute_number("rtpmap", text))?,
        })
    }
}

impl fmt::Display for RtpMap {
    /// The value of the line. One channel is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            payload_type,
            encoding,
            clock_rate,
            channels,
        } = self;
        write!(f, "{payload_type} {encoding}/{clock_rate}")?;
        match channels {
            1 => Ok(()),
            channels => write!(f, "/{channels}"),
        }
    }
}

/// RFC 3550 §5.1: seven bits.
pub(crate) fn payload_type(key: &'static str, text: &str) -> Result<u8, AttributeError> {
    match attribute_number(key, text)? {
        number @ 0..=127 => Ok(number),
        _ => Err(AttributeError::new(key, AttributeErrorKind::OutOfRange)),
    }
}

impl Media {
    /// The section's payload types, in the order of preference of the `m=` line: each with its
    /// `a=rtpmap`, or with what it means without one. One that is neither is left out.
    ///
    /// # Errors
    ///
    /// If a line is malformed or out of range, or two lines have the same payload type.
    pub fn rtp_maps(&self) -> Result<Vec<RtpMap>, AttributeError> {
        let lines: Result<Vec<RtpMap>, _> = self.attributes("rtpmap").map(RtpMap::parse).collect();
        let mut lines = lines?;
        lines.sort_by_key(|map| map.payload_type);
        if lines
            .windows(2)
            .any(|pair| pair[0].payload_type == pair[1].payload_type)
        {
            return Err(AttributeError::new("rtpmap", AttributeErrorKind::Duplicate));
        }
        let of_format = |format: &String| {
            let number = payload_type("rtpmap", format).ok()?;
            match lines.binary_search_by_key(&number, |map| map.payload_type) {
                Ok(index) => Some(lines[index].clone()),
                Err(_) => RtpMap::of_static(number),
            }
        };
        Ok(self.formats.iter().filter_map(of_format).collect())
    }

    /// The `a=fmtp` text of a payload type (RFC 8866 §6.15), which only its codec understands.
    #[must_use]
    pub fn format_parameters(&self, payload_type: u8) -> Option<&str> {
        self.attributes("fmtp")
            .find_map(|value| of_payload_type(value, payload_type, false))
    }

    /// The `a=rtcp-fb` values of a payload type, with those for all, `*` (RFC 4585 §4.2).
    pub fn rtcp_feedback(&self, payload_type: u8) -> impl Iterator<Item = &str> {
        self.attributes("rtcp-fb")
            .filter_map(move |value| of_payload_type(value, payload_type, true))
    }
}

/// What follows the payload type, if it is this one. The wildcard exists for `rtcp-fb` only.
fn of_payload_type(value: &str, payload_type: u8, has_wildcard: bool) -> Option<&str> {
    let (format, rest) = value.split_once(' ')?;
    let is_ours = match format {
        "*" => has_wildcard,
        number => number.parse() == Ok(payload_type),
    };
    is_ours.then(|| rest.trim_matches(' '))
}
