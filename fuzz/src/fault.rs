use crate::Tape;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use testkit::{Fate, Fault, Leaving, Side};

/// Makes a mutated datagram good enough to get past the first look: a checksum, a signature.
pub type Repair = Box<dyn Fn(Side, &mut Vec<u8>)>;

/// Leaves a mutated datagram as it is.
pub fn untouched() -> Repair {
    Box::new(|_, _| {})
}

/// Lets the tape decide about every datagram: most pass, some are lost, doubled, late, or changed.
pub fn faults(tape: &Tape, repair: Repair) -> Fault {
    let tape = tape.clone();
    Box::new(move |leaving| match tape.byte().map(|byte| byte % 16) {
        Some(10) => Fate::Drop,
        Some(11) => Fate::Duplicate,
        Some(12) => Fate::Delay(Duration::from_millis(8 * u64::from(tape.number() & 0x3FF))),
        Some(13 | 14) => {
            let mut bytes = mutated(&tape, leaving.bytes);
            repair(leaving.from, &mut bytes);
            Fate::Replace(bytes)
        }
        Some(15) => Fate::Replace(mutated(&tape, leaving.bytes)),
        _ => Fate::Pass,
    })
}

/// Reads along which SCTP verification tag each end sends with, so that a datagram of the tape's
/// own making can carry it. The tags are those that `A` and `B` send with.
pub fn tags(mut fault: Fault) -> (Fault, Rc<[Cell<[u8; 4]>; 2]>) {
    let tags: Rc<[Cell<[u8; 4]>; 2]> = Rc::default();
    let seen = Rc::clone(&tags);
    let reading = move |leaving: Leaving<'_>| {
        if let Some(tag) = leaving.bytes.get(4..8) {
            if tag != [0; 4] {
                seen[leaving.from as usize].set([tag[0], tag[1], tag[2], tag[3]]);
            }
        }
        fault(leaving)
    };
    (Box::new(reading), tags)
}

/// A few bytes changed, and sometimes another length.
fn mutated(tape: &Tape, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let how = tape.byte().unwrap_or(0);
    for _ in 0..how & 0x07 {
        let at = usize::from(tape.number());
        let value = tape.byte().unwrap_or(0);
        if !bytes.is_empty() {
            let at = at % bytes.len();
            bytes[at] = value;
        }
    }
    match how >> 6 {
        1 => bytes.truncate(usize::from(tape.number()) % (bytes.len() + 1)),
        2 => bytes.extend(tape.chunk()),
        _ => {}
    }
    bytes
}
