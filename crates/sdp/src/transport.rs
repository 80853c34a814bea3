//! What a description says about ICE (RFC 8839, RFC 8840) and DTLS (RFC 8122, RFC 8842). All of it
//! may stand at session level; what a section says itself wins (RFC 9429 §5.8).

use crate::candidate::Candidate;
use crate::description::Description;
use crate::error::{AttributeError, AttributeErrorKind};
use crate::fingerprint::Fingerprint;
use crate::line::{attribute_number, fields, is_ice_text};
use crate::media::Media;
use crate::setup::Setup;

impl Description {
    /// `a=ice-lite` (RFC 8839 §5.3): the peer only answers checks.
    #[must_use]
    pub fn is_ice_lite(&self) -> bool {
        self.has_attribute("ice-lite")
    }

    /// `a=ice-pacing` (RFC 8839 §5.5): the time between two checks that the peer proposes, in
    /// milliseconds; 50 where it says nothing.
    ///
    /// # Errors
    ///
    /// If it is no number of ten digits at most, or stands twice.
    pub fn ice_pacing(&self) -> Result<Option<u64>, AttributeError> {
        const KEY: &str = "ice-pacing";
        match self.single_attribute(KEY)? {
            Some(text) if text.len() > 10 => {
                Err(AttributeError::new(KEY, AttributeErrorKind::OutOfRange))
            }
            Some(text) => attribute_number(KEY, text).map(Some),
            None => Ok(None),
        }
    }
}

impl Media {
    /// `a=ice-ufrag` (RFC 8839 §5.4).
    ///
    /// # Errors
    ///
    /// If it is not 4 to 256 ice characters (also `-`, `=`, `#` and `_`, which old peers write), or
    /// stands twice at its level.
    pub fn ice_ufrag<'a>(
        &'a self,
        description: &'a Description,
    ) -> Result<Option<&'a str>, AttributeError> {
        self.ice_text(description, "ice-ufrag", 4)
    }

    /// `a=ice-pwd` (RFC 8839 §5.4).
    ///
    /// # Errors
    ///
    /// If it is not 22 to 256 ice characters, or stands twice at its level.
    pub fn ice_pwd<'a>(
        &'a self,
        description: &'a Description,
    ) -> Result<Option<&'a str>, AttributeError> {
        self.ice_text(description, "ice-pwd", 22)
    }

    fn ice_text<'a>(
        &'a self,
        description: &'a Description,
        key: &'static str,
        at_least: usize,
    ) -> Result<Option<&'a str>, AttributeError> {
        match self.single_with_fallback(description, key)? {
            Some(text) if !is_ice_text(text) => Err(AttributeError::malformed(key)),
            Some(text) if !(at_least..=256).contains(&text.len()) => {
                Err(AttributeError::new(key, AttributeErrorKind::OutOfRange))
            }
            text => Ok(text),
        }
    }

    /// `a=ice-options` (RFC 8839 §5.6), such as `trickle` (RFC 8840 §4.1.1) and `ice2`; empty if none.
    pub fn ice_options<'a>(&'a self, description: &'a Description) -> Vec<&'a str> {
        let own: Vec<&str> = self.attributes("ice-options").flat_map(fields).collect();
        if own.is_empty() {
            return description
                .attributes("ice-options")
                .flat_map(fields)
                .collect();
        }
        own
    }

    /// The `a=candidate` lines (RFC 8839 §5.1), each parsed on its own: a line that cannot be used
    /// is an error to pass over, not one that costs the others.
    pub fn candidates(
        &self,
    ) -> impl Iterator<Item = Result<Candidate, crate::CandidateError>> + '_ {
        self.attributes("candidate").map(Candidate::parse_value)
    }

    /// `a=end-of-candidates` (RFC 8840 §8.2), of the section or of the whole description.
    #[must_use]
    pub fn end_of_candidates(&self, description: &Description) -> bool {
        self.has_attribute("end-of-candidates") || description.has_attribute("end-of-candidates")
    }

    /// `a=setup` (RFC 8842 §5).
    ///
    /// # Errors
    ///
    /// If it is none of the four values, or stands twice at its level.
    pub fn setup(&self, description: &Description) -> Result<Option<Setup>, AttributeError> {
        self.single_with_fallback(description, "setup")?
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| AttributeError::malformed("setup"))
    }

    /// The `a=fingerprint` lines (RFC 8122 §5): one for each hash and certificate.
    ///
    /// # Errors
    ///
    /// If one is not a hash name and hex pairs.
    pub fn fingerprints(
        &self,
        description: &Description,
    ) -> Result<Vec<Fingerprint>, AttributeError> {
        let own: Result<Vec<_>, _> = self
            .attributes("fingerprint")
            .map(Fingerprint::parse)
            .collect();
        match own {
            Ok(own) if own.is_empty() => description
                .attributes("fingerprint")
                .map(Fingerprint::parse)
                .collect(),
            own => own,
        }
    }

    /// `a=tls-id` (RFC 8842 §4): a new one asks for a new DTLS association. Many peers have none.
    ///
    /// # Errors
    ///
    /// If it is not 20 to 255 letters, digits, `+`, `/`, `-` or `_`, or stands twice at its level.
    pub fn tls_id<'a>(
        &'a self,
        description: &'a Description,
    ) -> Result<Option<&'a str>, AttributeError> {
        let id = self.single_with_fallback(description, "tls-id")?;
        let is_tls_id = |id: &str| {
            let of_tls_id = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
            (20..=255).contains(&id.len()) && id.bytes().all(of_tls_id)
        };
        match id {
            Some(id) if !is_tls_id(id) => Err(AttributeError::malformed("tls-id")),
            id => Ok(id),
        }
    }

    /// RFC 9429 §5.8: the section's own value, else the session's.
    fn single_with_fallback<'a>(
        &'a self,
        description: &'a Description,
        key: &'static str,
    ) -> Result<Option<&'a str>, AttributeError> {
        match self.single_attribute(key)? {
            None => description.single_attribute(key),
            own => Ok(own),
        }
    }
}
