//! Any chunks behind a right checksum: all are read to the end, and what is written again reads
//! the same.
#![no_main]

use fuzz::sctp_checksum;
use libfuzzer_sys::fuzz_target;
use sctp::packet::{
    Abort, Chunk, CookieAck, CookieEcho, Data, DecodeError, ForwardTsn, Heartbeat, HeartbeatAck,
    IData, IForwardTsn, Init, InitAck, OperationError, Packet, ReConfig, Sack, Shutdown,
    ShutdownAck, ShutdownComplete, WireChunk, encode,
};

fuzz_target!(|bytes: &[u8]| {
    let _ = Packet::parse(bytes);
    let mut bytes = bytes.to_vec();
    sctp_checksum(&mut bytes);
    let Ok(packet) = Packet::parse(&bytes) else {
        return;
    };
    for chunk in packet.chunks().map_while(Result::ok) {
        let _ = chunk.on_unknown();
        let _ = read(chunk);
    }
});

fn read(chunk: Chunk<'_>) -> Result<(), DecodeError> {
    match chunk.kind {
        Data::KIND => again(chunk, &Data::parse(chunk)?),
        Init::KIND => {
            let init = Init::parse(chunk)?;
            let _ = init.parameters().count();
            again(chunk, &init);
        }
        InitAck::KIND => {
            let init = InitAck::parse(chunk)?;
            let _ = (init.parameters().count(), init.cookie());
            again(chunk, &init);
        }
        Sack::KIND => {
            let sack = Sack::parse(chunk)?;
            let _ = (sack.gap_blocks().count(), sack.duplicates().count());
            again(chunk, &sack);
        }
        Heartbeat::KIND => again(chunk, &Heartbeat::parse(chunk)?),
        HeartbeatAck::KIND => {
            let ack = HeartbeatAck::parse(chunk)?;
            let _ = ack.first_info();
            again(chunk, &ack);
        }
        Abort::KIND => {
            let abort = Abort::parse(chunk);
            let _ = abort.causes().count();
            again(chunk, &abort);
        }
        Shutdown::KIND => again(chunk, &Shutdown::parse(chunk)?),
        ShutdownAck::KIND => again(chunk, &ShutdownAck),
        OperationError::KIND => {
            let error = OperationError::parse(chunk);
            let _ = error.causes().count();
            again(chunk, &error);
        }
        CookieEcho::KIND => again(chunk, &CookieEcho::parse(chunk)),
        CookieAck::KIND => again(chunk, &CookieAck),
        ShutdownComplete::KIND => again(chunk, &ShutdownComplete::parse(chunk)),
        ReConfig::KIND => {
            let re_config = ReConfig::parse(chunk);
            let _ = re_config.parameters().count();
            again(chunk, &re_config);
        }
        ForwardTsn::KIND => {
            let forward = ForwardTsn::parse(chunk)?;
            let _ = forward.skipped().count();
            again(chunk, &forward);
        }
        IData::KIND => again(chunk, &IData::parse(chunk)?),
        IForwardTsn::KIND => {
            let forward = IForwardTsn::parse(chunk)?;
            let _ = forward.skipped().count();
            again(chunk, &forward);
        }
        _ => {}
    }
    Ok(())
}

/// Writes what was read. It may be shorter than what came (bytes after the end of a fixed chunk,
/// unknown flags), never longer.
fn again(chunk: Chunk<'_>, read: &impl WireChunk) {
    let written = encode(read);
    assert_eq!(written[0], chunk.kind);
    assert!(written.len() <= chunk.whole.len().next_multiple_of(4));
}
