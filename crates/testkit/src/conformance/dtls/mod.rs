//! What every [`layer::Dtls`] does.

mod certificate;
mod data;
mod ending;
mod handshake;
mod identity;
mod robustness;

use super::Report;
use crate::{Clock, DtlsPeer, Link, Pair, Side, Tasks};
use layer::{Blame, DtlsConfig, DtlsEvent, DtlsState, DtlsVersion, NewDtls};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// An implementation under test.
pub struct Subject {
    /// What it claims.
    pub claims: Claims,
    factories: [Box<dyn Fn() -> Arc<dyn NewDtls>>; 2],
    environment: Box<dyn Fn() -> Environment>,
}

/// What an implementation does beyond what the contract demands of all. The default claims all.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claims {
    /// The versions that may be negotiated. Default: both.
    pub versions: Vec<DtlsVersion>,
    /// The same seed, inputs and instants give the same bytes; true only with a deterministic crypto
    /// provider such as that of `testkit`, made anew by every call of the factory. Where this is not
    /// claimed, one of the ten handshakes on a lossy link may run out of time.
    pub deterministic: bool,
    /// Keying material is exported under any label, not only that of DTLS-SRTP.
    pub general_exporter: bool,
    /// SRTP profiles can be negotiated.
    pub srtp: bool,
    /// The negotiated profile is one of `DtlsConfig::srtp_profiles`, and none without them.
    pub srtp_choice: bool,
    /// A record that came before is dropped (RFC 9147 §4.5.1).
    pub replay_protection: bool,
    /// Random records in the handshake do not end it, as RFC 6347 §4.1.2.7 and RFC 9147 §4.5.2
    /// recommend.
    pub withstands_noise: bool,
    /// What is dropped is counted in `DtlsStats`.
    pub counts_drops: bool,
    /// A handshake gives up within this time when nobody answers. Default 5 minutes.
    pub gives_up_within: Duration,
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            versions: vec![DtlsVersion::V1_2, DtlsVersion::V1_3],
            deterministic: true,
            general_exporter: true,
            srtp: true,
            srtp_choice: true,
            replay_protection: true,
            withstands_noise: true,
            counts_drops: true,
            gives_up_within: Duration::from_secs(5 * 60),
        }
    }
}

/// In what a case runs: a clock, and what runs the tasks of implementations that have some.
#[non_exhaustive]
pub struct Environment {
    /// The clock at the start of the case.
    pub clock: Clock,
    /// Runs the tasks; see [`Pair::tasks`].
    pub tasks: Option<Tasks>,
}

impl Environment {
    /// For machines without tasks.
    #[must_use]
    pub fn new() -> Self {
        Self {
            clock: Clock::new(),
            tasks: None,
        }
    }

    /// For machines with tasks: `clock` stands where theirs does.
    #[must_use]
    pub fn with_tasks(clock: Clock, tasks: Tasks) -> Self {
        Self {
            clock,
            tasks: Some(tasks),
        }
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("clock", &self.clock)
            .field("tasks", &self.tasks.is_some())
            .finish()
    }
}

impl Subject {
    /// An implementation that makes all claims; `factory` is called anew for every machine.
    #[must_use]
    pub fn new(factory: impl Fn() -> Arc<dyn NewDtls> + Clone + 'static) -> Self {
        Self::between(factory.clone(), factory)
    }

    /// Two implementations, one at each end, which both make all claims.
    #[must_use]
    pub fn between(
        a: impl Fn() -> Arc<dyn NewDtls> + 'static,
        b: impl Fn() -> Arc<dyn NewDtls> + 'static,
    ) -> Self {
        Self {
            claims: Claims::default(),
            factories: [Box::new(a), Box::new(b)],
            environment: Box::new(Environment::new),
        }
    }

    /// The same subject with other claims.
    #[must_use]
    pub fn claiming(mut self, change: impl FnOnce(&mut Claims)) -> Self {
        change(&mut self.claims);
        self
    }

    /// The same subject in an environment of its own, made anew for every pair.
    #[must_use]
    pub fn living_in(mut self, environment: impl Fn() -> Environment + 'static) -> Self {
        self.environment = Box::new(environment);
        self
    }

    /// Runs all cases.
    #[must_use]
    pub fn run(&self) -> Report {
        let factory = (self.factories[0])();
        Report::new(&format!("dtls: {factory:?}"), self, CASES)
    }

    /// Two new sessions.
    fn pair(&self, link: &Link, seed: u64) -> Pair<DtlsPeer> {
        self.configured_pair(link, seed, |_| ())
    }

    fn configured_pair(
        &self,
        link: &Link,
        seed: u64,
        configure: impl Fn(&mut DtlsConfig),
    ) -> Pair<DtlsPeer> {
        let [a, b] = self.factories.each_ref().map(|factory| factory());
        let environment = (self.environment)();
        let mut pair = Pair::dtls([&*a, &*b], environment.clock, link, seed, configure);
        pair.tasks = environment.tasks;
        pair
    }

    /// Two connected sessions on a link that loses nothing and takes [`DELAY`].
    fn connected(&self, seed: u64) -> Pair<DtlsPeer> {
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
    /// Makes one `#[test]` per case of [`conformance::dtls`](crate::conformance::dtls) for a
    /// [`Subject`](crate::conformance::dtls::Subject). Use it once per module.
    dtls_conformance($) in dtls;

    connects_with_either_end_as_client:
        "the ends take their roles, tell Connecting and then Connected, and know version and peer certificate"
        => handshake::either_client;

    answers_early_datagrams_when_the_role_is_set:
        "a ClientHello that comes before the role is kept and answered as soon as we are the server"
        => handshake::late_role;

    refuses_a_second_role:
        "the same role again does nothing, another one is RoleIsSet"
        => handshake::second_role;

    counts_early_datagrams_beyond_a_bound:
        "datagrams before the role are kept within a bound, and what goes beyond is counted"
        => handshake::early_flood,
        unless |subject| (!subject.claims.counts_drops).then_some("counting what is dropped is not claimed");

    connects_although_any_one_datagram_is_lost:
        "any single datagram of the handshake may be lost (RFC 6347 §4.2.4, RFC 9147 §5.8)"
        => handshake::any_one_lost;

    connects_although_any_one_datagram_is_late:
        "any single datagram of the handshake may be overtaken by later ones"
        => handshake::any_one_late;

    connects_on_a_lossy_link:
        "30 % loss each way delay the handshake and do not prevent it"
        => handshake::lossy;

    connects_on_a_hostile_link:
        "20 % loss, duplication and reordering each"
        => handshake::hostile;

    connects_when_everything_comes_twice:
        "every datagram is duplicated"
        => handshake::duplicated;

    never_exceeds_the_largest_datagram:
        "no datagram is larger than DtlsConfig::max_datagram"
        => handshake::max_datagram;

    wakes_its_owner_for_what_its_tasks_make:
        "output that no call of the owner made is told through the waker"
        => handshake::wakes;

    holds_data_until_the_fingerprints_come:
        "without fingerprints the state is Connecting, nothing is sealed and received data is held (RFC 8827 §6.5)"
        => identity::late_fingerprints;

    ends_when_the_certificate_has_another_fingerprint:
        "a wrong fingerprint ends the session with Identity, on either side; no data is delivered, and the peer is told"
        => identity::wrong_fingerprint;

    accepts_one_matching_fingerprint_of_several:
        "one of the fingerprints must be of the peer's certificate (RFC 8122 §5.1)"
        => identity::one_of_several;

    carries_data_both_ways:
        "messages of 1 byte to a full datagram, through seal_into and handle_input or poll_message"
        => data::both_ways;

    seals_nothing_before_it_is_connected:
        "seal_into refuses with NotConnected before the handshake is over and after the end"
        => data::not_connected;

    refuses_what_does_not_fit:
        "TooSmall for an output buffer without room, TooLarge for more than a record"
        => data::does_not_fit;

    adds_no_more_than_its_overhead:
        "a sealed datagram is at most overhead() larger than its plaintext"
        => data::overhead;

    delivers_a_replayed_record_once:
        "the same datagram again brings no second message"
        => data::replay,
        unless |subject| (!subject.claims.replay_protection).then_some("replay protection is not claimed");

    drops_changed_records:
        "records with flipped bits are dropped and counted, none delivers changed data, and the session lives on"
        => data::changed;

    exports_the_same_keys_at_both_ends:
        "the exporter gives both ends the same, another label or context something else (RFC 5705 §4)"
        => data::general_exporter,
        unless |subject| (!subject.claims.general_exporter).then_some("a general exporter is not claimed");

    agrees_on_srtp_keys:
        "both ends agree on a profile and on its keying material (RFC 5764 §4.1, §4.2)"
        => data::srtp,
        unless |subject| (!subject.claims.srtp).then_some("SRTP is not claimed");

    negotiates_an_srtp_profile_that_was_asked_for:
        "the profile is the one that DtlsConfig::srtp_profiles names, and none if it is empty"
        => data::srtp_choice,
        unless |subject| (!subject.claims.srtp_choice).then_some("a choice of profiles is not claimed");

    closes_and_tells_the_peer:
        "close ends with Local here and with Peer there (close_notify)"
        => ending::close;

    gives_up_when_nobody_answers:
        "a handshake that nobody answers ends with Timeout, on either side"
        => ending::timeout;

    generates_certificates:
        "a fresh certificate per call, with its fingerprint, its expiry and a signer"
        => certificate::generate;

    imports_what_it_exported:
        "DER and PKCS #8 DER of a generated certificate make the same certificate, which connects"
        => certificate::import;

    refuses_to_import_what_is_no_certificate:
        "garbage, and a key that belongs to another certificate, are Malformed"
        => certificate::malformed;

    connects_among_random_bytes:
        "random bytes before and in the handshake change nothing"
        => robustness::noisy_handshake,
        unless |subject| (!subject.claims.withstands_noise).then_some("withstanding noise in the handshake is not claimed");

    counts_random_bytes_and_lives_on:
        "random bytes in a connected session are counted as dropped and change nothing"
        => robustness::random_bytes;

    never_panics_on_changed_datagrams:
        "handshake datagrams truncated and with flipped bits: no panic, and both ends come to rest"
        => robustness::changed_datagrams;

    repeats_itself_with_the_same_seed:
        "the same seed, inputs and instants give the same datagrams"
        => robustness::same_seed,
        unless |subject| (!subject.claims.deterministic).then_some("determinism is not claimed");
}

/// One way, in the cases that need no particular link.
const DELAY: Duration = Duration::from_millis(10);

const MINUTE: Duration = Duration::from_secs(60);

/// The blame that an end told; panics unless it is the last of its events, and told once.
fn blame(end: &DtlsPeer) -> Blame {
    let ends: Vec<_> = end
        .events
        .iter()
        .filter_map(|event| match event {
            DtlsEvent::Ended(end) => Some(end.blame),
            _ => None,
        })
        .collect();
    assert_eq!(ends.len(), 1, "the end is told once: {end:?}");
    let last = end.events.last();
    assert!(
        matches!(last, Some(DtlsEvent::Ended(_))),
        "nothing comes after the end: {end:?}"
    );
    let state = end.machine.state();
    let expected = match ends[0] {
        Blame::Local | Blame::Peer => DtlsState::Closed,
        _ => DtlsState::Failed,
    };
    assert!(
        state == expected || (ends[0] == Blame::Peer && state == DtlsState::Failed),
        "the state after the end: {end:?}"
    );
    ends[0]
}

/// Sends a message from one end and expects it at the other.
fn assert_carries(pair: &mut Pair<DtlsPeer>, from: Side, plaintext: &[u8]) {
    let now = pair.now();
    pair.end(from.other()).messages.clear();
    let sent = pair.end(from).send(now, plaintext);
    assert_eq!(sent, Ok(()), "{pair:?}");
    let arrived = pair.run_until(DELAY * 4, |pair| {
        !pair.end(from.other()).messages.is_empty()
    });
    assert!(arrived, "no message came from {from:?}: {pair:?}");
    let got = &pair.end(from.other()).messages;
    assert!(*got == [plaintext], "another message came from {from:?}");
}

/// Data flows both ways.
fn assert_works(pair: &mut Pair<DtlsPeer>) {
    assert_carries(pair, Side::A, b"from a to b");
    assert_carries(pair, Side::B, b"from b to a");
}
