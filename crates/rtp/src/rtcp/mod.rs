//! RTCP: one file for each packet type (RFC 3550 §6, RFC 4585, RFC 5104, RFC 3611, RFC 8888).
//!
//! [`packets`] walks through a datagram, [`Packet::write`] writes one packet into a buffer you lend,
//! [`write_compound`] several. Lists stand in small vectors whose inline room holds what is usual,
//! and what a packet makes them allocate is proportional to its length.
//!
//! It leaves out: when to send (RFC 3550 §6.3, RFC 4585 §3.5) and what to do with what was
//! received; that is `muonrtc-interceptor`.

mod application_defined;
mod bitrate;
mod body;
mod compound;
mod congestion_control_feedback;
mod extended_report;
mod frame;
mod full_intra_request;
mod goodbye;
mod loss_notification;
mod nack;
mod ntp;
mod packet;
mod picture_loss_indication;
mod rapid_resynchronization_request;
mod receiver_estimated_max_bitrate;
mod receiver_report;
mod reference_picture_selection;
mod report_block;
mod sender_report;
mod slice_loss_indication;
mod source_description;
mod temporary_max_bitrate;
mod transport_feedback;
mod unknown;

pub use self::application_defined::ApplicationDefined;
pub use self::body::SsrcList;
pub use self::compound::{check_compound, check_reduced_size, packets, write_compound};
pub use self::congestion_control_feedback::{
    CongestionControlFeedback, Ecn, PacketMetric, StreamMetrics,
};
pub use self::extended_report::{Dlrr, ExtendedBlock, ExtendedReport};
pub use self::full_intra_request::{FullIntraEntry, FullIntraRequest};
pub use self::goodbye::Goodbye;
pub use self::loss_notification::LossNotification;
pub use self::nack::{Nack, NackPair};
pub use self::ntp::NtpTimestamp;
pub use self::packet::Packet;
pub use self::picture_loss_indication::PictureLossIndication;
pub use self::rapid_resynchronization_request::RapidResynchronizationRequest;
pub use self::receiver_estimated_max_bitrate::ReceiverEstimatedMaxBitrate;
pub use self::receiver_report::ReceiverReport;
pub use self::reference_picture_selection::ReferencePictureSelection;
pub use self::report_block::ReportBlock;
pub use self::sender_report::SenderReport;
pub use self::slice_loss_indication::{Slice, SliceLossIndication};
pub use self::source_description::{SourceChunk, SourceDescription, SourceItem, SourceItemType};
pub use self::temporary_max_bitrate::{
    TemporaryMaxBitrateEntry, TemporaryMaxBitrateNotification, TemporaryMaxBitrateRequest,
};
pub use self::transport_feedback::{Received, TransportFeedback};
pub use self::unknown::Unknown;
