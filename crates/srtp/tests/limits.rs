//! What is bounded: sources, packets of a key, indices; and what the settings change.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use layer::{NewSrtp, ProtectError, Srtp, SrtpConfig, SrtpProfile, UnprotectError};
use muonrtc_srtp::{Factory, Suite};
use support::{SSRC, SUITES, context, protect, protect_rtcp, report, unprotect, unprotect_rtcp};
use testkit::{Clock, layer_seed};

/// srtp-026, srtp-019: those that are known stay.
#[test]
fn sources_beyond_the_bound_are_refused_and_counted() {
    let mut factory = Factory::default();
    let mut sender = context(&factory, Suite::AeadAes128Gcm);
    factory.max_sources = 2;
    let mut receiver = context(&factory, Suite::AeadAes128Gcm);
    for ssrc in 1..=5 {
        let packet = protect(&mut sender, ssrc, 1, b"rtp").unwrap();
        let got = unprotect(&mut receiver, &packet);
        if ssrc <= 2 {
            assert!(got.is_ok(), "{ssrc}");
        } else {
            assert_eq!(got, Err(UnprotectError::TooManySources), "{ssrc}");
        }
    }
    let packet = protect_rtcp(&mut sender, &report(9)).unwrap();
    let refused = unprotect_rtcp(&mut receiver, &packet);
    assert_eq!(refused, Err(UnprotectError::TooManySources));
    assert_eq!(receiver.stats().refused_sources, 4);
    receiver.set_remote_rollover_counter(9, 1);
    assert_eq!(receiver.remote_rollover_counter(9), None);

    let packet = protect(&mut sender, 1, 2, b"rtp").unwrap();
    assert!(unprotect(&mut receiver, &packet).is_ok());

    let mut bounded = context(&factory, Suite::AeadAes128Gcm);
    for ssrc in 1..=2 {
        protect(&mut bounded, ssrc, 1, b"rtp").unwrap();
    }
    let refused = protect(&mut bounded, 3, 1, b"rtp");
    assert_eq!(refused, Err(ProtectError::TooManySources));
    let refused = protect_rtcp(&mut bounded, &report(3));
    assert_eq!(refused, Err(ProtectError::TooManySources));
}

/// srtp-010.
#[test]
fn a_key_ends_with_the_packets_it_may_protect() {
    let mut factory = Factory::default();
    factory.max_rtp_packets = 2;
    factory.max_rtcp_packets = 1;
    let mut sender = context(&factory, Suite::Aes128CmHmacSha1_80);
    protect(&mut sender, 1, 1, b"rtp").unwrap();
    protect_rtcp(&mut sender, &report(1)).unwrap();
    let exhausted = Err(ProtectError::Exhausted);
    assert_eq!(protect_rtcp(&mut sender, &report(2)), exhausted);
    protect(&mut sender, 2, 1, b"rtp").unwrap();
    assert_eq!(protect(&mut sender, 1, 2, b"rtp"), exhausted);
    assert_eq!(sender.stats().protected, 3);
}

/// RFC 3711 §9.2: index 2^48 - 1 is the last.
#[test]
fn a_source_ends_with_its_last_index() {
    for suite in SUITES {
        let mut sender = context(&Factory::default(), suite);
        let mut receiver = context(&Factory::default(), suite);
        assert!(sender.set_local_rollover_counter(SSRC, u32::MAX));
        receiver.set_remote_rollover_counter(SSRC, u32::MAX);
        let last = protect(&mut sender, SSRC, 65_535, b"rtp").unwrap();
        assert!(unprotect(&mut receiver, &last).is_ok());
        let refused = protect(&mut sender, SSRC, 0, b"rtp");
        assert_eq!(refused, Err(ProtectError::Exhausted), "{suite:?}");
        // Whoever protects it nevertheless is not heard.
        let mut other = context(&Factory::default(), suite);
        let begins_anew = protect(&mut other, SSRC, 0, b"rtp").unwrap();
        let refused = unprotect(&mut receiver, &begins_anew);
        assert_eq!(refused, Err(UnprotectError::Replayed), "{suite:?}");
    }
}

#[test]
fn a_local_counter_goes_forward_only() {
    let mut sender = context(&Factory::default(), Suite::AeadAes128Gcm);
    assert!(sender.set_local_rollover_counter(SSRC, 3));
    protect(&mut sender, SSRC, 9, b"rtp").unwrap();
    assert!(sender.set_local_rollover_counter(SSRC, 3));
    let repeated = protect(&mut sender, SSRC, 9, b"rtp again");
    assert_eq!(repeated, Err(ProtectError::Repeated));
    assert!(!sender.set_local_rollover_counter(SSRC, 2));
    assert_eq!(sender.local_rollover_counter(SSRC), Some(3));
    assert!(sender.set_local_rollover_counter(SSRC, 4));
    protect(&mut sender, SSRC, 9, b"rtp").unwrap();
}

/// RFC 7714 §8.4; in counter mode a packet that is sent again is the same to the last bit.
#[test]
fn counter_mode_repeats_a_packet_and_gcm_only_if_told() {
    let mut factory = Factory::default();
    let mut sender = context(&factory, Suite::Aes128CmHmacSha1_80);
    let first = protect(&mut sender, SSRC, 1, b"rtp").unwrap();
    assert_eq!(protect(&mut sender, SSRC, 1, b"rtp").unwrap(), first);

    let mut sender = context(&factory, Suite::AeadAes128Gcm);
    let first = protect(&mut sender, SSRC, 2000, b"rtp").unwrap();
    let refused = protect(&mut sender, SSRC, 2000, b"rtp");
    assert_eq!(refused, Err(ProtectError::Repeated));
    let too_old = protect(&mut sender, SSRC, 2000 - 1024, b"rtp");
    assert_eq!(too_old, Err(ProtectError::Repeated));
    protect(&mut sender, SSRC, 2000 - 1023, b"rtp").unwrap();

    factory.allow_repeats = true;
    let mut sender = context(&factory, Suite::AeadAes128Gcm);
    protect(&mut sender, SSRC, 2000, b"rtp").unwrap();
    assert_eq!(protect(&mut sender, SSRC, 2000, b"rtp").unwrap(), first);
}

/// srtp-012: both forms of the E flag.
#[test]
fn rtcp_is_authenticated_only_where_both_ends_want_that() {
    for suite in SUITES {
        let mut plain_speaker = Factory::default();
        plain_speaker.encrypt_rtcp = false;
        let mut sender = context(&plain_speaker, suite);
        let mut receiver = context(&Factory::default(), suite);
        let packet = protect_rtcp(&mut sender, &report(SSRC)).unwrap();
        assert_eq!(packet[..12], report(SSRC), "{suite:?}: it can be read");
        for at in 0..packet.len() {
            let mut changed = packet.clone();
            changed[at] ^= 0x80;
            assert!(unprotect_rtcp(&mut receiver, &changed).is_err(), "{at}");
        }
        let got = unprotect_rtcp(&mut receiver, &packet);
        assert_eq!(got, Ok(report(SSRC).to_vec()), "{suite:?}");

        let mut strict = Factory::default();
        strict.accept_plain_rtcp = false;
        let mut receiver = context(&strict, suite);
        let refused = unprotect_rtcp(&mut receiver, &packet);
        assert_eq!(refused, Err(UnprotectError::Malformed), "{suite:?}");
        let mut sender = context(&Factory::default(), suite);
        let packet = protect_rtcp(&mut sender, &report(SSRC)).unwrap();
        assert!(unprotect_rtcp(&mut receiver, &packet).is_ok(), "{suite:?}");
    }
}

/// srtp-009: 4 bytes on RTP and 10 on RTCP.
#[test]
fn short_tags_are_short_on_rtp_alone() {
    for (suite, rtp, rtcp) in [
        (Suite::Aes128CmHmacSha1_80, 10, 14),
        (Suite::Aes128CmHmacSha1_32, 4, 14),
        (Suite::Aes256CmHmacSha1_80, 10, 14),
        (Suite::Aes256CmHmacSha1_32, 4, 14),
        (Suite::AeadAes128Gcm, 16, 20),
        (Suite::AeadAes256Gcm, 16, 20),
    ] {
        let context = context(&Factory::default(), suite);
        assert_eq!(context.overhead(), rtp, "{suite:?}");
        assert_eq!(context.rtcp_overhead(), rtcp, "{suite:?}");
    }
}

#[test]
fn a_factory_makes_the_profiles_it_lists() {
    let mut factory = Factory::default();
    assert_eq!(factory.profiles()[0], SrtpProfile::AeadAes128Gcm);
    factory.profiles = vec![SrtpProfile::Aes128CmSha1_80];
    let start = Clock::new().start(layer_seed(1, b"srtp    "));
    let make = |profile: SrtpProfile| {
        let block = vec![1; profile.keying_len()];
        let config = SrtpConfig::from_keying_material(profile, true, &block);
        factory.new_srtp(start, config.unwrap()).map(|_| ())
    };
    assert_eq!(make(SrtpProfile::Aes128CmSha1_80), Ok(()));
    let refused = make(SrtpProfile::AeadAes128Gcm);
    assert_eq!(refused, Err(ProtectError::Profile));
}

#[test]
fn what_is_larger_than_a_datagram_is_refused() {
    let mut sender = context(&Factory::default(), Suite::AeadAes128Gcm);
    let refused = protect(&mut sender, SSRC, 1, &[0; 65_535]);
    assert_eq!(refused, Err(ProtectError::Malformed));
    let mut long = report(SSRC).to_vec();
    long.resize(65_532, 0);
    let refused = protect_rtcp(&mut sender, &long);
    assert_eq!(refused, Err(ProtectError::Malformed));
}

#[test]
fn keys_are_not_shown() {
    let context = context(&Factory::default(), Suite::Aes256CmHmacSha1_80);
    let shown = format!("{context:?}");
    assert!(
        shown.contains("Salt(..)") && !shown.contains("90, 90"),
        "{shown}"
    );
}
