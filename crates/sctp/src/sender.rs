//! The sending half of data transfer: what may leave, and what a SACK or a timeout makes of it
//! (RFC 9260 §6.1, §6.3, §7).

mod output;
mod pacer;
mod probe;

use crate::Factory;
use crate::congestion::{Acked, Controller, controller};
use crate::extension::Extensions;
use crate::outstanding::{Outstanding, SackError};
use crate::packet::{DecodeError, HEADER_LEN, Sack};
use crate::queue::SendQueue;
use crate::rto::Rto;
use crate::serial::Tsn;
use crate::state::{StateReader, StateWriter};
use layer::{SctpEvent, SctpStats};
use pacer::Pacer;
use probe::TailProbe;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a repeated FORWARD TSN waits at least, however short the round trip is.
const MIN_FORWARD_DELAY: Duration = Duration::from_millis(10);

/// How long it waits at most (RFC 3758 §3.5, F3).
const MAX_FORWARD_DELAY: Duration = Duration::from_millis(200);

/// What of the association the sending half works on.
pub(crate) struct Upper<'a> {
    pub(crate) queue: &'a mut SendQueue,
    pub(crate) events: &'a mut VecDeque<SctpEvent>,
    pub(crate) stats: &'a mut SctpStats,
}

#[derive(Debug)]
pub(crate) struct Sender {
    outstanding: Outstanding,
    congestion: Box<dyn Controller>,
    pacer: Pacer,
    /// Makes the controller differ from those of other associations.
    seed: u32,
    rto: Rto,
    /// T3-rtx.
    timer: Option<Instant>,
    /// How often it expired in a row.
    expirations: u32,
    /// The peer's window, as it told last.
    a_rwnd: usize,
    /// The widest that it told.
    widest_window: usize,
    /// In fast recovery: when this TSN is acknowledged it is over (RFC 9260 §7.2.4).
    recovery_exit: Option<Tsn>,
    /// One packet of retransmissions may go regardless of the window (RFC 9260 §7.2.4, 3).
    fast_retransmit: bool,
    /// Up to how many bytes in flight new data may bring us before the next SACK.
    burst_limit: usize,
    burst: usize,
    window_probe: WindowProbe,
    tail_probe: TailProbe,
    /// When what was overtaken counts as lost (RFC 8985 §6.3).
    reordering_timer: Option<Instant>,
    forward: Forward,
    /// The chunk that told of a black hole.
    black_hole: Option<Tsn>,
    partial_reliability: bool,
    /// I-DATA in the place of DATA.
    interleaving: bool,
    segment: usize,
    /// The largest chunk, with its header: it goes on alone, whatever the path becomes.
    chunk: usize,
    /// When DATA left last.
    last_sent: Instant,
}

/// Whether the peer's closed window is being probed (RFC 9260 §6.1, A).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WindowProbe {
    None,
    /// The window is closed: a probe may go at this time.
    At(Instant),
    /// It may go now.
    Due,
    /// A probe is on its way.
    Sent,
}

/// Whether a FORWARD TSN has to be sent.
#[derive(Clone, Copy, Debug, Default)]
struct Forward {
    due: bool,
    sent: Option<SentForward>,
}

/// The FORWARD TSN that was sent last.
#[derive(Clone, Copy, Debug)]
struct SentForward {
    at: Instant,
    /// The Advanced.Peer.Ack.Point of then.
    advanced: Tsn,
    /// What it told: less, if more did not fit.
    told: Tsn,
}

impl Sender {
    pub(crate) fn new(
        now: Instant,
        settings: &Factory,
        packets: PacketSize,
        initial: u32,
        a_rwnd: u32,
        extensions: Extensions,
    ) -> Self {
        let interleaving = settings.interleaving && extensions.interleaving;
        let segment = segment(packets.now);
        let burst = settings.max_burst.max(settings.initial_window).max(1);
        Self {
            outstanding: Outstanding::new(now, Tsn::initial(initial), interleaving),
            congestion: controller(settings, segment, initial),
            pacer: Pacer::default(),
            seed: initial,
            rto: Rto::new(settings),
            timer: None,
            expirations: 0,
            a_rwnd: usize::try_from(a_rwnd).unwrap_or(usize::MAX),
            widest_window: usize::try_from(a_rwnd).unwrap_or(usize::MAX),
            recovery_exit: None,
            fast_retransmit: false,
            burst_limit: burst * segment,
            burst,
            window_probe: WindowProbe::None,
            tail_probe: TailProbe::default(),
            reordering_timer: None,
            forward: Forward::default(),
            black_hole: None,
            partial_reliability: extensions.forward_tsn,
            interleaving,
            segment,
            chunk: segment.min(self::segment(packets.base)),
            last_sent: now,
        }
    }

    pub(crate) fn rto(&self) -> &Rto {
        &self.rto
    }

    pub(crate) fn rto_mut(&mut self) -> &mut Rto {
        &mut self.rto
    }

    /// The first TSN that is not acknowledged.
    pub(crate) fn first(&self) -> Tsn {
        self.outstanding.first()
    }

    pub(crate) fn write_state(&self, state: &mut StateWriter) {
        self.outstanding.write_state(state);
    }

    /// Into one that is new but for its first TSN. What is in flight may have arrived or not: the
    /// acknowledgement of a probe tells.
    pub(crate) fn read_state(
        &mut self,
        now: Instant,
        state: &mut StateReader<'_>,
    ) -> Result<(), DecodeError> {
        self.outstanding.read_state(now, state)?;
        self.forward.due = self.outstanding.advance();
        if !self.outstanding.is_empty() {
            self.timer = Some(now + self.rto.timeout());
            self.tail_probe.ask();
        }
        Ok(())
    }

    /// Everything that was sent is acknowledged.
    pub(crate) fn is_idle(&self) -> bool {
        self.outstanding.is_empty()
    }

    pub(crate) fn occupied(&self) -> usize {
        self.outstanding.occupied()
    }

    /// The last TSN that was assigned.
    pub(crate) fn last_assigned(&self) -> Tsn {
        self.outstanding.next_tsn().previous()
    }

    /// The peer's window with nothing in flight.
    pub(crate) fn peer_window(&self) -> u32 {
        u32::try_from(self.a_rwnd).unwrap_or(u32::MAX)
    }

    /// Whether packets may have become too large for the path (RFC 8899 §4.3): the first chunk of all
    /// is lost for the fourth time, or nothing came back for an RTO. One that was such a sign is not
    /// another one.
    pub(crate) fn suspects_black_hole(&mut self) -> bool {
        let first = self.outstanding.often_lost();
        let first = first.or_else(|| self.is_in_the_dark().then(|| self.outstanding.first()));
        let Some(tsn) = first.filter(|tsn| self.black_hole != Some(*tsn)) else {
            return false;
        };
        self.black_hole = Some(tsn);
        true
    }

    /// Whether a timer has expired and nothing was acknowledged since.
    pub(crate) fn is_in_the_dark(&self) -> bool {
        self.expirations > 0
    }

    pub(crate) fn last_sent(&self) -> Instant {
        self.last_sent
    }

    pub(crate) fn fill_stats(&self, stats: &mut SctpStats) {
        stats.congestion_window = self.congestion.window();
        stats.receiver_window = self.a_rwnd;
        stats.in_flight = self.outstanding.in_flight();
        stats.smoothed_round_trip = self.rto.smoothed_round_trip();
    }

    pub(crate) fn set_packet_size(&mut self, packets: PacketSize) {
        self.segment = segment(packets.now);
        self.chunk = self.segment.min(segment(packets.base));
        self.congestion.set_segment(self.segment);
    }

    /// The path is another one: congestion state and round trip start anew (RFC 9260 §7.2.5.2).
    ///
    /// What is in flight may arrive or not. A probe asks at once: without it a timer would, which
    /// may be far off if the old path was lost before it was left.
    pub(crate) fn path_changed(&mut self, now: Instant, settings: &Factory) {
        self.congestion = controller(settings, self.segment, self.seed);
        self.pacer = Pacer::default();
        self.rto = Rto::new(settings);
        self.recovery_exit = None;
        self.expirations = 0;
        self.outstanding.path_changed();
        self.tail_probe.stop();
        if self.outstanding.has_lost() {
            self.fast_retransmit = true;
        } else if self.outstanding.in_flight() > 0 {
            self.tail_probe.ask();
        }
        self.restart_timer(now);
        self.allow_burst(0);
    }

    /// Allows as much as was just acknowledged to follow it, and some more to get going. During
    /// fast recovery that is one packet only, if a loss means congestion: what is lost then was lost
    /// in a burst, and in another one it would be lost again, without fast retransmit (as RFC 6937
    /// §3 has it for TCP).
    fn allow_burst(&mut self, acked: usize) {
        let packets = if self.recovery_exit.is_some() && self.congestion.conserves_packets() {
            1
        } else {
            self.burst
        };
        self.burst_limit = self.outstanding.in_flight() + acked + packets * self.segment;
    }

    // --- input ---

    /// Processes a SACK (RFC 9260 §6.2.1); whether it acknowledged anything new.
    pub(crate) fn sack(
        &mut self,
        now: Instant,
        sack: &Sack<'_>,
        upper: &mut Upper<'_>,
    ) -> Result<bool, SackError> {
        let in_flight_before = self.outstanding.in_flight();
        // Before the SACK itself is looked at: one that acknowledges and reports at once proves
        // nothing.
        if let Some(round_trip) = self.outstanding.take_proven(sack.duplicates()) {
            self.rto.measure_late(round_trip);
        }
        self.outstanding.widen_for(sack.duplicates());
        let blocks = sack.gap_blocks().map(|block| (block.start, block.end));
        let news = self
            .outstanding
            .acknowledge(now, sack.cumulative_tsn, blocks)?;
        self.a_rwnd = usize::try_from(sack.a_rwnd).unwrap_or(usize::MAX);
        self.widest_window = self.widest_window.max(self.a_rwnd);
        if let Some(round_trip) = news.round_trip {
            self.rto.measure(round_trip);
        }
        if news.bytes > 0 {
            self.expirations = 0;
            self.tail_probe.hear();
            self.congestion.acked(Acked {
                now,
                bytes: news.bytes,
                in_flight_before,
                in_flight: self.outstanding.in_flight(),
                advanced: news.advanced,
                round_trip: news.latest,
                smoothed: self.rto.smoothed_round_trip(),
                delivery: news.delivery,
            });
            self.pacer.set_rate(self.congestion.pacing_rate());
        }
        self.end_recovery();
        self.judge_tail_probe(now, sack.duplicates());
        self.look_for_losses(now);
        self.allow_burst(news.bytes);
        self.restart_timer_after(now, news.advanced);
        if news.bytes > 0 {
            self.schedule_tail_probe(now);
        }
        self.window_changed();
        self.settle(upper);
        self.consider_forward(now);
        Ok(news.bytes > 0 || news.advanced)
    }

    /// A SHUTDOWN acknowledges like a SACK without blocks, but tells no window and nothing about
    /// gaps (RFC 9260 §3.3.8).
    pub(crate) fn cumulative_ack(
        &mut self,
        now: Instant,
        cumulative: u32,
        upper: &mut Upper<'_>,
    ) -> Result<bool, SackError> {
        let none = std::iter::empty();
        let news = self.outstanding.acknowledge(now, cumulative, none)?;
        self.end_recovery();
        self.judge_tail_probe(now, std::iter::empty());
        self.look_for_losses(now);
        self.restart_timer_after(now, news.advanced);
        self.settle(upper);
        Ok(news.bytes > 0)
    }

    fn end_recovery(&mut self) {
        if self
            .recovery_exit
            .is_some_and(|exit| self.outstanding.first() > exit)
        {
            self.recovery_exit = None;
            self.congestion.recovered();
            self.outstanding.recovered();
        }
    }

    /// Finds out what is lost by now (RFC 8985 §6.2).
    fn look_for_losses(&mut self, now: Instant) {
        let recovering = self.recovery_exit.is_some();
        let smoothed = self.rto.smoothed_round_trip();
        let losses = self.outstanding.detect_losses(now, recovering, smoothed);
        self.reordering_timer = losses.next;
        if losses.found {
            self.begin_recovery();
        }
    }

    fn begin_recovery(&mut self) {
        if self.recovery_exit.is_none() {
            self.congestion.lost();
            self.recovery_exit = Some(self.last_assigned());
            self.fast_retransmit = true;
            self.tail_probe.stop();
        }
    }

    /// RFC 9260 §6.3.2, R2 and R3.
    fn restart_timer_after(&mut self, now: Instant, advanced: bool) {
        if self.outstanding.is_empty() {
            self.timer = None;
        } else if advanced {
            self.timer = Some(now + self.rto.timeout());
        }
    }

    /// If a probe found the window open again, it was dropped and must not wait for its timer.
    fn window_changed(&mut self) {
        let open = self.a_rwnd >= self.segment;
        if self.window_probe == WindowProbe::Sent && open && !self.outstanding.is_empty() {
            self.outstanding.expire();
        }
        if open || self.outstanding.is_empty() && self.window_probe == WindowProbe::Sent {
            self.window_probe = WindowProbe::None;
        }
    }

    /// Tells what was given up.
    fn settle(&mut self, upper: &mut Upper<'_>) {
        if !self.outstanding.has_abandoned() {
            return;
        }
        while let Some(stream) = self.outstanding.take_cut_off() {
            upper.queue.abandon_current(stream, upper.events);
        }
        for stream in self.outstanding.take_abandoned() {
            upper.stats.messages_abandoned += 1;
            upper.events.push_back(SctpEvent::Abandoned { stream });
        }
    }

    /// After a SACK (RFC 3758 §3.5, C3): news are told at once, a repetition waits for a round trip
    /// (F2).
    fn consider_forward(&mut self, now: Instant) {
        self.forward.due = self.outstanding.advance()
            && self.forward.sent.is_none_or(|sent| {
                let round_trip = self.rto.smoothed_round_trip().unwrap_or(MAX_FORWARD_DELAY);
                let patience = round_trip.clamp(MIN_FORWARD_DELAY, MAX_FORWARD_DELAY);
                sent.advanced != self.outstanding.advanced()
                    || sent.told < self.outstanding.first()
                    || now >= sent.at + patience
            });
    }

    /// Something was just given up: tells so, unless that went already.
    fn forward_news(&mut self) {
        if self.outstanding.advance() {
            let advanced = self.outstanding.advanced();
            self.forward.due |= self
                .forward
                .sent
                .is_none_or(|sent| sent.advanced != advanced);
        }
    }

    /// T3-rtx (RFC 9260 §6.3.3); returns whether it was an error worth counting.
    pub(crate) fn handle_timeout(&mut self, now: Instant, upper: &mut Upper<'_>) -> bool {
        if matches!(self.window_probe, WindowProbe::At(at) if at <= now) {
            self.window_probe = WindowProbe::Due;
        }
        self.tail_probe.expire(now);
        self.pacer.handle_timeout(now);
        if self.reordering_timer.is_some_and(|at| at <= now) {
            self.look_for_losses(now);
            self.allow_burst(0);
            self.settle(upper);
            self.forward_news();
        }
        if self.timer.is_none_or(|at| now < at) {
            return false;
        }
        let probing = self.window_probe == WindowProbe::Sent;
        self.expirations += 1;
        self.timer = Some(now + self.rto.backed_off(self.expirations));
        // A receiver that is merely full is neither a congested path nor a dead peer (§6.1, A).
        if !probing {
            self.congestion.timed_out();
            self.recovery_exit = None;
        }
        self.outstanding.expire();
        self.reordering_timer = None;
        self.tail_probe.stop();
        self.fast_retransmit = true;
        self.allow_burst(0);
        self.settle(upper);
        self.forward.due = self.outstanding.advance();
        !probing
    }

    /// What was sent goes again with the next packet: it travelled with a COOKIE ECHO that did.
    pub(crate) fn send_again(&mut self, upper: &mut Upper<'_>) {
        self.outstanding.expire();
        self.fast_retransmit = true;
        self.settle(upper);
    }

    /// Starts T3-rtx anew if it runs.
    pub(crate) fn restart_timer(&mut self, now: Instant) {
        if self.timer.is_some() {
            self.timer = Some(now + self.rto.timeout());
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let probe = match self.window_probe {
            WindowProbe::At(at) => Some(at),
            WindowProbe::None | WindowProbe::Due | WindowProbe::Sent => None,
        };
        let tail_probe = self.tail_probe.poll_timeout();
        [
            self.timer,
            probe,
            tail_probe,
            self.reordering_timer,
            self.pacer.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// How large packets are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PacketSize {
    /// As the path is known to carry them.
    pub(crate) now: usize,
    /// Where the path is not known.
    pub(crate) base: usize,
}

/// What a packet has room for (PMDCS, RFC 9260 §7.2).
pub(crate) fn segment(max_packet: usize) -> usize {
    (max_packet - HEADER_LEN) & !3
}
