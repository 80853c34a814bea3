//! The handshake messages, one file each.

pub(crate) mod certificate;
pub(crate) mod certificate_request;
pub(crate) mod certificate_verify;
pub(crate) mod client_hello;
pub(crate) mod client_key_exchange;
pub(crate) mod encrypted_extensions;
pub(crate) mod header;
pub(crate) mod hello_verify_request;
pub(crate) mod key_update;
pub(crate) mod server_hello;
pub(crate) mod server_key_exchange;

/// The handshake message types (RFC 8446 §4, RFC 6347 §4.3.2).
pub(crate) mod kind {
    pub(crate) const HELLO_REQUEST: u8 = 0;
    pub(crate) const CLIENT_HELLO: u8 = 1;
    pub(crate) const SERVER_HELLO: u8 = 2;
    pub(crate) const HELLO_VERIFY_REQUEST: u8 = 3;
    pub(crate) const NEW_SESSION_TICKET: u8 = 4;
    pub(crate) const ENCRYPTED_EXTENSIONS: u8 = 8;
    pub(crate) const CERTIFICATE: u8 = 11;
    pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
    pub(crate) const CERTIFICATE_REQUEST: u8 = 13;
    pub(crate) const SERVER_HELLO_DONE: u8 = 14;
    pub(crate) const CERTIFICATE_VERIFY: u8 = 15;
    pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;
    pub(crate) const FINISHED: u8 = 20;
    pub(crate) const KEY_UPDATE: u8 = 24;
    /// RFC 8446 §4.4.1: in transcripts only.
    pub(crate) const MESSAGE_HASH: u8 = 254;
}

/// A whole message of the peer, in its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: u8,
    /// `message_seq`.
    pub(crate) sequence: u16,
    /// The epoch of its last fragment.
    pub(crate) epoch: u64,
    pub(crate) body: Vec<u8>,
}
