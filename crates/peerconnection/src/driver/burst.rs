//! Sending what a connection has, a burst at a time.

use crate::shared::{Shared, now};
use layer::Transmit;

/// Bytes sent before incoming packets have their turn again: a part of a default socket buffer,
/// so that a burst does not overflow the receiver.
const MAX_BURST: usize = 64 * 1024;

/// How a burst ended.
#[derive(Debug)]
pub(crate) struct Burst {
    /// What a full socket did not take.
    pub(crate) blocked: Option<(Transmit, Vec<u8>)>,
    /// Something was sent.
    pub(crate) sent: bool,
    /// The burst was as long as it may be: there may be more.
    pub(crate) more: bool,
}

/// Sends what there is, within one burst. `send` says `false` when the socket is full.
pub(crate) fn transmit_burst(
    shared: &Shared,
    max_datagrams: usize,
    buf: &mut [u8],
    mut send: impl FnMut(&Transmit, &[u8]) -> bool,
) -> Burst {
    let mut burst = Burst {
        blocked: None,
        sent: false,
        more: false,
    };
    #[cfg(feature = "rtp")]
    loop {
        let waiting = shared.lock().take_blocked();
        let Some((transmit, bytes)) = waiting else {
            break;
        };
        if !send(&transmit, &bytes) {
            burst.blocked = Some((transmit, bytes));
            return burst;
        }
    }
    let mut sent = 0;
    while sent < MAX_BURST {
        let transmit = {
            let mut state = shared.lock();
            let transmit = state.session.poll_transmit(now(), buf, max_datagrams);
            if transmit.is_none() {
                // Under the same lock: a layer with tasks of its own may have told something.
                shared.dispatch(&mut state);
            }
            transmit
        };
        let Some(transmit) = transmit else { break };
        let bytes = &buf[..transmit.len];
        sent += bytes.len();
        if !send(&transmit, bytes) {
            burst.blocked = Some((transmit, bytes.to_vec()));
            break;
        }
    }
    // What was handed to the network is no longer buffered.
    let mut state = shared.lock();
    shared.dispatch(&mut state);
    burst.sent = sent > 0;
    burst.more = sent >= MAX_BURST;
    burst
}
