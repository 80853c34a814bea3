//! What every implementation of the layer must do, in every choice of versions. Left out: dimpl
//! exports for DTLS-SRTP alone, and chooses the profile itself.

#![cfg(feature = "ring")]
use layer::{DtlsVersion, NewDtls};
use muonrtc_dtls::Factory;
use std::sync::Arc;
use testkit::conformance::dtls::Subject;

/// The kit's subject, with a provider that repeats itself or not.
fn subject(versions: &[DtlsVersion], deterministic: bool) -> Subject {
    let (min, max) = (versions[0], versions[versions.len() - 1]);
    let factory = move || -> Arc<dyn NewDtls> {
        let mut factory = if deterministic {
            Factory::new(testkit::crypto::provider())
        } else {
            Factory::default()
        };
        factory.min_version = min;
        factory.max_version = max;
        Arc::new(factory)
    };
    Subject::new(factory).claiming(|claims| {
        claims.versions = versions.to_vec();
        claims.deterministic = deterministic;
        claims.general_exporter = false;
        claims.srtp_choice = false;
    })
}

/// dtls-002, dtls-006, dtls-008, dtls-010, dtls-017, dtls-018, dtls-019, dtls-025, dtls-029, dtls-043
mod auto {
    testkit::dtls_conformance!(super::subject(
        &[layer::DtlsVersion::V1_2, layer::DtlsVersion::V1_3],
        false
    ));
}

mod only_1_2 {
    testkit::dtls_conformance!(super::subject(&[layer::DtlsVersion::V1_2], false));
}

mod only_1_3 {
    testkit::dtls_conformance!(super::subject(&[layer::DtlsVersion::V1_3], false));
}

mod repeatable {
    testkit::dtls_conformance!(super::subject(
        &[layer::DtlsVersion::V1_2, layer::DtlsVersion::V1_3],
        true
    ));
}
