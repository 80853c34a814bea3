//! The pair driver runs two ends in virtual time and polls them as the layers ask for.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use muonrtc_testkit::{Clock, Fate, Link, Pair, Peer, Record, Side, fate};
use std::time::{Duration, Instant};

/// Sends numbered datagrams, each again every 100 ms until it is answered; answers what it gets.
#[derive(Debug, Default)]
struct StopAndWait {
    to_send: u8,
    acknowledged: u8,
    received: Vec<u8>,
    answers: Vec<u8>,
    sent_at: Option<Instant>,
    timeouts: usize,
    woken: bool,
}

const AGAIN: Duration = Duration::from_millis(100);

impl Peer for StopAndWait {
    fn handle_input(&mut self, _now: Instant, datagram: &mut [u8]) {
        match *datagram {
            [b'd', number] => {
                if !self.received.contains(&number) {
                    self.received.push(number);
                }
                self.answers.push(number);
            }
            [b'a', number] if number == self.acknowledged => {
                self.acknowledged += 1;
                self.sent_at = None;
            }
            _ => {}
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        assert!(now >= self.sent_at.unwrap() + AGAIN);
        self.timeouts += 1;
        self.sent_at = None;
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        if let Some(number) = self.answers.pop() {
            buf[..2].copy_from_slice(&[b'a', number]);
            return Some(2);
        }
        if self.acknowledged < self.to_send && self.sent_at.is_none() {
            self.sent_at = Some(now);
            buf[..2].copy_from_slice(&[b'd', self.acknowledged]);
            return Some(2);
        }
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.sent_at.map(|sent_at| sent_at + AGAIN)
    }

    fn collect(&mut self, _now: Instant) -> bool {
        std::mem::take(&mut self.woken)
    }
}

fn pair(link: &Link, to_send: u8) -> Pair<StopAndWait> {
    let a = StopAndWait {
        to_send,
        ..StopAndWait::default()
    };
    Pair::new(Clock::new(), 1, link, a, StopAndWait::default())
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn time_passes_only_by_what_happens() {
    let mut pair = pair(&Link::delayed(Duration::from_millis(10)), 10);
    assert!(pair.run_until(MINUTE, |pair| pair.a.acknowledged == 10));
    assert_eq!(pair.elapsed(), Duration::from_millis(200));
    assert_eq!(pair.a.timeouts, 0);
    assert_eq!(pair.datagrams_sent(Side::A), 10);
}

#[test]
fn timeouts_fire_when_datagrams_are_lost() {
    let mut pair = pair(&Link::lossy(30), 100);
    assert!(pair.run_until(MINUTE, |pair| pair.a.acknowledged == 100));
    assert_eq!(pair.b.received, (0..100).collect::<Vec<_>>());
    assert!(pair.a.timeouts > 20);
}

#[test]
fn a_run_that_does_not_get_there_ends_at_its_limit() {
    let mut pair = pair(&Link::lossy(100), 1);
    assert!(!pair.run_until(MINUTE, |pair| pair.a.acknowledged == 1));
    assert_eq!(pair.elapsed(), MINUTE);
    pair.run_for(MINUTE);
    assert_eq!(pair.elapsed(), MINUTE * 2);
}

#[test]
fn a_quiet_pair_still_lets_time_pass() {
    let mut pair = pair(&Link::perfect(), 0);
    pair.run_for(MINUTE);
    assert_eq!(pair.elapsed(), MINUTE);
}

#[test]
fn verbs_called_from_the_predicate_are_performed() {
    let mut pair = pair(&Link::perfect(), 1);
    let done = pair.run_until(MINUTE, |pair| {
        pair.a.to_send = 5;
        pair.b.received.len() == 5
    });
    assert!(done);
}

#[test]
fn faults_hit_the_datagram_they_name() {
    let mut pair = pair(&Link::perfect(), 3);
    pair.fault = Some(fate::drop_nth(Side::A, 1));
    assert!(pair.run_until(MINUTE, |pair| pair.a.acknowledged == 3));
    assert_eq!((pair.a.timeouts, pair.datagrams_sent(Side::A)), (1, 4));
}

#[test]
fn a_fault_can_replace_and_delay_and_duplicate() {
    let mut pair = pair(&Link::perfect(), 3);
    pair.fault = Some(Box::new(|leaving| match (leaving.from, leaving.index) {
        (Side::A, 0) => Fate::Replace(b"nonsense".to_vec()),
        (Side::A, 1) => Fate::Delay(Duration::from_millis(5)),
        (Side::A, _) => Fate::Duplicate,
        _ => Fate::Pass,
    }));
    assert!(pair.run_until(MINUTE, |pair| pair.a.acknowledged == 3));
    assert_eq!(pair.elapsed(), AGAIN + Duration::from_millis(5));
    assert_eq!(pair.a_to_b.stats().sent, 5 + 1 - 1);
}

#[test]
fn two_runs_with_one_seed_leave_equal_records() {
    let run = |seed| {
        let (a, b) = (StopAndWait::default(), StopAndWait::default());
        let mut pair = Pair::new(Clock::new(), seed, &Link::hostile(), a, b);
        pair.a.to_send = 50;
        pair.record = Some(Record::default());
        assert!(pair.run_until(MINUTE, |pair| pair.a.acknowledged == 50));
        pair.record.take().unwrap()
    };
    assert_eq!(run(1).difference(&run(1)), None);
    let told = run(1).difference(&run(2)).unwrap();
    assert!(told.contains("differs"), "{told}");
    assert!(run(1).sent_by(Side::A).all(|bytes| bytes[0] == b'd'));
}

#[test]
fn tasks_run_until_they_rest_and_can_ask_to_come_back() {
    let mut pair = pair(&Link::perfect(), 0);
    let start = pair.now();
    let mut calls = Vec::new();
    let (report, told) = std::sync::mpsc::channel();
    pair.tasks = Some(Box::new(move |now| {
        calls.push(now - start);
        report.send(now - start).unwrap();
        (calls.len() < 20).then(|| now + Duration::from_millis(7))
    }));
    pair.run_for(MINUTE);
    let mut instants: Vec<_> = told.try_iter().collect();
    instants.dedup();
    assert_eq!(instants[..3], [0, 7, 14].map(Duration::from_millis));
}

#[test]
#[should_panic(expected = "keeps asking for a timeout that has passed")]
fn an_end_that_asks_for_the_past_is_found() {
    struct Stuck(Instant);
    impl Peer for Stuck {
        fn handle_input(&mut self, _: Instant, _: &mut [u8]) {}
        fn handle_timeout(&mut self, _: Instant) {}
        fn poll_transmit(&mut self, _: Instant, _: &mut [u8]) -> Option<usize> {
            None
        }
        fn poll_timeout(&self) -> Option<Instant> {
            Some(self.0)
        }
        fn collect(&mut self, _: Instant) -> bool {
            false
        }
    }
    let clock = Clock::new();
    let (a, b) = (Stuck(clock.now()), Stuck(clock.now()));
    Pair::new(clock, 1, &Link::perfect(), a, b).run_for(MINUTE);
}
