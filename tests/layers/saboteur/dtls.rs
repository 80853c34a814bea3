//! A session that is right but for one thing.

use bytes::Bytes;
use layer::{
    Blame, Certificate, CertificateError, CertificateParams, Dtls, DtlsConfig, DtlsError,
    DtlsEvent, DtlsRole, DtlsState, DtlsStats, End, ExportError, Fingerprint, NewDtls, Opened,
    SealError, Security, Start,
};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use testkit::conformance::Verdict;
use testkit::conformance::dtls::{CASES, Subject};

/// The one thing.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Nothing,
    ForgetsEarlyDatagrams,
    TakesASecondRole,
    RepeatsNothing,
    DoublesData,
    ChangesData,
    SealsInTheClear,
    UnderstatesItsOverhead,
    CountsNothing,
    BlamesThePeer,
    NeverGivesUp,
    ForgetsTheExporter,
    NeverTellsItIsConnected,
    HidesThePeer,
    SharesItsCertificates,
    ImportsAnything,
}

#[derive(Debug)]
struct Saboteurs {
    wrong: Wrong,
    inner: dtls::Factory,
    /// The first certificate it made.
    first: OnceLock<Arc<dyn Certificate>>,
}

impl NewDtls for Saboteurs {
    fn generate_certificate(
        &self,
        start: Start,
        params: &CertificateParams,
    ) -> Result<Arc<dyn Certificate>, CertificateError> {
        let certificate = self.inner.generate_certificate(start, params)?;
        let first = self.first.get_or_init(|| Arc::clone(&certificate));
        match self.wrong {
            Wrong::SharesItsCertificates => Ok(Arc::clone(first)),
            _ => Ok(certificate),
        }
    }

    fn import_certificate(
        &self,
        der: &[u8],
        private_key: &[u8],
    ) -> Result<Arc<dyn Certificate>, CertificateError> {
        let imported = self.inner.import_certificate(der, private_key);
        match (self.wrong, self.first.get()) {
            (Wrong::ImportsAnything, Some(first)) => imported.or_else(|_| Ok(Arc::clone(first))),
            _ => imported,
        }
    }

    fn new_dtls(&self, start: Start, config: DtlsConfig) -> Result<Box<dyn Dtls>, DtlsError> {
        Ok(Box::new(Saboteur {
            wrong: self.wrong,
            inner: self.inner.new_dtls(start, config)?,
            doubled: Vec::new(),
        }))
    }
}

struct Saboteur {
    wrong: Wrong,
    inner: Box<dyn Dtls>,
    doubled: Vec<Vec<u8>>,
}

impl Saboteur {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }
}

impl Dtls for Saboteur {
    fn handle_input(&mut self, now: Instant, datagram: &mut [u8]) -> Opened {
        if self.inner.role().is_none() && self.is(Wrong::ForgetsEarlyDatagrams) {
            return Opened::default();
        }
        let opened = self.inner.handle_input(now, datagram);
        if let Some(range) = &opened.plaintext {
            if self.is(Wrong::DoublesData) {
                self.doubled.push(datagram[range.clone()].to_vec());
            }
            if self.is(Wrong::ChangesData) && range.len() == 1000 {
                datagram[range.start] ^= 1;
            }
        }
        opened
    }

    fn handle_timeout(&mut self, now: Instant) {
        if !self.is(Wrong::RepeatsNothing) {
            self.inner.handle_timeout(now);
        }
    }

    fn set_role(&mut self, now: Instant, role: DtlsRole) -> Result<(), DtlsError> {
        match self.inner.set_role(now, role) {
            Err(DtlsError::RoleIsSet(_)) if self.is(Wrong::TakesASecondRole) => Ok(()),
            result => result,
        }
    }

    fn set_remote_fingerprints(&mut self, now: Instant, fingerprints: &[Fingerprint]) {
        self.inner.set_remote_fingerprints(now, fingerprints);
    }

    fn seal_into(
        &mut self,
        now: Instant,
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SealError> {
        let len = self.inner.seal_into(now, plaintext, out)?;
        if self.is(Wrong::SealsInTheClear) {
            out[len - plaintext.len()..len].copy_from_slice(plaintext);
        }
        Ok(len)
    }

    fn close(&mut self, now: Instant) {
        self.inner.close(now);
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        self.inner.poll_transmit(now, buf)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let ignored = self.is(Wrong::RepeatsNothing) || self.is(Wrong::NeverGivesUp);
        self.inner.poll_timeout().filter(|_| !ignored)
    }

    fn poll_event(&mut self) -> Option<DtlsEvent> {
        match self.inner.poll_event()? {
            DtlsEvent::Ended(_) if self.is(Wrong::BlamesThePeer) => {
                Some(DtlsEvent::Ended(End::new(Blame::Peer, "it was you")))
            }
            DtlsEvent::StateChange(DtlsState::Connected)
                if self.is(Wrong::NeverTellsItIsConnected) =>
            {
                self.poll_event()
            }
            event => Some(event),
        }
    }

    fn poll_message(&mut self, buf: &mut [u8]) -> Option<usize> {
        if let Some(message) = self.doubled.pop() {
            buf[..message.len()].copy_from_slice(&message);
            return Some(message.len());
        }
        self.inner.poll_message(buf)
    }

    fn state(&self) -> DtlsState {
        self.inner.state()
    }

    fn role(&self) -> Option<DtlsRole> {
        self.inner.role()
    }

    fn security(&self) -> Option<Security> {
        self.inner.security()
    }

    fn remote_certificates(&self) -> &[Bytes] {
        if self.is(Wrong::HidesThePeer) {
            return &[];
        }
        self.inner.remote_certificates()
    }

    fn export(
        &self,
        label: &str,
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<(), ExportError> {
        if self.is(Wrong::ForgetsTheExporter) {
            return Ok(());
        }
        self.inner.export(label, context, out)
    }

    fn overhead(&self) -> usize {
        let overhead = self.inner.overhead();
        if self.is(Wrong::UnderstatesItsOverhead) {
            overhead - 1
        } else {
            overhead
        }
    }

    fn stats(&self) -> DtlsStats {
        let mut stats = self.inner.stats();
        if self.is(Wrong::CountsNothing) {
            stats.dropped = 0;
            stats.overflowed = 0;
        }
        stats
    }

    fn set_round_trip(&mut self, round_trip: Duration) {
        self.inner.set_round_trip(round_trip);
    }
}

fn verdict(wrong: Wrong, name: &str) -> Verdict {
    let subject = Subject::new(move || {
        Arc::new(Saboteurs {
            wrong,
            inner: dtls::Factory::default(),
            first: OnceLock::new(),
        })
    });
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    case.judge(&subject)
}

#[test]
fn nothing_wrong_is_found_in_what_only_passes_on() {
    let case = "closes_and_tells_the_peer";
    assert_eq!(verdict(Wrong::Nothing, case), Verdict::Passed);
}

#[test]
fn one_thing_wrong_is_found_by_the_case_that_asks_for_it() {
    for (wrong, case) in [
        (
            Wrong::ForgetsEarlyDatagrams,
            "answers_early_datagrams_when_the_role_is_set",
        ),
        (Wrong::TakesASecondRole, "refuses_a_second_role"),
        (
            Wrong::RepeatsNothing,
            "connects_although_any_one_datagram_is_lost",
        ),
        (Wrong::DoublesData, "carries_data_both_ways"),
        (Wrong::ChangesData, "carries_data_both_ways"),
        (Wrong::SealsInTheClear, "adds_no_more_than_its_overhead"),
        (
            Wrong::UnderstatesItsOverhead,
            "adds_no_more_than_its_overhead",
        ),
        (
            Wrong::CountsNothing,
            "counts_early_datagrams_beyond_a_bound",
        ),
        (Wrong::CountsNothing, "counts_random_bytes_and_lives_on"),
        (Wrong::BlamesThePeer, "closes_and_tells_the_peer"),
        (
            Wrong::BlamesThePeer,
            "ends_when_the_certificate_has_another_fingerprint",
        ),
        (Wrong::NeverGivesUp, "gives_up_when_nobody_answers"),
        (Wrong::ForgetsTheExporter, "agrees_on_srtp_keys"),
        (
            Wrong::NeverTellsItIsConnected,
            "connects_with_either_end_as_client",
        ),
        (Wrong::HidesThePeer, "connects_with_either_end_as_client"),
        (Wrong::SharesItsCertificates, "generates_certificates"),
        (
            Wrong::ImportsAnything,
            "refuses_to_import_what_is_no_certificate",
        ),
    ] {
        assert!(
            matches!(verdict(wrong, case), Verdict::Failed(_)),
            "{case} does not notice what {wrong:?}"
        );
    }
}
