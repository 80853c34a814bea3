use super::{DELAY, MINUTE, Subject, assert_carries, assert_works};
use crate::{Fate, Link, Record, Side, TestSeed};
use layer::{ExportError, SealError, SrtpProfile};

/// The label of DTLS-SRTP (RFC 5764 §4.2).
const SRTP_LABEL: &str = "EXTRACTOR-dtls_srtp";

pub(super) fn both_ways(subject: &Subject, seed: &TestSeed) {
    let mut random = seed.random(b"data    ");
    let mut pair = subject.connected(seed.value());
    for len in [1, 2, 15, 16, 17, 100, 255, 256, 1000, 1150] {
        for side in [Side::A, Side::B] {
            assert_carries(&mut pair, side, &random.bytes(len));
        }
    }
    // Many on their way at once arrive in order on a link that keeps it.
    let sent: Vec<Vec<u8>> = (0..200).map(|len| random.bytes(len + 1)).collect();
    let now = pair.now();
    pair.b.messages.clear();
    for plaintext in &sent {
        assert_eq!(pair.a.send(now, plaintext), Ok(()));
    }
    pair.run_for(DELAY * 4);
    assert!(pair.b.messages == sent, "{} of 200", pair.b.messages.len());
}

pub(super) fn not_connected(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    let now = pair.now();
    let refused = Err(SealError::NotConnected);
    assert_eq!(pair.a.send(now, b"new"), refused);
    pair.start();
    let now = pair.now();
    assert_eq!(pair.a.send(now, b"connecting"), refused);
    assert!(pair.run_until(MINUTE, |pair| pair.connected()), "{pair:?}");
    assert_works(&mut pair);
    let now = pair.now();
    pair.a.machine.close(now);
    assert_eq!(pair.a.send(now, b"closed"), refused);
}

pub(super) fn does_not_fit(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    let now = pair.now();
    let overhead = pair.a.machine.overhead();
    let plaintext = [7; 100];
    for len in [0, 1, 50, plaintext.len()] {
        let mut out = vec![0; len];
        let refused = pair.a.machine.seal_into(now, &plaintext, &mut out);
        assert_eq!(refused, Err(SealError::TooSmall), "{len} bytes");
    }
    // More than a record holds (RFC 8446 §5.1).
    let mut out = vec![0; 70_000 + overhead];
    let refused = pair.a.machine.seal_into(now, &[0; 70_000], &mut out);
    assert_eq!(refused, Err(SealError::TooLarge));
    assert_works(&mut pair);
}

pub(super) fn overhead(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    let now = pair.now();
    let overhead = pair.a.machine.overhead();
    assert!(overhead > 0, "a record has a header and a tag");
    for len in [1, 16, 100, 1000, 1150] {
        let mut out = vec![0; len + overhead];
        let sealed = pair.a.machine.seal_into(now, &vec![1; len], &mut out);
        let fits = sealed.as_ref().is_ok_and(|sealed| *sealed <= out.len());
        assert!(fits, "{len} bytes: {sealed:?}");
        assert!(!out.windows(16).any(|bytes| bytes == [1; 16]), "plaintext");
    }
}

pub(super) fn replay(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.connected(seed.value());
    pair.record = Some(Record::default());
    assert_carries(&mut pair, Side::A, b"once");
    let record = pair.record.take().unwrap_or_default();
    let sealed: Vec<Vec<u8>> = record.sent_by(Side::A).map(<[u8]>::to_vec).collect();
    assert!(!sealed.is_empty(), "nothing was sent");
    for datagram in sealed.iter().cycle().take(10) {
        pair.inject(Side::B, datagram);
    }
    pair.run_for(DELAY * 4);
    assert_eq!(pair.b.messages.len(), 1, "a replayed record was delivered");
    assert_works(&mut pair);
}

pub(super) fn changed(subject: &Subject, seed: &TestSeed) {
    const COUNT: u64 = 200;
    let mut random = seed.random(b"changed ");
    let mut pair = subject.connected(seed.value());
    pair.run_for(MINUTE);
    let before = pair.b.machine.stats().dropped;
    pair.fault = Some(Box::new(move |leaving| {
        let mut bytes = leaving.bytes.to_vec();
        bytes[random.below(leaving.bytes.len())] ^= 1 << random.below(8);
        Fate::Replace(bytes)
    }));
    for _ in 0..COUNT {
        let now = pair.now();
        assert_eq!(pair.a.send(now, &[9; 100]), Ok(()));
        pair.run_for(DELAY / 10);
    }
    pair.run_for(DELAY * 4);
    pair.fault = None;
    // The version in a record's header may change without harm: not every implementation looks at it.
    let authentic = pair.b.messages.iter().all(|message| *message == [9; 100]);
    assert!(authentic, "changed data was delivered");
    if subject.claims.counts_drops {
        let dropped = pair.b.machine.stats().dropped - before;
        assert!(
            dropped >= COUNT * 9 / 10,
            "{dropped} of {COUNT} are counted"
        );
    }
    assert_works(&mut pair);
}

pub(super) fn general_exporter(subject: &Subject, seed: &TestSeed) {
    let mut pair = subject.pair(&Link::delayed(DELAY), seed.value());
    let mut out = [0; 32];
    let early = pair.a.machine.export("EXPERIMENTAL-muon", None, &mut out);
    assert_eq!(early, Err(ExportError::NotConnected));
    assert!(pair.connect(MINUTE), "{pair:?}");
    let export = |end: &crate::DtlsPeer, label, context: Option<&[u8]>| {
        let mut out = [0; 60];
        let exported = end.machine.export(label, context, &mut out);
        assert_eq!(exported, Ok(()), "{label} {context:?}");
        out
    };
    let keys: Vec<_> = [
        ("EXPERIMENTAL-muon", None),
        ("EXPERIMENTAL-muon", Some(&b"one"[..])),
        ("EXPERIMENTAL-muon", Some(&b"two"[..])),
        ("EXPERIMENTAL-other", None),
    ]
    .into_iter()
    .map(|(label, context)| {
        let ours = export(&pair.a, label, context);
        assert_eq!(ours, export(&pair.b, label, context), "{label} {context:?}");
        ours
    })
    .collect();
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "two exports are equal");
        assert_ne!(*key, [0; 60]);
    }
}

/// The profile and the keys that both ends agree on in a session that offers these profiles.
fn srtp_keys(
    subject: &Subject,
    seed: &TestSeed,
    offered: &[SrtpProfile],
) -> Option<(SrtpProfile, Vec<u8>)> {
    let link = Link::delayed(DELAY);
    let mut pair = subject.configured_pair(&link, seed.value(), |config| {
        config.srtp_profiles = offered.to_vec();
    });
    assert!(pair.connect(MINUTE), "{pair:?}");
    let [ours, theirs] = [&pair.a, &pair.b].map(|end| {
        let profile = end.machine.security()?.srtp_profile?;
        let mut out = vec![0; profile.keying_len()];
        let exported = end.machine.export(SRTP_LABEL, None, &mut out);
        assert_eq!(exported, Ok(()));
        assert_ne!(out, vec![0; profile.keying_len()]);
        Some((profile, out))
    });
    assert_eq!(ours, theirs);
    ours
}

pub(super) fn srtp(subject: &Subject, seed: &TestSeed) {
    let offered = [SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmSha1_80];
    let keys = srtp_keys(subject, seed, &offered);
    assert!(keys.is_some(), "no profile was negotiated");
}

pub(super) fn srtp_choice(subject: &Subject, seed: &TestSeed) {
    for profile in [SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmSha1_80] {
        let keys = srtp_keys(subject, seed, &[profile]);
        assert_eq!(keys.map(|(profile, _)| profile), Some(profile));
    }
    assert_eq!(srtp_keys(subject, seed, &[]), None);
}
