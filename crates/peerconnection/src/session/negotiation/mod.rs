//! Offers and answers (RFC 9429): what was said, what may be said next, and its text.

mod answer;
mod apply;
mod init;
mod offer;
mod remote;
mod signaling;

use crate::api::description::{SdpType, SessionDescription};
use crate::api::state::SignalingState;
use crate::error::{Error, ErrorKind};
use crate::session::media::is_spoken;
use layer::{Credentials, DEFAULT_CHECK_INTERVAL, Fingerprint};
use sdp::{Description, Media, Origin, ParseError, Setup};
use std::collections::BTreeSet;
use std::time::Duration;

pub(crate) use init::LocalInit;
#[cfg(feature = "rtp")]
pub(crate) use remote::refused;
pub(crate) use remote::{RemoteData, RemoteTransport};
pub(crate) use signaling::Side;

/// The most sections of a description of the peer; one with more is refused.
const MAX_SECTIONS: usize = 1024;

/// The port we say; SCTP over DTLS has no others to share it with (RFC 8841 §5).
pub(crate) const SCTP_PORT: u16 = 5000;

/// A description that has been set.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) kind: SdpType,
    /// As it was created or received.
    pub(crate) text: String,
    pub(crate) description: Description,
}

impl Applied {
    /// The place of the section that carries data channels, if it is not rejected.
    pub(crate) fn data_section(&self) -> Option<usize> {
        data_section(&self.description)
    }

    /// The place of the section that describes the transport, if any section is spoken here.
    pub(crate) fn transport_section(&self) -> Option<usize> {
        transport_section(&self.description)
    }

    /// The fragment of the section that describes the transport.
    pub(crate) fn username_fragment(&self) -> Option<&str> {
        self.description.media[self.transport_section()?].attribute("ice-ufrag")
    }

    /// As it was set.
    pub(crate) fn as_set(&self) -> SessionDescription {
        SessionDescription::new(self.kind, self.text.clone())
    }

    /// pc-027: at session level or in any section.
    pub(crate) fn can_trickle(&self) -> bool {
        let description = &self.description;
        let says = |options: &str| options.split(' ').any(|option| option == "trickle");
        description.attributes("ice-options").any(says)
            || description
                .media
                .iter()
                .any(|media| media.attributes("ice-options").any(says))
    }
}

/// The first data section that is not rejected.
pub(crate) fn data_section(description: &Description) -> Option<usize> {
    description
        .media
        .iter()
        .position(|media| media.is_data() && !media.is_rejected())
}

/// The section that describes the one transport: the first of the bundle that is not rejected
/// (RFC 9143 §7.2, the tagged section), or the first of all without a bundle.
pub(crate) fn transport_section(description: &Description) -> Option<usize> {
    let usable = |section: &Media| is_spoken(section) && !section.is_rejected();
    if let Ok(Some(group)) = description.bundle() {
        let place = |mid: &String| {
            let mut media = description.media.iter();
            media.position(|section| section.mid() == Some(mid) && usable(section))
        };
        if let Some(tagged) = group.mids.iter().find_map(place) {
            return Some(tagged);
        }
    }
    description.media.iter().position(usable)
}

/// Whether sections share a transport: the one that describes it stands in a bundle.
pub(crate) fn is_bundled(description: &Description) -> bool {
    let tagged = transport_section(description);
    tagged.is_some_and(|index| bundles(description, &description.media[index]))
}

fn bundles(description: &Description, section: &Media) -> bool {
    let Ok(Some(group)) = description.bundle() else {
        return false;
    };
    section
        .mid()
        .is_some_and(|mid| group.mids.iter().any(|member| member == mid))
}

/// Which sections of an offer one transport could carry: those of the bundle. Without one each has
/// a transport of its own, and the answer takes a single section (JSEP's `must-bundle`, RFC 9429
/// §4.1.1).
pub(crate) fn riding_sections(description: &Description) -> Vec<bool> {
    let shared = is_bundled(description);
    let rides = |section: &Media| {
        let usable = is_spoken(section) && !section.is_rejected();
        usable && (!shared || bundles(description, section))
    };
    description.media.iter().map(rides).collect()
}

/// The part of our transport that a description carries.
#[derive(Clone, Debug)]
pub(crate) struct LocalTransport {
    pub(crate) credentials: Credentials,
    /// We only answer checks (RFC 8445 §2.5).
    pub(crate) lite: bool,
    /// The time between two checks that we propose.
    pub(crate) check_interval: Duration,
    pub(crate) fingerprints: Vec<Fingerprint>,
    pub(crate) tls_id: String,
    pub(crate) init: Option<LocalInit>,
    pub(crate) max_message: usize,
}

impl LocalTransport {
    /// RFC 8841 §6.1: 0 means any size.
    fn announced_size(&self) -> usize {
        match self.max_message {
            usize::MAX => 0,
            size => size,
        }
    }
}

/// Current and pending descriptions of both sides (RFC 9429 §4.1.13 to §4.1.16).
#[derive(Debug)]
pub(crate) struct Negotiation {
    pub(crate) signaling_state: SignalingState,
    pub(crate) current_local: Option<Applied>,
    pub(crate) pending_local: Option<Applied>,
    pub(crate) current_remote: Option<Applied>,
    pub(crate) pending_remote: Option<Applied>,
    /// What `create_offer` and `create_answer` gave last; only these may be set (webrtc-pc §4.4.2.2).
    last_offer: Option<String>,
    last_answer: Option<String>,
    session_id: u64,
    session_version: u64,
}

impl Negotiation {
    /// `session_id` is random, 63 bits (RFC 9429 §5.2.1).
    pub(crate) fn new(session_id: u64) -> Self {
        Self {
            signaling_state: SignalingState::Stable,
            current_local: None,
            pending_local: None,
            current_remote: None,
            pending_remote: None,
            last_offer: None,
            last_answer: None,
            session_id,
            session_version: 1,
        }
    }

    pub(crate) fn local(&self) -> Option<&Applied> {
        self.pending_local.as_ref().or(self.current_local.as_ref())
    }

    pub(crate) fn remote(&self) -> Option<&Applied> {
        self.pending_remote
            .as_ref()
            .or(self.current_remote.as_ref())
    }

    /// Whether a data section has been agreed on.
    pub(crate) fn has_data(&self) -> bool {
        self.current_local
            .as_ref()
            .is_some_and(|applied| applied.data_section().is_some())
    }

    /// Whether a pending offer of either side has a data section.
    pub(crate) fn offers_data(&self) -> bool {
        let pending = [&self.pending_local, &self.pending_remote];
        pending
            .into_iter()
            .flatten()
            .any(|applied| applied.kind == SdpType::Offer && applied.data_section().is_some())
    }

    /// Whether this kind of description may be set now.
    pub(crate) fn check(&self, side: Side, kind: SdpType) -> Result<SignalingState, Error> {
        signaling::next(self.signaling_state, side, kind).ok_or_else(|| {
            let whose = match side {
                Side::Local => "local",
                Side::Remote => "remote",
            };
            Error::new(
                ErrorKind::InvalidState,
                format!(
                    "a {whose} {kind} cannot be set in state {}",
                    self.signaling_state
                ),
            )
        })
    }

    /// Checks that a local description is the one created last and parses it.
    pub(crate) fn check_local(&self, kind: SdpType, text: &str) -> Result<Applied, Error> {
        let created = match kind {
            SdpType::Offer => &self.last_offer,
            _ => &self.last_answer,
        };
        if created.as_deref() != Some(text) {
            return Err(Error::new(
                ErrorKind::InvalidModification,
                format!("the {kind} is not the one created last"),
            ));
        }
        parse(kind, text)
    }

    /// Checks a remote description for itself and against what was said before.
    pub(crate) fn check_remote(&self, kind: SdpType, text: &str) -> Result<Applied, Error> {
        let applied = parse(kind, text)?;
        check_count(&applied.description)?;
        check_mids(&applied.description)?;
        if kind == SdpType::Offer {
            self.check_remote_offer(&applied)?;
        } else {
            self.check_remote_answer(&applied)?;
        }
        Ok(applied)
    }

    /// Sections never become fewer (RFC 3264 §8).
    fn check_remote_offer(&self, offer: &Applied) -> Result<(), Error> {
        let before = self
            .current_remote
            .as_ref()
            .map_or(0, |r| r.description.media.len());
        if offer.description.media.len() < before {
            return Err(Error::new(
                ErrorKind::InvalidAccess,
                format!(
                    "the offer has {} sections, there were {before}",
                    offer.description.media.len()
                ),
            ));
        }
        self.check_sections_stay(offer)
    }

    /// A section keeps its kind and its name until one side gives it up (RFC 3264 §8, RFC 9429
    /// §5.2.2).
    fn check_sections_stay(&self, offer: &Applied) -> Result<(), Error> {
        let (Some(local), Some(remote)) = (&self.current_local, &self.current_remote) else {
            return Ok(());
        };
        let before = local
            .description
            .media
            .iter()
            .zip(&remote.description.media);
        let moved = before
            .zip(&offer.description.media)
            .find(|((ours, theirs), now)| {
                let given_up = [*ours, *theirs].into_iter().any(Media::is_rejected);
                let renamed = theirs.mid().is_some() && now.mid() != theirs.mid();
                !given_up && (now.kind != theirs.kind || (renamed && !now.is_rejected()))
            });
        match moved {
            None => Ok(()),
            Some(((_, theirs), _)) => Err(Error::new(
                ErrorKind::InvalidAccess,
                format!(
                    "section {} is another one in the offer",
                    theirs.mid().unwrap_or_default()
                ),
            )),
        }
    }

    /// sdp-009: the sections of an answer are those of the offer, in order.
    fn check_remote_answer(&self, answer: &Applied) -> Result<(), Error> {
        let Some(offer) = &self.pending_local else {
            return Err(Error::new(
                ErrorKind::InvalidState,
                "there is no offer to answer",
            ));
        };
        let (asked, given) = (&offer.description.media, &answer.description.media);
        let alike = asked.len() == given.len()
            && asked.iter().zip(given).all(|(a, b)| {
                let names_it = b.mid().is_none() || a.mid() == b.mid();
                a.kind == b.kind && (b.is_rejected() || (names_it && !a.is_rejected()))
            });
        if !alike {
            return Err(Error::new(
                ErrorKind::InvalidAccess,
                "the sections of the answer are not those of the offer",
            ));
        }
        let tagged = transport_section(&answer.description).map(|index| &given[index]);
        let shared = is_bundled(&answer.description);
        let stranded = given.iter().find(|section| {
            let carried = tagged.is_some_and(|tagged| std::ptr::eq(tagged, *section))
                || (shared && bundles(&answer.description, section));
            is_spoken(section) && !section.is_rejected() && !carried
        });
        match stranded {
            None => Ok(()),
            Some(section) => Err(Error::new(
                ErrorKind::InvalidAccess,
                format!(
                    "the answer leaves section {} out of the bundle",
                    section.mid().unwrap_or_default()
                ),
            )),
        }
    }

    /// Sets a description that was checked.
    pub(crate) fn set(&mut self, side: Side, applied: Applied, state: SignalingState) {
        self.signaling_state = state;
        let stable = state == SignalingState::Stable;
        match (side, stable) {
            (Side::Local, false) => self.pending_local = Some(applied),
            (Side::Remote, false) => self.pending_remote = Some(applied),
            (Side::Local, true) => {
                self.current_local = Some(applied);
                self.current_remote = self.pending_remote.take();
            }
            (Side::Remote, true) => {
                self.current_remote = Some(applied);
                self.current_local = self.pending_local.take();
            }
        }
        if stable {
            (self.pending_local, self.pending_remote) = (None, None);
            (self.last_offer, self.last_answer) = (None, None);
        }
    }

    /// Forgets what is pending (RFC 9429 §5.7).
    pub(crate) fn roll_back(&mut self) {
        (self.pending_local, self.pending_remote) = (None, None);
        (self.last_offer, self.last_answer) = (None, None);
        self.signaling_state = SignalingState::Stable;
    }

    /// The text of an empty description of ours; the version is one more than the last one set.
    fn start_description(&self, transport: &LocalTransport) -> Description {
        let mut description = Description::new(Origin::new(self.session_id, self.session_version));
        // RFC 9429 §5.2.1: both at session level. ice2 says RFC 8445 (§10).
        description.push("ice-options", "trickle ice2");
        // ice-061: the peer is to control (RFC 8839 §5.3).
        if transport.lite {
            description.push_flag("ice-lite");
        } else if transport.check_interval != DEFAULT_CHECK_INTERVAL {
            // RFC 8839 §5.5: without it, it is the default. A lite agent proposes nothing (§4.2.1).
            let interval = transport.check_interval.as_millis();
            description.push("ice-pacing", interval.to_string());
        }
        description
    }

    /// Remembers what was created. A text like the last one keeps its version (RFC 9429 §5.2.2).
    fn created(&mut self, kind: SdpType, description: &Description) -> SessionDescription {
        let text = description.to_string();
        match kind {
            SdpType::Offer => self.last_offer = Some(text.clone()),
            _ => self.last_answer = Some(text.clone()),
        }
        self.session_version += 1;
        SessionDescription::new(kind, text)
    }
}

/// Whether packets of audio or video are agreed on in a section.
fn speaks_rtp(section: &Media) -> bool {
    section.is_rtp() && !section.is_rejected()
}

/// Parses a description, telling where it breaks.
fn parse(kind: SdpType, text: &str) -> Result<Applied, Error> {
    let description = Description::parse(text).map_err(|error: ParseError| {
        let line = error.line;
        Error::new(ErrorKind::SdpSyntax, "the description does not parse")
            .with_source(error)
            .at_line(line)
    })?;
    Ok(Applied {
        kind,
        text: text.to_owned(),
        description,
    })
}

/// A description of the peer makes no more transceivers than [`MAX_SECTIONS`].
fn check_count(description: &Description) -> Result<(), Error> {
    match description.media.len() {
        0..=MAX_SECTIONS => Ok(()),
        count => Err(Error::new(
            ErrorKind::Operation,
            format!("the description has {count} sections, more than {MAX_SECTIONS}"),
        )),
    }
}

/// A mid names one section (RFC 5888 §4).
fn check_mids(description: &Description) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    let mut mids = description.media.iter().filter_map(Media::mid);
    match mids.find(|mid| !seen.insert(*mid)) {
        None => Ok(()),
        Some(mid) => Err(Error::new(
            ErrorKind::InvalidAccess,
            format!("two sections have the mid {mid}"),
        )),
    }
}

/// Fills a section with our side of the transport.
pub(crate) fn push_transport(
    section: &mut Media,
    mid: &str,
    transport: &LocalTransport,
    setup: Setup,
) {
    section.push("mid", mid);
    section.push(
        "ice-ufrag",
        transport.credentials.username_fragment.as_str(),
    );
    section.push("ice-pwd", transport.credentials.password.as_str());
    for fingerprint in &transport.fingerprints {
        let value = format!("{} {}", fingerprint.algorithm.name(), fingerprint.to_hex());
        section.push("fingerprint", value);
    }
    section.push("setup", setup.as_str());
    section.push("tls-id", transport.tls_id.as_str());
}

/// A rejected section: as it was, on port 0, with its mid and nothing else (RFC 9429 §5.3.1).
fn rejected(section: &Media) -> Media {
    let mut out = Media::new(
        section.kind.as_str(),
        section.protocol.as_str(),
        section.formats.clone(),
    );
    out.port = 0;
    if let Some(mid) = section.mid() {
        out.push("mid", mid);
    }
    if section.kind != "application" {
        out.push_flag("inactive");
    }
    out
}
