//! What the driver and the ends say to each other: a line of JSON each, over the standard input and
//! output of an end.

use crate::peer::Kind;
use serde::{Deserialize, Serialize};

/// The first line to an end: what it is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Setup {
    pub(crate) peer: Kind,
    pub(crate) ordered: bool,
    /// The answerer sends back what it receives; otherwise it only counts it.
    pub(crate) echo: bool,
}

/// The lines after it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Command {
    /// To the offerer: make a connection with a channel.
    Open { pair: usize },
    /// To the answerer.
    Offer { pair: usize, sdp: String },
    /// To the offerer.
    Answer { pair: usize, sdp: String },
    /// To the offerer: from now on every channel is kept full of messages of so many bytes.
    Fill { size: usize },
    /// To the offerer: so many messages of 64 bytes over the first channel, each after the answer
    /// to the one before.
    Ping { rounds: usize },
    /// Measure yourself.
    Sample,
    /// Close the connection.
    Close { pair: usize },
}

/// What an end says.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Report {
    Offer {
        pair: usize,
        sdp: String,
    },
    Answer {
        pair: usize,
        sdp: String,
    },
    /// The channel is open, so long after this end began to make the connection.
    Opened {
        pair: usize,
        micros: f64,
    },
    Closed {
        pair: usize,
    },
    /// What each round took.
    Pinged {
        micros: Vec<f64>,
    },
    Sampled(Sample),
    Failed {
        reason: String,
    },
}

/// What an end has used so far.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Sample {
    /// When, in seconds since the end began.
    pub(crate) at: f64,
    /// Processor time of all threads, in seconds.
    pub(crate) cpu: f64,
    /// Memory that is resident, in KiB; 0 where the system does not say.
    pub(crate) resident_kib: f64,
    /// Bytes of messages.
    pub(crate) received: u64,
}
