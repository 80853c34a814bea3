//! Any bytes as compound RTCP: what is read is written again and reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rtp::rtcp::{Packet, check_compound, check_reduced_size, packets};

fuzz_target!(|bytes: &[u8]| {
    if check_compound(bytes).is_ok() {
        assert_eq!(check_reduced_size(bytes), Ok(()));
    }
    for packet in packets(bytes).flatten() {
        let _ = packet.sender_ssrc();
        assert!(packet.destination_ssrcs().len() <= bytes.len());
        if let Packet::Nack(nack) = &packet {
            assert!(nack.sequence_numbers().count() <= 17 * bytes.len());
        }
        if let Packet::TransportFeedback(feedback) = &packet {
            assert!(feedback.received.len() <= bytes.len());
        }
        let second = again(&packet);
        // A rate beyond 64 bits is not kept, and what it became is.
        let rate = matches!(
            packet,
            Packet::ReceiverEstimatedMaxBitrate(_)
                | Packet::TemporaryMaxBitrateRequest(_)
                | Packet::TemporaryMaxBitrateNotification(_)
        );
        if rate {
            assert_eq!(again(&second), second);
        } else {
            assert_eq!(second, packet);
        }
    }
});

fn again(packet: &Packet) -> Packet {
    let mut out = vec![0xFF; packet.encoded_len()];
    assert_eq!(packet.write(&mut out), Ok(out.len()), "{packet:?}");
    Packet::parse(&out).expect("what was written can be read")
}
