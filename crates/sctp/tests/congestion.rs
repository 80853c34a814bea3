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

use bottleneck::Bottleneck;
use bytes::Bytes;
use layer::{Outgoing, Sctp};
use link::{Pair, Weather};
use muonrtc_sctp::{CongestionControl, Factory};
use std::time::Duration;

const CONTROLS: [CongestionControl; 2] = [CongestionControl::Reno, CongestionControl::Cubic];

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
    let mut received = 0;
    let warm = pair.now + Duration::from_secs(4);
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
            assert!(message.data.iter().all(|byte| *byte == 9));
            received += if warmed { message.data.len() } else { 0 };
        }
    }
    received as f64 / seconds as f64
}

#[test]
fn random_loss_costs_what_the_law_of_the_controller_says() {
    println!("50 ms, MB/s:      1 % loss   5 % loss");
    for control in CONTROLS {
        let [one, five] = [1, 5].map(|loss| {
            let weather = Weather {
                delay: Duration::from_millis(25),
                loss,
                ..Weather::default()
            };
            throughput(control, 7, &weather, 20) / 1e6
        });
        println!("{control:?}: {one:15.2} {five:10.2}");
        // 1.22 packets per round trip and square root of the loss.
        assert!(one > 0.22, "{control:?} at 1 %: {one}");
        assert!(five > 0.09, "{control:?} at 5 %: {five}");
    }
}

#[test]
fn a_bottleneck_of_100_mbit_is_filled() {
    for control in CONTROLS {
        let weather = Weather {
            delay: Duration::from_millis(25),
            rate: Some(12_500_000),
            queue: Duration::from_millis(50),
            ..Weather::default()
        };
        let carried = throughput(control, 1, &weather, 6) / 12_500_000.0;
        println!("{control:?}: {:.1} % of 100 Mbit/s", carried * 100.0);
        // The rest is headers: 28 of 1148 bytes.
        if control == CongestionControl::default() {
            assert!(carried > 0.95, "{control:?}: {carried}");
        }
    }
}

#[test]
fn two_flows_share_a_bottleneck() {
    use CongestionControl::{Cubic, Reno};
    println!("Mbit/s of 10, for a minute:");
    for delay in [10, 50] {
        for controls in [[Cubic, Reno], [Cubic, Cubic], [Reno, Reno]] {
            let mut path = Bottleneck::new(controls, Duration::from_millis(delay), 1_250_000);
            let shares = path.run(Duration::from_secs(60));
            println!("{} ms: {controls:?} {shares:.2?}", 2 * delay);
            let fair = 5.0;
            for share in shares {
                assert!(share > fair / 3.0, "{controls:?} at {delay} ms: {shares:?}");
            }
            assert!(shares[0] + shares[1] > 8.5, "{controls:?}: {shares:?}");
        }
    }
}
