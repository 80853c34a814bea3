//! Closing (RFC 8831 §6.7): each side resets its half of the stream, and only when both halves are
//! reset is the channel closed and the stream free.

use super::channel::{Halves, Phase};
use super::{ChannelError, ChannelEvent, ChannelKey, Channels, Transport};

impl Channels {
    /// Closes a channel: what was sent is delivered, then our half of the stream is reset.
    /// [`ChannelEvent::Closed`] follows when the peer has reset its half too, or at once if the
    /// channel never opened. Messages that arrive meanwhile are dropped (webrtc-pc §6.2).
    ///
    /// Closing twice does nothing.
    pub fn close(&mut self, key: ChannelKey) {
        self.begin_close(key, None);
    }

    /// Forgets a closed channel. Until then its [`info`](Self::info) can be asked for, and a
    /// channel of the peer counts against [`Config::max_peer_channels`](super::Config::max_peer_channels).
    /// An open channel is not forgotten: close it first.
    pub fn forget(&mut self, key: ChannelKey) {
        let Some(channel) = self.channels.get(&key) else {
            return;
        };
        if channel.phase != Phase::Closed {
            return;
        }
        if channel.is_incoming {
            self.peer_channels -= 1;
            self.peer_text_len -= channel.init.text_len();
        }
        self.channels.remove(&key);
    }

    /// The peer reset its half of these streams: nothing more comes on them.
    pub fn incoming_reset(&mut self, streams: &[u16]) {
        for &stream in streams {
            self.drop_partial(stream);
            self.drop_early(stream);
            match self.streams.get(&stream).copied() {
                Some(key) => self.channel_incoming_reset(key, stream),
                None => {
                    // The peer had a channel of which we know nothing, such as a negotiated one that
                    // we did not open. It waits for our half all the same (RFC 8831 §6.7).
                    self.retire(stream);
                    self.note_reset(stream, |halves| halves.incoming = true);
                }
            }
        }
    }

    /// RFC 8831 §6.7: the peer closes; so do we.
    fn channel_incoming_reset(&mut self, key: ChannelKey, stream: u16) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        match &mut channel.phase {
            Phase::Connecting | Phase::Open => {
                let halves = Halves {
                    incoming: true,
                    outgoing: false,
                };
                channel.phase = Phase::Closing {
                    halves,
                    error: None,
                };
                self.resets.push_back(stream);
                self.event(ChannelEvent::Closing { key });
            }
            Phase::Closing { halves, .. } => halves.incoming = true,
            Phase::Closed => {}
        }
        self.finish_if_reset(key);
    }

    /// The peer performed our reset of these streams.
    pub fn outgoing_reset(&mut self, streams: &[u16]) {
        for &stream in streams {
            let Some(key) = self.streams.get(&stream).copied() else {
                self.note_reset(stream, |halves| halves.outgoing = true);
                continue;
            };
            if let Some(channel) = self.channels.get_mut(&key)
                && let Phase::Closing { halves, .. } = &mut channel.phase
            {
                halves.outgoing = true;
            }
            self.finish_if_reset(key);
        }
    }

    /// The peer refused our reset of these streams. Their channels are closed, and the streams are
    /// not used again.
    pub fn reset_failed(&mut self, streams: &[u16]) {
        for &stream in streams {
            if let Some(key) = self.streams.remove(&stream) {
                self.retiring.insert(stream, Halves::default());
                let error = self.closing_error(key);
                self.finish(key, error);
            }
        }
    }

    /// The transport is over: every channel is closed (RFC 8831 §6.2), with an error if it did not
    /// end by a close. A transport that was restarted by the peer (RFC 9260 §5.2.4) is over too, and
    /// may then be [connected](Self::transport_connected) again.
    pub fn transport_closed(&mut self, error: Option<ChannelError>) {
        self.transport = Transport::Closed;
        self.outgoing.clear();
        self.resets.clear();
        self.streams.clear();
        self.retiring.clear();
        self.lowest_free = 0;
        self.assemblies.clear();
        self.early.clear();
        let keys: Vec<ChannelKey> = self.channels.keys().copied().collect();
        for key in keys {
            self.finish(key, self.closing_error(key).or(error));
        }
    }

    /// Closes a channel for what the peer did (RFC 8831 §6.6).
    pub(super) fn fail(&mut self, key: ChannelKey, error: ChannelError) {
        self.begin_close(key, Some(error));
    }

    fn begin_close(&mut self, key: ChannelKey, error: Option<ChannelError>) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        match (channel.phase, channel.id) {
            (Phase::Open, Some(stream)) => {
                channel.phase = Phase::Closing {
                    halves: Halves::default(),
                    error,
                };
                self.resets.push_back(stream);
                self.drop_partial(stream);
            }
            // Nothing was sent on the stream yet, and the peer knows of none.
            (Phase::Connecting | Phase::Open, stream) => {
                if let Some(stream) = stream {
                    self.release(stream);
                }
                self.finish(key, error);
            }
            (Phase::Closing { .. } | Phase::Closed, _) => {}
        }
    }

    /// Resets a stream that has no channel, and keeps it from use until both halves are reset.
    pub(super) fn retire(&mut self, stream: u16) {
        if stream >= self.stream_limit() || self.retiring.contains_key(&stream) {
            return;
        }
        self.retiring.insert(stream, Halves::default());
        self.resets.push_back(stream);
    }

    /// A half of a stream without a channel was reset.
    fn note_reset(&mut self, stream: u16, note: impl FnOnce(&mut Halves)) {
        let Some(halves) = self.retiring.get_mut(&stream) else {
            return;
        };
        note(halves);
        if halves.are_both_reset() {
            self.release(stream);
            self.replay_early(stream);
        }
    }

    fn closing_error(&self, key: ChannelKey) -> Option<ChannelError> {
        match self.channels.get(&key)?.phase {
            Phase::Closing { error, .. } => error,
            _ => None,
        }
    }

    /// RFC 8831 §6.7: only now is the stream free.
    fn finish_if_reset(&mut self, key: ChannelKey) {
        let Some(channel) = self.channels.get(&key) else {
            return;
        };
        let (Phase::Closing { halves, error }, Some(stream)) = (channel.phase, channel.id) else {
            return;
        };
        if halves.are_both_reset() {
            self.release(stream);
            self.finish(key, error);
            self.replay_early(stream);
        }
    }

    pub(super) fn finish(&mut self, key: ChannelKey, error: Option<ChannelError>) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        if channel.phase == Phase::Closed {
            return;
        }
        channel.phase = Phase::Closed;
        self.stats.channels_closed += u64::from(channel.was_open);
        self.event(ChannelEvent::Closed { key, error });
    }
}
