use super::{MINUTE, Subject, content, message, transfer};
use crate::fate::{Fault, drop_where};
use crate::{Pair, SctpPeer, Side, TestSeed};
use layer::{Outgoing, Reliability, SctpEvent};
use std::time::Duration;

/// Loses every packet of `a` that carries the beginning of the content of message 0.
fn lose_message_zero() -> Fault {
    let mark = content(0, 100);
    drop_where(move |leaving| {
        leaving.from == Side::A && leaving.bytes.windows(100).any(|bytes| bytes == &mark[..])
    })
}

fn unreliable(number: usize, reliability: Reliability) -> Outgoing {
    let mut outgoing = message(1, number, 500);
    outgoing.reliability = reliability;
    outgoing
}

fn assert_abandoned(subject: &Subject, pair: &Pair<SctpPeer>) {
    let stats = pair.a.machine.stats();
    assert_eq!(stats.messages_abandoned, 1, "{pair:?}");
    if subject.claims.tells_abandoned {
        let told = SctpEvent::Abandoned { stream: 1 };
        let count = pair.a.events.iter().filter(|event| **event == told).count();
        assert_eq!(count, 1, "{pair:?}");
    }
}

pub(super) fn no_retransmissions(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    pair.fault = Some(lose_message_zero());
    let now = pair.now();
    let lost = unreliable(0, Reliability::MaxRetransmits(0));
    assert_eq!(pair.a.machine.send(now, lost), Ok(()));
    // It left in a packet of its own.
    pair.run_for(Duration::from_millis(1));
    let got = transfer(&mut pair, [message(1, 1, 900), message(1, 2, 901)], MINUTE);
    let lens: Vec<_> = got.iter().map(|got| got.2.len()).collect();
    assert_eq!(lens, [900, 901]);
    pair.run_for(MINUTE);
    assert!(pair.b.messages.is_empty(), "a lost message came: {pair:?}");
    assert_abandoned(subject, &pair);
}

pub(super) fn lifetime(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    pair.a_to_b.link.loss = 1.0;
    let now = pair.now();
    let late = unreliable(0, Reliability::MaxLifetime(Duration::from_millis(500)));
    assert_eq!(pair.a.machine.send(now, late), Ok(()));
    pair.run_for(Duration::from_secs(3));
    pair.a_to_b.link.loss = 0.0;
    let got = transfer(&mut pair, [message(1, 1, 900)], MINUTE * 2);
    assert!(got[0].2 == content(1, 900), "a late message came: {pair:?}");
    pair.run_for(MINUTE);
    assert!(pair.b.messages.is_empty(), "a late message came: {pair:?}");
    assert_abandoned(subject, &pair);
}

pub(super) fn nothing_lost(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    let reliabilities = [
        Reliability::MaxRetransmits(0),
        Reliability::MaxLifetime(Duration::from_secs(1)),
        Reliability::Reliable,
    ];
    let outgoing = (0..30).map(|number| unreliable(number, reliabilities[number % 3]));
    let got = transfer(&mut pair, outgoing, MINUTE);
    for (number, got) in got.into_iter().enumerate() {
        assert!(got.2 == content(number, 500), "message {number}");
    }
    pair.run_for(MINUTE);
    let stats = pair.a.machine.stats();
    assert_eq!(stats.messages_abandoned, 0, "{pair:?}");
}
