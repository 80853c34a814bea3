//! The parameters of senders and receivers (webrtc-pc §5.2, §5.3).

use super::Transceivers;
use super::transceiver::TransceiverKey;
use crate::api::state::MediaKind;
use crate::error::{Error, ErrorKind};
use crate::parameters::{RtpEncodingParameters, RtpReceiveParameters, RtpSendParameters};

/// The longest name of a layer: what a one-byte header extension carries (RFC 8852 §3.1).
const MAX_RID: usize = 16;

/// The most encodings of a sender.
const MAX_ENCODINGS: usize = super::receiver::MAX_LAYERS;

impl Transceivers {
    /// W3C `getParameters` of the sender.
    pub(crate) fn send_parameters(&mut self, key: TransceiverKey) -> Option<RtpSendParameters> {
        let cname = self.cname.clone();
        let transceiver = self.get_mut(key)?;
        let sender = &mut transceiver.sender;
        sender.transaction += 1;
        Some(RtpSendParameters {
            transaction_id: sender.transaction.to_string(),
            mid: transceiver.mid.clone().unwrap_or_default(),
            encodings: sender
                .encodings
                .iter()
                .map(|encoding| encoding.parameters.clone())
                .collect(),
            header_extensions: sender.extensions.parameters.clone(),
            codecs: sender.codecs.clone(),
            cname,
        })
    }

    /// W3C `setParameters` (pc-036, pc-037): takes effect without negotiation.
    pub(crate) fn set_send_parameters(
        &mut self,
        key: TransceiverKey,
        parameters: RtpSendParameters,
    ) -> Result<(), Error> {
        let cname = self.cname.clone();
        let transceiver = self.alive(key)?;
        let kind = transceiver.kind;
        let sender = &mut transceiver.sender;
        if parameters.transaction_id != sender.transaction.to_string() {
            return Err(Error::new(
                ErrorKind::InvalidModification,
                "the parameters are not those that were read last",
            ));
        }
        let same = parameters.encodings.len() == sender.encodings.len()
            && parameters
                .encodings
                .iter()
                .zip(&sender.encodings)
                .all(|(new, old)| new.rid == old.parameters.rid && new.ssrc == old.parameters.ssrc)
            && parameters.codecs == sender.codecs
            && parameters.header_extensions == sender.extensions.parameters
            && parameters.cname == cname;
        if !same {
            return Err(Error::new(
                ErrorKind::InvalidModification,
                "only what an encoding is asked for can be changed",
            ));
        }
        check_wishes(kind, &parameters.encodings)?;
        for (encoding, new) in sender.encodings.iter_mut().zip(parameters.encodings) {
            encoding.parameters = new;
        }
        sender.transaction += 1;
        Ok(())
    }

    /// W3C `getParameters` of the receiver.
    pub(crate) fn receive_parameters(&self, key: TransceiverKey) -> Option<RtpReceiveParameters> {
        let transceiver = self.get(key)?;
        let receiver = &transceiver.receiver;
        Some(RtpReceiveParameters {
            mid: transceiver.mid.clone().unwrap_or_default(),
            encodings: receiver.encodings(),
            header_extensions: receiver.extensions.parameters.clone(),
            codecs: receiver.codecs.clone(),
        })
    }
}

/// pc-035.
pub(super) fn check_encodings(
    kind: MediaKind,
    encodings: &[RtpEncodingParameters],
) -> Result<(), Error> {
    if encodings.len() > MAX_ENCODINGS {
        return Err(type_error(format!("more than {MAX_ENCODINGS} encodings")));
    }
    if encodings.len() > 1 && kind == MediaKind::Audio {
        return Err(type_error("audio has one encoding"));
    }
    let names: Vec<&str> = encodings.iter().map(|own| own.rid.as_str()).collect();
    let named = names.iter().filter(|name| !name.is_empty()).count();
    if named != 0 && named != names.len() || named == 0 && names.len() > 1 {
        return Err(type_error(
            "either all encodings have a rid or there is one",
        ));
    }
    for (place, name) in names.iter().enumerate() {
        // RFC 8851 §10: alphanumeric; the rest of the grammar is not spoken by browsers.
        let fits = name.len() <= MAX_RID && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !fits || (!name.is_empty() && names[..place].contains(name)) {
            return Err(type_error(format!("{name:?} cannot be a rid here")));
        }
    }
    check_wishes(kind, encodings)
}

fn check_wishes(kind: MediaKind, encodings: &[RtpEncodingParameters]) -> Result<(), Error> {
    for encoding in encodings {
        let scale = encoding.scale_resolution_down_by;
        if kind == MediaKind::Video && scale.is_some_and(|scale| scale < 1.0 || scale.is_nan()) {
            return Err(Error::new(
                ErrorKind::Range,
                "scale_resolution_down_by is below 1.0",
            ));
        }
        let rate = encoding.max_framerate;
        if rate.is_some_and(|rate| rate < 0.0 || rate.is_nan()) {
            return Err(Error::new(ErrorKind::Range, "max_framerate is negative"));
        }
    }
    Ok(())
}

pub(super) fn type_error(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Type, message)
}
