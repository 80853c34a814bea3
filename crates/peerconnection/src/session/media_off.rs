//! Audio and video in a build without them: there are no transceivers, and sections of the peer
//! are rejected.

use super::negotiation::LocalTransport;
use crate::config::Configuration;
use crate::error::Error;
use layer::Start;
use sdp::{Description, Media, Setup};
use std::time::Instant;

/// There is none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TransceiverKey {}

/// No transceivers.
#[derive(Debug)]
pub(crate) struct Transceivers;

/// See `media::Agreement`.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "read in a build with audio and video")]
pub(crate) struct Agreement<'a> {
    pub(crate) local: &'a Description,
    pub(crate) remote: &'a Description,
    pub(crate) is_final: bool,
}

#[allow(
    clippy::unused_self,
    clippy::needless_pass_by_ref_mut,
    clippy::unnecessary_wraps,
    reason = "the signatures are those of a build with audio and video"
)]
impl Transceivers {
    pub(crate) fn new(_: Start, _: &Configuration, _: &super::Stack) -> Self {
        Self
    }

    pub(crate) fn begin_offer(&mut self) {}

    pub(crate) fn unassociated(&self) -> Vec<TransceiverKey> {
        Vec::new()
    }

    pub(crate) fn alive_in_section(&self, _: usize) -> Option<TransceiverKey> {
        None
    }

    pub(crate) fn offer_section(
        &mut self,
        key: TransceiverKey,
        _: &str,
        _: usize,
        _: &LocalTransport,
    ) -> Option<Media> {
        match key {}
    }

    pub(crate) fn answer_section(
        &self,
        _: usize,
        _: &Description,
        _: &LocalTransport,
        _: Setup,
    ) -> Option<Media> {
        None
    }

    pub(crate) fn check_remote(&self, _: &Description) -> Result<(), Error> {
        Ok(())
    }

    pub(crate) fn set_local_offer(&mut self, _: &Description) {}

    pub(crate) fn set_remote_offer(&mut self, _: &Description, _: &[bool]) {}

    pub(crate) fn set_answer(&mut self, _: Instant, _: Agreement<'_>, _: bool) {}

    pub(crate) fn roll_back(&mut self, _: Instant) {}

    pub(crate) fn is_negotiation_needed(
        &self,
        _: Option<&Description>,
        _: Option<&Description>,
        _: bool,
    ) -> bool {
        false
    }

    pub(crate) fn handle_packet(&mut self, _: Instant, _: &mut [u8]) {}

    pub(crate) fn set_round_trip(&mut self, _: Instant, _: std::time::Duration) {}

    pub(crate) fn handle_timeout(&mut self, _: Instant) {}

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    pub(crate) fn poll_transmit(&mut self, _: Instant, _: &mut [u8]) -> Option<usize> {
        None
    }

    pub(crate) fn transport_ended(&mut self) {}

    pub(crate) fn close(&mut self, _: Instant) {}
}

/// Whether a section can be spoken here.
pub(crate) fn is_spoken(section: &Media) -> bool {
    section.is_data()
}
