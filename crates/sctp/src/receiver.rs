//! The receiving half of data transfer: which DATA is accepted, and when a SACK tells so
//! (RFC 9260 §6.2).

use crate::Factory;
use crate::packet::{Data, DecodeError, ForwardTsn, IData, IForwardTsn, Sack, Writer};
use crate::reassembly::{MessageLimits, Reassembly, Violation};
use crate::serial::Tsn;
use crate::state::{StateReader, StateWriter};
use crate::tracker::{Arrival, Tracker};
use bytes::BufMut;
use layer::Message;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The longest delay of a SACK that RFC 9260 §6.2 allows.
const MAX_SACK_DELAY: Duration = Duration::from_millis(500);

/// Below this many free bytes the window is advertised as closed, so that the peer does not fill
/// it crumb by crumb (silly window avoidance, RFC 9260 §6.2).
const SILLY_WINDOW: usize = 1500;

/// How many SACKs of the past are caught up on when packets came faster than SACKs could go out:
/// with the current one, enough for the three misses of fast retransmit (RFC 9260 §7.2.4).
const MAX_MISSED_SACKS: usize = 3;

/// The window of a new association. It grows as the owner takes what comes.
const INITIAL_WINDOW: usize = 1024 * 1024;

/// The most by which a closed window opens before the peer is told.
const WINDOW_UPDATE: usize = 256 * 1024;

/// How often the next chunk is refused, because what is incomplete fills the window and nothing can
/// complete it, before the association ends. A peer that probes a closed window backs off: it has
/// minutes to give a message up.
const MAX_REFUSALS: u32 = 8;

/// A chunk of user data, of either kind.
#[derive(Debug)]
pub(crate) enum Incoming<'a> {
    Data(Data<'a>),
    IData(IData<'a>),
}

impl Incoming<'_> {
    pub(crate) fn is_interleaved(&self) -> bool {
        matches!(self, Self::IData(_))
    }

    pub(crate) fn tsn(&self) -> u32 {
        match self {
            Self::Data(data) => data.tsn,
            Self::IData(data) => data.tsn,
        }
    }

    pub(crate) fn stream(&self) -> u16 {
        match self {
            Self::Data(data) => data.stream,
            Self::IData(data) => data.stream,
        }
    }

    pub(crate) fn payload(&self) -> &[u8] {
        match self {
            Self::Data(data) => data.payload,
            Self::IData(data) => data.payload,
        }
    }

    fn is_immediate(&self) -> bool {
        match self {
            Self::Data(data) => data.immediate,
            Self::IData(data) => data.immediate,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Receiver {
    tracker: Tracker,
    reassembly: Reassembly,
    /// The bound on what is held now.
    window: usize,
    /// What it may grow to.
    max_window: usize,
    /// Bytes that came back since it has grown.
    consumed: usize,
    /// The window that the last SACK, or INIT, told.
    advertised: usize,
    sack: SackState,
    /// The largest TSN at the time of each SACK that was due above a gap and overtaken by the next
    /// packet before it went out, oldest first.
    missed: VecDeque<Tsn>,
    sack_delay: Duration,
    /// Packets with data since the last SACK.
    unacknowledged: u32,
    /// How often the next chunk was refused in a row, with no hope that room is made for it.
    refusals: u32,
    /// No DATA has come yet.
    fresh: bool,
    packet: PacketSummary,
    /// Gap ack blocks and duplicates on their way into a packet.
    scratch: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SackState {
    Idle,
    Delayed(Instant),
    Due,
}

/// What the packet that is being looked at held.
#[derive(Debug, Default)]
struct PacketSummary {
    data: bool,
    at_once: bool,
}

impl Receiver {
    pub(crate) fn new(settings: &Factory, limits: MessageLimits, initial: u32) -> Self {
        let initial = Tsn::initial(initial);
        let window = initial_window(settings, limits);
        Self {
            tracker: Tracker::new(initial),
            reassembly: Reassembly::new(limits, initial),
            window,
            max_window: receive_window(settings, limits),
            consumed: 0,
            advertised: window,
            sack: SackState::Idle,
            missed: VecDeque::new(),
            sack_delay: settings.sack_delay.min(MAX_SACK_DELAY),
            unacknowledged: 0,
            refusals: 0,
            fresh: true,
            packet: PacketSummary::default(),
            scratch: Vec::new(),
        }
    }

    pub(crate) fn cumulative(&self) -> Tsn {
        self.tracker.cumulative()
    }

    /// Whether no data has come yet.
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Whether a SHUTDOWN could not tell what a SACK would.
    pub(crate) fn has_gaps_or_duplicates(&self) -> bool {
        self.tracker.has_gaps() || self.tracker.has_duplicates()
    }

    pub(crate) fn poll_message(&mut self) -> Option<Message> {
        self.reassembly.poll_message()
    }

    /// Bytes go back to the window; if that opens it, the peer is told (RFC 9260 §6.2).
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.reassembly.consume(bytes);
        self.grow(bytes);
        let opened = self.a_rwnd().saturating_sub(self.advertised);
        let worth_telling = WINDOW_UPDATE.min(self.window / 8).max(1);
        if self.advertised < self.window / 2 && opened >= worth_telling {
            self.sack = SackState::Due;
        }
    }

    /// The window doubles each time that half of it was taken by an owner who keeps up. A sender in
    /// slow start doubles what it sends in the same time, so that it does not have to wait; and an
    /// owner who is slow never has more than the window waiting that it began with.
    fn grow(&mut self, bytes: usize) {
        self.consumed += bytes;
        if self.consumed >= self.window / 2 && self.reassembly.is_taken_but(self.window / 4) {
            self.consumed = 0;
            self.window = (self.window * 2).min(self.max_window);
        }
    }

    fn a_rwnd(&self) -> usize {
        let free = self.window.saturating_sub(self.reassembly.occupied());
        if free < SILLY_WINDOW.min(self.window / 4) {
            0
        } else {
            free
        }
    }

    // --- input ---

    /// Takes a chunk of an existing stream; whether it was a duplicate.
    pub(crate) fn data(&mut self, data: &Incoming<'_>) -> Result<bool, Violation> {
        let tsn = self.tracker.read(data.tsn());
        self.packet.data = true;
        // The first DATA is acknowledged at once (RFC 9260 §5.1), others on request (§6.2).
        self.packet.at_once |= data.is_immediate() || self.fresh;
        self.fresh = false;
        let arrival = self.tracker.classify(tsn);
        if arrival == Arrival::Duplicate {
            self.tracker.record_duplicate(tsn);
            self.packet.at_once = true;
            return Ok(true);
        }
        if arrival == Arrival::TooFar || !self.has_room(tsn) {
            // Dropped, and the SACK shows only what was accepted (RFC 9260 §6.2).
            self.packet.at_once = true;
            self.count_refusal(arrival)?;
            return Ok(false);
        }
        self.refusals = 0;
        let in_order = arrival == Arrival::Next && !self.tracker.has_gaps();
        // Whoever waits for a gap to be filled must hear of it at once, also if it was the last one
        // (RFC 5681 §4.2 has it so for TCP).
        self.packet.at_once |= self.tracker.has_gaps();
        self.note_missed_sack(tsn);
        self.tracker.record(tsn);
        match data {
            Incoming::Data(data) => self.reassembly.insert(tsn, data, in_order)?,
            Incoming::IData(data) => self.reassembly.insert_interleaved(data)?,
        }
        self.make_room();
        Ok(false)
    }

    /// The owner has taken all there is, and yet the window fills: with messages that are not
    /// complete and of which nothing is missing, as where many of them interleave. The window grows to
    /// hold them; when it may not any more, those who take messages in parts get what there is
    /// (RFC 9260 §6.9).
    fn make_room(&mut self) {
        let occupied = self.reassembly.occupied();
        if occupied < self.window / 2 || !self.reassembly.is_taken_but(self.window / 4) {
            return;
        }
        if self.window < self.max_window {
            if !self.tracker.has_gaps() {
                self.consumed = 0;
                self.window = (self.window * 2).min(self.max_window);
                self.packet.at_once = true;
            }
        } else if occupied >= self.window / 4 * 3 {
            self.reassembly.hand_out_early();
        }
    }

    /// What can no more be completed is a standstill, whoever is to blame: the peer has begun more
    /// messages than we told that we can hold.
    fn count_refusal(&mut self, arrival: Arrival) -> Result<(), Violation> {
        let hopeless = arrival == Arrival::Next
            && !self.tracker.has_gaps()
            && self.window >= self.max_window
            && self.reassembly.is_taken_but(0);
        if !hopeless {
            self.refusals = 0;
            return Ok(());
        }
        self.refusals += 1;
        if self.refusals > MAX_REFUSALS {
            return Err(Violation::Standstill);
        }
        Ok(())
    }

    /// RFC 9260 §6.7 wants a SACK for every packet above a gap. A driver that takes a batch of them
    /// at once overtakes the SACKs, and the sender would count one miss where there were many.
    fn note_missed_sack(&mut self, tsn: Tsn) {
        let above_gap = self.tracker.has_gaps() && tsn > self.tracker.largest();
        if above_gap && self.sack == SackState::Due && self.missed.len() < MAX_MISSED_SACKS {
            self.missed.push_back(self.tracker.largest());
        }
    }

    /// Takes DATA that is acknowledged and thrown away: its stream does not exist (RFC 9260 §6.5).
    pub(crate) fn discard(&mut self, data: &Incoming<'_>) {
        let tsn = self.tracker.read(data.tsn());
        self.packet.data = true;
        self.fresh = false;
        if matches!(
            self.tracker.classify(tsn),
            Arrival::Next | Arrival::AboveGap
        ) {
            self.tracker.record(tsn);
        }
    }

    /// With a closed window, nothing beyond the largest TSN is taken; what fills a gap is, up to
    /// half a window more: it is what makes room (RFC 9260 §6.2).
    fn has_room(&self, tsn: Tsn) -> bool {
        let occupied = self.reassembly.occupied();
        if tsn < self.tracker.largest() {
            occupied < self.window + self.window / 2 && !self.reassembly.is_overfull()
        } else {
            occupied < self.window && !self.reassembly.is_full()
        }
    }

    /// Takes a FORWARD TSN (RFC 3758 §3.6).
    pub(crate) fn forward(&mut self, forward: &ForwardTsn<'_>) {
        let Some(to) = self.move_forward(forward.new_cumulative_tsn) else {
            return;
        };
        let skipped = forward
            .skipped()
            .map(|skipped| (skipped.stream, skipped.ssn));
        self.reassembly.forward(to, skipped);
    }

    /// Takes an I-FORWARD-TSN (RFC 8260 §2.3.1).
    pub(crate) fn forward_interleaved(&mut self, forward: &IForwardTsn<'_>) {
        if self.move_forward(forward.new_cumulative_tsn).is_some() {
            for skipped in forward.skipped() {
                self.reassembly.skip_interleaved(skipped);
            }
        }
    }

    /// Moves the Cumulative TSN; to where, if that is news.
    fn move_forward(&mut self, new_cumulative_tsn: u32) -> Option<Tsn> {
        self.packet.data = true;
        let to = self.tracker.read(new_cumulative_tsn);
        if self.tracker.forward(to) {
            return Some(to);
        }
        // Out of date: the SACK may have been lost.
        self.packet.at_once = true;
        None
    }

    /// A whole packet was looked at: decides about the SACK (RFC 9260 §6.2, §6.7).
    /// Returns whether there was data.
    pub(crate) fn end_packet(&mut self, now: Instant) -> bool {
        let packet = std::mem::take(&mut self.packet);
        if !packet.data {
            return false;
        }
        self.unacknowledged += 1;
        if packet.at_once || self.tracker.has_gaps() || self.unacknowledged >= 2 {
            self.sack = SackState::Due;
        } else if self.sack == SackState::Idle {
            self.sack = SackState::Delayed(now + self.sack_delay);
        }
        true
    }

    /// Asks for a SACK with the next packet.
    pub(crate) fn acknowledge_now(&mut self) {
        self.sack = SackState::Due;
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if matches!(self.sack, SackState::Delayed(at) if at <= now) {
            self.sack = SackState::Due;
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.sack {
            SackState::Delayed(at) => Some(at),
            SackState::Idle | SackState::Due => None,
        }
    }

    // --- stream reset ---

    pub(crate) fn reset_streams(&mut self, streams: &[u16]) {
        self.reassembly.reset(streams);
    }

    pub(crate) fn defer_reset(&mut self, last_tsn: Tsn, streams: &[u16]) {
        self.reassembly.defer_reset(last_tsn, streams);
    }

    /// The TSN of the peer that a number on the wire means.
    pub(crate) fn read_tsn(&self, wire: u32) -> Tsn {
        self.tracker.read(wire)
    }

    // --- hand-over ---

    pub(crate) fn write_state(&self, state: &mut StateWriter) {
        state.out.put_u64(self.window as u64);
        self.tracker.write_state(state);
        self.reassembly.write_state(state);
    }

    /// Into one that is new but for the Cumulative TSN. The peer is told at once where we stand.
    pub(crate) fn read_state(&mut self, state: &mut StateReader<'_>) -> Result<(), DecodeError> {
        self.window = state.usize()?.min(self.max_window).max(self.window);
        self.tracker.read_state(state)?;
        self.reassembly
            .read_state(self.tracker.cumulative(), state)?;
        self.fresh = false;
        self.sack = SackState::Due;
        Ok(())
    }

    // --- output ---

    /// Whether a SACK must go out now.
    pub(crate) fn is_sack_due(&self) -> bool {
        self.sack == SackState::Due
    }

    /// Whether a SACK may travel with data that goes out anyway (RFC 9260 §6.1).
    pub(crate) fn has_unacknowledged(&self) -> bool {
        self.sack != SackState::Idle
    }

    pub(crate) fn write_sack(&mut self, packet: &mut Writer<'_>) {
        let Some(room) = packet.remaining().checked_sub(Sack::FIXED_LEN) else {
            return;
        };
        // What has been filled since needs no SACK of its own any more.
        while self
            .missed
            .front()
            .is_some_and(|tsn| *tsn <= self.tracker.cumulative())
        {
            self.missed.pop_front();
        }
        let missed = self.missed.front().copied();
        let until = missed.unwrap_or(self.tracker.largest());
        let blocks = self.tracker.report(until, room, &mut self.scratch);
        let (gap_blocks, duplicates) = self.scratch.split_at(blocks);
        let a_rwnd = self.a_rwnd();
        let written = packet.push(&Sack {
            cumulative_tsn: self.tracker.cumulative().wire(),
            a_rwnd: u32::try_from(a_rwnd).unwrap_or(u32::MAX),
            gap_blocks,
            duplicates,
        });
        if written {
            self.advertised = a_rwnd;
            self.unacknowledged = 0;
            self.sack = match self.missed.pop_front() {
                Some(_) => SackState::Due,
                None => SackState::Idle,
            };
        }
    }
}

/// The bound on received data that INIT and INIT ACK tell.
pub(crate) fn initial_window(settings: &Factory, limits: MessageLimits) -> usize {
    let least = INITIAL_WINDOW.max(limits.held());
    receive_window(settings, limits).min(least)
}

/// The bound on received data: what is held of one message must fit.
pub(crate) fn receive_window(settings: &Factory, limits: MessageLimits) -> usize {
    settings.receive_window.max(limits.held()).max(SILLY_WINDOW)
}
