use super::body::{APPLICATION_FEEDBACK, Body, PAYLOAD_FEEDBACK, SsrcList, TRANSPORT_FEEDBACK};
use super::frame::{self, Frame, HEADER_LEN};
use super::{
    ApplicationDefined, CongestionControlFeedback, ExtendedReport, FullIntraRequest, Goodbye,
    LossNotification, Nack, PictureLossIndication, RapidResynchronizationRequest,
    ReceiverEstimatedMaxBitrate, ReceiverReport, ReferencePictureSelection, SenderReport,
    SliceLossIndication, SourceDescription, TemporaryMaxBitrateNotification,
    TemporaryMaxBitrateRequest, TransportFeedback, Unknown, application_defined,
    congestion_control_feedback, extended_report, full_intra_request, goodbye, loss_notification,
    nack, picture_loss_indication, rapid_resynchronization_request, receiver_estimated_max_bitrate,
    receiver_report, reference_picture_selection, sender_report, slice_loss_indication,
    source_description, temporary_max_bitrate, transport_feedback,
};
use crate::{DecodeError, EncodeError};

/// Declares the enum, the conversion from each of its types, and the way to each one's body.
macro_rules! packet {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// One RTCP packet of a compound.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Packet {
            $($(#[$doc])* $name($name),)*
        }

        impl Packet {
            fn body(&self) -> &dyn Body {
                match self {
                    $(Self::$name(body) => body,)*
                }
            }
        }

        $(impl From<$name> for Packet {
            fn from(body: $name) -> Self {
                Self::$name(body)
            }
        })*
    };
}

packet! {
    /// SR: what was sent, and how others are received (RFC 3550 §6.4.1).
    SenderReport,
    /// RR: how others are received (RFC 3550 §6.4.2).
    ReceiverReport,
    /// SDES: the CNAME and other names of sources (RFC 3550 §6.5).
    SourceDescription,
    /// BYE: sources end (RFC 3550 §6.6).
    Goodbye,
    /// APP: what an application likes (RFC 3550 §6.7).
    ApplicationDefined,
    /// Generic NACK: packets that are missing (RFC 4585 §6.2.1).
    Nack,
    /// TMMBR: send no more than this (RFC 5104 §4.2.1).
    TemporaryMaxBitrateRequest,
    /// TMMBN: what limits the sender (RFC 5104 §4.2.2).
    TemporaryMaxBitrateNotification,
    /// RTCP-SR-REQ: a sender report is wanted at once (RFC 6051 §3.2).
    RapidResynchronizationRequest,
    /// When packets arrived, by RFC 8888.
    CongestionControlFeedback,
    /// When packets arrived, by transport-wide sequence number.
    TransportFeedback,
    /// PLI: a picture was lost (RFC 4585 §6.3.1).
    PictureLossIndication,
    /// SLI: parts of pictures were lost (RFC 4585 §6.3.2).
    SliceLossIndication,
    /// RPSI: the picture to refer to (RFC 4585 §6.3.3).
    ReferencePictureSelection,
    /// FIR: a key frame is wanted (RFC 5104 §4.3.1).
    FullIntraRequest,
    /// REMB: what a receiver estimates it can receive.
    ReceiverEstimatedMaxBitrate,
    /// LNTF: what was received and what was decoded.
    LossNotification,
    /// XR: more reports (RFC 3611).
    ExtendedReport,
    /// A type or feedback message that is not spoken here.
    Unknown,
}

impl Packet {
    /// Reads one packet; what follows it is not looked at. See [`packets`](super::packets) for
    /// all of a datagram.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] if the packet reaches beyond the bytes, or its content beyond the packet.
    pub fn parse(packet: &[u8]) -> Result<Self, DecodeError> {
        Self::parse_frame(Frame::split(packet)?.0)
    }

    pub(super) fn parse_frame(frame: Frame<'_>) -> Result<Self, DecodeError> {
        let Frame { count, body, .. } = frame;
        Ok(match frame.packet_type {
            sender_report::TYPE => SenderReport::parse(count, body)?.into(),
            receiver_report::TYPE => ReceiverReport::parse(count, body)?.into(),
            source_description::TYPE => SourceDescription::parse(count, body)?.into(),
            goodbye::TYPE => Goodbye::parse(count, body)?.into(),
            application_defined::TYPE => ApplicationDefined::parse(count, body)?.into(),
            extended_report::TYPE => ExtendedReport::parse(body)?.into(),
            TRANSPORT_FEEDBACK => Self::parse_transport(frame)?,
            PAYLOAD_FEEDBACK => Self::parse_payload(frame)?,
            _ => Unknown::parse(frame).into(),
        })
    }

    fn parse_transport(frame: Frame<'_>) -> Result<Self, DecodeError> {
        let body = frame.body;
        Ok(match frame.count {
            nack::FORMAT => Nack::parse(body)?.into(),
            temporary_max_bitrate::REQUEST_FORMAT => {
                TemporaryMaxBitrateRequest::parse(body)?.into()
            }
            temporary_max_bitrate::NOTIFICATION_FORMAT => {
                TemporaryMaxBitrateNotification::parse(body)?.into()
            }
            rapid_resynchronization_request::FORMAT => {
                RapidResynchronizationRequest::parse(body)?.into()
            }
            congestion_control_feedback::FORMAT => CongestionControlFeedback::parse(body)?.into(),
            transport_feedback::FORMAT => TransportFeedback::parse(body)?.into(),
            _ => Unknown::parse(frame).into(),
        })
    }

    fn parse_payload(frame: Frame<'_>) -> Result<Self, DecodeError> {
        let body = frame.body;
        Ok(match frame.count {
            picture_loss_indication::FORMAT => PictureLossIndication::parse(body)?.into(),
            slice_loss_indication::FORMAT => SliceLossIndication::parse(body)?.into(),
            reference_picture_selection::FORMAT => ReferencePictureSelection::parse(body)?.into(),
            full_intra_request::FORMAT => FullIntraRequest::parse(body)?.into(),
            // Application layer feedback is told apart by the four bytes it begins with.
            APPLICATION_FEEDBACK => match body.get(8..12) {
                Some(receiver_estimated_max_bitrate::NAME) => {
                    ReceiverEstimatedMaxBitrate::parse(body)?.into()
                }
                Some(loss_notification::NAME) => LossNotification::parse(body)?.into(),
                _ => Unknown::parse(frame).into(),
            },
            _ => Unknown::parse(frame).into(),
        })
    }

    /// The length on the wire, in bytes, a multiple of 4.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        HEADER_LEN + self.body().len()
    }

    /// Writes the packet, without padding, and returns its length.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooSmall`] if `out` is short, [`EncodeError::Value`] if a list is longer than
    /// its counter can say, or a value does not fit its field. The content of `out` is unspecified
    /// then.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        frame::write(self.body(), out)
    }

    /// Who sent it. `None` for SDES and BYE, which are only about sources, and for unknown types.
    #[must_use]
    pub fn sender_ssrc(&self) -> Option<u32> {
        self.body().sender_ssrc()
    }

    /// Every SSRC it is about: what reports report on, what feedback is for, what names and
    /// goodbyes are of. Whoever has one of them wants the packet (RFC 9143 §9.2).
    #[must_use]
    pub fn destination_ssrcs(&self) -> SsrcList {
        let mut list = SsrcList::new();
        self.body().destination_ssrcs(&mut list);
        list
    }
}

/// Asserts that the bytes are read as the packet, and that the packet is written as the bytes.
#[cfg(test)]
pub(super) fn same_bytes(hex: &str, packet: &Packet) {
    let bytes = crate::hex::decode(hex);
    assert_eq!(Packet::parse(&bytes).as_ref(), Ok(packet));
    let mut out = vec![0xFF; packet.encoded_len()];
    assert_eq!(packet.write(&mut out), Ok(out.len()));
    assert_eq!(out, bytes);
}
