//! What every implementation of the layer must do. Left out: dimpl exports for DTLS-SRTP alone, and
//! chooses the profile itself.

use layer::NewDtls;
use muonrtc_dtls::Factory;
use std::sync::Arc;
use testkit::conformance::dtls::Subject;

fn factory() -> Arc<dyn NewDtls> {
    Arc::new(Factory::default())
}

fn deterministic() -> Arc<dyn NewDtls> {
    Arc::new(Factory::new(testkit::crypto::provider()))
}

mod with_ring {
    use super::*;

    testkit::dtls_conformance!(Subject::new(factory).claiming(|claims| {
        claims.deterministic = false;
        claims.general_exporter = false;
        claims.srtp = false;
    }));
}

mod with_a_deterministic_provider {
    use super::*;

    testkit::dtls_conformance!(Subject::new(deterministic).claiming(|claims| {
        claims.general_exporter = false;
        claims.srtp = false;
    }));
}
