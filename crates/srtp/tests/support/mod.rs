//! What the tests of this crate have in common.

#![allow(dead_code, reason = "no test uses everything")]

use layer::{ProtectError, Srtp, UnprotectError};
use muonrtc_srtp::{Context, Factory, MasterKey, Suite};

pub(crate) const SUITES: [Suite; 6] = [
    Suite::Aes128CmHmacSha1_80,
    Suite::Aes128CmHmacSha1_32,
    Suite::Aes256CmHmacSha1_80,
    Suite::Aes256CmHmacSha1_32,
    Suite::AeadAes128Gcm,
    Suite::AeadAes256Gcm,
];

pub(crate) const SSRC: u32 = 7;

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// A context whose two directions have the same key, so that two of them understand each other.
pub(crate) fn context(factory: &Factory, suite: Suite) -> Context {
    let key = [0x5a; 32];
    let master = MasterKey {
        key: &key[..suite.key_len()],
        salt: &key[..suite.salt_len()],
    };
    factory.context(suite, master, master).unwrap()
}

pub(crate) fn header(ssrc: u32, seq: u16) -> [u8; 12] {
    let mut header = [0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header[2..4].copy_from_slice(&seq.to_be_bytes());
    header[8..].copy_from_slice(&ssrc.to_be_bytes());
    header
}

pub(crate) fn report(ssrc: u32) -> [u8; 12] {
    let mut report = [0x80, 201, 0, 2, 0, 0, 0, 0, 1, 2, 3, 4];
    report[4..8].copy_from_slice(&ssrc.to_be_bytes());
    report
}

pub(crate) fn protect(
    context: &mut Context,
    ssrc: u32,
    seq: u16,
    payload: &[u8],
) -> Result<Vec<u8>, ProtectError> {
    let mut out = vec![0; 12 + payload.len() + context.overhead()];
    let len = context.protect_into(&header(ssrc, seq), payload, &mut out)?;
    out.truncate(len);
    Ok(out)
}

pub(crate) fn protect_rtcp(context: &mut Context, packet: &[u8]) -> Result<Vec<u8>, ProtectError> {
    let mut out = vec![0; packet.len() + context.rtcp_overhead()];
    let len = context.protect_rtcp_into(packet, &mut out)?;
    out.truncate(len);
    Ok(out)
}

pub(crate) fn unprotect(context: &mut Context, packet: &[u8]) -> Result<Vec<u8>, UnprotectError> {
    let mut packet = packet.to_vec();
    let len = context.unprotect_in_place(&mut packet)?;
    packet.truncate(len);
    Ok(packet)
}

pub(crate) fn unprotect_rtcp(
    context: &mut Context,
    packet: &[u8],
) -> Result<Vec<u8>, UnprotectError> {
    let mut packet = packet.to_vec();
    let len = context.unprotect_rtcp_in_place(&mut packet)?;
    packet.truncate(len);
    Ok(packet)
}
