use super::*;

struct Receiver {
    reassembly: Reassembly,
    first: Tsn,
}

impl Receiver {
    fn new() -> Self {
        let first = Tsn::initial(u32::MAX - 1);
        let limits = MessageLimits {
            largest: 1000,
            partial: None,
        };
        Self {
            reassembly: Reassembly::new(limits, first),
            first,
        }
    }

    /// `flags` are B and E, as in "B", "E", "BE" or "".
    fn take(&mut self, offset: usize, stream: u16, ssn: u16, flags: &str, payload: &str) {
        self.try_take(offset, stream, ssn, flags, payload).unwrap();
    }

    fn try_take(
        &mut self,
        offset: usize,
        stream: u16,
        ssn: u16,
        flags: &str,
        payload: &str,
    ) -> Result<(), Violation> {
        let tsn = self.first.plus(offset);
        let data = Data {
            immediate: false,
            unordered: flags.contains('U'),
            beginning: flags.contains('B'),
            ending: flags.contains('E'),
            tsn: tsn.wire(),
            stream,
            ssn,
            protocol: 51,
            payload: payload.as_bytes(),
        };
        self.reassembly.insert(tsn, &data, false)
    }

    fn delivered(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(message) = self.reassembly.poll_message() {
            self.reassembly.consume(message.data.len());
            all.push(String::from_utf8(message.data.to_vec()).unwrap());
        }
        all
    }
}

// sctp-033
#[test]
fn messages_of_a_stream_come_in_order_and_streams_do_not_wait_for_each_other() {
    let mut receiver = Receiver::new();
    receiver.take(1, 0, 1, "BE", "second");
    receiver.take(2, 7, 0, "BE", "other stream");
    assert_eq!(receiver.delivered(), ["other stream"]);
    receiver.take(0, 0, 0, "BE", "first");
    assert_eq!(receiver.delivered(), ["first", "second"]);
    assert_eq!(receiver.reassembly.occupied(), 0);
}

// sctp-032, sctp-033
#[test]
fn fragments_in_every_order_make_the_message() {
    let parts = [(0, "B", "a"), (1, "", "b"), (2, "", "c"), (3, "E", "d")];
    for order in 0..24 {
        let mut left = parts.to_vec();
        let mut receiver = Receiver::new();
        let mut rest = order;
        for choices in (1..=4).rev() {
            let (offset, flags, payload) = left.remove(rest % choices);
            rest /= choices;
            receiver.take(offset, 3, 0, flags, payload);
        }
        assert_eq!(receiver.delivered(), ["abcd"], "order {order}");
        assert_eq!(receiver.reassembly.occupied(), 0);
        assert_eq!(receiver.reassembly.pieces, 0);
    }
}

// sctp-033
#[test]
fn an_unordered_message_overtakes() {
    let mut receiver = Receiver::new();
    receiver.take(1, 0, 1, "BE", "ordered");
    receiver.take(2, 0, 0, "BU", "un");
    receiver.take(3, 0, 9, "EU", "ordered");
    assert_eq!(receiver.delivered(), ["unordered"]);
}

#[test]
fn fragments_that_do_not_belong_together_are_a_violation() {
    let mut receiver = Receiver::new();
    receiver.take(0, 0, 0, "B", "a");
    assert_eq!(receiver.try_take(1, 1, 0, "E", "b"), Err(Violation::Mixed));
    let mut receiver = Receiver::new();
    receiver.take(0, 0, 0, "B", "a");
    assert_eq!(receiver.try_take(1, 0, 1, "BE", "b"), Err(Violation::Mixed));
    let mut receiver = Receiver::new();
    receiver.take(1, 0, 0, "", "b");
    assert_eq!(receiver.try_take(0, 0, 0, "BE", "a"), Err(Violation::Mixed));
}

#[test]
fn a_message_beyond_the_largest_is_a_violation() {
    let mut receiver = Receiver::new();
    let kilobyte = "x".repeat(999);
    receiver.take(0, 0, 0, "B", &kilobyte);
    assert_eq!(
        receiver.try_take(1, 0, 0, "", "yy"),
        Err(Violation::TooLarge)
    );
}

// sctp-038
#[test]
fn a_forward_drops_partial_messages_and_releases_stuck_ones() {
    let mut receiver = Receiver::new();
    receiver.take(0, 0, 0, "B", "lost tail");
    receiver.take(3, 0, 1, "BE", "stuck");
    receiver.take(4, 1, 0, "B", "still ");
    assert!(receiver.delivered().is_empty());
    let to = receiver.first.plus(2);
    receiver.reassembly.forward(to, [(0, 0)].into_iter());
    assert_eq!(receiver.delivered(), ["stuck"]);
    receiver.take(5, 1, 0, "E", "whole");
    assert_eq!(receiver.delivered(), ["still whole"]);
    assert_eq!(receiver.reassembly.occupied(), 0);
}

// sctp-038
#[test]
fn a_message_may_follow_the_part_of_an_abandoned_one() {
    let mut receiver = Receiver::new();
    receiver.take(0, 0, 0, "B", "abandoned");
    receiver
        .reassembly
        .forward(receiver.first, [(0, 0)].into_iter());
    receiver.take(1, 0, 1, "BE", "next");
    assert_eq!(receiver.delivered(), ["next"]);
    assert_eq!(receiver.reassembly.occupied(), 0);
}

// sctp-041, sctp-042
#[test]
fn what_was_sent_after_a_reset_waits_for_it() {
    let mut receiver = Receiver::new();
    receiver.take(0, 4, 0, "BE", "zero");
    receiver
        .reassembly
        .defer_reset(receiver.first.plus(1), &[4]);
    receiver.take(2, 4, 0, "BE", "new zero");
    receiver.take(3, 5, 0, "BE", "unaffected");
    assert_eq!(receiver.delivered(), ["zero", "unaffected"]);
    receiver.take(1, 4, 1, "BE", "one");
    receiver.reassembly.reset(&[4]);
    assert_eq!(receiver.delivered(), ["one", "new zero"]);
    assert_eq!(receiver.reassembly.occupied(), 0);
}

#[test]
fn what_was_handed_out_counts_until_it_is_given_back() {
    let mut receiver = Receiver::new();
    receiver.take(0, 0, 0, "BE", "12345");
    assert_eq!(receiver.reassembly.occupied(), 5);
    receiver.reassembly.poll_message().unwrap();
    assert_eq!(receiver.reassembly.occupied(), 5);
    receiver.reassembly.consume(3);
    assert_eq!(receiver.reassembly.occupied(), 2);
}
