//! What every implementation of the layer must do.

use muonrtc_sctp::Factory;
use std::sync::Arc;
use testkit::conformance::sctp::Subject;

/// With limits on retransmissions, which ICE makes unnecessary, and with everything else as it is.
fn subject() -> Subject {
    Subject::new(|| {
        let mut factory = Factory::default();
        factory.max_init_retransmits = Some(8);
        factory.max_retransmits = Some(10);
        Arc::new(factory)
    })
}

/// sctp-010, sctp-012, sctp-016, sctp-019, sctp-032, sctp-033, sctp-035, sctp-039, sctp-040
mod limited {
    testkit::sctp_conformance!(super::subject());
}

/// sctp-043, sctp-046
mod interleaving {
    testkit::sctp_conformance!(
        super::Subject::new(|| {
            let mut factory = super::Factory::default();
            factory.interleaving = true;
            super::Arc::new(factory)
        })
        .claiming(|claims| claims.gives_up_within = None)
    );
}

mod default {
    testkit::sctp_conformance!(
        super::Subject::new(|| super::Arc::new(super::Factory::default()))
            .claiming(|claims| claims.gives_up_within = None)
    );
}

/// The second implementation. It is not repeatable, does not enforce the largest message, and does
/// not tell of a received message whether it was unordered.
#[cfg(feature = "dcsctp")]
mod second {
    use super::Subject;
    use layer::NewSctp;
    use muonrtc_sctp::{Factory, dcsctp};
    use std::sync::Arc;

    fn theirs() -> Arc<dyn NewSctp> {
        Arc::new(dcsctp::Factory::default())
    }

    fn ours() -> Arc<dyn NewSctp> {
        Arc::new(Factory::default())
    }

    fn claiming(subject: Subject) -> Subject {
        subject.claiming(|claims| {
            claims.deterministic = false;
            claims.max_message = false;
            claims.tells_unordered = false;
            claims.gives_up_within = None;
        })
    }

    mod alone {
        testkit::sctp_conformance!(super::claiming(super::Subject::new(super::theirs)));
    }

    mod to_ours {
        testkit::sctp_conformance!(super::claiming(super::Subject::between(
            super::theirs,
            super::ours
        )));
    }

    mod from_ours {
        testkit::sctp_conformance!(super::claiming(super::Subject::between(
            super::ours,
            super::theirs
        )));
    }
}
