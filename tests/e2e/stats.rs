//! What reports of statistics have in common from one to the next.

use crate::calls::{near, numbered};
use crate::pair::SessionPair;
use peerconnection::{MediaKind, RtpTransceiverDirection};
use serde_json::Value;
use std::time::Duration;
use testkit::Side;

fn report(pair: &SessionPair) -> Value {
    let report = pair.a.session.stats(pair.now());
    serde_json::to_value(report).unwrap()
}

/// The ids of one type.
fn of_type<'a>(report: &'a Value, kind: &str) -> Vec<&'a str> {
    let entries = report.as_object().unwrap().iter();
    let found = entries.filter(|(_, entry)| entry["type"] == kind);
    found.map(|(id, _)| id.as_str()).collect()
}

/// Whether a member counts.
fn counts(member: &str) -> bool {
    let ends = ["Sent", "Received", "Count", "Lost"];
    ends.iter().any(|end| member.ends_with(end)) || member.starts_with("total")
}

/// pc-056: what there is keeps its id and its type, is told of with a time of its own, and counts
/// upwards; what there is no more is not told of.
#[test]
fn objects_keep_their_ids_and_counters_as_long_as_they_live() {
    let mut pair = near(12);
    let [lives, ends] =
        [(); 2].map(|()| pair.add(Side::A, MediaKind::Video, RtpTransceiverDirection::SendOnly));
    pair.negotiate(Side::A);
    pair.connect();
    let mut number = 0;
    let mut send = |pair: &mut SessionPair| {
        for _ in 0..50 {
            number += 1;
            for key in [lives, ends] {
                pair.write(Side::A, key, 0, &numbered(96, number, 100));
            }
            pair.run_for(Duration::from_millis(20));
        }
    };
    send(&mut pair);
    let first = report(&pair);
    assert_eq!(of_type(&first, "outbound-rtp").len(), 2);
    send(&mut pair);
    let second = report(&pair);
    let mut counted = 0;
    for (id, before) in first.as_object().unwrap() {
        let after = &second[id];
        assert_eq!(after["type"], before["type"], "{id}");
        assert!(after["timestamp"].as_f64() > before["timestamp"].as_f64());
        for (member, value) in before.as_object().unwrap() {
            if counts(member) && value.is_number() {
                assert!(after[member].as_f64() >= value.as_f64(), "{id} {member}");
                counted += usize::from(after[member].as_f64() > value.as_f64());
            }
        }
    }
    assert!(counted > 5, "{counted}");
    let now = pair.now();
    pair.a.session.stop_transceiver(now, ends);
    pair.negotiate(Side::A);
    send(&mut pair);
    let third = report(&pair);
    let left = of_type(&third, "outbound-rtp");
    assert_eq!(left.len(), 1);
    assert!(of_type(&second, "outbound-rtp").contains(&left[0]));
    assert_eq!(of_type(&third, "remote-inbound-rtp").len(), 1);
}
