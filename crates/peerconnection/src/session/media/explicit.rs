//! Senders and receivers that are told their parameters, without descriptions (ORTC §5, §6).

use super::extension::ExtensionMap;
use super::parameter::check_encodings;
use super::sender::Encoding;
use super::transceiver::{Transceiver, TransceiverKey};
use super::{Transceivers, codec};
use crate::api::state::RtpTransceiverDirection;
use crate::error::{Error, ErrorKind};
use crate::parameters::{
    RtpCodecParameters, RtpEncodingParameters, RtpReceiveParameters, RtpSendParameters,
};
use chacha20::rand_core::Rng;
use std::time::Instant;

impl Transceivers {
    /// ORTC `send`: from now on the sender sends what these parameters say.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        key: TransceiverKey,
        parameters: RtpSendParameters,
    ) -> Result<(), Error> {
        check_encodings(self.explicit(key)?.kind, &parameters.encodings)?;
        check_codecs(&parameters.codecs)?;
        self.check_sources(Some(key), &parameters.encodings)?;
        self.unbind_sender(now, key);
        let at = self.position(key).unwrap_or_default();
        let (rng, transceiver) = (&mut self.rng, &mut self.list[at]);
        let sender = &mut transceiver.sender;
        if !parameters.encodings.is_empty() {
            let before = std::mem::take(&mut sender.encodings);
            let next = |parameters: RtpEncodingParameters| {
                let mut encoding = Encoding::new(parameters, || rng.next_u32());
                // A source that goes on never uses a sequence number twice (RFC 3711 §9.1).
                let mut before = before.iter();
                if let Some(same) = before.find(|old| old.ssrc == encoding.ssrc) {
                    (encoding.clock, encoding.rtx_ssrc) = (same.clock, same.rtx_ssrc);
                }
                encoding
            };
            sender.encodings = parameters.encodings.into_iter().map(next).collect();
        }
        let extensions = ExtensionMap::of(
            parameters.header_extensions,
            &self.capabilities,
            transceiver.kind,
        );
        let kind = transceiver.kind;
        sender.negotiated(parameters.codecs, extensions, &self.capabilities, kind);
        transceiver.become_explicit(parameters.mid);
        let receives = transceiver.receives();
        transceiver.current_direction = Some(RtpTransceiverDirection::of(true, receives));
        self.rebind(now, key);
        Ok(())
    }

    /// ORTC `receive`: from now on the receiver takes what these parameters say.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        key: TransceiverKey,
        parameters: RtpReceiveParameters,
    ) -> Result<(), Error> {
        check_encodings(self.explicit(key)?.kind, &parameters.encodings)?;
        check_codecs(&parameters.codecs)?;
        let at = self.position(key).unwrap_or_default();
        let transceiver = &mut self.list[at];
        let kind = transceiver.kind;
        let extensions = ExtensionMap::of(parameters.header_extensions, &self.capabilities, kind);
        let receiver = &mut transceiver.receiver;
        receiver.negotiated(parameters.codecs, extensions, &self.capabilities, kind);
        let layers = parameters.encodings.iter().map(|layer| layer.rid.clone());
        receiver.layers = layers.filter(|rid| !rid.is_empty()).collect();
        transceiver.become_explicit(parameters.mid);
        let sends = transceiver.sends();
        transceiver.current_direction = Some(RtpTransceiverDirection::of(sends, true));
        for (layer, encoding) in parameters.encodings.iter().enumerate() {
            if encoding.ssrc != 0 {
                let layer = u8::try_from(layer).unwrap_or(u8::MAX);
                self.add_source(now, key, encoding.ssrc, layer);
            }
        }
        Ok(())
    }

    /// A transceiver that no description has or will have.
    fn explicit(&mut self, key: TransceiverKey) -> Result<&mut Transceiver, Error> {
        let transceiver = self.alive(key)?;
        if transceiver.section.is_some() {
            return Err(Error::new(
                ErrorKind::InvalidState,
                "the transceiver is negotiated by descriptions",
            ));
        }
        Ok(transceiver)
    }
}

impl Transceiver {
    fn become_explicit(&mut self, mid: String) {
        self.is_explicit = true;
        if !mid.is_empty() {
            self.mid = Some(mid);
        }
    }
}

/// rtp-008: a payload type has 7 bits, and none looks like RTCP.
fn check_codecs(codecs: &[RtpCodecParameters]) -> Result<(), Error> {
    if !codecs.iter().any(|own| codec::is_primary(&own.codec)) {
        return Err(Error::new(
            ErrorKind::Type,
            "the parameters have no codec that carries media",
        ));
    }
    let numbers = codecs
        .iter()
        .flat_map(|own| [Some(own.payload_type), own.rtx_payload_type]);
    let wrong = numbers
        .flatten()
        .find(|number| *number > 127 || (64..=95).contains(number));
    match wrong {
        None => Ok(()),
        Some(number) => Err(Error::new(
            ErrorKind::Range,
            format!("{number} cannot be a payload type"),
        )),
    }
}
