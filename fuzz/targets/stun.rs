//! Any bytes as a STUN message: everything that can be asked of it is asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stun::{
    ErrorCode, IceControlled, IceControlling, MappedAddress, Message, Nonce, Priority, Realm,
    Software, UnknownAttributes, UseCandidate, Username, XorMappedAddress,
};

fuzz_target!(|bytes: &[u8]| {
    let _ = Message::is_stun(bytes);
    let Ok(message) = Message::parse(bytes) else {
        return;
    };
    let provider = crypto::Provider::default();
    let _ = (message.class(), message.method(), message.transaction_id());
    let _ = message.attributes().count();
    let _ = message.attribute::<Username<'_>>();
    let _ = message.attribute::<Realm<'_>>();
    let _ = message.attribute::<Nonce<'_>>();
    let _ = message.attribute::<Software<'_>>();
    let _ = message.attribute::<ErrorCode<'_>>();
    let _ = message.attribute::<MappedAddress>();
    let _ = message.attribute::<XorMappedAddress>();
    let _ = message.attribute::<Priority>();
    let _ = message.attribute::<UseCandidate>();
    let _ = message.attribute::<IceControlled>();
    let _ = message.attribute::<IceControlling>();
    let _ = message.attribute::<UnknownAttributes>();
    let _ = message.unknown_attributes(&[]);
    let _ = message.fingerprint();
    let _ = message.integrity(&*provider.hmac_sha1.key(b"VOkJxbRl1RmTxUk/WvJxBt"));
    let _ = message.integrity_sha256(&*provider.hmac_sha256.key(b"password"));
});
