//! A path between two ends that delays, loses and narrows: what `peer` sends through with `IMPAIR`.
//!
//! Prints `A,B`, the ports that stand for the offerer and for the answerer.
//!
//! | variable | what | default |
//! |---|---|---|
//! | `BENCH_IP` | the address of both ports | 127.0.0.1 |
//! | `DELAY_MS` | one way, in milliseconds | 0 |
//! | `LOSS` | the probability that a datagram is lost, 0 to 1 | 0 |
//! | `RATE_MBIT` | the bottleneck of each direction, in megabits of payload a second; 0 for none | 0 |
//! | `QUEUE_KB` | what waits before the bottleneck, in thousands of bytes; the rest is dropped | 256 |
//! | `LARGEST` | the largest payload that passes, in bytes | any |
//! | `SEED` | of the losses | 1 |
//! | `LIFE_S` | after so many seconds the path ends | 60 |

use impairment::{Limits, Path};
use std::env::var;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let life = Duration::from_secs(number("LIFE_S", 60));
    match timeout(life, run()).await {
        Ok(Err(error)) => {
            eprintln!("impair: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

async fn run() -> io::Result<()> {
    let address = number("BENCH_IP", IpAddr::V4(Ipv4Addr::LOCALHOST));
    let limits = Limits {
        delay: Duration::from_millis(number("DELAY_MS", 0)),
        loss: number("LOSS", 0.0),
        bytes_per_second: number("RATE_MBIT", 0.0) * 1e6 / 8.0,
        queue: number("QUEUE_KB", 256) * 1000,
        largest: number("LARGEST", usize::MAX),
    };
    let path = Path::bind(address, limits, number("SEED", 1))?;
    let [offerer, answerer] = path.ports();
    println!("{offerer},{answerer}");
    path.carry().await
}

/// What a variable says, or else this.
fn number<T: FromStr>(name: &str, default: T) -> T {
    var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}
