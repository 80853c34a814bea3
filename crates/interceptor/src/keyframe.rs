use crate::{Config, Direction, Event, Feedback, Interest, Signal, Stage, Stream};
use rtp::rtcp::{self, FullIntraRequest, PictureLossIndication};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Requests for key frames, both ways, with limits: PLI (RFC 4585 §6.3.1) and FIR (RFC 5104
/// §4.3.1).
///
/// For an incoming stream, [`Signal::KeyframeNeeded`] becomes a PLI, or a FIR where only that was
/// negotiated. For an outgoing stream, PLI and FIR become [`Event::KeyframeRequested`]. In both
/// directions the first goes at once, and what comes within the interval goes as one at its end.
#[derive(Debug)]
pub struct Keyframes {
    reporter: u32,
    /// The least time between two requests we send.
    asking: Duration,
    /// The least time between two requests we hand on.
    obeying: Duration,
    incoming: BTreeMap<u32, Incoming>,
    outgoing: BTreeMap<u32, Outgoing>,
    /// Incoming streams to ask for a key frame now.
    requests: BTreeSet<u32>,
    /// Outgoing streams of which the owner is to be told now.
    obeyed: BTreeSet<u32>,
    /// When the first of those that wait may go.
    next: Option<Instant>,
}

#[derive(Debug)]
struct Incoming {
    request: Request,
    limit: Limit,
    /// The sequence number of the next FIR: one more for each new request (rtcp-019).
    next_fir: u8,
}

impl Incoming {
    fn new(request: Request) -> Self {
        Self {
            request,
            limit: Limit::default(),
            next_fir: 0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    PictureLossIndication,
    FullIntraRequest,
}

impl Request {
    /// PLI where both were negotiated: FIR is not for loss (rtcp-021).
    fn of(feedback: Feedback) -> Option<Self> {
        match feedback {
            Feedback { pli: true, .. } => Some(Self::PictureLossIndication),
            Feedback { fir: true, .. } => Some(Self::FullIntraRequest),
            _ => None,
        }
    }
}

#[derive(Debug, Default)]
struct Outgoing {
    limit: Limit,
    /// Who sent the last FIR, and its sequence number: the same again is a repetition.
    last_fir: Option<(u32, u8)>,
}

/// Lets one through, and then one in an interval.
#[derive(Debug, Default)]
struct Limit {
    last: Option<Instant>,
    /// When the one goes that waits for the end of the interval.
    waits: Option<Instant>,
}

impl Limit {
    /// Whether one goes now. Otherwise it waits.
    fn ask(&mut self, now: Instant, interval: Duration) -> bool {
        match self.last.map(|last| last + interval) {
            Some(free) if free > now => {
                self.waits = Some(free);
                false
            }
            _ => {
                (self.last, self.waits) = (Some(now), None);
                true
            }
        }
    }

    /// Whether the one that waits goes now.
    fn is_over(&mut self, now: Instant) -> bool {
        let over = self.waits.is_some_and(|due| due <= now);
        if over {
            (self.last, self.waits) = (Some(now), None);
        }
        over
    }
}

impl Keyframes {
    /// Asks in the name of `reporter`.
    #[must_use]
    pub fn new(config: &Config, reporter: u32) -> Self {
        Self {
            reporter,
            asking: config.keyframe_interval,
            obeying: config.keyframe_request_interval,
            incoming: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            requests: BTreeSet::new(),
            obeyed: BTreeSet::new(),
            next: None,
        }
    }

    fn ask(&mut self, now: Instant, ssrc: u32) {
        let Some(stream) = self.incoming.get_mut(&ssrc) else {
            return;
        };
        if stream.limit.ask(now, self.asking) {
            self.requests.insert(ssrc);
        }
        self.bring_forward(self.incoming[&ssrc].limit.waits);
    }

    fn obey(&mut self, now: Instant, ssrc: u32) {
        let Some(stream) = self.outgoing.get_mut(&ssrc) else {
            return;
        };
        if stream.limit.ask(now, self.obeying) {
            self.obeyed.insert(ssrc);
        }
        self.bring_forward(self.outgoing[&ssrc].limit.waits);
    }

    fn obey_command(&mut self, now: Instant, request: &FullIntraRequest) {
        for entry in &request.entries {
            let Some(stream) = self.outgoing.get_mut(&entry.ssrc) else {
                continue;
            };
            // RFC 5104 §4.3.1.2: the same number is a repetition of what was obeyed.
            let fir = Some((request.sender_ssrc, entry.sequence_number));
            if stream.last_fir != fir {
                stream.last_fir = fir;
                self.obey(now, entry.ssrc);
            }
        }
    }

    fn bring_forward(&mut self, due: Option<Instant>) {
        self.next = [self.next, due].into_iter().flatten().min();
    }
}

impl Stage for Keyframes {
    fn bind(&mut self, _: Instant, stream: &Stream) -> Interest {
        match stream.direction {
            Direction::Outgoing => {
                self.outgoing.entry(stream.ssrc).or_default();
            }
            Direction::Incoming => match Request::of(stream.feedback) {
                Some(request) => {
                    let entry = self.incoming.entry(stream.ssrc);
                    entry.or_insert_with(|| Incoming::new(request)).request = request;
                }
                None => self.unbind(Direction::Incoming, stream.ssrc),
            },
        }
        Interest::Nothing
    }

    fn unbind(&mut self, direction: Direction, ssrc: u32) {
        match direction {
            Direction::Outgoing => {
                self.outgoing.remove(&ssrc);
                self.obeyed.remove(&ssrc);
            }
            Direction::Incoming => {
                self.incoming.remove(&ssrc);
                self.requests.remove(&ssrc);
            }
        }
    }

    fn handle_incoming_rtcp(&mut self, now: Instant, packet: &rtcp::Packet) {
        match packet {
            rtcp::Packet::PictureLossIndication(pli) => self.obey(now, pli.media_ssrc),
            rtcp::Packet::FullIntraRequest(request) => self.obey_command(now, request),
            _ => {}
        }
    }

    fn handle_signal(&mut self, now: Instant, signal: Signal) {
        if let Signal::KeyframeNeeded { ssrc } = signal {
            self.ask(now, ssrc);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.next.is_none_or(|next| next > now) {
            return;
        }
        for (&ssrc, stream) in &mut self.incoming {
            if stream.limit.is_over(now) {
                self.requests.insert(ssrc);
            }
        }
        for (&ssrc, stream) in &mut self.outgoing {
            if stream.limit.is_over(now) {
                self.obeyed.insert(ssrc);
            }
        }
        let asks = self
            .incoming
            .values()
            .filter_map(|stream| stream.limit.waits);
        let obeys = self
            .outgoing
            .values()
            .filter_map(|stream| stream.limit.waits);
        self.next = asks.chain(obeys).min();
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    fn poll_rtcp(&mut self, _: Instant) -> Option<rtcp::Packet> {
        let ssrc = self.requests.pop_first()?;
        let stream = self.incoming.get_mut(&ssrc)?;
        Some(match stream.request {
            Request::PictureLossIndication => PictureLossIndication {
                sender_ssrc: self.reporter,
                media_ssrc: ssrc,
            }
            .into(),
            Request::FullIntraRequest => {
                let number = stream.next_fir;
                stream.next_fir = number.wrapping_add(1);
                FullIntraRequest::new(self.reporter, ssrc, number).into()
            }
        })
    }

    fn poll_event(&mut self) -> Option<Event> {
        let ssrc = self.obeyed.pop_first()?;
        Some(Event::KeyframeRequested { ssrc })
    }
}
