//! Any text as a description: every accessor is read, and what parses prints to what parses to the
//! same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdp::Description;

fuzz_target!(|text: &str| {
    let Ok(description) = Description::parse(text) else {
        return;
    };
    read(&description);
    let printed = description.to_string();
    let again = Description::parse(&printed);
    assert_eq!(again.as_ref(), Ok(&description), "{printed}");
});

fn read(description: &Description) {
    let _ = (description.groups(), description.bundle());
    let _ = description.is_ice_lite();
    for media in &description.media {
        let _ = (media.mid(), media.checked_mid(), media.is_data());
        let _ = (media.is_bundle_only(), media.is_rejected());
        let _ = (media.sctp_port(), media.max_message_size());
        let _ = (media.ice_ufrag(description), media.ice_pwd(description));
        let _ = media.ice_options(description);
        let _ = media.end_of_candidates(description);
        let _ = (media.setup(description), media.direction(description));
        let _ = (media.fingerprints(description), media.tls_id(description));
        let _ = media.candidates().count();
    }
}
