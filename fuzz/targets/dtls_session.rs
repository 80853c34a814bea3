//! Two sessions, and a network that does what the tape says. Key shares and signatures are fresh in
//! every run, so a finding may need some runs to come again.
#![no_main]

use fuzz::{Tape, faults, untouched};
use layer::DtlsRole;
use libfuzzer_sys::fuzz_target;
use std::time::Duration;
use testkit::{Clock, Link, Pair};

const LONG_ENOUGH: Duration = Duration::from_secs(120);

fuzz_target!(|bytes: &[u8]| {
    let tape = Tape::new(bytes);
    let factory = dtls::Factory::default();
    let mut link = Link::perfect();
    link.delay = Duration::from_millis(5);
    let seed = tape.number().into();
    let mut pair = Pair::dtls([&factory, &factory], Clock::new(), &link, seed, |_| {});
    pair.fault = Some(faults(&tape, untouched()));
    if tape.flag() {
        pair.start();
    }
    while let Some(step) = tape.byte() {
        let side = tape.side();
        let now = pair.now();
        let end = pair.end(side);
        match step % 12 {
            0..=2 => pair.inject(side, &tape.chunk()),
            3..=5 => pair.run_for(tape.duration()),
            6 => {
                let _ = end.send(now, &tape.chunk());
            }
            7 => {
                let role = if tape.flag() {
                    DtlsRole::Client
                } else {
                    DtlsRole::Server
                };
                let _ = end.machine.set_role(now, role);
            }
            8 => pair.exchange_fingerprints(),
            9 => end.machine.set_max_datagram(tape.number().into()),
            10 => end.machine.set_round_trip(tape.duration()),
            _ if tape.flag() => end.machine.close(now),
            _ => {
                let mut out = [0; 60];
                let label = "EXTRACTOR-dtls_srtp";
                let _ = end.machine.export(label, None, &mut out);
                let _ = (end.machine.security(), end.machine.stats());
            }
        }
        pair.settle();
    }
    pair.fault = None;
    pair.run_for(LONG_ENOUGH);
});
