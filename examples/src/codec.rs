//! Codecs by name, and which one a connection shall use.

use crate::Outcome;
use media::Codec;
use muonrtc::{Capabilities, MediaKind, PeerConnection, RtpCodec, RtpCodecParameters};

/// The codec as browsers negotiate it, with its format parameters.
///
/// # Errors
///
/// If it is none of WebRTC's.
pub fn negotiable(codec: Codec) -> Outcome<RtpCodec> {
    Ok(capability(codec)?.codec)
}

/// The payload type that packets of the codec have where an application reads them, whatever was
/// negotiated.
///
/// # Errors
///
/// If it is none of WebRTC's.
pub fn payload_type(codec: Codec) -> Outcome<u8> {
    Ok(capability(codec)?.payload_type)
}

/// The first capability of the codec: of several formats, the one that all browsers have.
fn capability(codec: Codec) -> Outcome<RtpCodecParameters> {
    let Capabilities { video, audio, .. } = Capabilities::default();
    video
        .into_iter()
        .chain(audio)
        .find(|known| Codec::from_mime_type(&known.codec.mime_type) == Some(codec))
        .ok_or_else(|| format!("WebRTC has no {}", codec.mime_type()).into())
}

/// A codec of video by its name: `vp8`, `vp9`, `av1`, `h264`.
///
/// # Errors
///
/// If there is none of that name.
pub fn video(name: &str) -> Outcome<Codec> {
    let known = [Codec::Vp8, Codec::Vp9, Codec::Av1, Codec::H264];
    let named = |codec: &Codec| {
        let (_, known) = codec.mime_type().split_once('/').unwrap_or_default();
        known.eq_ignore_ascii_case(name)
    };
    let codec = known.into_iter().find(named);
    Ok(codec.ok_or_else(|| format!("--video {name}: it is one of vp8, vp9, av1, h264"))?)
}

/// Negotiates this codec and no other for the media of its kind. To be called between the two
/// descriptions: the answer then takes it out of what was offered.
///
/// # Errors
///
/// If the codec cannot be negotiated.
pub fn insist(connection: &PeerConnection, codec: Codec) -> Outcome {
    let wanted = negotiable(codec)?;
    for transceiver in connection.transceivers() {
        if (transceiver.kind() == MediaKind::Video) == codec.is_video() {
            transceiver.set_codec_preferences(vec![wanted.clone()])?;
        }
    }
    Ok(())
}
