//! What a gigabyte costs to seal and to open, through the trait, in both versions.
//!
//! `cargo bench -p muonrtc-dtls`; with `--features dimpl` the second core runs beside ours. One
//! thread, so seconds are seconds of a processor.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark measures real time"
)]

use layer::{DtlsVersion, NewDtls};
use std::time::{Duration, Instant};
use testkit::{Clock, DtlsPeer, Link, Pair};

/// What SCTP hands over on a path of 1200 bytes, and of a whole Ethernet frame.
const LENGTHS: [usize; 2] = [1163, 1435];
/// Per measurement.
const BYTES: usize = 200_000_000;
const MINUTE: Duration = Duration::from_secs(60);

fn main() {
    for version in [DtlsVersion::V1_2, DtlsVersion::V1_3] {
        let mut ours = muonrtc_dtls::Factory::default();
        ours.min_version = version;
        ours.max_version = version;
        measure("ours", &ours, version);
        #[cfg(feature = "dimpl")]
        {
            let mut theirs = muonrtc_dtls::dimpl::Factory::default();
            theirs.min_version = version;
            theirs.max_version = version;
            measure("dimpl", &theirs, version);
        }
    }
}

fn measure(name: &str, factory: &dyn NewDtls, version: DtlsVersion) {
    let link = Link::perfect();
    let factories: [&dyn NewDtls; 2] = [factory, factory];
    let mut pair = Pair::dtls(factories, Clock::new(), &link, 1, |_| ());
    assert!(pair.connect(MINUTE), "not connected");
    for len in LENGTHS {
        let (seal, open) = transfer(&mut pair, len);
        let gigabyte = |time: Duration| time.as_secs_f64() * 1e9 / f64::from(200_000_000);
        println!(
            "{name:5} {version:?} {len} bytes: seal {:.3} s/GB, open {:.3} s/GB, both {:.3} s/GB",
            gigabyte(seal),
            gigabyte(open),
            gigabyte(seal + open)
        );
    }
}

/// Seals and opens a run of datagrams at a time, as a batch from a socket would come.
fn transfer(pair: &mut Pair<DtlsPeer>, len: usize) -> (Duration, Duration) {
    const RUN: usize = 64;
    let now = pair.now();
    let plaintext = vec![7; len];
    let mut run = vec![vec![0; 2048]; RUN];
    let mut lengths = [0; RUN];
    let (mut sealing, mut opening) = (Duration::ZERO, Duration::ZERO);
    let mut opened = 0;
    while opened < BYTES {
        let start = Instant::now();
        for (out, sealed) in run.iter_mut().zip(&mut lengths) {
            *sealed = pair.a.machine.seal_into(now, &plaintext, out).unwrap();
        }
        let middle = Instant::now();
        for (datagram, sealed) in run.iter_mut().zip(lengths) {
            let range = pair.b.machine.handle_input(now, &mut datagram[..sealed]);
            opened += range.plaintext.unwrap().len();
        }
        sealing += middle - start;
        opening += middle.elapsed();
    }
    (sealing, opening)
}
