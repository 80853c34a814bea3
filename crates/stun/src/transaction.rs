use crate::TransactionId;
use std::time::{Duration, Instant};

/// When a request over UDP is sent again (RFC 8489 §6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// RTO: how long the first answer is waited for; it doubles with every request. Default 500 ms,
    /// the least the RFC allows on the open internet.
    pub retransmission_timeout: Duration,
    /// Rc: how many requests are sent. Default 7.
    pub max_requests: u32,
    /// Rm: how many of the first timeout are waited after the last request. Default 16.
    pub last_wait: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            retransmission_timeout: Duration::from_millis(500),
            max_requests: 7,
            last_wait: 16,
        }
    }
}

impl Timing {
    /// How long a transaction lasts that nobody answers: 39.5 s with the defaults.
    #[must_use]
    pub fn total(&self) -> Duration {
        let mut wait = self.retransmission_timeout;
        let mut total = Duration::ZERO;
        for _ in 1..self.max_requests {
            total = total.saturating_add(wait);
            wait = wait.saturating_mul(2);
        }
        total.saturating_add(self.retransmission_timeout.saturating_mul(self.last_wait))
    }
}

/// What a transaction wants when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing yet.
    Wait,
    /// The request goes out again, bit by bit the same.
    Retransmit,
    /// Nobody answered; the transaction is over.
    TimedOut,
}

/// One request on its way, from the client's side: when to repeat it and when to give up.
///
/// It knows no bytes: the owner keeps what is needed to write the request again.
#[derive(Clone, Copy, Debug)]
pub struct Transaction {
    id: TransactionId,
    started: Instant,
    timing: Timing,
    requests: u32,
    wait: Duration,
    deadline: Instant,
}

impl Transaction {
    /// A request that has just been sent over an unreliable transport.
    #[must_use]
    pub fn start(id: TransactionId, now: Instant, timing: Timing) -> Self {
        let mut transaction = Self {
            id,
            started: now,
            timing,
            requests: 1,
            wait: timing.retransmission_timeout,
            deadline: now,
        };
        transaction.deadline = now + transaction.next_wait();
        transaction
    }

    /// A request that is sent once and never repeated: over a reliable transport (RFC 8489 §6.2.2,
    /// where `timeout` is 39.5 s), or where repeating is not wanted.
    #[must_use]
    pub fn once(id: TransactionId, now: Instant, timeout: Duration) -> Self {
        let timing = Timing {
            retransmission_timeout: timeout,
            max_requests: 1,
            last_wait: 1,
        };
        Self::start(id, now, timing)
    }

    /// What its messages carry.
    #[must_use]
    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// When the first request was sent.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// How many requests were sent.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// When [`handle_timeout`](Transaction::handle_timeout) wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.deadline
    }

    /// What is due at `now`. After [`Step::Retransmit`] the request counts as sent.
    pub fn handle_timeout(&mut self, now: Instant) -> Step {
        if now < self.deadline {
            return Step::Wait;
        }
        if self.requests >= self.timing.max_requests {
            return Step::TimedOut;
        }
        self.requests += 1;
        self.wait = self.wait.saturating_mul(2);
        self.deadline = now + self.next_wait();
        Step::Retransmit
    }

    /// Sends no more requests but still waits as long as it would have (the cancellation of
    /// RFC 8445 §8.1.2): the next step is [`Step::TimedOut`].
    pub fn cancel(&mut self) {
        self.deadline = self.started + self.timing.total();
        self.requests = self.timing.max_requests.max(self.requests);
    }

    /// The round trip, when the answer has come at `now`. `None` after a repetition: nobody knows
    /// which request was answered (Karn's rule, RFC 8489 §6.2.1).
    #[must_use]
    pub fn round_trip(&self, now: Instant) -> Option<Duration> {
        let once = self.requests == 1;
        once.then(|| now.saturating_duration_since(self.started))
    }

    fn next_wait(&self) -> Duration {
        if self.requests >= self.timing.max_requests {
            let last = self.timing.last_wait;
            self.timing.retransmission_timeout.saturating_mul(last)
        } else {
            self.wait
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some instant to start from"
    )]
    fn now() -> Instant {
        Instant::now()
    }

    // stun-021
    #[test]
    fn an_unanswered_request_is_sent_seven_times_and_given_up_after_39_5_s() {
        let start = now();
        let mut transaction = Transaction::start(TransactionId([1; 12]), start, Timing::default());
        let mut sent = vec![0];
        let end = loop {
            let now = transaction.poll_timeout();
            let elapsed = (now - start).as_millis();
            match transaction.handle_timeout(now) {
                Step::Retransmit => sent.push(elapsed),
                Step::TimedOut => break elapsed,
                Step::Wait => panic!("the deadline was reached"),
            }
        };
        assert_eq!(sent, [0, 500, 1500, 3500, 7500, 15500, 31500]);
        assert_eq!(end, 39500);
        assert_eq!(Timing::default().total().as_millis(), 39500);
    }

    // stun-023
    #[test]
    fn a_request_over_a_reliable_transport_is_never_repeated() {
        let start = now();
        let timeout = Timing::default().total();
        let mut transaction = Transaction::once(TransactionId([1; 12]), start, timeout);
        assert_eq!(transaction.poll_timeout(), start + timeout);
        assert_eq!(transaction.handle_timeout(start), Step::Wait);
        assert_eq!(transaction.handle_timeout(start + timeout), Step::TimedOut);
    }

    // stun-022
    #[test]
    fn a_round_trip_is_only_measured_when_the_request_was_sent_once() {
        let start = now();
        let mut transaction = Transaction::start(TransactionId([1; 12]), start, Timing::default());
        let later = start + Duration::from_micros(1300);
        assert_eq!(
            transaction.round_trip(later),
            Some(Duration::from_micros(1300))
        );
        transaction.handle_timeout(transaction.poll_timeout());
        assert_eq!(transaction.round_trip(later), None);
    }

    #[test]
    fn a_cancelled_transaction_waits_to_its_end_and_repeats_nothing() {
        let start = now();
        let mut transaction = Transaction::start(TransactionId([1; 12]), start, Timing::default());
        transaction.cancel();
        assert_eq!(
            transaction.poll_timeout(),
            start + Duration::from_millis(39500)
        );
        let end = transaction.poll_timeout();
        assert_eq!(transaction.handle_timeout(end), Step::TimedOut);
    }
}
