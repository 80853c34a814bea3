//! Payload types and extension ids, each of one meaning for the life of a connection (RFC 9143
//! §9.1.1 and §12, dfx-002, dfx-004).

use super::codec;
use crate::parameters::{RtpCodec, RtpCodecParameters};
use sdp::Media;
use std::collections::BTreeMap;

/// What both sides have said so far in exchanges that were answered. An offer that is made works on
/// a copy: what was only offered binds nobody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    codecs: BTreeMap<u8, Meaning>,
    extensions: BTreeMap<u8, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    Codec(RtpCodec),
    /// The retransmission of a payload type.
    Retransmission(u8),
    /// Nothing that is spoken here, as `red`.
    Other,
}

/// rtp-008: 96 to 127 first, then 35 to 63; never what looks like RTCP.
fn free_payload_types() -> impl Iterator<Item = u8> {
    (96..=127).chain(35..=63)
}

impl Numbers {
    /// Takes the numbers of a section, whoever wrote it. What was said last holds.
    pub(crate) fn learn(&mut self, section: &Media) {
        for map in section.rtp_maps().unwrap_or_default() {
            self.codecs
                .entry(map.payload_type)
                .or_insert(Meaning::Other);
        }
        for parameters in codec::read(section) {
            let number = parameters.payload_type;
            if let Some(rtx) = parameters.rtx_payload_type {
                self.codecs.insert(rtx, Meaning::Retransmission(number));
            }
            let meaning = Meaning::Codec(parameters.codec);
            self.codecs.insert(number, meaning);
        }
        for line in section.ext_maps().unwrap_or_default() {
            if let Ok(id) = u8::try_from(line.id) {
                self.extensions.insert(id, line.uri);
            }
        }
    }

    /// Gives the codecs of an offer the numbers they have, or free ones. A codec for which no
    /// number is left is left out.
    pub(crate) fn assign(&mut self, codecs: &mut Vec<RtpCodecParameters>) {
        codecs.retain_mut(|parameters| {
            let Some(number) = self.number_of(parameters) else {
                return false;
            };
            parameters.payload_type = number;
            parameters.rtx_payload_type = parameters
                .rtx_payload_type
                .and_then(|wanted| self.retransmission_of(number, wanted));
            true
        });
    }

    fn number_of(&mut self, parameters: &RtpCodecParameters) -> Option<u8> {
        let known = self.codecs.iter().find(|(_, meaning)| {
            matches!(meaning, Meaning::Codec(own) if codec::matches(own, &parameters.codec))
        });
        if let Some((number, _)) = known {
            return Some(*number);
        }
        let number = self.free(parameters.payload_type)?;
        self.codecs
            .insert(number, Meaning::Codec(parameters.codec.clone()));
        Some(number)
    }

    fn retransmission_of(&mut self, media: u8, wanted: u8) -> Option<u8> {
        let meaning = Meaning::Retransmission(media);
        let known = self.codecs.iter().find(|(_, own)| **own == meaning);
        if let Some((number, _)) = known {
            return Some(*number);
        }
        let number = self.free(wanted)?;
        self.codecs.insert(number, meaning);
        Some(number)
    }

    fn free(&self, wanted: u8) -> Option<u8> {
        std::iter::once(wanted)
            .chain(free_payload_types())
            .find(|number| !self.codecs.contains_key(number))
    }

    /// The id of an extension in our offers; `None` if none is left. Beyond 14 an id takes the
    /// two-byte form (RFC 8285 §4.2), and Firefox refuses a whole offer that has one.
    pub(crate) fn extension_id(&mut self, uri: &str, wanted: u8) -> Option<u8> {
        let known = self.extensions.iter().find(|(_, own)| *own == uri);
        if let Some((id, _)) = known {
            return Some(*id);
        }
        let id = std::iter::once(wanted)
            .chain(1..=14)
            .find(|id| !self.extensions.contains_key(id))?;
        self.extensions.insert(id, uri.to_owned());
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capabilities;

    /// rtp-028, dfx-004: what the peer has called 96 is never called so by us with another meaning.
    #[test]
    fn numbers_of_the_peer_are_kept_and_never_reused() {
        let mut section = Media::new("video", "UDP/TLS/RTP/SAVPF", ["96", "97", "120"]);
        section.push("rtpmap", "96 H263/90000");
        section.push("rtpmap", "120 VP8/90000");
        section.push("extmap", "4 urn:example");
        let mut numbers = Numbers::default();
        numbers.learn(&section);
        let mut codecs = Capabilities::default().video;
        numbers.assign(&mut codecs);
        assert_eq!(codecs[0].payload_type, 120, "VP8 keeps the peer's number");
        assert!(codecs.iter().all(|codec| codec.payload_type != 96));
        assert_ne!(numbers.extension_id("urn:mid", 4), Some(4));
        let again = numbers.extension_id("urn:mid", 4);
        assert_eq!(again, numbers.extension_id("urn:mid", 9));
        let given = (0..20).filter_map(|n| numbers.extension_id(&format!("urn:{n}"), 4));
        assert_eq!(given.max(), Some(14), "no id that needs the two-byte form");
    }
}
