//! What real stacks sent on their channels, from the shared vectors where they are at hand.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

mod pair;

use muonrtc_datachannel::{
    ChannelEvent, ChannelInit, ChannelType, Config, ControlMessage, Open, Parity,
};
use pair::{End, Entry};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A DATA chunk (RFC 9260 §3.3.1), by its TSN.
struct Chunk {
    stream: u16,
    protocol: u32,
    first: bool,
    last: bool,
    data: Vec<u8>,
}

/// The value of a text member of a line of JSON whose texts have no escapes.
fn member<'a>(line: &'a str, key: &str) -> &'a str {
    let start = format!("\"{key}\": \"");
    let rest = line.split_once(&start).unwrap().1;
    rest.split_once('"').unwrap().0
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|index| u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).unwrap())
        .collect()
}

/// The DATA chunks of one direction, in the order of their TSNs and each once.
fn chunks(text: &str, direction: &str) -> BTreeMap<u32, Chunk> {
    let mut chunks = BTreeMap::new();
    for line in text.lines() {
        if member(line, "kind") != "sctp" || member(line, "dir") != direction {
            continue;
        }
        let packet = bytes(member(line, "hex"));
        let mut rest = &packet[12..];
        while let [kind, flags, a, b, body @ ..] = rest {
            let len = usize::from(u16::from_be_bytes([*a, *b]));
            if *kind == 0 {
                let number = |at: usize| u32::from_be_bytes(body[at..at + 4].try_into().unwrap());
                let chunk = Chunk {
                    stream: u16::from_be_bytes([body[4], body[5]]),
                    protocol: number(8),
                    first: flags & 2 != 0,
                    last: flags & 1 != 0,
                    data: body[12..len - 4].to_vec(),
                };
                chunks.insert(number(0), chunk);
            }
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
    }
    chunks
}

fn init_of(open: &Open) -> ChannelInit {
    let mut init = ChannelInit::new(&open.label);
    init.protocol = open.protocol.clone();
    init.ordered = open.ordered;
    init.priority = open.priority;
    match open.channel_type {
        ChannelType::Reliable => {}
        ChannelType::MaxRetransmits(count) => init.max_retransmits = count.try_into().ok(),
        ChannelType::MaxLifetime(time) => init.max_packet_life_time = time.try_into().ok(),
    }
    init
}

/// Takes the side of the stack at the other end of the capture; gives the number of user messages.
fn replay(name: &str, text: &str) -> usize {
    let opens: Vec<(u16, Vec<u8>)> = chunks(text, "out")
        .into_values()
        .filter(|chunk| chunk.protocol == 50 && chunk.data[0] == Open::TYPE)
        .map(|chunk| (chunk.stream, chunk.data))
        .collect();
    let Some((first, _)) = opens.first() else {
        return 0;
    };
    let mut end = End::new(Config::default(), Parity::of(*first));
    end.channels.transport_connected(1024, 1024);
    for (stream, data) in &opens {
        let Ok(ControlMessage::Open(open)) = ControlMessage::decode(data) else {
            panic!("{name}");
        };
        end.open(init_of(&open));
        let ours = end.outgoing().remove(0);
        assert_eq!(ours.stream, *stream, "{name}");
        // The capture's other end cuts labels that are not ASCII.
        if !open.label.contains('\u{FFFD}') {
            assert_eq!(&ours.data[..], &data[..], "{name}");
        }
    }
    for chunk in chunks(text, "in").into_values() {
        end.receive_part(
            chunk.stream,
            chunk.protocol,
            chunk.first,
            chunk.last,
            chunk.data,
        );
    }
    let stats = end.channels.stats();
    assert_eq!(stats.opens_refused, 0, "{name}");
    assert_eq!(stats.messages_dropped, 0, "{name}");
    assert_eq!(stats.control_ignored, 0, "{name}");
    assert_eq!(end.resets(), [], "{name}");
    let is_end = |entry: &Entry| matches!(entry, Entry::Event(ChannelEvent::Closed { .. }));
    assert!(!end.log.iter().any(is_end), "{name}");
    let is_message = |entry: &&Entry| matches!(entry, Entry::Message(..));
    end.log.iter().filter(is_message).count()
}

// dc-001 to dc-005, with the stacks of the day
#[test]
fn what_real_stacks_sent_opens_channels_and_arrives_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/packets");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("left out: {}", folder.display());
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        println!("{name}: {} messages", replay(&name, &text));
    }
}
