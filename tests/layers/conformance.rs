//! The kits of `testkit` against the implementations that this workspace has.

mod sctp {
    use layer::NewSctp;
    use sctp::Factory;
    use std::sync::Arc;
    use testkit::conformance::sctp::Subject;

    fn under_ice() -> Arc<dyn NewSctp> {
        Arc::new(Factory::default())
    }

    /// With the limits that RFC 9260 §16 has for an association without ICE below it.
    fn by_itself() -> Arc<dyn NewSctp> {
        let mut factory = Factory::default();
        factory.max_init_retransmits = Some(8);
        factory.max_retransmits = Some(10);
        Arc::new(factory)
    }

    mod default {
        use super::{Subject, under_ice};
        testkit::sctp_conformance!(
            Subject::new(under_ice).claiming(|claims| claims.gives_up_within = None)
        );
    }

    mod with_limits {
        use super::{Subject, by_itself};
        testkit::sctp_conformance!(Subject::new(by_itself));
    }
}

mod dtls {
    use dtls::Factory;
    use layer::{DtlsVersion, NewDtls};
    use std::sync::Arc;
    use testkit::conformance::dtls::Subject;

    fn default() -> Arc<dyn NewDtls> {
        Arc::new(Factory::default())
    }

    fn version_1_2() -> Arc<dyn NewDtls> {
        let mut factory = Factory::default();
        factory.max_version = DtlsVersion::V1_2;
        Arc::new(factory)
    }

    /// Claims what the handshake core has: it exports under no label but that of DTLS-SRTP and
    /// offers all of its profiles, and `ring` does not repeat itself. The crate's own tests run the
    /// kit with every choice of versions.
    fn claiming(subject: Subject, version: DtlsVersion) -> Subject {
        subject.claiming(|claims| {
            claims.versions = vec![version];
            claims.general_exporter = false;
            claims.srtp_choice = false;
            claims.deterministic = false;
        })
    }

    mod default {
        use super::{DtlsVersion, Subject, claiming};
        testkit::dtls_conformance!(claiming(Subject::new(super::default), DtlsVersion::V1_3));
    }

    mod version_1_2_meets_both {
        use super::{DtlsVersion, Subject, claiming, default, version_1_2};
        testkit::dtls_conformance!(claiming(
            Subject::between(version_1_2, default),
            DtlsVersion::V1_2
        ));
    }

    mod both_meet_version_1_2 {
        use super::{DtlsVersion, Subject, claiming, default, version_1_2};
        testkit::dtls_conformance!(claiming(
            Subject::between(default, version_1_2),
            DtlsVersion::V1_2
        ));
    }
}

mod srtp {
    use layer::NewSrtp;
    use srtp::Factory;
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
}
