//! From a DTLS handshake to protected media: what one layer exports is what the next one takes.

use layer::{Dtls, DtlsConfig, DtlsRole, DtlsVersion, NewDtls, NewSrtp, Srtp, SrtpConfig};
use std::time::Duration;
use testkit::{Clock, DtlsPeer, Link, Pair};

const MINUTE: Duration = Duration::from_secs(60);
/// The label of RFC 5764 §4.2.
const LABEL: &str = "EXTRACTOR-dtls_srtp";

/// A factory whose sessions speak this version alone.
fn speaking(version: DtlsVersion) -> dtls::Factory {
    let mut factory = dtls::Factory::default();
    factory.min_version = version;
    factory.max_version = version;
    factory
}

/// Two sessions that offer the profiles of our SRTP.
fn sessions(factories: [&dyn NewDtls; 2], clock: Clock) -> Pair<DtlsPeer> {
    let profiles = srtp::Factory::default().profiles;
    Pair::dtls(
        factories,
        clock,
        &Link::delayed(Duration::from_millis(10)),
        1,
        |config: &mut DtlsConfig| config.srtp_profiles.clone_from(&profiles),
    )
}

/// The context that belongs to a session that is connected.
fn context(session: &dyn Dtls) -> Box<dyn Srtp> {
    let profile = session.security().unwrap().srtp_profile.unwrap();
    let mut block = vec![0; profile.keying_len()];
    session.export(LABEL, None, &mut block).unwrap();
    let is_client = session.role() == Some(DtlsRole::Client);
    let config = SrtpConfig::from_keying_material(profile, is_client, &block).unwrap();
    let start = Clock::new().start(layer::Seed::new([0; 32]));
    srtp::Factory::default().new_srtp(start, config).unwrap()
}

/// A packet of RTP and one of RTCP cross.
fn assert_crosses(from: &mut dyn Srtp, to: &mut dyn Srtp, ssrc: u8) {
    let header = [0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, ssrc];
    let mut packet = [0; 200];
    let len = from.protect_into(&header, b"media", &mut packet).unwrap();
    let len = to.unprotect_in_place(&mut packet[..len]).unwrap();
    assert_eq!(packet[header.len()..len], *b"media");

    let report = [0x80, 201, 0, 1, 0, 0, 0, ssrc];
    let len = from.protect_rtcp_into(&report, &mut packet).unwrap();
    let len = to.unprotect_rtcp_in_place(&mut packet[..len]).unwrap();
    assert_eq!(packet[..len], report);
}

fn assert_talks(pair: &mut Pair<DtlsPeer>) {
    assert!(pair.connect(MINUTE), "not connected: {pair:?}");
    // srtp-001: GCM where both have it.
    for end in [&pair.a, &pair.b] {
        let profile = end.machine.security().unwrap().srtp_profile.unwrap();
        assert_eq!(profile.salt_len(), 12, "{profile:?} is not GCM");
    }
    let mut a = context(&*pair.a.machine);
    let mut b = context(&*pair.b.machine);
    assert_crosses(&mut *a, &mut *b, 1);
    assert_crosses(&mut *b, &mut *a, 2);
}

/// dtls-047, dtls-048, dtls-049: in both versions, whichever end is the client.
#[test]
fn what_dtls_exports_protects_media_both_ways_with_gcm() {
    for version in [DtlsVersion::V1_2, DtlsVersion::V1_3] {
        let (one, both) = (speaking(version), dtls::Factory::default());
        assert_talks(&mut sessions([&one, &both], Clock::new()));
        assert_talks(&mut sessions([&both, &one], Clock::new()));
    }
}

/// dtls-050: no keys before the handshake is over.
#[test]
fn nothing_is_exported_before_the_handshake() {
    let factory = dtls::Factory::default();
    let pair = sessions([&factory, &factory], Clock::new());
    let refused = pair.a.machine.export(LABEL, None, &mut [0; 56]);
    assert_eq!(refused, Err(layer::ExportError::NotConnected));
    assert_eq!(pair.a.machine.security(), None);
}

#[test]
fn a_session_for_data_alone_has_no_profile_and_no_keys() {
    for version in [DtlsVersion::V1_2, DtlsVersion::V1_3] {
        let factory = speaking(version);
        let link = Link::delayed(Duration::from_millis(10));
        let factories: [&dyn NewDtls; 2] = [&factory, &factory];
        let mut pair = Pair::dtls(factories, Clock::new(), &link, 1, |_| ());
        assert!(pair.connect(MINUTE), "not connected: {pair:?}");
        for end in [&pair.a, &pair.b] {
            assert_eq!(end.machine.security().unwrap().srtp_profile, None);
            let refused = end.machine.export(LABEL, None, &mut [0; 56]);
            assert_eq!(refused, Err(layer::ExportError::Unsupported));
        }
    }
}

/// The same with the second backend, whose tasks want a runtime.
#[cfg(feature = "swap")]
mod swapped {
    use super::{assert_talks, sessions};
    use std::sync::Arc;
    use std::time::{Duration, Instant};
    use testkit::{Clock, Tasks};
    use tokio::runtime::{Builder, Runtime};

    /// How often the tasks are asked whether their time has come.
    const TICK: Duration = Duration::from_millis(150);
    /// More turns than a datagram needs on its way through the tasks of a session.
    const TURNS: usize = 20;

    #[allow(clippy::disallowed_methods, reason = "the clock of a paused runtime")]
    fn now() -> tokio::time::Instant {
        tokio::time::Instant::now()
    }

    /// Moves the clock of the runtime along, and lets the tasks run.
    fn tasks(runtime: Arc<Runtime>) -> Tasks {
        Box::new(move |instant: Instant| {
            runtime.block_on(async {
                let ahead = instant.saturating_duration_since(now().into_std());
                if !ahead.is_zero() {
                    tokio::time::advance(ahead).await;
                }
                for _ in 0..TURNS {
                    tokio::task::yield_now().await;
                }
            });
            Some(instant + TICK)
        })
    }

    #[test]
    fn what_the_second_backend_exports_protects_media_with_itself_and_with_ours() {
        let mut runtime = Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let runtime = Arc::new(runtime);
        let provider = crypto::Provider::default();
        let theirs = dtls::webrtc::Factory::new(runtime.handle().clone(), provider);
        let ours = dtls::Factory::default();
        let pairs: [[&dyn layer::NewDtls; 2]; 3] =
            [[&theirs, &theirs], [&theirs, &ours], [&ours, &theirs]];
        for factories in pairs {
            let clock = Clock::starting_at(runtime.block_on(async { now().into_std() }));
            let mut pair = sessions(factories, clock);
            pair.tasks = Some(tasks(Arc::clone(&runtime)));
            assert_talks(&mut pair);
        }
    }
}
