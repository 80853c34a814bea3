use super::Pipeline;
use super::route::{Route, StageSet};
use crate::{Direction, Event, PacketResult, Signal, Verdict};
use rtp::{Packet, rtcp};
use std::time::Instant;

impl Pipeline {
    /// A packet of a stage's own, a retransmission for one, to protect and to send.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Packet> {
        while let Some(at) = self.awake.transmit.first() {
            let Some(mut packet) = self.stages[at].1.poll_transmit(now) else {
                self.awake.transmit = self.awake.transmit.without(at);
                continue;
            };
            let route = self.routes.get(Direction::Outgoing, packet.header.ssrc);
            if self.pass_outgoing(now, &mut packet, route.behind(at)) == Verdict::Pass {
                return Some(packet);
            }
        }
        None
    }

    /// A packet that a stage has made for the application.
    pub fn poll_receive(&mut self, now: Instant) -> Option<Packet> {
        while let Some(at) = self.awake.receive.first() {
            let Some(mut packet) = self.stages[at].1.poll_receive(now) else {
                self.awake.receive = self.awake.receive.without(at);
                continue;
            };
            let route = self.routes.get(Direction::Incoming, packet.header.ssrc);
            if self.pass_incoming(now, &mut packet, route.before(at)) == Verdict::Pass {
                return Some(packet);
            }
        }
        None
    }

    /// Writes a datagram of RTCP into `out`, to protect and to send, and returns its length: at
    /// most [`max_compound`](crate::Config::max_compound).
    pub fn poll_rtcp(&mut self, now: Instant, out: &mut [u8]) -> Option<usize> {
        self.now = now;
        self.collect_events();
        self.collect_rtcp(now);
        self.compound.write(out, &mut self.stats)
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timeouts = self
            .stages
            .iter()
            .filter_map(|(_, stage)| stage.poll_timeout());
        timeouts.min()
    }

    /// Something the owner should know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.collect_events();
        self.events.pop_front()
    }

    /// What became of a packet that was sent with a transport-wide sequence number, for an
    /// estimator. Results that nobody polls are forgotten, the oldest first.
    pub fn poll_packet_result(&mut self) -> Option<PacketResult> {
        while let Some(at) = self.awake.result.first() {
            if let Some(result) = self.stages[at].1.poll_packet_result() {
                return Some(result);
            }
            self.awake.result = self.awake.result.without(at);
        }
        None
    }

    pub(super) fn pass_outgoing(
        &mut self,
        now: Instant,
        packet: &mut Packet,
        route: Route,
    ) -> Verdict {
        let mut rest = route.stages;
        while let Some(at) = rest.first() {
            rest = rest.without(at);
            if self.stages[at].1.handle_outgoing(now, packet) == Verdict::Drop {
                self.stats.dropped_outgoing += 1;
                self.touch(now, route.loud);
                return Verdict::Drop;
            }
        }
        self.touch(now, route.loud);
        Verdict::Pass
    }

    pub(super) fn pass_incoming(
        &mut self,
        now: Instant,
        packet: &mut Packet,
        route: Route,
    ) -> Verdict {
        let mut rest = route.stages;
        while let Some(at) = rest.last() {
            rest = rest.without(at);
            if self.stages[at].1.handle_incoming(now, packet) == Verdict::Drop {
                self.stats.dropped_incoming += 1;
                self.touch(now, route.loud);
                return Verdict::Drop;
            }
        }
        self.touch(now, route.loud);
        Verdict::Pass
    }

    pub(super) fn signal(&mut self, now: Instant, signal: Signal) {
        for (_, stage) in &mut self.stages {
            stage.handle_signal(now, signal);
        }
        self.touch_all(now);
    }

    /// Stages were called: they may have output.
    pub(super) fn touch(&mut self, now: Instant, stages: StageSet) {
        self.now = now;
        self.awake.wake(stages);
    }

    pub(super) fn touch_all(&mut self, now: Instant) {
        self.touch(now, StageSet::first_n(self.stages.len()));
    }

    /// Takes the events of the stages, and lets all stages know what concerns them. A bound keeps
    /// stages that answer each other from going on for ever.
    fn collect_events(&mut self) {
        for _ in 0..Self::MAX_QUEUED_EVENTS {
            let Some(at) = self.awake.event.first() else {
                return;
            };
            let Some(event) = self.stages[at].1.poll_event() else {
                self.awake.event = self.awake.event.without(at);
                continue;
            };
            match event {
                Event::RoundTrip(time) => self.signal(self.now, Signal::RoundTrip(time)),
                Event::KeyframeNeeded { ssrc } => {
                    self.signal(self.now, Signal::KeyframeNeeded { ssrc });
                }
                _ => {}
            }
            if self.events.len() == Self::MAX_QUEUED_EVENTS {
                self.events.pop_front();
                self.stats.events_lost += 1;
            }
            self.events.push_back(event);
        }
    }

    fn collect_rtcp(&mut self, now: Instant) {
        while self.compound.len() < Self::MAX_QUEUED_RTCP {
            let Some(at) = self.awake.rtcp.first() else {
                return;
            };
            let Some(mut packet) = self.stages[at].1.poll_rtcp(now) else {
                self.awake.rtcp = self.awake.rtcp.without(at);
                continue;
            };
            self.pass_outgoing_rtcp(now, &mut packet, at);
            self.compound.push(packet);
        }
    }

    fn pass_outgoing_rtcp(&mut self, now: Instant, packet: &mut rtcp::Packet, from: usize) {
        for (_, stage) in &mut self.stages[from + 1..] {
            stage.handle_outgoing_rtcp(now, packet);
        }
    }
}
