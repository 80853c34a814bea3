//! Which codecs two descriptions have in common (RFC 3264 §6.1, and the rules of each format).

use crate::api::state::MediaKind;
use crate::parameters::{RtpCodec, RtpCodecParameters};
use sdp::Media;

/// The codecs of a section in its order, each with its retransmission. What repairs and wraps
/// (`rtx`, `red`, `ulpfec`, `flexfec-03`) is not a codec.
pub(crate) fn read(section: &Media) -> Vec<RtpCodecParameters> {
    // A line that does not parse takes only itself away.
    let Ok(maps) = section.rtp_maps() else {
        return Vec::new();
    };
    let retransmission = |media: u8| {
        let wanted = media.to_string();
        let mut rtx = maps
            .iter()
            .filter(|map| map.encoding.eq_ignore_ascii_case("rtx"));
        rtx.find(|map| {
            let fmtp = section.format_parameters(map.payload_type);
            fmtp.and_then(|fmtp| parameter(fmtp, "apt")) == Some(wanted.as_str())
        })
        .map(|map| map.payload_type)
    };
    let repairs = |name: &str| {
        ["rtx", "red", "ulpfec", "flexfec-03", "flexfec"]
            .iter()
            .any(|repair| name.eq_ignore_ascii_case(repair))
    };
    maps.iter()
        .filter(|map| !repairs(&map.encoding))
        .map(|map| RtpCodecParameters {
            codec: RtpCodec {
                mime_type: format!("{}/{}", section.kind, map.encoding),
                clock_rate: map.clock_rate,
                channels: (section.kind == "audio").then_some(map.channels),
                sdp_fmtp_line: section
                    .format_parameters(map.payload_type)
                    .unwrap_or_default()
                    .to_owned(),
            },
            payload_type: map.payload_type,
            rtx_payload_type: retransmission(map.payload_type),
            rtcp_feedback: section
                .rtcp_feedback(map.payload_type)
                .map(str::to_owned)
                .collect(),
        })
        .collect()
}

/// What `theirs` and `ours` have in common, in their order and with their payload types
/// (dfx-004); feedback and retransmission where both have it.
pub(crate) fn intersect(
    theirs: &[RtpCodecParameters],
    ours: &[RtpCodecParameters],
) -> Vec<RtpCodecParameters> {
    let common = |codec: &RtpCodecParameters| {
        let own = ours.iter().find(|own| matches(&own.codec, &codec.codec))?;
        let mut codec = codec.clone();
        codec.rtcp_feedback.retain(|kind| own.has_feedback(kind));
        codec.rtx_payload_type = codec
            .rtx_payload_type
            .filter(|_| own.rtx_payload_type.is_some());
        Some(codec)
    };
    theirs.iter().filter_map(common).collect()
}

/// Whether two descriptions of a codec mean streams that one decoder takes.
pub(crate) fn matches(a: &RtpCodec, b: &RtpCodec) -> bool {
    let alike = a.mime_type.eq_ignore_ascii_case(&b.mime_type)
        && a.clock_rate == b.clock_rate
        && a.channels.unwrap_or(1) == b.channels.unwrap_or(1);
    alike && formats_match(a, b)
}

/// The parameters that make streams different, by format; others are wishes of the receiver.
fn formats_match(a: &RtpCodec, b: &RtpCodec) -> bool {
    let same = |key, default: &str| {
        let of = |codec: &RtpCodec| {
            let line = &codec.sdp_fmtp_line;
            parameter(line, key).unwrap_or(default).to_owned()
        };
        of(a) == of(b)
    };
    if a.is("H264") {
        // RFC 6184 §8.2.2: the pair of mode and profile; levels may differ.
        same("packetization-mode", "0") && h264_profile(a) == h264_profile(b)
    } else if a.is("VP9") {
        same("profile-id", "0")
    } else if a.is("AV1") {
        same("profile", "0")
    } else if a.is("H265") {
        same("profile-id", "1") && same("tier-flag", "0") && same("tx-mode", "SRST")
    } else {
        true
    }
}

/// A parameter of an `a=fmtp` line; keys in any case, as browsers read them.
pub(crate) fn parameter<'a>(fmtp: &'a str, key: &str) -> Option<&'a str> {
    fmtp.split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(own, _)| own.trim().eq_ignore_ascii_case(key))
        .map(|(_, value)| value.trim())
}

/// The profile behind a `profile-level-id` (RFC 6184 §8.1, Table 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum H264Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    ConstrainedHigh,
    High,
    Other(u8, u8),
}

fn h264_profile(codec: &RtpCodec) -> H264Profile {
    // RFC 6184 §8.1: without it, baseline at level 1.
    let id = parameter(&codec.sdp_fmtp_line, "profile-level-id").unwrap_or("42000a");
    let byte = |at: usize| {
        let digits = id.get(at..at + 2)?;
        u8::from_str_radix(digits, 16).ok()
    };
    let (Some(profile), Some(constraints)) = (byte(0), byte(2)) else {
        return H264Profile::Other(0, 0);
    };
    let (set0, set1) = (constraints & 0x80 != 0, constraints & 0x40 != 0);
    match profile {
        0x42 if set1 => H264Profile::ConstrainedBaseline,
        0x4D if set0 => H264Profile::ConstrainedBaseline,
        0x58 if set0 && set1 => H264Profile::ConstrainedBaseline,
        0x42 => H264Profile::Baseline,
        0x58 if set0 => H264Profile::Baseline,
        0x4D => H264Profile::Main,
        0x64 if constraints & 0x0C == 0x0C => H264Profile::ConstrainedHigh,
        0x64 => H264Profile::High,
        _ => H264Profile::Other(profile, constraints),
    }
}

/// What we say about a codec that was offered: formats that describe the stream are answered as
/// they were offered, wishes of a receiver are our own.
pub(crate) fn answer_fmtp(offered: &RtpCodec, own: &RtpCodec) -> String {
    let of_stream = ["H264", "VP9", "AV1", "H265"];
    if of_stream.iter().any(|name| offered.is(name)) {
        offered.sdp_fmtp_line.clone()
    } else {
        own.sdp_fmtp_line.clone()
    }
}

/// Writes the codecs of a section: `a=rtpmap`, `a=rtcp-fb`, `a=fmtp`, and their retransmissions.
pub(crate) fn write(section: &mut Media, codecs: &[RtpCodecParameters]) {
    for parameters in codecs {
        let (codec, number) = (&parameters.codec, parameters.payload_type);
        let map = sdp::RtpMap {
            payload_type: number,
            encoding: codec.encoding_name().to_owned(),
            clock_rate: codec.clock_rate,
            channels: codec.channels.unwrap_or(1),
        };
        section.push("rtpmap", map.to_string());
        for feedback in &parameters.rtcp_feedback {
            section.push("rtcp-fb", format!("{number} {feedback}"));
        }
        if !codec.sdp_fmtp_line.is_empty() {
            section.push("fmtp", format!("{number} {}", codec.sdp_fmtp_line));
        }
        if let Some(rtx) = parameters.rtx_payload_type {
            section.push("rtpmap", format!("{rtx} rtx/{}", codec.clock_rate));
            section.push("fmtp", format!("{rtx} apt={number}"));
        }
    }
}

/// The payload types of a section: codecs first, each followed by its retransmission.
pub(crate) fn formats(codecs: &[RtpCodecParameters]) -> Vec<u8> {
    codecs
        .iter()
        .flat_map(|codec| [Some(codec.payload_type), codec.rtx_payload_type])
        .flatten()
        .collect()
}

/// The codecs of a section's kind that a transceiver wants, in the order of its preferences
/// (W3C `setCodecPreferences`, webrtc-pc §5.4.2); all of them without preferences.
pub(crate) fn preferred(
    capabilities: &[RtpCodecParameters],
    preferences: &[RtpCodec],
) -> Vec<RtpCodecParameters> {
    if preferences.is_empty() {
        return capabilities.to_vec();
    }
    let mut codecs = Vec::new();
    for wanted in preferences {
        let found = capabilities
            .iter()
            .find(|own| matches(&own.codec, wanted) && !codecs.contains(*own));
        codecs.extend(found.cloned());
    }
    codecs
}

/// Whether a codec carries the media itself, and not what stands in for it between words.
pub(crate) fn is_primary(codec: &RtpCodec) -> bool {
    !codec.is("telephone-event") && !codec.is("CN")
}

/// The kind of a section; `None` for others than audio and video.
pub(crate) fn kind(section: &Media) -> Option<MediaKind> {
    MediaKind::from_name(&section.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn h264(fmtp: &str) -> RtpCodec {
        RtpCodec::new("video/H264", 90_000).with_fmtp(fmtp)
    }

    /// media-023: constraint flags decide between the profiles, the level does not.
    #[test]
    fn h264_profiles_are_compared_and_levels_are_not() {
        let ours = h264("packetization-mode=1;profile-level-id=42e01f");
        for (fmtp, same) in [
            ("packetization-mode=1;profile-level-id=42e034", true),
            ("packetization-mode=1;profile-level-id=42c00b", true),
            ("profile-level-id=4d801f; packetization-mode=1", true),
            ("packetization-mode=1;profile-level-id=42001f", false),
            ("packetization-mode=0;profile-level-id=42e01f", false),
            ("profile-level-id=42e01f", false),
            ("packetization-mode=1;profile-level-id=64001f", false),
            ("packetization-mode=1;profile-level-id=x", false),
        ] {
            assert_eq!(matches(&ours, &h264(fmtp)), same, "{fmtp}");
        }
    }

    #[test]
    fn an_answer_has_what_both_sides_have_in_the_offers_order() {
        let parameters = |name: &str, number, feedback: &[&str]| RtpCodecParameters {
            codec: RtpCodec::new(format!("video/{name}"), 90_000),
            payload_type: number,
            rtx_payload_type: Some(number + 1),
            rtcp_feedback: feedback.iter().map(|text| (*text).to_owned()).collect(),
        };
        let ours = [
            parameters("VP8", 96, &["nack", "nack pli"]),
            parameters("AV1", 98, &["nack"]),
        ];
        let theirs = [
            parameters("av1", 35, &["nack", "ack ccfb"]),
            parameters("H263", 40, &[]),
            parameters("VP8", 120, &["nack pli"]),
        ];
        let common = intersect(&theirs, &ours);
        let numbers: Vec<_> = common.iter().map(|codec| codec.payload_type).collect();
        assert_eq!(numbers, [35, 120]);
        assert_eq!(common[0].rtcp_feedback, ["nack"]);
        assert_eq!(common[1].rtx_payload_type, Some(121));
    }
}
