//! Path MTU discovery (RFC 8899 for SCTP over DTLS, RFC 8261 §4): how large packets may be.
//!
//! Packets begin at a size that every path carries, and chunks keep to it: a chunk cannot be cut
//! again (RFC 9260 §6.9), while the path may become another one at any time. On a path that carries
//! more, packets hold more chunks. Once a packet was full, a HEARTBEAT that a PAD chunk makes as large
//! as the largest size asks whether the path carries that; if it does not, sizes between are tried
//! (RFC 8899 §5.3). A chunk that is lost again and again, and a timer that expires, are taken for
//! signs of a black hole (§4.3).

use super::local::Local;
use super::tcb::{Phase, Tcb};
use crate::packet::{HEADER_LEN, Heartbeat, Pad, ParameterType, Writer, padded, write_parameter};
use crate::rto::Rto;
use crate::sender::segment;
use std::time::{Duration, Instant};

/// How often a size is tried (`MAX_PROBES`, RFC 8899 §5.1.2).
const MAX_PROBES: u32 = 3;

/// The least wait for an answer (`PROBE_TIMER`, RFC 8899 §5.1.1).
const PROBE_TIMER: Duration = Duration::from_secs(1);

/// How long a result holds before larger sizes are tried again (`PMTU_RAISE_TIMER`, RFC 8899
/// §5.1.1).
const RAISE_TIMER: Duration = Duration::from_secs(600);

/// A packet with less room than this left is full.
const ALMOST: usize = 32;

/// What a HEARTBEAT with our number takes.
const HEARTBEAT_LEN: usize = 4 + 4 + 8;

/// Where the search stands (RFC 8899 §5.2, with `BASE_PLPMTU` for `MIN_PLPMTU`).
#[derive(Debug, Default)]
pub(super) struct Discovery {
    state: State,
    /// The least size that did not get through.
    failed: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing was sent that would have filled a larger packet.
    #[default]
    Rest,
    /// A probe goes with the next packet.
    Due(Probe),
    /// It is on its way; unanswered after `until`.
    Waiting {
        probe: Probe,
        nonce: u64,
        until: Instant,
    },
    /// The search is over, until then.
    Complete(Instant),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Probe {
    size: usize,
    /// How often it was tried before.
    tried: u32,
}

/// What the search is about.
#[derive(Clone, Copy, Debug)]
struct Range {
    /// The size in use.
    current: usize,
    /// The largest size to try.
    limit: usize,
    /// The largest chunk: only whole ones more are worth a probe.
    chunk: usize,
}

impl Range {
    fn of(local: &Local) -> Self {
        Self {
            current: local.max_packet,
            limit: local.limit,
            chunk: segment(local.base_packet()),
        }
    }

    /// How many whole chunks a packet of this size holds.
    fn chunks_in(&self, size: usize) -> usize {
        size.saturating_sub(HEADER_LEN) / self.chunk
    }
}

impl Discovery {
    /// The next size worth a try: the largest, then halfway between what does and what does not.
    fn next_size(&self, range: Range) -> Option<usize> {
        let current = range.chunks_in(range.current);
        let chunks = match self.failed {
            Some(failed) => usize::midpoint(current, range.chunks_in(failed.min(range.limit))),
            None => range.chunks_in(range.limit),
        };
        (chunks > current).then(|| HEADER_LEN + chunks * range.chunk)
    }

    fn go_on(&mut self, now: Instant, range: Range) {
        let next = self.next_size(range);
        self.state = match next {
            Some(size) => State::Due(Probe { size, tried: 0 }),
            None if self.failed.is_some() => State::Complete(now + RAISE_TIMER),
            None => State::Rest,
        };
    }

    /// The path, or the limit, is another one.
    fn restart(&mut self) {
        *self = Self::default();
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Waiting { until, .. } | State::Complete(until) => Some(until),
            State::Rest | State::Due(_) => None,
        }
    }

    /// `is_counted`: whether a lost probe tells of its size, as smaller packets arrive.
    fn handle_timeout(&mut self, now: Instant, range: Range, is_counted: bool) {
        match self.state {
            State::Waiting {
                mut probe, until, ..
            } if until <= now => {
                probe.tried += u32::from(is_counted);
                self.state = State::Due(probe);
                if probe.tried == MAX_PROBES {
                    self.failed = Some(probe.size);
                    self.go_on(now, range);
                }
            }
            State::Complete(until) if until <= now => self.restart(),
            _ => {}
        }
    }

    /// The size that was asked for, if this answers.
    fn answered(&self, info: &[u8]) -> Option<usize> {
        match self.state {
            State::Waiting { probe, nonce, .. } if info == nonce.to_be_bytes() => Some(probe.size),
            _ => None,
        }
    }
}

impl Tcb {
    /// The owner allows packets of another size.
    pub(super) fn limit_changed(&mut self, local: &mut Local) {
        self.discovery.restart();
        local.forget_large_replies();
        self.sender.set_packet_size(local.packet_size());
    }

    /// Another path, of which nothing is known (RFC 8899 §4.6.2, RFC 8831 §5).
    pub(super) fn rediscover(&mut self, local: &mut Local) {
        local.max_packet = local.base_packet();
        self.limit_changed(local);
    }

    /// A packet of this length was written: a full one would have been larger if it could.
    ///
    /// A peer that does not announce PAD is not asked for more. PAD asks for no agreement (RFC 4820
    /// §3), but who says nothing of it may stand on a DTLS that ends at a datagram beyond what it has
    /// room for, as Chromium's does beyond 2048 bytes.
    pub(super) fn note_full_packet(&mut self, now: Instant, local: &Local, len: usize) {
        if self.discovery.state != State::Rest || !self.peer.extensions.pad {
            return;
        }
        // The next message may not have fitted, however much room was left.
        let is_full = len + ALMOST > local.max_packet;
        if is_full || self.sender.has_sendable(now, &local.queue) {
            self.discovery.go_on(now, Range::of(local));
        }
    }

    pub(super) fn handle_discovery_timeout(&mut self, now: Instant, local: &Local) {
        let is_counted = !self.sender.is_in_the_dark();
        self.discovery
            .handle_timeout(now, Range::of(local), is_counted);
    }

    /// The answer to a probe: packets may be as large (RFC 8899 §5.3).
    pub(super) fn handle_probe_answer(&mut self, now: Instant, local: &mut Local, info: &[u8]) {
        let Some(size) = self.discovery.answered(info) else {
            return;
        };
        local.max_packet = local.max_packet.max(size.min(local.limit));
        self.sender.set_packet_size(local.packet_size());
        self.discovery.go_on(now, Range::of(local));
    }

    /// Looks whether the path has stopped to carry what it did (RFC 8899 §4.3). A false alarm costs
    /// a round trip of smaller packets, as the size that was in use is the first to be tried.
    pub(super) fn look_for_black_hole(&mut self, local: &mut Local) {
        let base = local.base_packet();
        if local.max_packet > base && self.sender.suspects_black_hole() {
            let size = local.max_packet;
            local.max_packet = base;
            self.limit_changed(local);
            self.discovery.state = State::Due(Probe { size, tried: 0 });
        }
    }

    /// A probe, alone in its packet (RFC 8899 §6.2.3.1): a HEARTBEAT, and a PAD chunk behind it.
    pub(super) fn write_probe(
        &mut self,
        now: Instant,
        local: &mut Local,
        buf: &mut [u8],
    ) -> Option<usize> {
        let State::Due(mut probe) = self.discovery.state else {
            return None;
        };
        if !matches!(self.phase, Phase::Established) {
            return None;
        }
        let Some(buf) = buf.get_mut(..probe.size) else {
            // The owner's buffer is a limit too.
            self.discovery.failed = Some(probe.size);
            let mut range = Range::of(local);
            range.limit = range.limit.min(buf.len());
            self.discovery.go_on(now, range);
            return None;
        };
        let nonce = local.random_u64();
        let mut info = Vec::with_capacity(HEARTBEAT_LEN);
        let kind = ParameterType::HEARTBEAT_INFO;
        write_parameter(&mut info, kind, &nonce.to_be_bytes());
        let mut packet = Writer::new(buf, local.header(self.peer.tag))?;
        packet.push(&Heartbeat { info: &info });
        let len = packet.remaining().checked_sub(4)?;
        packet.push(&Pad { len });
        probe.size = HEADER_LEN + HEARTBEAT_LEN + padded(4 + len);
        let until = now + probe_timeout(self.sender.rto());
        self.discovery.state = State::Waiting {
            probe,
            nonce,
            until,
        };
        Some(packet.finish())
    }
}

fn probe_timeout(rto: &Rto) -> Duration {
    PROBE_TIMER.max(2 * rto.timeout())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;

    /// How many chunks of 1120 bytes a packet gets on a path that carries `mtu`, and how many sizes
    /// it takes to find out.
    fn search(limit: usize, mtu: usize) -> (usize, usize) {
        let now = Instant::now();
        let mut discovery = Discovery::default();
        let mut range = Range {
            current: 1132,
            limit,
            chunk: 1120,
        };
        let mut sizes = 0;
        discovery.go_on(now, range);
        while let State::Due(probe) = discovery.state {
            sizes += 1;
            assert!(probe.size > range.current && probe.size <= limit);
            assert_eq!((probe.size - HEADER_LEN) % 1120, 0);
            if probe.size <= mtu {
                range.current = probe.size;
            } else {
                discovery.failed = Some(probe.size);
            }
            discovery.go_on(now, range);
        }
        (range.chunks_in(range.current), sizes)
    }

    // sctp-048
    #[test]
    fn a_path_that_carries_the_limit_takes_one_probe() {
        assert_eq!(search(8155, 65_000), (7, 1));
        assert_eq!(search(65_000, 65_000), (58, 1));
    }

    // sctp-048
    #[test]
    fn a_search_finds_the_last_chunk_in_few_steps() {
        for mtu in (1132..=65_000).step_by(300) {
            let (found, sizes) = search(65_000, mtu);
            assert_eq!(found, (mtu - HEADER_LEN) / 1120, "{mtu}");
            assert!(sizes <= 7, "{mtu}: {sizes}");
        }
        assert_eq!(search(8155, 1472), (1, 3));
    }

    #[test]
    fn less_than_a_chunk_more_is_not_tried() {
        assert_eq!(search(2251, 9000), (1, 0));
        assert_eq!(search(600, 1500), (1, 0));
    }
}
