//! The RTP section, and its flags and times.

use crate::error::AttributeError;
use crate::line::attribute_number;
use crate::media::Media;

/// RFC 9429 §5.1.2: what an offer may call RTP, all of which mean the same to WebRTC.
const PROTOCOLS: [&str; 11] = [
    "RTP/AVP",
    "RTP/AVPF",
    "RTP/SAVP",
    "RTP/SAVPF",
    "TCP/DTLS/RTP/SAVP",
    "TCP/DTLS/RTP/SAVPF",
    "TCP/TLS/RTP/SAVP",
    "TCP/TLS/RTP/SAVPF",
    "UDP/TLS/RTP/SAVP",
    "UDP/TLS/RTP/SAVPF",
    "DTLS/RTP/SAVPF",
];

impl Media {
    /// An audio or video section: `m=video 9 UDP/TLS/RTP/SAVPF …`, `c=IN IP4 0.0.0.0` and
    /// `a=rtcp:9 IN IP4 0.0.0.0` (RFC 9429 §5.2.1). At least one payload type is wanted.
    #[must_use]
    pub fn rtp(kind: impl Into<String>, payload_types: impl IntoIterator<Item = u8>) -> Self {
        let formats = payload_types.into_iter().map(|number| number.to_string());
        let mut media = Self::new(kind, "UDP/TLS/RTP/SAVPF", formats);
        media.push("rtcp", "9 IN IP4 0.0.0.0");
        media
    }

    /// Whether this is an audio or video section over RTP, under one of the names of
    /// RFC 9429 §5.1.2.
    #[must_use]
    pub fn is_rtp(&self) -> bool {
        matches!(self.kind.as_str(), "audio" | "video")
            && PROTOCOLS.contains(&self.protocol.as_str())
    }

    /// `a=rtcp-mux` (RFC 5761 §5.1.1): RTCP goes where RTP goes.
    #[must_use]
    pub fn is_rtcp_mux(&self) -> bool {
        self.has_attribute("rtcp-mux")
    }

    /// `a=rtcp-mux-only` (RFC 8858 §3): and nowhere else. Only in offers.
    #[must_use]
    pub fn is_rtcp_mux_only(&self) -> bool {
        self.has_attribute("rtcp-mux-only")
    }

    /// `a=rtcp-rsize` (RFC 5506 §5): RTCP packets need not begin with a report.
    #[must_use]
    pub fn is_rtcp_rsize(&self) -> bool {
        self.has_attribute("rtcp-rsize")
    }

    /// The port of `a=rtcp` (RFC 3605 §2.1); where RTCP is multiplexed, without meaning.
    ///
    /// # Errors
    ///
    /// If it is not a number up to 65535, or stands twice.
    pub fn rtcp_port(&self) -> Result<Option<u16>, AttributeError> {
        let line = self.single_attribute("rtcp")?;
        let port = line.map(|line| line.split(' ').next().unwrap_or_default());
        port.map(|port| attribute_number("rtcp", port)).transpose()
    }

    /// `a=ptime`: the media in a packet, in ms (RFC 8866 §6.4).
    ///
    /// # Errors
    ///
    /// If it is not a number, or stands twice. A fraction is cut off.
    pub fn ptime(&self) -> Result<Option<u32>, AttributeError> {
        self.milliseconds("ptime")
    }

    /// `a=maxptime`: the most media in a packet, in ms (RFC 8866 §6.5).
    ///
    /// # Errors
    ///
    /// As [`ptime`](Self::ptime).
    pub fn maxptime(&self) -> Result<Option<u32>, AttributeError> {
        self.milliseconds("maxptime")
    }

    fn milliseconds(&self, key: &'static str) -> Result<Option<u32>, AttributeError> {
        let whole = |text: &str| match text.split_once('.') {
            Some((whole, fraction)) => {
                attribute_number::<u64>(key, fraction)?;
                attribute_number(key, whole)
            }
            None => attribute_number(key, text),
        };
        self.single_attribute(key)?.map(whole).transpose()
    }
}
