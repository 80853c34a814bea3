//! Two sessions with their usual settings.

#![allow(dead_code, reason = "every test binary uses its part")]

use dtls::Factory;
use layer::{DtlsConfig, DtlsVersion, SrtpProfile};
use muonrtc_dtls as dtls;
use std::time::Duration;
use testkit::{Clock, DtlsPeer, Link, Pair};

pub(crate) const V1_2: DtlsVersion = DtlsVersion::V1_2;
pub(crate) const V1_3: DtlsVersion = DtlsVersion::V1_3;

/// Within this time a handshake is over, whatever a single datagram meets with.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// One way.
pub(crate) const DELAY: Duration = Duration::from_millis(20);

pub(crate) fn factory([min, max]: [DtlsVersion; 2]) -> Factory {
    let mut factory = Factory::default();
    factory.min_version = min;
    factory.max_version = max;
    factory
}

pub(crate) fn pair(client: &Factory, server: &Factory) -> Pair<DtlsPeer> {
    pair_over(client, server, &Link::delayed(DELAY))
}

pub(crate) fn pair_over(client: &Factory, server: &Factory, link: &Link) -> Pair<DtlsPeer> {
    let seed = testkit::seed(1).value();
    Pair::dtls([client, server], Clock::new(), link, seed, with_srtp)
}

pub(crate) fn with_srtp(config: &mut DtlsConfig) {
    config.srtp_profiles = vec![SrtpProfile::AeadAes256Gcm, SrtpProfile::Aes128CmSha1_80];
}
