//! What every [`layer::Srtp`] does.

mod protection;
mod replay;
mod robustness;
mod rollover;
mod rtcp;

use super::Report;
use crate::{Clock, TestSeed};
use layer::{NewSrtp, Srtp, SrtpConfig, SrtpProfile, UnprotectError};
use std::fmt;
use std::sync::Arc;

/// An implementation under test.
pub struct Subject {
    /// What it claims.
    pub claims: Claims,
    factories: [Box<dyn Fn() -> Arc<dyn NewSrtp>>; 2],
}

/// What an implementation does beyond what the contract demands of all. The default claims all.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claims {
    /// How far behind the newest a late RTP packet is still accepted, in packets. Default: 64, the
    /// least that RFC 3711 §3.3.2 allows.
    pub replay_window: u16,
    /// What is dropped is counted in `SrtpStats`.
    pub counts_drops: bool,
    /// A source that is known goes on when the peer has shown 10 000 others.
    pub keeps_known_sources: bool,
    /// Two packets that differ and have one sequence number are not both protected by GCM.
    pub refuses_repeats: bool,
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            replay_window: 64,
            counts_drops: true,
            keeps_known_sources: true,
            refuses_repeats: true,
        }
    }
}

impl Subject {
    /// An implementation that makes all claims; `factory` is called anew for every context.
    #[must_use]
    pub fn new(factory: impl Fn() -> Arc<dyn NewSrtp> + Clone + 'static) -> Self {
        Self::between(factory.clone(), factory)
    }

    /// Two implementations: `a` is the client and sends most of the packets, `b` receives them. The
    /// claims are what both claim, and the profiles those that both have.
    #[must_use]
    pub fn between(
        a: impl Fn() -> Arc<dyn NewSrtp> + 'static,
        b: impl Fn() -> Arc<dyn NewSrtp> + 'static,
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
        Report::new(&format!("srtp: {factory:?}"), self, CASES)
    }

    /// The profiles that both ends have.
    fn profiles(&self) -> Vec<SrtpProfile> {
        let [a, b] = self.factories.each_ref().map(|factory| factory());
        let mut common = a.profiles().to_vec();
        common.retain(|profile| b.profiles().contains(profile));
        common
    }

    /// The same for every profile, with a random key each.
    fn with_each_profile(&self, seed: &TestSeed, test: impl Fn(&mut Ends, SrtpProfile)) {
        for profile in self.profiles() {
            let block = seed.random(b"srtp key").bytes(profile.keying_len());
            let mut ends = self.ends(profile, &block);
            test(&mut ends, profile);
        }
    }

    /// Two ends with the keys of one handshake.
    fn ends(&self, profile: SrtpProfile, block: &[u8]) -> Ends {
        let [a, b] = [0, 1].map(|side| {
            let factory = (self.factories[side])();
            let config = SrtpConfig::from_keying_material(profile, side == 0, block);
            let start = Clock::new().start(crate::layer_seed(1, b"srtp    "));
            let made = config.map(|config| factory.new_srtp(start, config));
            match made {
                Some(Ok(context)) => context,
                made => panic!("no context for {profile:?}: {:?}", made.map(|it| it.err())),
            }
        });
        Ends { a, b }
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
    /// Makes one `#[test]` per case of [`conformance::srtp`](crate::conformance::srtp) for a
    /// [`Subject`](crate::conformance::srtp::Subject). Use it once per module.
    srtp_conformance($) in srtp;

    makes_a_context_of_every_profile_it_has:
        "every profile of the list once, with its key lengths; other lengths and profiles are refused"
        => protection::profiles;

    protects_as_the_standard_says:
        "the bytes of RFC 3711 and RFC 7714 from the exported keys on, on both sides of a wrap"
        => protection::bytes;

    carries_packets_both_ways:
        "payloads of every length, with sources and extension; the header stays readable, the payload does not"
        => protection::both_ways;

    adds_no_more_than_its_overhead:
        "a protected packet is at most overhead() larger, and RTCP rtcp_overhead()"
        => protection::overhead;

    refuses_what_the_caller_may_not_do:
        "TooSmall for a buffer without room, Malformed for what is no header; nothing is protected by that"
        => protection::caller_errors;

    opens_nothing_of_its_own:
        "the two directions have different keys: a packet that comes back is not authentic"
        => protection::reflection;

    refuses_two_packets_of_one_number:
        "two packets that differ would show the key of GCM (RFC 7714 §8.4)"
        => protection::repeats,
        unless |subject| (!subject.claims.refuses_repeats).then_some("refusing repeats is not claimed");

    follows_sequence_numbers_around:
        "the rollover counter grows with each wrap on both sides and is told (RFC 3711 §3.3.1)"
        => rollover::in_order;

    follows_reordered_packets_around:
        "packets from before and after a wrap come in any order"
        => rollover::reordered;

    follows_a_sender_that_reorders:
        "packets protected out of order around a wrap are what a receiver expects"
        => rollover::reordered_by_the_sender;

    follows_across_losses:
        "up to 2^15 - 2 packets may be missing, also around a wrap"
        => rollover::losses;

    joins_late_with_a_rollover_counter:
        "a receiver that comes late needs the counter, and goes on when it is set"
        => rollover::late_joiner;

    keeps_sources_apart:
        "a hundred sources, each with its own numbers and counter, in turns"
        => rollover::many_sources;

    accepts_a_packet_once:
        "the same packet again is Replayed, and counted"
        => replay::once;

    accepts_late_packets_within_its_window:
        "packets come late, each once (RFC 3711 §3.3.2)"
        => replay::late;

    refuses_packets_of_long_ago:
        "what was seen before the window moved on is not accepted again"
        => replay::long_ago;

    carries_rtcp_both_ways:
        "compound packets of every length; the first eight bytes stay readable, the rest does not"
        => rtcp::both_ways;

    opens_rtcp_as_the_standard_says:
        "a packet with the bytes of RFC 3711 §3.4 and RFC 7714 §9 is opened"
        => rtcp::bytes;

    protects_rtcp_anew_each_time:
        "the same packet twice has two indices; each is accepted once (RFC 3711 §3.4)"
        => rtcp::once;

    refuses_changed_packets:
        "no bit may change, of RTP or RTCP; the packet itself is accepted afterwards"
        => robustness::changed;

    refuses_cut_packets:
        "no byte may be missing at the end"
        => robustness::cut;

    learns_nothing_from_strangers:
        "packets that are not authentic change neither counters of rollover, nor windows, nor sources"
        => robustness::strangers;

    takes_any_bytes:
        "random bytes as RTP and RTCP: no panic, nothing is opened, all is counted"
        => robustness::random_bytes;

    lives_with_a_flood_of_sources:
        "ten thousand authentic sources do not end those that were there"
        => robustness::flood,
        unless |subject| (!subject.claims.keeps_known_sources).then_some("keeping known sources is not claimed");
}

/// A header without sources and extension.
const HEADER_LEN: usize = 12;
const SSRC: u32 = 0xcafe_babe;
/// Room for any packet of the cases.
const ROOM: usize = 2048;

/// The two ends of a connection.
struct Ends {
    a: Box<dyn Srtp>,
    b: Box<dyn Srtp>,
}

impl Ends {
    /// A packet from `a`, protected.
    fn packet(&mut self, ssrc: u32, seq: u16, payload: &[u8]) -> Vec<u8> {
        protected(&mut *self.a, &header(ssrc, seq), payload)
    }

    /// The other one is `a` now.
    fn turn(&mut self) {
        std::mem::swap(&mut self.a, &mut self.b);
    }

    /// What `b` makes of a packet from `a` of [`SSRC`].
    fn deliver(&mut self, packet: &[u8]) -> Result<Vec<u8>, UnprotectError> {
        opened(&mut *self.b, packet)
    }

    /// A packet of `a` of this number, with the number as payload, is expected to arrive.
    fn assert_arrives(&mut self, ssrc: u32, seq: u16) {
        let payload = seq.to_be_bytes();
        let packet = self.packet(ssrc, seq, &payload);
        assert_opens(&mut *self.b, &packet, ssrc, seq);
    }
}

/// The least header of a packet.
fn header(ssrc: u32, seq: u16) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[0] = 0x80;
    header[1] = 96;
    header[2..4].copy_from_slice(&seq.to_be_bytes());
    header[8..].copy_from_slice(&ssrc.to_be_bytes());
    header
}

/// A receiver report without blocks and `words` more words, which stand for what follows it.
fn report(ssrc: u32, words: u8) -> Vec<u8> {
    let mut report = vec![0x80, 201, 0, 1 + words];
    report.extend_from_slice(&ssrc.to_be_bytes());
    report.extend((0..4 * usize::from(words)).map(|_| 0x5a));
    report
}

fn protected(context: &mut dyn Srtp, header: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0; ROOM];
    match context.protect_into(header, payload, &mut out) {
        Ok(len) => out.truncate(len),
        Err(error) => panic!("{} bytes are not protected: {error}", payload.len()),
    }
    out
}

fn protected_rtcp(context: &mut dyn Srtp, packet: &[u8]) -> Vec<u8> {
    let mut out = vec![0; ROOM];
    match context.protect_rtcp_into(packet, &mut out) {
        Ok(len) => out.truncate(len),
        Err(error) => panic!("{} bytes of RTCP are not protected: {error}", packet.len()),
    }
    out
}

fn opened(context: &mut dyn Srtp, packet: &[u8]) -> Result<Vec<u8>, UnprotectError> {
    let mut packet = packet.to_vec();
    let len = context.unprotect_in_place(&mut packet)?;
    packet.truncate(len);
    Ok(packet)
}

fn opened_rtcp(context: &mut dyn Srtp, packet: &[u8]) -> Result<Vec<u8>, UnprotectError> {
    let mut packet = packet.to_vec();
    let len = context.unprotect_rtcp_in_place(&mut packet)?;
    packet.truncate(len);
    Ok(packet)
}

/// A packet that [`Ends::assert_arrives`] or its like has made.
fn assert_opens(context: &mut dyn Srtp, packet: &[u8], ssrc: u32, seq: u16) {
    let expected = [&header(ssrc, seq)[..], &seq.to_be_bytes()].concat();
    assert_eq!(
        opened(context, packet),
        Ok(expected),
        "packet {seq} of source {ssrc:08x}"
    );
}
