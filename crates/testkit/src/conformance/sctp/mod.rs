//! What every [`layer::Sctp`] does.

mod delivery;
mod ending;
mod establishment;
mod flow;
mod reliability;
mod reset;
mod robustness;

use super::Report;
use crate::{Link, Pair, Random, SctpPeer, Side};
use bytes::Bytes;
use layer::{NewSctp, Outgoing, SctpConfig, SctpError};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// An implementation under test.
pub struct Subject {
    /// What it claims.
    pub claims: Claims,
    factories: [Box<dyn Fn() -> Arc<dyn NewSctp>>; 2],
}

/// What an implementation does beyond what the contract demands of all. The default claims all.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claims {
    /// The same seed, inputs and instants give the same bytes.
    pub deterministic: bool,
    /// Messages are sent as they come in fragments, or gathered first; `false` refuses fragments.
    pub fragments: bool,
    /// A message above `SctpConfig::max_message` is refused by an abort.
    pub max_message: bool,
    /// A received message tells whether it was sent unordered.
    pub tells_unordered: bool,
    /// Every abandoned message is told with `SctpEvent::Abandoned`.
    pub tells_abandoned: bool,
    /// An association gives up within this time when nobody answers; `None` if it never does and
    /// leaves that to consent of ICE (RFC 7675). Default 20 minutes: RFC 9260 §16 retransmits ten
    /// times, with up to a minute between.
    pub gives_up_within: Option<Duration>,
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            deterministic: true,
            fragments: true,
            max_message: true,
            tells_unordered: true,
            tells_abandoned: true,
            gives_up_within: Some(Duration::from_secs(20 * 60)),
        }
    }
}

impl Subject {
    /// An implementation that makes all claims; `factory` is called anew for every machine.
    #[must_use]
    pub fn new(factory: impl Fn() -> Arc<dyn NewSctp> + Clone + 'static) -> Self {
        Self {
            claims: Claims::default(),
            factories: [Box::new(factory.clone()), Box::new(factory)],
        }
    }

    /// Two implementations, one at each end: `a` sends most of the data, `b` receives it. The claims
    /// are what both claim.
    #[must_use]
    pub fn between(
        a: impl Fn() -> Arc<dyn NewSctp> + 'static,
        b: impl Fn() -> Arc<dyn NewSctp> + 'static,
    ) -> Self {
        Self {
            claims: Claims::default(),
            factories: [Box::new(a), Box::new(b)],
        }
    }

    /// The same subject with other claims.
    #[must_use]
    pub fn claiming(mut self, change: impl FnOnce(&mut Claims)) -> Self {
        change(&mut self.claims);
        self
    }

    /// Runs all cases.
    #[must_use]
    pub fn run(&self) -> Report {
        let factory = (self.factories[0])();
        Report::new(&format!("sctp: {factory:?}"), self, CASES)
    }

    fn never_gives_up(&self) -> Option<&'static str> {
        let never = self.claims.gives_up_within.is_none();
        never.then_some("giving up is not claimed")
    }

    /// Two new associations.
    fn pair(&self, link: &Link, seed: u64) -> Pair<SctpPeer> {
        self.configured_pair(link, seed, |_| ())
    }

    fn configured_pair(
        &self,
        link: &Link,
        seed: u64,
        configure: impl Fn(&mut SctpConfig),
    ) -> Pair<SctpPeer> {
        let [a, b] = self.factories.each_ref().map(|factory| factory());
        Pair::sctp([&*a, &*b], link, seed, configure)
    }

    /// Two connected associations on a link that loses nothing and takes [`DELAY`].
    fn connected(&self, seed: u64) -> Pair<SctpPeer> {
        let mut pair = self.pair(&Link::delayed(DELAY), seed);
        assert!(pair.connect(MINUTE), "not connected: {pair:?}");
        pair
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

kit! {
    /// Makes one `#[test]` per case of [`conformance::sctp`](crate::conformance::sctp) for a
    /// [`Subject`](crate::conformance::sctp::Subject). Use it once per module.
    sctp_conformance($) in sctp;

    connects_when_both_start_at_once:
        "both ends call connect, as RFC 8841 §9.3 has it, and each tells Connected once with its stream numbers"
        => establishment::both_at_once;

    keeps_packets_that_come_before_connect:
        "an INIT that comes before connect is kept and answered as soon as connect is called"
        => establishment::early_packets;

    connects_on_a_lossy_link:
        "30 % loss each way delay the association and do not prevent it"
        => establishment::lossy;

    connects_although_any_one_packet_is_lost:
        "any single packet of the set-up may be lost (RFC 9260 §5.1, T1 timers)"
        => establishment::any_one_lost;

    sends_what_was_queued_before_connect:
        "send is allowed before the association is up"
        => establishment::queued_before;

    refuses_what_the_caller_may_not_do:
        "port 0, a second connect, an empty message, a stream beyond the negotiated number: each its own error"
        => establishment::caller_errors;

    delivers_messages_of_every_size:
        "1 byte to 256 KiB, ordered and unordered, with stream, payload protocol and order intact"
        => delivery::every_size;

    keeps_streams_ordered_on_a_hostile_link:
        "loss, duplication and reordering: every ordered message once, each stream in order"
        => delivery::ordered_hostile;

    delivers_unordered_messages_exactly_once:
        "loss, duplication and reordering: every unordered message once"
        => delivery::unordered_hostile;

    lets_unordered_messages_overtake:
        "an unordered message does not wait for a lost one before it (RFC 9260 §6.6)"
        => delivery::overtaking;

    keeps_streams_from_blocking_each_other:
        "a loss on one stream does not hold back another (RFC 9260 §1.5.2)"
        => delivery::independent_streams;

    delivers_both_ways_at_once:
        "a megabyte in each direction at the same time, on a link with 2 % loss"
        => delivery::both_ways;

    joins_messages_sent_in_fragments:
        "a message sent in fragments arrives as one message"
        => delivery::fragments,
        unless |subject| (!subject.claims.fragments).then_some("fragments are not claimed");

    never_exceeds_the_largest_packet:
        "no packet is larger than SctpConfig::max_packet"
        => delivery::max_packet;

    uses_the_rate_of_the_link:
        "4 MiB over 20 Mbit/s with a queue of 128 KiB take at most three times as long as they must"
        => delivery::rate;

    refuses_sends_at_the_bound_and_tells_when_writable:
        "BufferFull at a bound, then Writable when there is room again"
        => flow::back_pressure;

    closes_the_window_until_data_is_consumed:
        "unconsumed data stops the sender without ending the association; consume lets it go on"
        => flow::window;

    tells_the_buffered_amount_and_its_low_mark:
        "buffered_amount counts what send accepted; BufferedAmountLow comes once per crossing"
        => flow::buffered_amount;

    gives_up_a_message_without_retransmissions:
        "MaxRetransmits(0): a lost message is given up and later ones are delivered (RFC 7496 §3.1)"
        => reliability::no_retransmissions;

    gives_up_a_message_after_its_lifetime:
        "MaxLifetime: a message that is late is given up and later ones are delivered (RFC 3758 §4.1)"
        => reliability::lifetime;

    delivers_unreliable_messages_when_nothing_is_lost:
        "limits on retransmission cost nothing on a good link"
        => reliability::nothing_lost;

    resets_streams_after_delivery:
        "reset delivers what is queued, then tells both ends (RFC 6525 §5)"
        => reset::after_delivery;

    reuses_a_stream_after_its_reset:
        "a stream that was reset both ways carries ordered messages again"
        => reset::reuse;

    resets_streams_on_a_lossy_link:
        "reset requests and their answers may be lost (RFC 6525 §5.1.1)"
        => reset::lossy;

    shuts_down_after_delivery:
        "shutdown delivers what is queued; we end with Local, the peer with Peer (RFC 9260 §9.2)"
        => ending::shutdown;

    shuts_down_on_a_lossy_link:
        "any packet of the shutdown may be lost"
        => ending::lossy_shutdown;

    aborts_at_once_and_tells_the_peer:
        "abort ends with Local here and with Peer there; nothing is accepted afterwards (RFC 9260 §9.1)"
        => ending::abort;

    gives_up_when_nobody_answers_connect:
        "an association that nobody answers ends with Timeout"
        => ending::nobody_there,
        unless Subject::never_gives_up;

    gives_up_when_the_peer_falls_silent:
        "an association whose data is not acknowledged any more ends with Timeout (RFC 9260 §8.1)"
        => ending::silence,
        unless Subject::never_gives_up;

    refuses_a_message_above_the_largest:
        "a message above SctpConfig::max_message ends the association with Protocol, the sender's with Peer"
        => ending::too_large,
        unless |subject| (!subject.claims.max_message).then_some("a largest message is not claimed");

    counts_random_bytes_and_lives_on:
        "random bytes in every state are counted as dropped and change nothing"
        => robustness::random_bytes;

    survives_truncated_packets:
        "beginnings of real packets change nothing"
        => robustness::truncated;

    never_panics_on_flipped_bits:
        "real packets with flipped bits in their place: no panic, and both ends come to rest"
        => robustness::flipped_bits;

    never_panics_on_changed_chunks_with_a_right_checksum:
        "real packets changed behind the header, with the checksum put right: no panic, and both ends come to rest"
        => robustness::changed_chunks;

    repeats_itself_with_the_same_seed:
        "the same seed, inputs and instants give the same packets"
        => robustness::same_seed,
        unless |subject| (!subject.claims.deterministic).then_some("determinism is not claimed");

    differs_with_another_seed:
        "tags come from the seed and from nothing that can be guessed (RFC 9260 §5.3.1)"
        => robustness::other_seed;
}

/// One way, in the cases that need no particular link.
const DELAY: Duration = Duration::from_millis(10);

const MINUTE: Duration = Duration::from_secs(60);

/// The payload protocol of the kit's messages (WebRTC binary, RFC 8831 §8).
const PROTOCOL: u32 = 53;

/// Content that can be told apart by its number.
fn content(number: usize, len: usize) -> Bytes {
    Random::new(number as u64, b"content ").bytes(len).into()
}

/// An ordered, reliable message with the content of that number.
fn message(stream: u16, number: usize, len: usize) -> Outgoing {
    Outgoing::new(stream, PROTOCOL, content(number, len))
}

/// A message that may overtake.
fn unordered(stream: u16, number: usize, len: usize) -> Outgoing {
    let mut message = message(stream, number, len);
    message.unordered = true;
    message
}

/// Sends what has room of the queue.
fn feed(pair: &mut Pair<SctpPeer>, side: Side, queue: &mut VecDeque<Outgoing>) {
    let now = pair.now();
    while let Some(message) = queue.front() {
        match pair.end(side).machine.send(now, message.clone()) {
            Ok(()) => queue.pop_front(),
            Err(SctpError::BufferFull) => return,
            Err(error) => panic!("send was refused: {error}: {pair:?}"),
        };
    }
}

/// How many whole messages an end has received.
fn received(end: &SctpPeer) -> usize {
    end.messages.iter().filter(|message| message.last).count()
}

/// Sends all messages from `a` and returns what `b` received when it has as many.
fn transfer(
    pair: &mut Pair<SctpPeer>,
    messages: impl IntoIterator<Item = Outgoing>,
    limit: Duration,
) -> Vec<(u16, u32, Vec<u8>)> {
    let mut queue: VecDeque<Outgoing> = messages.into_iter().collect();
    let count = queue.len();
    let done = pair.run_until(limit, |pair| {
        feed(pair, Side::A, &mut queue);
        received(&pair.b) >= count
    });
    let got = received(&pair.b);
    assert!(done, "{got} of {count} messages after {limit:?}: {pair:?}");
    pair.b.take_messages()
}
