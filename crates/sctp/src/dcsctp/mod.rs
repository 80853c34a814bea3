//! The `dcsctp` crate (the SCTP of libwebrtc, in Rust) behind [`layer::Sctp`]: a second
//! implementation, for comparison and as a peer in tests that does not share our misunderstandings.
//!
//! It differs from ours in what the library does: associations are not repeatable from a seed, the
//! largest message to receive is not enforced, received messages do not tell whether they were
//! unordered, fragments of a message are gathered before it is
//! sent, the size of packets stays what it was at the start, and every association has a thread of
//! its own, which makes each call a change of threads.

mod association;
mod event;
mod worker;

use ::dcsctp::api::{Options, ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS};
use association::Association;
use layer::{NewSctp, Sctp, SctpConfig, SctpConnect, Start};
use std::time::Duration;

/// Makes associations of the `dcsctp` crate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Factory {
    /// Bytes that are queued and not sent. Default 2 MB, as in the library.
    pub send_buffer: usize,
    /// Bytes of received data that are held. Default 5 MiB, as in the library.
    pub receive_window: usize,
    /// Retransmissions of INIT and COOKIE ECHO; `None` for ever. Default `None`, as ours.
    pub max_init_retransmits: Option<u32>,
    /// Timeouts in a row that end the association; `None` for no limit. Default `None`, as ours. A
    /// limit also ends an association whose peer has closed its window.
    pub max_retransmits: Option<u32>,
    /// Whether to offer message interleaving (RFC 8260). Default `false`.
    pub interleaving: bool,
}

impl Default for Factory {
    fn default() -> Self {
        let options = Options::default();
        Self {
            send_buffer: options.max_send_buffer_size,
            receive_window: options.max_receiver_window_buffer_size,
            max_init_retransmits: None,
            max_retransmits: None,
            interleaving: options.enable_message_interleaving,
        }
    }
}

impl Factory {
    /// What the library is to do.
    fn options(&self, config: &SctpConfig, connect: &SctpConnect) -> Options {
        let mut options = Options {
            local_port: connect.local_port,
            remote_port: connect.remote_port,
            mtu: config.max_packet & !3,
            max_message_size: self.send_buffer,
            max_receiver_window_buffer_size: self.receive_window.max(config.max_message),
            // The bound is ours: the library takes a last message beyond its own.
            max_send_buffer_size: 2 * self.send_buffer,
            per_stream_send_queue_limit: 2 * self.send_buffer,
            max_init_retransmits: self.max_init_retransmits,
            max_retransmissions: self.max_retransmits,
            max_timer_backoff_duration: Some(Duration::from_secs(3)),
            enable_message_interleaving: self.interleaving,
            ..Options::default()
        };
        if config.authenticated {
            options.zero_checksum_alternate_error_detection_method =
                ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS;
        }
        options
    }
}

impl NewSctp for Factory {
    fn new_sctp(&self, start: Start, config: SctpConfig) -> Box<dyn Sctp> {
        Box::new(Association::new(self.clone(), start, config))
    }
}
