//! A context that is right but for one thing.

use layer::{
    NewSrtp, ProtectError, Srtp, SrtpConfig, SrtpProfile, SrtpStats, Start, UnprotectError,
};
use std::sync::Arc;
use testkit::conformance::Verdict;
use testkit::conformance::srtp::{CASES, Subject};

/// The one thing.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Nothing,
    TakesAnyKey,
    SwapsTheSalts,
    SharesOneKey,
    SendsInTheClear,
    UnderstatesItsOverhead,
    TakesAnyHeader,
    RepeatsItself,
    ForgetsToTellTheCounter,
    IgnoresTheCounterThatIsSet,
    ReplaysPackets,
    ReplaysReports,
    DropsLatePackets,
    BelievesStrangers,
    OpensChangedPackets,
    OpensCutReports,
    ChangesReports,
    CountsNothing,
    EvictsSources,
    HasASmallWindow,
}

#[derive(Debug)]
struct Saboteurs(Wrong);

impl NewSrtp for Saboteurs {
    fn profiles(&self) -> &[SrtpProfile] {
        &[SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmSha1_80]
    }

    fn new_srtp(
        &self,
        start: Start,
        mut config: SrtpConfig,
    ) -> Result<Box<dyn Srtp>, ProtectError> {
        let wrong = self.0;
        if !self.profiles().contains(&config.profile) {
            return Err(ProtectError::Profile);
        }
        match wrong {
            Wrong::TakesAnyKey => {
                let (key, salt) = (config.profile.key_len(), config.profile.salt_len());
                for key_or_salt in [(&mut config.local_key, key), (&mut config.local_salt, salt)] {
                    key_or_salt.0.resize(key_or_salt.1, 0);
                }
            }
            Wrong::SwapsTheSalts => {
                std::mem::swap(&mut config.local_salt, &mut config.remote_salt);
            }
            Wrong::SharesOneKey => {
                config.remote_key.fill(0);
                config.local_key.fill(0);
                config.remote_salt.fill(0);
                config.local_salt.fill(0);
            }
            _ => {}
        }
        let mut factory = srtp::Factory::default();
        factory.allow_repeats = wrong == Wrong::RepeatsItself;
        if wrong == Wrong::HasASmallWindow {
            factory.replay_window = 64;
        }
        let fresh = factory.new_srtp(start, config.clone())?;
        Ok(Box::new(Saboteur {
            wrong,
            inner: factory.new_srtp(start, config.clone())?,
            fresh,
            factory,
            start,
            config,
            sources: 0,
        }))
    }
}

struct Saboteur {
    wrong: Wrong,
    inner: Box<dyn Srtp>,
    /// Has seen nothing.
    fresh: Box<dyn Srtp>,
    factory: srtp::Factory,
    start: Start,
    config: SrtpConfig,
    sources: u32,
}

impl Saboteur {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    fn new_context(&self) -> Box<dyn Srtp> {
        let config = self.config.clone();
        self.factory.new_srtp(self.start, config).unwrap()
    }
}

impl Srtp for Saboteur {
    fn protect_into(
        &mut self,
        header: &[u8],
        payload: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ProtectError> {
        if self.is(Wrong::TakesAnyHeader) && header.len() < 12 {
            return Ok(0);
        }
        let len = self.inner.protect_into(header, payload, out)?;
        if self.is(Wrong::SendsInTheClear) {
            out[header.len()..header.len() + payload.len()].copy_from_slice(payload);
        }
        Ok(len)
    }

    fn unprotect_in_place(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let before = packet.to_vec();
        let result = self.inner.unprotect_in_place(packet);
        match (self.wrong, result) {
            (Wrong::ReplaysPackets, Err(UnprotectError::Replayed)) => {
                packet.copy_from_slice(&before);
                self.fresh = self.new_context();
                self.fresh.unprotect_in_place(packet)
            }
            (Wrong::OpensChangedPackets, Err(UnprotectError::Authentication)) => {
                Ok(packet.len() - self.overhead())
            }
            (Wrong::BelievesStrangers, Err(UnprotectError::Authentication)) => {
                let ssrc = u32::from_be_bytes(before[8..12].try_into().unwrap());
                self.inner.set_remote_rollover_counter(ssrc, 1);
                result
            }
            (Wrong::DropsLatePackets, Ok(_)) if before[3] % 8 == 7 => Err(UnprotectError::Replayed),
            (Wrong::EvictsSources, _) => {
                self.sources += 1;
                if self.sources == 5000 {
                    self.inner = self.new_context();
                }
                result
            }
            _ => result,
        }
    }

    fn protect_rtcp_into(&mut self, packet: &[u8], out: &mut [u8]) -> Result<usize, ProtectError> {
        self.inner.protect_rtcp_into(packet, out)
    }

    fn unprotect_rtcp_in_place(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let before = packet.to_vec();
        let result = self.inner.unprotect_rtcp_in_place(packet);
        match (self.wrong, result) {
            (Wrong::ReplaysReports, Err(UnprotectError::Replayed)) => {
                packet.copy_from_slice(&before);
                self.fresh = self.new_context();
                self.fresh.unprotect_rtcp_in_place(packet)
            }
            (Wrong::OpensCutReports, Err(_)) => Ok(0),
            (Wrong::ChangesReports, Ok(len)) if len > 100 => {
                packet[len - 1] ^= 1;
                result
            }
            _ => result,
        }
    }

    fn local_rollover_counter(&self, ssrc: u32) -> Option<u32> {
        let counter = self.inner.local_rollover_counter(ssrc);
        counter.filter(|_| !self.is(Wrong::ForgetsToTellTheCounter))
    }

    fn remote_rollover_counter(&self, ssrc: u32) -> Option<u32> {
        self.inner.remote_rollover_counter(ssrc)
    }

    fn set_remote_rollover_counter(&mut self, ssrc: u32, counter: u32) {
        if !self.is(Wrong::IgnoresTheCounterThatIsSet) {
            self.inner.set_remote_rollover_counter(ssrc, counter);
        }
    }

    fn overhead(&self) -> usize {
        let overhead = self.inner.overhead();
        if self.is(Wrong::UnderstatesItsOverhead) {
            overhead - 1
        } else {
            overhead
        }
    }

    fn rtcp_overhead(&self) -> usize {
        self.inner.rtcp_overhead()
    }

    fn stats(&self) -> SrtpStats {
        let stats = self.inner.stats();
        if self.is(Wrong::CountsNothing) {
            let mut counted = SrtpStats::default();
            counted.protected = stats.protected;
            counted.unprotected = stats.unprotected;
            return counted;
        }
        stats
    }
}

fn verdict(wrong: Wrong, name: &str) -> Verdict {
    let subject = Subject::new(move || Arc::new(Saboteurs(wrong)))
        .claiming(|claims| claims.replay_window = 1024);
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    case.judge(&subject)
}

#[test]
fn nothing_wrong_is_found_in_what_only_passes_on() {
    for case in CASES {
        let verdict = verdict(Wrong::Nothing, case.name);
        assert_eq!(verdict, Verdict::Passed, "{}", case.name);
    }
}

#[test]
fn one_thing_wrong_is_found_by_the_case_that_asks_for_it() {
    for (wrong, case) in [
        (
            Wrong::TakesAnyKey,
            "makes_a_context_of_every_profile_it_has",
        ),
        (Wrong::SwapsTheSalts, "protects_as_the_standard_says"),
        (Wrong::SwapsTheSalts, "opens_rtcp_as_the_standard_says"),
        (Wrong::SharesOneKey, "opens_nothing_of_its_own"),
        (Wrong::SendsInTheClear, "carries_packets_both_ways"),
        (
            Wrong::UnderstatesItsOverhead,
            "adds_no_more_than_its_overhead",
        ),
        (Wrong::TakesAnyHeader, "refuses_what_the_caller_may_not_do"),
        (Wrong::RepeatsItself, "refuses_two_packets_of_one_number"),
        (
            Wrong::ForgetsToTellTheCounter,
            "follows_sequence_numbers_around",
        ),
        (
            Wrong::IgnoresTheCounterThatIsSet,
            "joins_late_with_a_rollover_counter",
        ),
        (Wrong::ReplaysPackets, "accepts_a_packet_once"),
        (Wrong::ReplaysPackets, "refuses_packets_of_long_ago"),
        (Wrong::ReplaysReports, "protects_rtcp_anew_each_time"),
        (
            Wrong::DropsLatePackets,
            "accepts_late_packets_within_its_window",
        ),
        (
            Wrong::HasASmallWindow,
            "accepts_late_packets_within_its_window",
        ),
        (Wrong::DropsLatePackets, "follows_reordered_packets_around"),
        (Wrong::DropsLatePackets, "follows_a_sender_that_reorders"),
        (Wrong::DropsLatePackets, "follows_across_losses"),
        (Wrong::DropsLatePackets, "keeps_sources_apart"),
        (Wrong::BelievesStrangers, "learns_nothing_from_strangers"),
        (Wrong::OpensChangedPackets, "refuses_changed_packets"),
        (Wrong::OpensCutReports, "refuses_cut_packets"),
        (Wrong::ChangesReports, "carries_rtcp_both_ways"),
        (Wrong::CountsNothing, "takes_any_bytes"),
        (Wrong::EvictsSources, "lives_with_a_flood_of_sources"),
    ] {
        assert!(
            matches!(verdict(wrong, case), Verdict::Failed(_)),
            "{case} does not notice what {wrong:?}"
        );
    }
}
