use crate::{Direction, Interest, Stream};
use std::collections::BTreeMap;

/// A set of stages by their position, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StageSet(u64);

impl StageSet {
    pub(super) fn one(at: usize) -> Self {
        Self(1 << at)
    }

    pub(super) fn first_n(count: usize) -> Self {
        Self(
            1u64.checked_shl(bits(count))
                .map_or(u64::MAX, |bit| bit - 1),
        )
    }

    pub(super) fn with(self, at: usize) -> Self {
        Self(self.0 | 1 << at)
    }

    pub(super) fn without(self, at: usize) -> Self {
        Self(self.0 & !(1 << at))
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that stand before a position.
    pub(super) fn before(self, at: usize) -> Self {
        Self(self.0 & Self::first_n(at).0)
    }

    /// Those that stand behind a position.
    pub(super) fn behind(self, at: usize) -> Self {
        Self(self.0 & !Self::first_n(at + 1).0)
    }

    pub(super) fn first(self) -> Option<usize> {
        (self.0 != 0).then(|| self.0.trailing_zeros() as usize)
    }

    pub(super) fn last(self) -> Option<usize> {
        (self.0 != 0).then(|| (63 - self.0.leading_zeros()) as usize)
    }

    /// Makes room at a position: those from there on move up by one.
    fn shifted(self, at: usize) -> Self {
        Self(self.before(at).0 | (self.0 & !Self::first_n(at).0) << 1)
    }
}

fn bits(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Which stages want the packets of an SSRC; a retransmission stream has those of its media.
#[derive(Debug, Default)]
pub(super) struct Routes {
    outgoing: BTreeMap<u32, Route>,
    incoming: BTreeMap<u32, Route>,
}

/// The way of the packets of one SSRC.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Route {
    /// Who wants them.
    pub(super) stages: StageSet,
    /// Those of them that may have output after a packet.
    pub(super) loud: StageSet,
    /// The stream they belong to.
    media: u32,
}

impl Route {
    pub(super) fn new(media: u32) -> Self {
        Self {
            media,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, at: usize, interest: Interest) {
        match interest {
            Interest::Packets => {
                self.stages = self.stages.with(at);
                self.loud = self.loud.with(at);
            }
            Interest::Quiet => self.stages = self.stages.with(at),
            Interest::Nothing => {}
        }
    }

    /// The part of the way before a stage.
    pub(super) fn before(self, at: usize) -> Self {
        let (stages, loud) = (self.stages.before(at), self.loud.before(at));
        Self {
            stages,
            loud,
            ..self
        }
    }

    /// The part of the way behind a stage.
    pub(super) fn behind(self, at: usize) -> Self {
        let (stages, loud) = (self.stages.behind(at), self.loud.behind(at));
        Self {
            stages,
            loud,
            ..self
        }
    }
}

impl Routes {
    /// The way of a packet; without stages for a stream that is not bound.
    pub(super) fn get(&self, direction: Direction, ssrc: u32) -> Route {
        let routes = match direction {
            Direction::Outgoing => &self.outgoing,
            Direction::Incoming => &self.incoming,
        };
        routes.get(&ssrc).copied().unwrap_or_default()
    }

    /// Whether an SSRC of the stream belongs to another one.
    pub(super) fn conflict(&mut self, stream: &Stream) -> bool {
        let routes = self.of(stream.direction);
        let foreign = |ssrc| {
            routes
                .get(&ssrc)
                .is_some_and(|route| route.media != stream.ssrc)
        };
        let own_rtx = stream
            .rtx
            .as_ref()
            .is_some_and(|rtx| rtx.ssrc == stream.ssrc);
        own_rtx || ssrcs(stream).any(foreign)
    }

    pub(super) fn replace(&mut self, before: Option<&Stream>, stream: &Stream, route: Route) {
        if let Some(before) = before {
            self.remove(before);
        }
        let routes = self.of(stream.direction);
        for ssrc in ssrcs(stream) {
            routes.insert(ssrc, route);
        }
    }

    pub(super) fn remove(&mut self, stream: &Stream) {
        let routes = self.of(stream.direction);
        for ssrc in ssrcs(stream) {
            routes.remove(&ssrc);
        }
    }

    pub(super) fn add_stage(&mut self, stream: &Stream, at: usize, interest: Interest) {
        let routes = self.of(stream.direction);
        for ssrc in ssrcs(stream) {
            if let Some(route) = routes.get_mut(&ssrc) {
                route.add(at, interest);
            }
        }
    }

    pub(super) fn insert_stage(&mut self, at: usize) {
        for route in self.outgoing.values_mut().chain(self.incoming.values_mut()) {
            route.stages = route.stages.shifted(at);
            route.loud = route.loud.shifted(at);
        }
    }

    fn of(&mut self, direction: Direction) -> &mut BTreeMap<u32, Route> {
        match direction {
            Direction::Outgoing => &mut self.outgoing,
            Direction::Incoming => &mut self.incoming,
        }
    }
}

fn ssrcs(stream: &Stream) -> impl Iterator<Item = u32> {
    let rtx = stream.rtx.as_ref().map(|rtx| rtx.ssrc);
    [Some(stream.ssrc), rtx].into_iter().flatten()
}

/// The stages that may have output of each kind: those that were called since they had none.
#[derive(Debug, Default)]
pub(super) struct Awake {
    pub(super) transmit: StageSet,
    pub(super) receive: StageSet,
    pub(super) rtcp: StageSet,
    pub(super) event: StageSet,
    pub(super) result: StageSet,
}

impl Awake {
    pub(super) fn wake(&mut self, stages: StageSet) {
        for kind in self.kinds() {
            *kind = kind.union(stages);
        }
    }

    pub(super) fn insert_stage(&mut self, at: usize) {
        for kind in self.kinds() {
            *kind = kind.shifted(at);
        }
    }

    fn kinds(&mut self) -> [&mut StageSet; 5] {
        [
            &mut self.transmit,
            &mut self.receive,
            &mut self.rtcp,
            &mut self.event,
            &mut self.result,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_keeps_its_order_around_a_new_position() {
        let set = StageSet::one(0).with(3).with(62);
        let moved = set.shifted(3);
        assert_eq!(moved, StageSet::one(0).with(4).with(63));
        assert_eq!((moved.first(), moved.last()), (Some(0), Some(63)));
        assert_eq!(moved.before(4), StageSet::one(0));
        assert_eq!(moved.behind(4), StageSet::one(63));
        assert_eq!(moved.behind(63), StageSet::default());
        assert_eq!(StageSet::first_n(64).last(), Some(63));
    }
}
