//! How much a path carries under each congestion control, and how flows share it.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod bottleneck;
mod link;

use bottleneck::{Bottleneck, Link};
use bytes::Bytes;
use layer::{Outgoing, Sctp};
use link::{Pair, Weather};
use muonrtc_sctp::{CongestionControl, Factory};
use std::time::Duration;

use CongestionControl::{Bbr, Cubic, Reno};

const CONTROLS: [CongestionControl; 3] = [Reno, Cubic, Bbr];

/// Seconds that a flow is watched.
const LONG: u64 = 5;

/// `MUON_LONG` asks for all mixes of flows and all queues, and for faster links.
fn is_long_run() -> bool {
    std::env::var_os("MUON_LONG").is_some()
}

/// Bytes per second that arrive, after a while to get going.
fn throughput(control: CongestionControl, seed: u64, weather: &Weather, seconds: u64) -> f64 {
    let mut factory = Factory::default();
    factory.congestion = control;
    let mut pair = Pair::with(seed, &factory, &link::config());
    pair.weather.delay = weather.delay;
    pair.connect();
    pair.run_until(Pair::both_connected);
    pair.weather = weather.clone();
    let message = Bytes::from(vec![9; 16 * 1024]);
    let expected = message.clone();
    let mut received = 0;
    let warm = pair.now + Duration::from_secs(2);
    let end = warm + Duration::from_secs(seconds);
    while pair.now < end {
        while pair.ends[0].sctp.buffered_amount(0) < 256 * 1024 {
            let now = pair.now;
            let sent = pair.ends[0]
                .sctp
                .send(now, Outgoing::new(0, 53, message.clone()));
            if sent.is_err() {
                break;
            }
        }
        pair.collect(0);
        let warmed = pair.now >= warm;
        pair.step(end);
        for message in pair.ends[1].messages.drain(..) {
            assert!(message.data == expected);
            received += if warmed { message.data.len() } else { 0 };
        }
    }
    received as f64 / seconds as f64
}

/// A link with a queue of 20 ms, of 40 Mbit/s, or 400 in a long run.
fn long_link(loss: u64) -> Weather {
    Weather {
        delay: Duration::from_millis(25),
        loss,
        rate: Some(if is_long_run() { 50_000_000 } else { 5_000_000 }),
        queue: Duration::from_millis(20),
        ..Weather::default()
    }
}

#[test]
fn random_loss_costs_what_the_law_of_the_controller_says() {
    println!("50 ms, MB/s: no loss, 1 %, 5 %");
    let rate = long_link(0).rate.unwrap() as f64;
    for control in CONTROLS {
        let [none, one, five] = [0, 1, 5].map(|loss| match (control, loss) {
            // Without loss the others are watched where they share a link.
            (Reno | Cubic, 0) if !is_long_run() => f64::NAN,
            _ => throughput(control, 7, &long_link(loss), LONG) / 1e6,
        });
        println!("{control:?}: {none:.2} {one:15.2} {five:10.2}");
        // 1.22 packets per round trip and square root of the loss.
        assert!(one > 0.22, "{control:?} at 1 %: {one}");
        assert!(five > 0.09, "{control:?} at 5 %: {five}");
        if control == Bbr {
            assert!(none > 0.9 * rate / 1e6, "{control:?}: {none}");
            assert!(one > 0.75 * rate / 1e6, "{control:?} at 1 %: {one}");
            assert!(five > 0.6 * rate / 1e6, "{control:?} at 5 %: {five}");
        }
    }
}

#[test]
fn a_bottleneck_of_100_mbit_is_filled() {
    let controls = if is_long_run() { &CONTROLS[..] } else { &[Bbr] };
    for &control in controls {
        for queue in [10, 50, 200] {
            let weather = Weather {
                delay: Duration::from_millis(25),
                rate: Some(12_500_000),
                queue: Duration::from_millis(queue),
                ..Weather::default()
            };
            let carried = throughput(control, 1, &weather, LONG) / 12_500_000.0;
            println!(
                "{control:?}, queue of {queue} ms: {:.1} % of 100 Mbit/s",
                carried * 100.0
            );
            // The rest is headers: 28 of 1148 bytes.
            if control == Bbr {
                assert!(carried > 0.95, "{control:?}: {carried}");
            }
        }
    }
}

/// Who shares a link.
const MIXES: [&[CongestionControl]; 6] = [
    &[Bbr, Reno],
    &[Bbr, Cubic],
    &[Bbr, Bbr],
    &[Cubic, Reno],
    &[Bbr, Cubic, Reno],
    &[Bbr, Bbr, Cubic, Reno],
];

/// Shares of 10 Mbit/s over a minute.
fn share(controls: &[CongestionControl], delay: u64, queue: u64) -> Vec<f64> {
    let link = Link {
        delay: Duration::from_millis(delay),
        rate: 1_250_000,
        queue: Duration::from_millis(queue),
    };
    let shares = Bottleneck::new(controls, link).run(Duration::from_secs(60));
    println!(
        "{} ms, queue {queue} ms: {controls:?} {shares:.2?}",
        2 * delay
    );
    shares
}

/// That nobody has less than a third of a fair share, and little of the link is left.
fn assert_shared(controls: &[CongestionControl], delay: u64, queue: u64) {
    let shares = share(controls, delay, queue);
    let fair = 10.0 / controls.len() as f64;
    for &share in &shares {
        assert!(
            share > fair / 3.0,
            "{controls:?}, {delay} ms, queue {queue} ms: {shares:?}"
        );
    }
    assert!(shares.iter().sum::<f64>() > 8.5, "{controls:?}: {shares:?}");
}

/// The queues, milliseconds, and the mixes of this run.
fn share_alike(delay: u64, queues: &[u64]) {
    let quick = !is_long_run();
    let queues = if quick { &queues[..1] } else { queues };
    let mixes = if quick { &MIXES[..3] } else { &MIXES[..] };
    for &queue in queues {
        for controls in mixes {
            assert_shared(controls, delay, queue);
        }
    }
}

#[test]
fn flows_share_a_link_of_20_ms() {
    share_alike(10, &[50, 20, 100]);
}

#[test]
fn flows_share_a_link_of_100_ms() {
    share_alike(50, &[50, 20, 100, 200]);
}
