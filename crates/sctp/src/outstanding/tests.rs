//! What a SACK costs depends on what it tells, not on how much is in flight.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use super::*;

fn fragment() -> Fragment {
    Fragment {
        stream: 0,
        number: 0,
        fsn: 0,
        protocol: 53,
        unordered: false,
        beginning: true,
        ending: true,
        limit: Limit::Never,
        data: bytes::Bytes::from(vec![0; 1100]),
    }
}

/// Keeps `chunks` in flight while `packets` leave, a SACK for every second one; in every hundred
/// one is lost. Returns what was looked at for each packet.
fn visits(chunks: usize, packets: usize) -> usize {
    let mut now = Instant::now();
    let mut outstanding = Outstanding::new(Instant::now(), Tsn::initial(1), false);
    let round_trip = Duration::from_micros(10) * u32::try_from(chunks).unwrap();
    let smoothed = Some(round_trip);
    // By arrival: the number on the wire.
    let mut wire = VecDeque::new();
    let mut cumulative = 0_u32;
    let mut above = BTreeSet::new();
    for number in 0..packets {
        now += Duration::from_micros(10);
        outstanding.begin_packet();
        let tsn = match outstanding.next_lost(now) {
            Some((tsn, _)) => {
                outstanding.retransmit(now, tsn);
                tsn
            }
            None => outstanding.push(now, fragment()).0,
        };
        wire.push_back((tsn.wire(), number % 100 == 99));
        if wire.len() <= chunks {
            continue;
        }
        let (arrived, lost) = wire.pop_front().unwrap();
        if !lost && arrived > cumulative {
            above.insert(arrived);
        }
        while above.remove(&(cumulative + 1)) {
            cumulative += 1;
        }
        if number % 2 == 0 {
            let mut blocks: Vec<(u16, u16)> = Vec::new();
            for &tsn in &above {
                let offset = u16::try_from(tsn - cumulative).unwrap();
                match blocks.last_mut() {
                    Some(block) if block.1 + 1 == offset => block.1 = offset,
                    _ => blocks.push((offset, offset)),
                }
            }
            // What fits into a packet.
            blocks.truncate(280);
            outstanding
                .acknowledge(now, cumulative, blocks.into_iter())
                .unwrap();
            outstanding.detect_losses(now, true, smoothed);
        }
    }
    assert!(outstanding.departures() <= 2 * (chunks + 200) + 64);
    outstanding.visited * 10 / packets
}

#[test]
fn the_cost_of_a_sack_does_not_grow_with_the_bytes_in_flight() {
    // 64 KiB, 4 MiB.
    let few = visits(60, 12_000);
    let many = visits(3800, 12_000);
    println!("looked at per ten packets: {few} with 64 KiB in flight, {many} with 4 MiB");
    assert!(few >= 20, "{few}");
    assert!(many * 10 <= few * 12, "{many} against {few}");
}
