use super::{DELAY, MINUTE, Subject, message, received, transfer};
use crate::{Link, Side, TestSeed};
use layer::{SctpError, SctpEvent, SctpState};

/// No send buffer or window of any implementation is expected to be larger: 64 MiB.
const ANY_BOUND: usize = 64 << 20;

const LEN: usize = 16_384;

pub(super) fn back_pressure(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    let now = pair.now();
    let filler = message(0, 0, LEN);
    let mut accepted = 0;
    loop {
        match pair.a.machine.send(now, filler.clone()) {
            Ok(()) => accepted += 1,
            Err(SctpError::BufferFull) => break,
            Err(error) => panic!("send was refused: {error}"),
        }
        assert!(accepted * LEN <= ANY_BOUND, "the send buffer has no bound");
    }
    assert!(accepted > 0, "an empty buffer takes no message");
    let capacity = pair.a.machine.send_capacity();
    assert!(capacity < LEN, "full, and yet there is room for {capacity}");
    let writable = |pair: &mut crate::Pair<crate::SctpPeer>| {
        let told = |event: &SctpEvent| matches!(event, SctpEvent::Writable);
        pair.a.events.iter().any(told)
    };
    assert!(pair.run_until(MINUTE, writable), "{pair:?}");
    assert!(pair.a.machine.send_capacity() > capacity, "{pair:?}");
    let got = transfer(&mut pair, [message(1, accepted, LEN)], MINUTE);
    let _ = pair.run_until(MINUTE, |pair| received(&pair.b) + got.len() > accepted);
    assert_eq!(received(&pair.b) + got.len(), accepted + 1, "{pair:?}");
}

pub(super) fn window(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    pair.b.consume = false;
    let filler = message(0, 0, LEN);
    let mut sent = 0;
    let mut fill = |pair: &mut crate::Pair<crate::SctpPeer>| {
        let now = pair.now();
        while pair.a.machine.send(now, filler.clone()).is_ok() {
            sent += 1;
            assert!(sent * LEN <= 2 * ANY_BOUND, "the window has no bound");
        }
        false
    };
    let bytes = |end: &crate::SctpPeer| -> usize {
        end.messages.iter().map(|message| message.data.len()).sum()
    };
    let _ = pair.run_until(MINUTE, &mut fill);
    let before = bytes(&pair.b);
    assert!(before > 0, "{pair:?}");
    // The peer answers probes, so that a closed window is no failure (RFC 9260 §6.1 A).
    pair.run_for(MINUTE * 5);
    assert_eq!(bytes(&pair.b), before, "data came through a closed window");
    assert_eq!(pair.a.machine.state(), SctpState::Connected, "{pair:?}");

    let now = pair.now();
    pair.b.machine.consume(now, 0, before);
    pair.b.consume = true;
    let done = pair.run_until(MINUTE * 2, |pair| received(&pair.b) == sent);
    assert!(
        done,
        "{} of {sent} after consume: {pair:?}",
        received(&pair.b)
    );
    // More than was received cannot be given back, and must not open the window beyond its size.
    let now = pair.now();
    pair.b.machine.consume(now, 0, ANY_BOUND);
    pair.run_for(DELAY * 10);
    assert_eq!(pair.b.machine.state(), SctpState::Connected);
}

pub(super) fn buffered_amount(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    let now = pair.now();
    pair.a.machine.set_buffered_amount_low_threshold(2, 5_000);
    for number in 0..20 {
        let sent = pair.a.machine.send(now, message(2, number, 1_000));
        assert_eq!(sent, Ok(()));
        assert_eq!(pair.a.machine.buffered_amount(2), (number + 1) * 1_000);
    }
    assert_eq!(pair.a.machine.buffered_amount(3), 0);
    pair.settle();
    let low = |pair: &crate::Pair<crate::SctpPeer>, stream| {
        let told = SctpEvent::BufferedAmountLow { stream };
        pair.a.events.iter().filter(|event| **event == told).count()
    };
    assert_eq!(low(&pair, 2), 0, "nothing was sent yet");
    assert!(pair.connect(MINUTE), "{pair:?}");
    let done = pair.run_until(MINUTE, |pair| pair.a.machine.buffered_amount(2) == 0);
    assert!(done, "{pair:?}");
    pair.run_for(MINUTE);
    assert_eq!(low(&pair, 2), 1, "one crossing: {pair:?}");

    // The default threshold is 0, and the event comes again with the next crossing.
    let now = pair.now();
    for stream in [2, 3] {
        for number in 0..20 {
            let sent = pair
                .end(Side::A)
                .machine
                .send(now, message(stream, number, 1_000));
            assert_eq!(sent, Ok(()));
        }
    }
    pair.run_for(MINUTE);
    assert_eq!((low(&pair, 2), low(&pair, 3)), (2, 1), "{pair:?}");
}
