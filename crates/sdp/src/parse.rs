//! Parsing (RFC 8866 §5, RFC 9429 §5.8): one line after the other, in the order of the grammar.

use crate::attribute::Attribute;
use crate::description::Description;
use crate::error::{ParseError, ParseErrorKind};
use crate::line::{NumberError, fields, is_token, number};
use crate::media::Media;
use crate::origin::Origin;
use crate::timing::Timing;
use std::str::FromStr;

/// The longest description that is parsed, in bytes: 1 MiB. A conference of two hundred sections
/// with every codec of Chromium has about half of that.
pub const MAX_DESCRIPTION_LEN: usize = 1 << 20;

/// The most lines that are parsed: 65536. With [`MAX_DESCRIPTION_LEN`] it bounds the memory that a
/// description takes to a few times its length.
pub const MAX_LINES: usize = 1 << 16;

impl Description {
    /// Reads a description. Lines end in CRLF or LF; blank lines are accepted at the end.
    ///
    /// # Errors
    ///
    /// A [`ParseError`] with the first line that is malformed, missing or out of place
    /// (RFC 9429 §5.8).
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let at = |line| move |kind| ParseError { line, kind };
        if text.len() > MAX_DESCRIPTION_LEN {
            return Err(at(1)(ParseErrorKind::TooLong));
        }
        let mut reader = Reader::new();
        let mut count = 0;
        for line in text.trim_end_matches(['\r', '\n']).split('\n') {
            count += 1;
            if count > MAX_LINES {
                return Err(at(count)(ParseErrorKind::TooManyLines));
            }
            reader.read(line).map_err(at(count))?;
        }
        reader.finish().map_err(at(count + 1))
    }
}

impl FromStr for Description {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// The order of the lines of a session (RFC 8866 §5), each with whether it may be repeated. `r` and
/// `z` belong to `t` and share its place.
const SESSION_ORDER: [(char, bool); 12] = [
    ('v', false),
    ('o', false),
    ('s', false),
    ('i', false),
    ('u', false),
    ('e', true),
    ('p', true),
    ('c', false),
    ('b', true),
    ('t', true),
    ('k', false),
    ('a', true),
];

/// The order of the lines of a section.
const MEDIA_ORDER: [(char, bool); 5] = [
    ('i', false),
    ('c', true),
    ('b', true),
    ('k', false),
    ('a', true),
];

/// What has been read so far.
struct Reader {
    description: Description,
    /// The index, in the order of where we are, that the next line may have at least.
    earliest: usize,
}

impl Reader {
    fn new() -> Self {
        let description = Description {
            timings: Vec::new(),
            ..Description::default()
        };
        Self {
            description,
            earliest: 0,
        }
    }

    fn read(&mut self, line: &str) -> Result<(), ParseErrorKind> {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.contains(['\r', '\0']) {
            return Err(ParseErrorKind::NotALine);
        }
        let mut chars = line.chars();
        let (Some(kind), Some('=')) = (chars.next(), chars.next()) else {
            return Err(ParseErrorKind::NotALine);
        };
        let value = chars.as_str();
        if kind == 'm' {
            return self.begin_media(value);
        }
        self.advance(kind)?;
        let result = match self.description.media.last_mut() {
            Some(media) => read_media(media, kind, value),
            None => read_session(&mut self.description, kind, value),
        };
        result.map_err(|error| of_line(kind, error))
    }

    /// Moves on to a line of this kind, or says that it stands in the wrong place.
    fn advance(&mut self, kind: char) -> Result<(), ParseErrorKind> {
        let in_session = self.description.media.is_empty();
        // Applications edit descriptions: a bandwidth behind `a=mid` is their oldest habit, and
        // browsers read it. It is printed where it belongs.
        if kind == 'b' && !in_session {
            return Ok(());
        }
        let order = if in_session {
            SESSION_ORDER.as_slice()
        } else {
            MEDIA_ORDER.as_slice()
        };
        let place = match kind {
            'r' | 'z' if in_session => 't',
            other => other,
        };
        let index = order
            .iter()
            .position(|(kind, _)| *kind == place)
            .filter(|index| *index >= self.earliest)
            .ok_or(ParseErrorKind::Unexpected(kind))?;
        if in_session {
            self.require_before(index)?;
        }
        if kind != place && self.description.timings.is_empty() {
            return Err(ParseErrorKind::Unexpected(kind));
        }
        self.earliest = if order[index].1 { index } else { index + 1 };
        Ok(())
    }

    /// RFC 8866 §5: `v`, `o`, `s` and `t` are not optional.
    fn require_before(&self, index: usize) -> Result<(), ParseErrorKind> {
        for (required, kind) in [(0, 'v'), (1, 'o'), (2, 's')] {
            if index > required && self.earliest <= required {
                return Err(ParseErrorKind::Missing(kind));
            }
        }
        if index > 9 && self.description.timings.is_empty() {
            return Err(ParseErrorKind::Missing('t'));
        }
        Ok(())
    }

    fn begin_media(&mut self, value: &str) -> Result<(), ParseErrorKind> {
        if self.description.media.is_empty() {
            self.require_before(SESSION_ORDER.len())?;
        }
        let media = Media::parse(value).map_err(|error| of_line('m', error))?;
        self.description.media.push(media);
        self.earliest = 0;
        Ok(())
    }

    fn finish(mut self) -> Result<Description, ParseErrorKind> {
        if self.description.media.is_empty() {
            self.require_before(SESSION_ORDER.len())?;
        }
        // A description is kept as long as its connection.
        self.description.media.shrink_to_fit();
        self.description.timings.shrink_to_fit();
        self.description.attributes.shrink_to_fit();
        for media in &mut self.description.media {
            media.attributes.shrink_to_fit();
        }
        Ok(self.description)
    }
}

fn of_line(kind: char, error: NumberError) -> ParseErrorKind {
    match error {
        NumberError::Malformed if kind == 'v' => ParseErrorKind::Version,
        NumberError::Malformed => ParseErrorKind::Malformed(kind),
        NumberError::OutOfRange => ParseErrorKind::OutOfRange(kind),
    }
}

fn read_session(description: &mut Description, kind: char, value: &str) -> Result<(), NumberError> {
    match kind {
        // RFC 8866 §5.1: there is one version.
        'v' if value == "0" => {}
        'o' => description.origin = Origin::parse(value)?,
        // RFC 8866 §5.3 wants a character; SIP equipment sends none, and the name means nothing here.
        's' => description.session_name = value.into(),
        'i' => description.information = Some(text(value)?),
        'u' => description.uri = Some(text(value)?),
        'e' => description.emails.push(text(value)?),
        'p' => description.phones.push(text(value)?),
        'c' => description.connection = Some(connection(value)?),
        'b' => description.bandwidths.push(bandwidth(value)?),
        't' | 'r' | 'z' => read_timing(&mut description.timings, kind, value)?,
        'k' => discard_key(value)?,
        'a' => description.attributes.push(attribute(value)?),
        _ => return Err(NumberError::Malformed),
    }
    Ok(())
}

fn read_media(media: &mut Media, kind: char, value: &str) -> Result<(), NumberError> {
    match kind {
        'i' => media.title = Some(text(value)?),
        'c' => media.connections.push(connection(value)?),
        'b' => media.bandwidths.push(bandwidth(value)?),
        'k' => discard_key(value)?,
        'a' => media.attributes.push(attribute(value)?),
        _ => return Err(NumberError::Malformed),
    }
    Ok(())
}

/// RFC 8866 §9, `text`: at least one character.
fn text(value: &str) -> Result<String, NumberError> {
    match value {
        "" => Err(NumberError::Malformed),
        value => Ok(value.into()),
    }
}

/// RFC 8866 §5.7: network type, address type, address.
fn connection(value: &str) -> Result<String, NumberError> {
    match fields(value).count() {
        3 => Ok(value.into()),
        _ => Err(NumberError::Malformed),
    }
}

/// RFC 8866 §5.8: a name and a number of kilobits, or whatever unit the name stands for.
fn bandwidth(value: &str) -> Result<String, NumberError> {
    let (name, amount) = value.split_once(':').ok_or(NumberError::Malformed)?;
    if !is_token(name) {
        return Err(NumberError::Malformed);
    }
    number::<u64>(amount.trim_end_matches(' '))?;
    Ok(value.into())
}

/// RFC 8866 §5.12: the line is obsolete and discarded when received.
fn discard_key(value: &str) -> Result<(), NumberError> {
    text(value).map(drop)
}

/// RFC 8866 §5.13: a token, with or without a value.
fn attribute(line: &str) -> Result<Attribute, NumberError> {
    let (key, value) = match line.split_once(':') {
        Some((key, value)) => (key, Some(value)),
        // A flag with spaces behind it is a flag still: an old habit of gateways.
        None => (line.trim_end_matches(' '), None),
    };
    if !is_token(key) {
        return Err(NumberError::Malformed);
    }
    Ok(Attribute {
        key: key.into(),
        value: value.map(String::from),
    })
}

/// RFC 8866 §5.9 to §5.11.
fn read_timing(timings: &mut Vec<Timing>, kind: char, value: &str) -> Result<(), NumberError> {
    if kind == 't' {
        timings.push(Timing {
            active: active_time(value)?,
            ..Timing::default()
        });
        return Ok(());
    }
    let timing = timings.last_mut().ok_or(NumberError::Malformed)?;
    match kind {
        'r' if typed_times(value) >= Some(3) => timing.repeats.push(value.into()),
        'z' if timing.zones.is_none()
            && typed_times(value).is_some_and(|n| n > 0 && n % 2 == 0) =>
        {
            timing.zones = Some(value.into());
        }
        _ => return Err(NumberError::Malformed),
    }
    Ok(())
}

fn active_time(value: &str) -> Result<String, NumberError> {
    let mut fields = fields(value);
    let (Some(start), Some(stop), None) = (fields.next(), fields.next(), fields.next()) else {
        return Err(NumberError::Malformed);
    };
    number::<u64>(start)?;
    number::<u64>(stop)?;
    Ok(value.into())
}

/// How many times a line has: digits with an optional sign and unit (RFC 8866 §9, `typed-time`).
fn typed_times(value: &str) -> Option<usize> {
    let is_time = |field: &str| {
        let digits = field.strip_prefix('-').unwrap_or(field);
        let digits = digits.strip_suffix(['d', 'h', 'm', 's']).unwrap_or(digits);
        number::<u64>(digits).is_ok()
    };
    fields(value).all(is_time).then(|| fields(value).count())
}
