//! The implementations, each behind the same two traits.

#[cfg(feature = "libdatachannel")]
pub(crate) mod libdatachannel;
pub(crate) mod muon;
pub(crate) mod str0m;
pub(crate) mod webrtc;
mod wide;

use crate::Result;
use crate::duty::Duty;
use crate::wire::Report;
use serde::{Deserialize, Serialize};
use std::future::Future;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

/// The label of every channel.
const LABEL: &str = "data";

/// An implementation with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Every connection with a socket of its own.
    Muon,
    /// The answerers behind one port.
    MuonEndpoint,
    Str0m,
    /// With a send buffer of 2 MiB instead of 128 KiB.
    Str0mWide,
    Webrtc,
    /// With socket buffers of 4 MiB and messages of up to 256 KiB.
    WebrtcWide,
    /// Only where the feature of that name is on.
    Libdatachannel,
}

impl Kind {
    pub(crate) const ALL: &[Self] = &[
        Self::Muon,
        Self::MuonEndpoint,
        Self::Str0m,
        Self::Str0mWide,
        Self::Webrtc,
        Self::WebrtcWide,
        Self::Libdatachannel,
    ];

    /// As on the command line and in the records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Muon => "muon",
            Self::MuonEndpoint => "muon-endpoint",
            Self::Str0m => "str0m",
            Self::Str0mWide => "str0m-wide",
            Self::Webrtc => "webrtc",
            Self::WebrtcWide => "webrtc-wide",
            Self::Libdatachannel => "libdatachannel",
        }
    }

    /// Whether this program was built with it.
    pub(crate) fn is_built(self) -> bool {
        self != Self::Libdatachannel || cfg!(feature = "libdatachannel")
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// An implementation.
pub(crate) trait Peer: Send + Sync + 'static {
    type Link: Link;

    /// Makes a connection with one channel; ends when the channel is open.
    fn offer(
        &self,
        ordered: bool,
        exchange: Exchange,
    ) -> impl Future<Output = Result<Self::Link>> + Send;

    /// Answers an offer; ends when the channel of the other end has come.
    fn answer(
        &self,
        offer: String,
        reply: Reply,
    ) -> impl Future<Output = Result<Self::Link>> + Send;
}

/// A connection with an open channel.
pub(crate) trait Link: Send + 'static {
    /// What the channel does from now on.
    fn assign(&mut self, duty: Duty);

    fn close(self) -> impl Future<Output = ()> + Send;
}

/// Where the offerer hands its offer in.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) pair: usize,
    pub(crate) reports: UnboundedSender<Report>,
    pub(crate) answer: oneshot::Receiver<String>,
}

impl Exchange {
    /// The answer to this offer.
    async fn answer_to(self, offer: String) -> Result<String> {
        self.reports.send(Report::Offer {
            pair: self.pair,
            sdp: offer,
        })?;
        Ok(self.answer.await?)
    }
}

/// Where the answerer hands its answer in.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) pair: usize,
    pub(crate) reports: UnboundedSender<Report>,
}

impl Reply {
    fn send(self, answer: String) -> Result<()> {
        Ok(self.reports.send(Report::Answer {
            pair: self.pair,
            sdp: answer,
        })?)
    }
}
