//! Header extensions: which were negotiated, and under which ids (RFC 8285 §5, RFC 9143 §12).

use crate::api::state::MediaKind;
use crate::capability::{self, Capabilities};
use crate::parameters::RtpHeaderExtensionParameters;
use rtp::Extensions;
use sdp::Media;

/// The extensions of one section: ids on the wire, and those the application knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtensionMap {
    /// As they were negotiated.
    pub(crate) parameters: Vec<RtpHeaderExtensionParameters>,
    /// Of those that the application sees: id on the wire, id in the capabilities.
    ids: Vec<(u8, u8)>,
    /// What is asked for with every packet.
    pub(crate) hot: HotIds,
}

/// Ids on the wire that are needed for every packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HotIds {
    pub(crate) mid: Option<u8>,
    pub(crate) rid: Option<u8>,
    pub(crate) dependency_descriptor: Option<u8>,
    pub(crate) audio_level: Option<u8>,
}

impl ExtensionMap {
    /// What a section lists and we are capable of for its kind.
    pub(crate) fn read(section: &Media, capabilities: &Capabilities, kind: MediaKind) -> Self {
        let lines = section.ext_maps().unwrap_or_default();
        let listed = lines.into_iter().filter_map(|line| {
            let id = u8::try_from(line.id).ok()?;
            Some(RtpHeaderExtensionParameters { uri: line.uri, id })
        });
        Self::of(listed, capabilities, kind)
    }

    /// Of these what we are capable of for this kind.
    pub(crate) fn of(
        listed: impl IntoIterator<Item = RtpHeaderExtensionParameters>,
        capabilities: &Capabilities,
        kind: MediaKind,
    ) -> Self {
        let mut map = Self::default();
        for RtpHeaderExtensionParameters { uri, id } in listed {
            let known = capabilities
                .header_extensions
                .iter()
                .find(|own| own.uri == uri && own.is_for(kind));
            let Some(own) = known else { continue };
            // rtp-019: an id means one thing.
            if id == 0 || map.parameters.iter().any(|other| other.id == id) {
                continue;
            }
            map.parameters
                .push(RtpHeaderExtensionParameters { uri, id });
            if !capability::HOP_BY_HOP.contains(&own.uri.as_str()) {
                map.ids.push((id, own.id));
            }
        }
        map.heat();
        map
    }

    fn heat(&mut self) {
        self.hot = HotIds {
            mid: self.id_of(capability::MID),
            rid: self.id_of(capability::RID),
            dependency_descriptor: self.id_of(capability::DEPENDENCY_DESCRIPTOR),
            audio_level: self.id_of(capability::AUDIO_LEVEL),
        };
    }

    /// Only what the other side lists too.
    pub(crate) fn retain_common(&mut self, other: &Self) {
        self.parameters
            .retain(|own| other.id_of(&own.uri).is_some());
        let parameters = &self.parameters;
        self.ids
            .retain(|(wire, _)| parameters.iter().any(|own| own.id == *wire));
        self.heat();
    }

    /// The id on the wire of an extension.
    pub(crate) fn id_of(&self, uri: &str) -> Option<u8> {
        self.parameters
            .iter()
            .find(|own| own.uri == uri)
            .map(|own| own.id)
    }

    /// From the ids of the wire to those of the application; what is hop by hop is taken out.
    pub(crate) fn to_application(&self, extensions: &mut Extensions) {
        extensions.remap(|wire| {
            let mut ids = self.ids.iter();
            ids.find(|(own, _)| *own == wire).map(|(_, id)| *id)
        });
    }

    /// From the ids of the application to those of the wire; what was not negotiated is taken out.
    pub(crate) fn to_wire(&self, extensions: &mut Extensions) {
        extensions.remap(|application| {
            let mut ids = self.ids.iter();
            ids.find(|(_, own)| *own == application)
                .map(|(wire, _)| *wire)
        });
    }
}
