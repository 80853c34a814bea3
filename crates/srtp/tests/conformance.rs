//! The conformance kit of `testkit` against the default context.

#![allow(missing_docs, reason = "tests")]

use layer::NewSrtp;
use muonrtc_srtp::Factory;
use std::sync::Arc;
use testkit::conformance::srtp::Subject;

fn factory() -> Arc<dyn NewSrtp> {
    Arc::new(Factory::default())
}

// What the cases prove, by the ids of the standards map:
// - `protects_as_the_standard_says`: srtp-003, srtp-004, srtp-008, srtp-016, srtp-018. The bytes
//   come from the exported keys on, so through every label of RTP, with rollover counters 0 and 1.
// - `opens_rtcp_as_the_standard_says`: srtp-003, srtp-018, the labels of RTCP.
// - `follows_sequence_numbers_around`: srtp-005; it begins at 65000, whose counter is 0.
// - `keeps_sources_apart`, `opens_nothing_of_its_own`: srtp-003, a state per source and direction.
// - `learns_nothing_from_strangers`: srtp-023, a source begins with its first authentic packet.
// - `protects_rtcp_anew_each_time`: srtp-007, windows of RTP and RTCP are apart.
mod default {
    use super::{Subject, factory};
    testkit::srtp_conformance!(
        Subject::new(factory).claiming(|claims| claims.replay_window = 1024)
    );
}
