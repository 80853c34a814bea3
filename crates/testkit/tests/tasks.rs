//! A machine that stands on tokio tasks runs in a pair, with the paused clock of its runtime.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests, with a backend that has tasks"
)]

use muonrtc_testkit::{Clock, Link, Pair, Peer, Tasks, Wakes};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::task::Waker;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Answers every datagram from a task of its own, 50 ms after it came.
struct Slow {
    to_task: UnboundedSender<Vec<u8>>,
    from_task: Receiver<Vec<u8>>,
    heard: usize,
    begin: bool,
}

const PATIENCE: Duration = Duration::from_millis(50);

impl Slow {
    /// `waker` is what the owner gave, or nothing.
    fn new(runtime: &Runtime, waker: Waker) -> Self {
        let (to_task, mut input) = unbounded_channel::<Vec<u8>>();
        let (output, from_task) = channel();
        runtime.spawn(async move {
            while let Some(datagram) = input.recv().await {
                tokio::time::sleep(PATIENCE).await;
                output.send(datagram).unwrap();
                waker.wake_by_ref();
            }
        });
        Self {
            to_task,
            from_task,
            heard: 0,
            begin: false,
        }
    }
}

impl Peer for Slow {
    fn handle_input(&mut self, _now: Instant, datagram: &mut [u8]) {
        self.heard += 1;
        self.to_task.send(datagram.to_vec()).unwrap();
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_transmit(&mut self, _now: Instant, buf: &mut [u8]) -> Option<usize> {
        if std::mem::take(&mut self.begin) {
            return Some(1);
        }
        let datagram = self.from_task.try_recv().ok()?;
        buf[..datagram.len()].copy_from_slice(&datagram);
        Some(datagram.len())
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn collect(&mut self, _now: Instant) -> bool {
        false
    }
}

fn pair(woken: bool) -> Pair<Slow> {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let base = runtime.block_on(async { tokio::time::Instant::now().into_std() });
    let wakes = Wakes::new();
    let waker = || match woken {
        true => wakes.waker(),
        false => Waker::noop().clone(),
    };
    let (a, b) = (Slow::new(&runtime, waker()), Slow::new(&runtime, waker()));
    let link = Link::delayed(Duration::from_millis(10));
    let mut pair = Pair::new(Clock::starting_at(base), 1, &link, a, b);
    pair.wakes = Arc::clone(&wakes);
    pair.tasks = Some(tasks(runtime));
    pair
}

/// Brings the runtime's clock to the pair's and lets its tasks run until they wait.
fn tasks(runtime: Runtime) -> Tasks {
    Box::new(move |now| {
        runtime.block_on(async {
            let behind = now - tokio::time::Instant::now().into_std();
            if !behind.is_zero() {
                tokio::time::advance(behind).await;
            }
            for _ in 0..16 {
                tokio::task::yield_now().await;
            }
        });
        // The runtime does not tell when its next timer is due.
        Some(now + Duration::from_millis(1))
    })
}

#[test]
fn tasks_see_the_time_of_the_pair() {
    let mut pair = pair(true);
    pair.a.begin = true;
    assert!(pair.run_until(Duration::from_secs(10), |pair| pair.a.heard == 5));
    let round_trip = 2 * (Duration::from_millis(10) + PATIENCE);
    // The first datagram of the five came from no task.
    assert_eq!(pair.elapsed(), round_trip * 5 - PATIENCE);
    assert_eq!(pair.unwoken_outputs(), 0);
}

#[test]
fn output_without_a_wake_is_counted() {
    let mut pair = pair(false);
    pair.a.begin = true;
    assert!(pair.run_until(Duration::from_secs(10), |pair| pair.a.heard == 5));
    assert_eq!(pair.unwoken_outputs(), 9);
}
