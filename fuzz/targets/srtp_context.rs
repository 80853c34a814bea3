//! A sender, and a receiver to whom the tape delivers: packets as they are, again, late, changed and
//! made up. Whatever is opened was protected, is what it was, and was not opened before.
#![no_main]

use fuzz::Tape;
use layer::{Srtp, SrtpProfile};
use libfuzzer_sys::fuzz_target;
use srtp::{Context, Factory, MasterKey, Suite};
use std::collections::BTreeSet;

/// Of packets that may still be delivered.
const MOST_KEPT: usize = 64;
const MOST_SOURCES: usize = 8;

const SUITES: [Suite; 6] = [
    Suite::Aes128CmHmacSha1_80,
    Suite::Aes128CmHmacSha1_32,
    Suite::Aes256CmHmacSha1_80,
    Suite::Aes256CmHmacSha1_32,
    Suite::AeadAes128Gcm,
    Suite::AeadAes256Gcm,
];

/// What was protected.
struct Packet {
    number: u32,
    is_rtcp: bool,
    plain: Vec<u8>,
    wire: Vec<u8>,
}

struct Story {
    tape: Tape,
    sender: Context,
    receiver: Context,
    kept: Vec<Packet>,
    count: u32,
    opened: BTreeSet<u32>,
    /// The receiver was told to forget what it has seen.
    told: bool,
}

impl Story {
    fn protect(&mut self) {
        let is_rtcp = self.tape.flag();
        let plain = if is_rtcp {
            let mut packet = vec![0x80, 200, 0, 1, 0, 0, 0, self.tape.byte().unwrap_or(0) % 16];
            packet.extend(self.tape.chunk());
            packet
        } else {
            let [s0, s1] = self.tape.number().to_be_bytes();
            let ssrc = self.tape.byte().unwrap_or(0) % 16;
            let mut packet = vec![0x80, 96, s0, s1, 0, 0, 0, 0, 0, 0, 0, ssrc];
            packet.extend(self.tape.chunk());
            packet
        };
        let mut wire = vec![0; plain.len() + 32];
        let protected = if is_rtcp {
            self.sender.protect_rtcp_into(&plain, &mut wire)
        } else {
            let (header, payload) = plain.split_at(12);
            self.sender.protect_into(header, payload, &mut wire)
        };
        let Ok(len) = protected else { return };
        wire.truncate(len);
        if self.kept.len() == MOST_KEPT {
            self.kept.remove(0);
        }
        self.count += 1;
        self.kept.push(Packet {
            number: self.count,
            is_rtcp,
            plain,
            wire,
        });
    }

    fn deliver(&mut self) {
        let at = usize::from(self.tape.byte().unwrap_or(0));
        let Some(at) = at.checked_rem(self.kept.len()) else {
            return;
        };
        let mut wire = self.kept[at].wire.clone();
        for _ in 0..self.tape.byte().unwrap_or(0) % 4 {
            let (place, bits) = (self.tape.number(), self.tape.byte().unwrap_or(0));
            let len = wire.len();
            wire[usize::from(place) % len] ^= bits;
        }
        let changed = wire != self.kept[at].wire;
        let is_rtcp = self.kept[at].is_rtcp;
        let Some(len) = self.open(is_rtcp, &mut wire) else {
            return;
        };
        assert!(!changed, "a changed packet was opened");
        let packet = &self.kept[at];
        assert_eq!(wire[..len], packet.plain, "another packet came out");
        let first = self.opened.insert(packet.number);
        assert!(first || self.told, "a packet was opened twice");
    }

    fn open(&mut self, is_rtcp: bool, wire: &mut [u8]) -> Option<usize> {
        if is_rtcp {
            self.receiver.unprotect_rtcp_in_place(wire).ok()
        } else {
            self.receiver.unprotect_in_place(wire).ok()
        }
    }
}

/// The keys are fixed: what is learned about one is of use in the next run.
fn context(factory: &Factory, suite: Suite) -> Context {
    let bytes = [7; 64];
    let master = MasterKey {
        key: &bytes[..suite.key_len()],
        salt: &bytes[..suite.salt_len()],
    };
    factory.context(suite, master, master).unwrap()
}

fuzz_target!(|bytes: &[u8]| {
    let tape = Tape::new(bytes);
    let suite = SUITES[usize::from(tape.byte().unwrap_or(0)) % SUITES.len()];
    let mut factory = Factory::default();
    factory.max_sources = MOST_SOURCES;
    factory.replay_window = tape.byte().unwrap_or(0).into();
    factory.encrypt_rtcp = tape.flag();
    factory.allow_repeats = false;
    let mut story = Story {
        sender: context(&factory, suite),
        receiver: context(&factory, suite),
        kept: Vec::new(),
        count: 0,
        opened: BTreeSet::new(),
        told: false,
        tape: tape.clone(),
    };
    while let Some(step) = tape.byte() {
        match step % 8 {
            0..=2 => story.protect(),
            3..=5 => story.deliver(),
            6 => {
                let is_rtcp = tape.flag();
                let mut made_up = tape.chunk();
                // A tag of 32 bits can be guessed, by a fuzzer that sees the comparison.
                let opened = story.open(is_rtcp, &mut made_up);
                assert!(opened.is_none() || suite.rtp_overhead() < 10, "made up");
            }
            _ => {
                let ssrc = u32::from(tape.byte().unwrap_or(0)) % 16;
                story
                    .receiver
                    .set_remote_rollover_counter(ssrc, tape.long());
                story.told = true;
            }
        }
    }
    let known = (0..16).filter(|ssrc| story.receiver.remote_rollover_counter(*ssrc).is_some());
    assert!(known.count() <= MOST_SOURCES);
    let _ = (
        story.receiver.stats(),
        Suite::of_profile(SrtpProfile::AeadAes128Gcm),
    );
});
