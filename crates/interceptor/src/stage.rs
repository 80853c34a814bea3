use crate::{Direction, Event, PacketResult, Signal, Stream, StreamStats};
use rtp::{Packet, rtcp};
use std::fmt;
use std::time::Instant;

/// One stage of a pipeline. Outgoing packets pass the places from [`Place::Application`] to
/// [`Place::Wire`], incoming ones the other way.
///
/// Every method has a default that does nothing, so a stage writes only what it looks at. Packets
/// are changed where they are; a stage that needs another payload puts one in their place.
///
/// A stage is polled for output after every call into it (except [`Interest::Quiet`] ones), and never out of the blue: what becomes
/// due with time is announced by [`poll_timeout`](Self::poll_timeout).
pub trait Stage: Send + fmt::Debug {
    /// A stream begins, or its parameters have changed. The answer says whether the stage wants its
    /// packets (those of its retransmission stream included); without it they cost the stage
    /// nothing.
    fn bind(&mut self, now: Instant, stream: &Stream) -> Interest {
        let _ = (now, stream);
        Interest::Packets
    }

    /// A stream has ended.
    fn unbind(&mut self, direction: Direction, ssrc: u32) {
        let _ = (direction, ssrc);
    }

    /// A packet goes to the peer.
    fn handle_outgoing(&mut self, now: Instant, packet: &mut Packet) -> Verdict {
        let _ = (now, packet);
        Verdict::Pass
    }

    /// A packet has come from the peer.
    fn handle_incoming(&mut self, now: Instant, packet: &mut Packet) -> Verdict {
        let _ = (now, packet);
        Verdict::Pass
    }

    /// An RTCP packet goes to the peer.
    fn handle_outgoing_rtcp(&mut self, now: Instant, packet: &mut rtcp::Packet) {
        let _ = (now, packet);
    }

    /// An RTCP packet has come from the peer.
    fn handle_incoming_rtcp(&mut self, now: Instant, packet: &rtcp::Packet) {
        let _ = (now, packet);
    }

    /// The owner of the pipeline, or another stage, lets all stages know something.
    fn handle_signal(&mut self, now: Instant, signal: Signal) {
        let _ = (now, signal);
    }

    /// Time has come to the instant that [`poll_timeout`](Self::poll_timeout) gave.
    fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// A packet of the stage's own for the peer; it passes the stages between here and the wire.
    fn poll_transmit(&mut self, now: Instant) -> Option<Packet> {
        let _ = now;
        None
    }

    /// A packet of the stage's own for the application (repaired); it passes the stages between
    /// here and the application.
    fn poll_receive(&mut self, now: Instant) -> Option<Packet> {
        let _ = now;
        None
    }

    /// An RTCP packet of the stage's own for the peer; it passes the stages between here and the
    /// wire.
    fn poll_rtcp(&mut self, now: Instant) -> Option<rtcp::Packet> {
        let _ = now;
        None
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called. It is asked often, so the
    /// answer should stand ready.
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Something the owner of the pipeline should know. [`Event::RoundTrip`] and
    /// [`Event::KeyframeNeeded`] reach all stages too, as a [`Signal`].
    fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// What became of a sent packet, for an estimator of bandwidth.
    fn poll_packet_result(&mut self) -> Option<PacketResult> {
        None
    }

    /// Adds what the stage knows to the statistics of a stream.
    fn describe(&self, direction: Direction, ssrc: u32, stats: &mut StreamStats) {
        let _ = (direction, ssrc, stats);
    }
}

/// Whether a stage wants the packets of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Interest {
    /// All of them.
    Packets,
    /// All of them, and none gives the stage output at once: it is not polled after a packet. What
    /// becomes due later is announced by [`poll_timeout`](Stage::poll_timeout).
    Quiet,
    /// None.
    Nothing,
}

impl Interest {
    /// [`Interest::Quiet`] if so.
    pub(crate) fn quiet_if(wanted: bool) -> Self {
        if wanted { Self::Quiet } else { Self::Nothing }
    }
}

/// Whether a packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// To the next stage.
    Pass,
    /// Nowhere: the stage has kept it, or it is of no use. The pipeline counts it.
    Drop,
}

/// Where a stage stands. Several stages of one place stand in the order they were added: an
/// outgoing packet meets the first one first, an incoming packet the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Place {
    /// Next to the application: sees media as it is written and read (encryption of frames).
    Application,
    /// Repair: NACK, retransmission, forward error correction.
    Repair,
    /// Feedback: transport-wide sequence numbers, reports, statistics.
    Feedback,
    /// Next to SRTP: sees every packet exactly as it is on the wire.
    Wire,
}

/// Makes a stage for every connection that is to have it.
pub trait NewStage: Send + Sync + fmt::Debug {
    /// Where it stands.
    fn place(&self) -> Place;

    /// A stage in its first state.
    fn new_stage(&self) -> Box<dyn Stage>;
}
