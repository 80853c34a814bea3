//! Any bytes as a message of the data channel establishment protocol: what decodes encodes to what
//! decodes to the same.
#![no_main]

use datachannel::ControlMessage;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match ControlMessage::decode(bytes) {
        Ok(ControlMessage::Open(open)) => {
            let again = ControlMessage::decode(&open.encode());
            assert_eq!(again, Ok(ControlMessage::Open(open)));
        }
        Ok(ControlMessage::Ack(ack)) => {
            let again = ControlMessage::decode(&ack.encode());
            assert_eq!(again, Ok(ControlMessage::Ack(ack)));
        }
        Err(_) => {}
    }
});
