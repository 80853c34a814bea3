//! What the tests of audio and video share: transceivers on a pair of sessions, and their packets.

use crate::pair::SessionPair;
use bytes::Bytes;
use layer::Transmit;
use peerconnection::rtp::{Header, Packet};
use peerconnection::{
    MediaKind, RtpTransceiverDirection, RtpTransceiverInit, SessionDescription, SessionEvent,
    Stack, TransceiverInfo, TransceiverKey,
};
use sdp::{Description, Media};
use std::time::Duration;
use testkit::{Link, Side};

/// Long enough for anything that comes to an end.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Two default sessions, 5 ms apart.
pub(crate) fn near(seed: u64) -> SessionPair {
    let link = Link::delayed(Duration::from_millis(5));
    SessionPair::new([Stack::default(), Stack::default()], &link, seed)
}

/// A description, parsed.
pub(crate) fn parsed(description: &SessionDescription) -> Description {
    Description::parse(description.sdp()).unwrap()
}

/// The formats of a section with what they are, `96 VP8/90000`.
pub(crate) fn formats(section: &Media) -> Vec<String> {
    let maps = section.rtp_maps().unwrap();
    maps.iter()
        .map(|map| format!("{} {}", map.payload_type, map.encoding))
        .collect()
}

/// The same description with other text.
pub(crate) fn edited(
    description: &SessionDescription,
    edit: impl FnOnce(&str) -> String,
) -> SessionDescription {
    SessionDescription::new(description.kind(), edit(description.sdp()))
}

impl SessionPair {
    /// A new transceiver of this side.
    pub(crate) fn add(
        &mut self,
        side: Side,
        kind: MediaKind,
        direction: RtpTransceiverDirection,
    ) -> TransceiverKey {
        let init = RtpTransceiverInit::with_direction(direction);
        let session = &mut self.end(side).session;
        session.add_transceiver(kind, init).unwrap()
    }

    /// The transceivers of this side, as they are.
    pub(crate) fn infos(&mut self, side: Side) -> Vec<TransceiverInfo> {
        let session = &self.end(side).session;
        let keys = session.transceivers().into_iter();
        keys.map(|key| session.transceiver(key).unwrap()).collect()
    }

    /// Whether both sides want nothing more.
    pub(crate) fn is_content(&self) -> bool {
        !self.a.session.is_negotiation_needed() && !self.b.session.is_negotiation_needed()
    }

    /// Takes the events of this side that are of tracks, in order, as text: `track 0`, `mute 0`,
    /// with the number of the transceiver.
    pub(crate) fn track_events(&mut self, side: Side) -> Vec<String> {
        let told = std::mem::take(&mut self.end(side).events);
        let mut keys: Vec<TransceiverKey> = Vec::new();
        let mut name = |key: TransceiverKey| {
            if !keys.contains(&key) {
                keys.push(key);
            }
            format!("{key:?}")
                .replace("TransceiverKey(", "")
                .replace(')', "")
        };
        told.into_iter()
            .filter_map(|event| {
                Some(match event {
                    SessionEvent::Track(key, layer) => format!("track {} {layer}", name(key)),
                    SessionEvent::TrackMuted(key) => format!("mute {}", name(key)),
                    SessionEvent::TrackUnmuted(key) => format!("unmute {}", name(key)),
                    SessionEvent::TrackEnded(key) => format!("end {}", name(key)),
                    _ => return None,
                })
            })
            .collect()
    }

    /// Runs until both sides have keys for audio and video.
    pub(crate) fn connect(&mut self) {
        let up = |end: &crate::pair::End| {
            end.session.connection_state() == peerconnection::PeerConnectionState::Connected
        };
        assert!(self.run_until(LIMIT, |pair| up(&pair.a) && up(&pair.b)));
    }

    /// Writes a packet and puts it on the network; whether it went anywhere.
    pub(crate) fn write(
        &mut self,
        side: Side,
        key: TransceiverKey,
        layer: usize,
        packet: &Packet,
    ) -> bool {
        let now = self.now();
        let mut buffer = [0; 2048];
        let session = &mut self.end(side).session;
        let transmit: Option<Transmit> = session.write_rtp(now, key, layer, packet, &mut buffer);
        let Some(transmit) = transmit else {
            return false;
        };
        self.put(side, &transmit, &buffer[..transmit.len]);
        true
    }
}

/// A packet with a number in its first four bytes.
pub(crate) fn numbered(payload_type: u8, number: u32, len: usize) -> Packet {
    let mut payload = number.to_be_bytes().to_vec();
    payload.resize(len.max(4), 0x5A);
    let header = Header {
        payload_type,
        ssrc: 77,
        sequence_number: u16::try_from(number & 0xFFFF).unwrap(),
        timestamp: number.wrapping_mul(3000),
        ..Header::default()
    };
    Packet::new(header, Bytes::from(payload))
}

/// The number of a packet of [`numbered`].
pub(crate) fn number(packet: &Packet) -> u32 {
    u32::from_be_bytes(packet.payload[..4].try_into().unwrap())
}
