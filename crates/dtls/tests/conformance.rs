//! What every implementation of the layer must do, in every choice of versions: our core, `dimpl`
//! (feature `dimpl`), and one against the other.

#![cfg(feature = "ring")]
use layer::{DtlsVersion, NewDtls};
use muonrtc_dtls::Factory;
use std::sync::Arc;
use testkit::conformance::dtls::Subject;

const BOTH: &[DtlsVersion] = &[DtlsVersion::V1_2, DtlsVersion::V1_3];
const ONLY_1_2: &[DtlsVersion] = &[DtlsVersion::V1_2];
const ONLY_1_3: &[DtlsVersion] = &[DtlsVersion::V1_3];

/// Our core, with a provider that repeats itself or not.
fn ours(versions: &'static [DtlsVersion], deterministic: bool) -> Arc<dyn NewDtls> {
    let mut factory = if deterministic {
        Factory::new(testkit::crypto::provider())
    } else {
        Factory::default()
    };
    factory.min_version = versions[0];
    factory.max_version = versions[versions.len() - 1];
    Arc::new(factory)
}

fn subject(versions: &'static [DtlsVersion], deterministic: bool) -> Subject {
    Subject::new(move || ours(versions, deterministic)).claiming(|claims| {
        claims.versions = versions.to_vec();
        claims.deterministic = deterministic;
    })
}

/// dtls-002, dtls-006, dtls-008, dtls-010, dtls-017, dtls-018, dtls-019, dtls-025, dtls-029, dtls-043
mod auto {
    testkit::dtls_conformance!(super::subject(super::BOTH, false));
}

mod only_1_2 {
    testkit::dtls_conformance!(super::subject(super::ONLY_1_2, false));
}

mod only_1_3 {
    testkit::dtls_conformance!(super::subject(super::ONLY_1_3, false));
}

mod repeatable {
    testkit::dtls_conformance!(super::subject(super::BOTH, true));
}

/// The second core. It exports for DTLS-SRTP alone, and chooses the profile itself.
#[cfg(feature = "dimpl")]
mod second {
    use super::{BOTH, ONLY_1_2, ONLY_1_3, ours};
    use layer::{DtlsVersion, NewDtls};
    use muonrtc_dtls::dimpl::Factory;
    use std::sync::Arc;
    use testkit::conformance::dtls::Subject;

    fn theirs(versions: &'static [DtlsVersion], deterministic: bool) -> Arc<dyn NewDtls> {
        let mut factory = if deterministic {
            Factory::new(testkit::crypto::provider())
        } else {
            Factory::default()
        };
        factory.min_version = versions[0];
        factory.max_version = versions[versions.len() - 1];
        Arc::new(factory)
    }

    fn claiming(subject: Subject, versions: &[DtlsVersion], deterministic: bool) -> Subject {
        subject.claiming(|claims| {
            claims.versions = versions.to_vec();
            claims.deterministic = deterministic;
            claims.general_exporter = false;
            claims.srtp_choice = false;
        })
    }

    fn alone(versions: &'static [DtlsVersion], deterministic: bool) -> Subject {
        let subject = Subject::new(move || theirs(versions, deterministic));
        claiming(subject, versions, deterministic)
    }

    fn between(versions: &'static [DtlsVersion], is_ours_client: bool) -> Subject {
        let subject = if is_ours_client {
            Subject::between(
                move || ours(versions, false),
                move || theirs(versions, false),
            )
        } else {
            Subject::between(
                move || theirs(versions, false),
                move || ours(versions, false),
            )
        };
        claiming(subject, versions, false)
    }

    mod auto {
        testkit::dtls_conformance!(super::alone(super::BOTH, false));
    }

    mod repeatable {
        testkit::dtls_conformance!(super::alone(super::BOTH, true));
    }

    mod serves_us_in_1_2 {
        testkit::dtls_conformance!(super::between(super::ONLY_1_2, true));
    }

    mod serves_us_in_1_3 {
        testkit::dtls_conformance!(super::between(super::ONLY_1_3, true));
    }

    mod serves_us_in_either {
        testkit::dtls_conformance!(super::between(super::BOTH, true));
    }

    mod is_served_in_1_2 {
        testkit::dtls_conformance!(super::between(super::ONLY_1_2, false));
    }

    mod is_served_in_1_3 {
        testkit::dtls_conformance!(super::between(super::ONLY_1_3, false));
    }

    mod is_served_in_either {
        testkit::dtls_conformance!(super::between(super::BOTH, false));
    }
}
