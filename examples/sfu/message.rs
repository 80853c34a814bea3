//! What page and room say to each other on the data channel `room`: one JSON object in each message.
//!
//! ```text
//! page                                room
//!  |                                   |
//!  |  (POST /join: offer, answer)      |
//!  | <------------------------ welcome |   who is there
//!  | <-------------------------- offer |   a section for each camera and microphone of the others
//!  | answer -------------------------> |
//!  |                                   |
//!  | <------------------------- joined |   somebody came, and
//!  | <-------------------------- offer |   brought a camera
//!  | answer -------------------------> |
//!  |                                   |
//!  | layer --------------------------> |   which layer of whom is wanted
//!  | <------------------------ speaker |   who is loudest now
//! ```
//!
//! Only the room offers, so offers never meet and nobody has to be polite.

use serde::{Deserialize, Serialize};

/// From the room.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Notice {
    /// Who is there already.
    Welcome { members: Vec<Person> },
    /// Somebody came.
    Joined(Person),
    /// Somebody went.
    Left { id: String },
    /// A description to answer.
    Offer { sdp: String },
    /// Who is heard most; nobody while all are silent.
    Speaker { id: Option<String> },
}

/// From a page.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Request {
    /// The answer to the last offer.
    Answer { sdp: String },
    /// The largest layer of a member's camera that this page has use for.
    Layer { of: String, rid: String },
}

/// A member, as pages know it. The stream of its tracks has the same id.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: String,
}
