//! Channels between a user and a peer who both do as they like.
//!
//! What must hold: every byte taken in is given back to the window once, and never more.
#![no_main]

use bytes::Bytes;
use datachannel::{ChannelInit, ChannelKey, Channels, Config, Parity, Payload};
use fuzz::Tape;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let tape = Tape::new(bytes);
    let mut config = Config::default();
    config.max_early_len = 1000;
    config.max_partial_len = 5000;
    config.max_peer_channels = 10;
    let mut channels = Channels::new(config);
    let mut taken = 0;
    let mut returned = 0;
    while let Some(step) = tape.byte() {
        match step % 12 {
            0..=3 => taken += receive(&mut channels, &tape),
            4 => open(&mut channels, &tape),
            5 => {
                if let Some(key) = key(&channels, &tape) {
                    let _ = channels.send(key, Payload::Text, Bytes::from(tape.chunk()));
                }
            }
            6 => {
                if let Some(key) = key(&channels, &tape) {
                    channels.close(key);
                }
            }
            7 => channels.incoming_reset(&[stream(&tape)]),
            8 => channels.outgoing_reset(&[stream(&tape)]),
            9 => channels.reset_failed(&[stream(&tape)]),
            10 => {
                channels.set_parity(if tape.flag() {
                    Parity::Even
                } else {
                    Parity::Odd
                });
                channels.transport_connected(tape.number(), tape.number());
            }
            _ if tape.byte() == Some(0) => channels.transport_closed(None),
            _ => {
                if let Some(key) = key(&channels, &tape) {
                    channels.forget(key);
                }
            }
        }
        returned += drain(&mut channels);
        assert!(returned <= taken, "{returned} bytes came back of {taken}");
    }
});

/// A message or a fragment of the peer; how many bytes it has.
fn receive(channels: &mut Channels, tape: &Tape) -> usize {
    const PROTOCOLS: [u32; 8] = [50, 50, 51, 53, 56, 57, 52, 54];
    let bits = tape.byte().unwrap_or(0);
    let protocol = PROTOCOLS[usize::from(bits & 7)];
    let (first, last) = (bits & 0x10 == 0, bits & 0x20 == 0);
    let data = tape.chunk();
    let len = data.len();
    channels.handle_message(stream(tape), protocol, first, last, data.into());
    len
}

fn open(channels: &mut Channels, tape: &Tape) {
    let mut init = ChannelInit::new("label");
    let bits = tape.byte().unwrap_or(0);
    init.ordered = bits & 1 == 0;
    init.max_retransmits = (bits & 2 == 2).then(|| tape.number());
    init.max_packet_life_time = (bits & 4 == 4).then(|| tape.number());
    init.negotiated = (bits & 8 == 8).then(|| stream(tape));
    let _ = channels.open(init);
}

/// Few streams, so that they meet.
fn stream(tape: &Tape) -> u16 {
    match tape.byte().unwrap_or(0) {
        255 => tape.number(),
        few => u16::from(few & 7),
    }
}

fn key(channels: &Channels, tape: &Tape) -> Option<ChannelKey> {
    let which = usize::from(tape.byte().unwrap_or(0));
    let keys: Vec<ChannelKey> = channels.keys().collect();
    keys.get(which % keys.len().max(1)).copied()
}

/// Takes all output; how many bytes went back to the window.
fn drain(channels: &mut Channels) -> usize {
    let mut returned = 0;
    while channels.poll_outgoing().is_some() {}
    while channels.poll_reset().is_some() {}
    while channels.poll_event().is_some() {}
    while let Some(message) = channels.poll_message() {
        returned += message.wire_len;
    }
    while let Some((_, bytes)) = channels.poll_consumed() {
        returned += bytes;
    }
    returned
}
