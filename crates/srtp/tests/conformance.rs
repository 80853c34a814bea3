//! The conformance kit of `testkit` against the default context.

#![allow(missing_docs, reason = "tests")]

use layer::NewSrtp;
use muonrtc_srtp::Factory;
use std::sync::Arc;
use testkit::conformance::srtp::Subject;

fn factory() -> Arc<dyn NewSrtp> {
    Arc::new(Factory::default())
}

mod default {
    use super::{Subject, factory};
    testkit::srtp_conformance!(
        Subject::new(factory).claiming(|claims| claims.replay_window = 1024)
    );
}
