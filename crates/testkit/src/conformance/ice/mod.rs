//! What every [`layer::Ice`] does.

mod establishment;
mod life;
mod robustness;

use super::Report;
use crate::{IcePair, Link};
use layer::{Credentials, NewIce};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// An implementation under test.
pub struct Subject {
    /// What it claims.
    pub claims: Claims,
    factories: [Box<dyn Fn() -> Arc<dyn NewIce>>; 2],
}

/// What an implementation does beyond what the contract demands of all. The default claims all.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claims {
    /// The same seed, inputs and instants give the same bytes.
    pub deterministic: bool,
    /// `stun:` servers are asked for server-reflexive candidates.
    pub reflexive: bool,
    /// `turn:` servers are asked for relayed candidates.
    pub relayed: bool,
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            deterministic: true,
            reflexive: true,
            relayed: true,
        }
    }
}

impl Subject {
    /// An implementation that makes all claims; `factory` is called anew for every agent.
    #[must_use]
    pub fn new(factory: impl Fn() -> Arc<dyn NewIce> + Clone + 'static) -> Self {
        Self {
            claims: Claims::default(),
            factories: [Box::new(factory.clone()), Box::new(factory)],
        }
    }

    /// Two implementations, one at each end: `a` mostly controls. The claims are what both claim.
    #[must_use]
    pub fn between(
        a: impl Fn() -> Arc<dyn NewIce> + 'static,
        b: impl Fn() -> Arc<dyn NewIce> + 'static,
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
        let factory = self.factory(0);
        Report::new(&format!("ice: {factory:?}"), self, CASES)
    }

    fn factory(&self, end: usize) -> Arc<dyn NewIce> {
        (self.factories[end])()
    }

    /// Two agents with one address each.
    fn pair(&self, link: &Link, seed: u64) -> IcePair {
        self.pair_between([&["192.0.2.1"], &["192.0.2.2"]], link, seed)
    }

    fn pair_between(&self, addresses: [&[&str]; 2], link: &Link, seed: u64) -> IcePair {
        let [a, b] = [self.factory(0), self.factory(1)];
        let parsed = addresses.map(|texts| {
            let parse = |text: &&str| -> IpAddr {
                text.parse()
                    .unwrap_or_else(|error| panic!("{text}: {error}"))
            };
            texts.iter().map(parse).collect::<Vec<IpAddr>>()
        });
        IcePair::new([&*a, &*b], [&parsed[0], &parsed[1]], link, seed, |_| ())
    }

    /// Two agents that have selected a pair on a link that loses nothing and takes [`DELAY`].
    fn connected(&self, seed: u64) -> IcePair {
        let mut pair = self.pair(&Link::delayed(DELAY), seed);
        assert!(pair.connect(MINUTE), "not connected: {pair:?}");
        pair.run_for(Duration::from_secs(2));
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
    /// Makes one `#[test]` per case of [`conformance::ice`](crate::conformance::ice) for a
    /// [`Subject`](crate::conformance::ice::Subject). Use it once per module.
    ice_conformance($) in ice;

    gathers_in_order:
        "gathering begins, tells each candidate once with a priority of its own (RFC 8445 §5.1.2), and completes"
        => establishment::gathering;

    connects_two_hosts:
        "two hosts connect, select one pair from both ends, and tell states and route"
        => establishment::hosts;

    connects_on_a_lossy_link:
        "30 % loss delay the connection and do not prevent it"
        => establishment::lossy;

    connects_with_late_candidates:
        "candidates may come seconds after the credentials (RFC 8838)"
        => establishment::trickled;

    answers_checks_before_the_answer:
        "checks and data that come before the answer are taken (RFC 8445 §7.3)"
        => establishment::late_answer;

    solves_role_conflicts:
        "two agents with one role end with two, and who yields says so (RFC 8445 §7.3.1.1)"
        => establishment::role_conflict;

    asks_stun_servers:
        "behind two NATs server-reflexive candidates connect (RFC 8445 §5.1.1.2)"
        => establishment::reflexive,
        unless |subject| (!subject.claims.reflexive).then_some("reflexive candidates are not claimed");

    relays_and_shows_nothing_else_where_wanted:
        "with the policy relay only relayed candidates are shown and used, and payloads arrive as they were"
        => establishment::relayed,
        unless |subject| (!subject.claims.relayed).then_some("relayed candidates are not claimed");

    carries_data_within_the_bounds_of_its_route:
        "the largest payload fits, a larger one and an empty one do not; bytes are counted"
        => life::data;

    keeps_a_path_for_an_hour:
        "consent is renewed without data (RFC 7675 §5.1)"
        => life::long_life;

    notices_silence_recovers_and_gives_up:
        "silence disconnects, an answer reconnects, and without one consent ends and with it all sending"
        => life::silence;

    gives_up_at_once_when_consent_is_revoked:
        "revoke_consent fails the agent at once (RFC 7675 §5.2)"
        => life::revocation;

    restarts_without_losing_the_path:
        "a restart claims both fragments, keeps data on the old pair, and moves to the new (RFC 8445 §9)"
        => life::restart;

    is_saved_by_a_restart_after_failing:
        "a failed agent connects again with new credentials"
        => life::recovery;

    refuses_what_the_caller_may_not_do:
        "malformed or repeated credentials, a candidate of another generation, anything after close: each its own error"
        => life::caller_errors;

    drops_candidates_it_cannot_use:
        "another component or port 0 is dropped and counted, without an error (RFC 8839 §5.1)"
        => life::unusable;

    bounds_ten_thousand_candidates:
        "candidates are bounded, checks are paced, and the good one is found all the same"
        => life::many_candidates;

    closes_at_once_and_for_good:
        "close gives sockets back and tells its end; nothing comes after"
        => life::close;

    drops_data_of_strangers:
        "data from a 5-tuple without an authenticated check is dropped and counted"
        => robustness::strangers_data;

    lives_through_random_bytes:
        "random bytes from strangers and from the peer's address change nothing"
        => robustness::random_bytes;

    bounds_forged_checks:
        "ten thousand checks with a wrong password make no pair and few answers, and harm nobody"
        => robustness::forged_checks;

    survives_flipped_bits:
        "checks with flipped bits delay the connection and do not prevent it"
        => robustness::flipped_bits;

    survives_truncated_packets:
        "beginnings of checks delay the connection and do not prevent it"
        => robustness::truncated;

    repeats_itself_with_the_same_seed:
        "the same seed, inputs and instants give the same packets"
        => robustness::same_seed,
        unless |subject| (!subject.claims.deterministic).then_some("determinism is not claimed");

    differs_with_another_seed:
        "credentials come from the seed and from nothing that can be guessed (RFC 8445 §5.3)"
        => robustness::other_seed;
}

/// One way, in the cases that need no particular link.
const DELAY: Duration = Duration::from_millis(10);

const MINUTE: Duration = Duration::from_secs(60);

/// Well-formed credentials with that user name fragment.
fn credentials(fragment: &str) -> Credentials {
    Credentials::new(fragment, "a+password+of+some+length")
}

/// Whether data sent by each end arrives at the other.
fn data_flows(pair: &mut IcePair) -> bool {
    pair.a.data.clear();
    pair.b.data.clear();
    let now = pair.now();
    let sent = pair.a.send(now, b"\x80 to b") && pair.b.send(now, b"\x80 to a");
    pair.run_for(Duration::from_secs(1));
    sent && pair.b.data == [b"\x80 to b".to_vec()] && pair.a.data == [b"\x80 to a".to_vec()]
}
