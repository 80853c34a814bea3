//! The session's verbs for audio and video (webrtc-pc §5).

use super::Session;
use super::media::{
    IncomingRtcp, IncomingRtp, ReceiverInfo, SenderInfo, SentTrack, TransceiverInfo, TransceiverKey,
};
use crate::api::state::{MediaKind, RtpTransceiverDirection};
use crate::error::Error;
use crate::parameters::{
    RtpCodec, RtpCodecParameters, RtpContributingSource, RtpReceiveParameters, RtpSendParameters,
    RtpTransceiverInit,
};
use interceptor::StreamStats;
use layer::Transmit;
use rtp::Packet;
use std::time::Instant;

impl Session {
    /// W3C `addTransceiver` with a kind of media.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) or [`ErrorKind::Range`](crate::ErrorKind::Range)
    /// if the encodings contradict each other, [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState)
    /// after [`close`](Self::close).
    pub fn add_transceiver(
        &mut self,
        kind: MediaKind,
        init: RtpTransceiverInit,
    ) -> Result<TransceiverKey, Error> {
        self.add_transceiver_with(kind, None, init)
    }

    pub(crate) fn add_transceiver_with(
        &mut self,
        kind: MediaKind,
        track: Option<SentTrack>,
        init: RtpTransceiverInit,
    ) -> Result<TransceiverKey, Error> {
        self.check_open()?;
        let key = self.media.add_transceiver(kind, track, init)?;
        self.update_negotiation_needed();
        Ok(key)
    }

    pub(crate) fn add_track(
        &mut self,
        track: SentTrack,
        streams: Vec<String>,
    ) -> Result<TransceiverKey, Error> {
        self.check_open()?;
        let key = self.media.add_track(track, streams)?;
        self.update_negotiation_needed();
        Ok(key)
    }

    /// W3C `removeTrack`: the sender has no track, and its direction no longer sends.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) after [`close`](Self::close).
    pub fn remove_track(&mut self, key: TransceiverKey) -> Result<(), Error> {
        self.check_open()?;
        self.media.remove_track(key);
        self.update_negotiation_needed();
        Ok(())
    }

    pub(crate) fn replace_track(
        &mut self,
        key: TransceiverKey,
        track: Option<SentTrack>,
    ) -> Result<(), Error> {
        self.check_open()?;
        self.media.replace_track(key, track)
    }

    /// What a sender sends, without the handle of a track: packets are then of this codec, or say
    /// by their payload types what they are.
    ///
    /// # Errors
    ///
    /// As [`set_direction`](Self::set_direction); [`ErrorKind::Type`](crate::ErrorKind::Type) for
    /// another kind of media.
    pub fn set_sender_codec(
        &mut self,
        key: TransceiverKey,
        codec: Option<RtpCodec>,
    ) -> Result<(), Error> {
        let kind = self.media.info(key).map(|info| info.kind);
        let track = kind.map(|kind| SentTrack {
            id: String::new(),
            kind,
            codec,
        });
        self.replace_track(key, track)
    }

    /// W3C `direction` of a transceiver; takes effect with the next negotiation.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) if the transceiver is stopped or
    /// after [`close`](Self::close), [`ErrorKind::Type`](crate::ErrorKind::Type) for `stopped`.
    pub fn set_direction(
        &mut self,
        key: TransceiverKey,
        direction: RtpTransceiverDirection,
    ) -> Result<(), Error> {
        self.check_open()?;
        self.media.set_direction(key, direction)?;
        self.update_negotiation_needed();
        Ok(())
    }

    /// W3C `setStreams` of a sender; takes effect with the next negotiation.
    ///
    /// # Errors
    ///
    /// As [`set_direction`](Self::set_direction).
    pub fn set_streams(&mut self, key: TransceiverKey, streams: Vec<String>) -> Result<(), Error> {
        self.check_open()?;
        self.media.set_streams(key, streams)?;
        self.update_negotiation_needed();
        Ok(())
    }

    /// W3C `stop` of a transceiver.
    pub fn stop_transceiver(&mut self, now: Instant, key: TransceiverKey) {
        self.media.stop(now, key);
        self.update_negotiation_needed();
        self.pump(now);
    }

    /// W3C `setCodecPreferences`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidModification`](crate::ErrorKind::InvalidModification) for a codec that
    /// is not one of the connection's capabilities.
    pub fn set_codec_preferences(
        &mut self,
        key: TransceiverKey,
        codecs: Vec<RtpCodec>,
    ) -> Result<(), Error> {
        self.check_open()?;
        self.media.set_codec_preferences(key, codecs)
    }

    /// W3C `getParameters` of a sender; `None` when the transceiver is stopped.
    pub fn send_parameters(&mut self, key: TransceiverKey) -> Option<RtpSendParameters> {
        self.media.send_parameters(key)
    }

    /// W3C `setParameters` of a sender; takes effect at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidModification`](crate::ErrorKind::InvalidModification) if they are not
    /// what [`send_parameters`](Self::send_parameters) gave last, with changed wishes;
    /// [`ErrorKind::Range`](crate::ErrorKind::Range) for a wish that cannot be.
    pub fn set_send_parameters(
        &mut self,
        key: TransceiverKey,
        parameters: RtpSendParameters,
    ) -> Result<(), Error> {
        self.check_open()?;
        self.media.set_send_parameters(key, parameters)
    }

    /// W3C `getParameters` of a receiver; `None` when the transceiver is stopped.
    #[must_use]
    pub fn receive_parameters(&self, key: TransceiverKey) -> Option<RtpReceiveParameters> {
        self.media.receive_parameters(key)
    }

    /// W3C `getTransceivers`: those that are not stopped, in the order they were made.
    #[must_use]
    pub fn transceivers(&self) -> Vec<TransceiverKey> {
        self.media.keys().collect()
    }

    /// A transceiver, as it is now; `None` when it is stopped.
    #[must_use]
    pub fn transceiver(&self, key: TransceiverKey) -> Option<TransceiverInfo> {
        self.media.info(key)
    }

    /// A sender, as it is now; `None` when its transceiver is stopped.
    #[must_use]
    pub fn sender(&self, key: TransceiverKey) -> Option<SenderInfo> {
        self.media.sender_info(key)
    }

    /// A receiver, as it is now; `None` when its transceiver is stopped.
    #[must_use]
    pub fn receiver(&self, key: TransceiverKey) -> Option<ReceiverInfo> {
        self.media.receiver_info(key)
    }

    /// The codec that packets with this payload type are of, as the application sees it.
    #[must_use]
    pub fn codec(&self, kind: MediaKind, payload_type: u8) -> Option<RtpCodecParameters> {
        self.media.codec(kind, payload_type)
    }

    /// ORTC `send`: the sender of a transceiver that no description has sends by these parameters
    /// from now on. The transceiver takes no part in descriptions after it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`](crate::ErrorKind::InvalidState) for a transceiver that is
    /// negotiated or stopped, [`ErrorKind::Type`](crate::ErrorKind::Type) or
    /// [`ErrorKind::Range`](crate::ErrorKind::Range) for parameters that cannot be.
    pub fn send_media(
        &mut self,
        now: Instant,
        key: TransceiverKey,
        parameters: RtpSendParameters,
    ) -> Result<(), Error> {
        self.check_open()?;
        self.media.send(now, key, parameters)?;
        self.update_negotiation_needed();
        self.pump(now);
        Ok(())
    }

    /// ORTC `receive`: the receiver of a transceiver that no description has takes these streams
    /// from now on. The transceiver takes no part in descriptions after it.
    ///
    /// # Errors
    ///
    /// As [`send_media`](Self::send_media).
    pub fn receive_media(
        &mut self,
        now: Instant,
        key: TransceiverKey,
        parameters: RtpReceiveParameters,
    ) -> Result<(), Error> {
        self.check_open()?;
        self.media.receive(now, key, parameters)?;
        self.update_negotiation_needed();
        self.pump(now);
        Ok(())
    }

    /// Protects a packet into `buf` and says where to send it; `None` if it goes nowhere: there is
    /// no path or no key yet, the direction does not send, or its codec was not negotiated.
    ///
    /// Payload type and extension ids are those of the connection's
    /// [`Capabilities`](crate::Capabilities). Sequence numbers and timestamps may begin anywhere:
    /// a packet with another source than the one before begins a new source, and the stream goes
    /// on where it was.
    pub fn write_rtp(
        &mut self,
        now: Instant,
        key: TransceiverKey,
        layer: usize,
        packet: &Packet,
        buf: &mut [u8],
    ) -> Option<Transmit> {
        let transport = self.transport.as_mut()?;
        let route = transport.ice.route()?;
        let room = route.headroom..route.headroom + route.max_payload;
        let room = room.start..room.end.min(buf.len().checked_sub(route.tailroom)?);
        let out = buf.get_mut(room)?;
        let len = self.media.write_rtp(now, key, layer, packet, out);
        if len == 0 {
            return None;
        }
        transport.wrap(now, buf, route.headroom, len, None)
    }

    /// The counters of a sender's encodings, in their order.
    #[must_use]
    pub fn sender_stats(&self, key: TransceiverKey) -> Vec<StreamStats> {
        self.media.sender_stats(key)
    }

    /// The counters of a receiver's layer; `None` before media has come.
    #[must_use]
    pub fn receiver_stats(&self, key: TransceiverKey, layer: u8) -> Option<StreamStats> {
        self.media.receiver_stats(key, layer)
    }

    /// W3C `getSynchronizationSources`: who sent to a receiver in the last 10 s, the latest first.
    #[must_use]
    pub fn synchronization_sources(
        &self,
        now: Instant,
        key: TransceiverKey,
    ) -> Vec<RtpContributingSource> {
        self.media.heard(now, key, false)
    }

    /// W3C `getContributingSources`: whom a mixer put together for a receiver in the last 10 s, the
    /// latest first.
    #[must_use]
    pub fn contributing_sources(
        &self,
        now: Instant,
        key: TransceiverKey,
    ) -> Vec<RtpContributingSource> {
        self.media.heard(now, key, true)
    }

    /// The next packet of audio or video.
    pub fn poll_rtp(&mut self) -> Option<IncomingRtp> {
        self.media.poll_rtp()
    }

    /// The next RTCP packet, once [`read_rtcp`](Self::read_rtcp) was called.
    pub fn poll_rtcp(&mut self) -> Option<IncomingRtcp> {
        self.media.poll_rtcp()
    }

    /// From now on RTCP is kept for [`poll_rtcp`](Self::poll_rtcp).
    pub fn read_rtcp(&mut self) {
        self.media.read_rtcp();
    }

    /// Sends an RTCP packet with the next compound.
    pub fn write_rtcp(&mut self, now: Instant, packet: rtp::rtcp::Packet) {
        self.media.write_rtcp(now, packet);
    }

    /// Asks the peer for a key frame of a layer; requests are limited (RFC 4585 §6.3.1).
    pub fn request_keyframe(&mut self, now: Instant, key: TransceiverKey, layer: u8) {
        self.media.request_keyframe(now, key, layer);
    }

    pub(crate) fn encoding_of(&self, key: TransceiverKey, rid: &str) -> Option<usize> {
        self.media.encoding_of(key, rid)
    }
}
