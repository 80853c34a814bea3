//! What a remote description says, checked before anything is changed.

use crate::error::{Error, ErrorKind};
use bytes::Bytes;
use layer::{Candidate, Credentials, DEFAULT_CHECK_INTERVAL, Fingerprint, HashAlgorithm};
use sdp::{AttributeError, Description, Media, Setup};
use std::time::Duration;

use crate::session::transports::layer_candidate;

/// The port when none is written (RFC 8841 §5 wants it written; older peers left it out).
const DEFAULT_SCTP_PORT: u16 = 5000;

/// The peer's side of the transport.
#[derive(Clone, Debug)]
pub(crate) struct RemoteTransport {
    pub(crate) credentials: Credentials,
    pub(crate) lite: bool,
    /// The time between two checks that it proposes.
    pub(crate) check_interval: Duration,
    pub(crate) fingerprints: Vec<Fingerprint>,
    pub(crate) setup: Setup,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) end_of_candidates: bool,
}

/// The data section of a remote description.
#[derive(Clone, Debug)]
pub(crate) struct RemoteData {
    pub(crate) sctp_port: u16,
    /// Bytes; `None` for any size (RFC 8841 §6.1).
    pub(crate) max_message_size: Option<usize>,
    /// The INIT chunk of its association.
    pub(crate) init: Option<Bytes>,
}

impl RemoteTransport {
    /// Reads the section at `index`; its transport may be described in the section that heads its
    /// bundle (RFC 9143 §7.1.3).
    pub(crate) fn read(
        description: &Description,
        index: usize,
        default_setup: Option<Setup>,
    ) -> Result<Self, Error> {
        let head = transport_section(description, &description.media[index]);
        let credentials = credentials_of(description, index)?;
        let fingerprints: Vec<Fingerprint> = head
            .fingerprints(description)
            .map_err(refused)?
            .into_iter()
            .filter_map(|print| {
                Fingerprint::new(HashAlgorithm::from_name(&print.algorithm)?, print.bytes)
            })
            .collect();
        if fingerprints.is_empty() {
            return Err(wanted("fingerprint of a hash that is spoken here"));
        }
        let setup = head.setup(description).map_err(refused)?.or(default_setup);
        let setup = setup.ok_or_else(|| wanted("setup"))?;
        if setup == Setup::HoldConn {
            return Err(Error::new(
                ErrorKind::InvalidAccess,
                "setup:holdconn is not for WebRTC",
            ));
        }
        Ok(Self {
            credentials,
            lite: description.is_ice_lite(),
            // What cannot be read is not said.
            check_interval: description
                .ice_pacing()
                .ok()
                .flatten()
                .map_or(DEFAULT_CHECK_INTERVAL, Duration::from_millis),
            fingerprints,
            setup,
            candidates: head
                .candidates()
                .filter_map(Result::ok)
                .filter_map(|candidate| layer_candidate(&candidate))
                .collect(),
            end_of_candidates: head.end_of_candidates(description),
        })
    }
}

/// The credentials of a section, and nothing else of it: what a candidate is held against, however
/// many there are before it.
pub(crate) fn credentials_of(
    description: &Description,
    index: usize,
) -> Result<Credentials, Error> {
    let head = transport_section(description, &description.media[index]);
    let ufrag = head.ice_ufrag(description).map_err(refused)?;
    let pwd = head.ice_pwd(description).map_err(refused)?;
    Ok(Credentials::new(
        ufrag.ok_or_else(|| wanted("ice-ufrag"))?,
        pwd.ok_or_else(|| wanted("ice-pwd"))?,
    ))
}

fn wanted(what: &str) -> Error {
    Error::new(
        ErrorKind::InvalidAccess,
        format!("the section has no {what}"),
    )
}

impl RemoteData {
    /// Reads the data section.
    pub(crate) fn read(section: &Media) -> Result<Self, Error> {
        let sctp_port = section
            .sctp_port()
            .map_err(refused)?
            .unwrap_or(DEFAULT_SCTP_PORT);
        if sctp_port == 0 {
            return Err(Error::new(
                ErrorKind::InvalidAccess,
                "sctp-port is 0 in a section that is not rejected",
            ));
        }
        Ok(Self {
            sctp_port,
            max_message_size: max_message_size(section)?,
            init: section.sctp_init().map_err(refused)?.map(Bytes::from),
        })
    }
}

/// dc-020: absent means 64 KiB, 0 means any size.
fn max_message_size(section: &Media) -> Result<Option<usize>, Error> {
    let size = section.max_message_size().map_err(refused)?;
    Ok(match size.unwrap_or(sdp::DEFAULT_MAX_MESSAGE_SIZE) {
        0 => None,
        size => Some(usize::try_from(size).unwrap_or(usize::MAX)),
    })
}

/// The section that describes the transport: the section itself, or the head of its bundle.
fn transport_section<'a>(description: &'a Description, section: &'a Media) -> &'a Media {
    if section.has_attribute("ice-ufrag") {
        return section;
    }
    let Ok(Some(group)) = description.bundle() else {
        return section;
    };
    let mid = section.mid().unwrap_or_default();
    match group.mids.first() {
        Some(head) if group.mids.iter().any(|member| member == mid) => {
            description.media_by_mid(head).unwrap_or(section)
        }
        _ => section,
    }
}

pub(crate) fn refused(error: AttributeError) -> Error {
    Error::new(
        ErrorKind::InvalidAccess,
        "an attribute of the description cannot be used",
    )
    .with_source(error)
}
