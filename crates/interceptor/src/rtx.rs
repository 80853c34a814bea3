//! The retransmission payload format (RFC 4588 §4).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         RTP Header                            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |            OSN                |                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               |
//! |                  Original RTP Packet Payload                  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::{Direction, Interest, Rtx, Stage, Stream, Verdict};
use bytes::{Buf, BufMut, BytesMut};
use rtp::{Extensions, Packet};
use std::collections::BTreeMap;
use std::time::Instant;

/// The original sequence number, in bytes.
const OSN_LEN: usize = 2;

/// The ids of RtpStreamId and RepairedRtpStreamId.
#[derive(Clone, Copy, Debug)]
struct RidIds {
    rid: u8,
    repaired: u8,
}

impl RidIds {
    fn of(stream: &Stream) -> Option<Self> {
        Some(Self {
            rid: stream.rid_id?,
            repaired: stream.repaired_rid_id?,
        })
    }
}

/// Puts packets of one outgoing stream on its retransmission stream.
#[derive(Debug)]
pub(crate) struct Wrapper {
    rtx: Rtx,
    rids: Option<RidIds>,
    next_sequence_number: u16,
}

impl Wrapper {
    /// The wrapper of a stream; its sequence numbers go on where those of `before` end if the SSRC
    /// is still the same. The first is 0: SRTP encrypts it, so it need not be random (RFC 3711
    /// §3.3.1 wants it low).
    pub(crate) fn for_stream(stream: &Stream, before: Option<Self>) -> Option<Self> {
        let rtx = stream.rtx.clone()?;
        let same = before.filter(|before| before.rtx.ssrc == rtx.ssrc);
        Some(Self {
            rtx,
            rids: RidIds::of(stream),
            next_sequence_number: same.map_or(0, |before| before.next_sequence_number),
        })
    }

    /// The retransmission of a packet (rtp-029, rtp-030): timestamp, marker, contributing sources
    /// and header extensions are the original's. `None` if its payload type has no retransmissions.
    pub(crate) fn wrap(&mut self, original: &Packet) -> Option<Packet> {
        let payload_type = self.rtx.wrapped(original.header.payload_type)?;
        let mut header = original.header.clone();
        let mut payload = BytesMut::with_capacity(OSN_LEN + original.payload.len());
        payload.put_u16(header.sequence_number);
        payload.put_slice(&original.payload);
        header.payload_type = payload_type;
        header.ssrc = self.rtx.ssrc;
        header.sequence_number = self.next_sequence_number;
        self.next_sequence_number = self.next_sequence_number.wrapping_add(1);
        if let Some(RidIds { rid, repaired }) = self.rids {
            // RFC 8852 §3.
            rename(&mut header.extensions, rid, repaired);
        }
        Some(Packet::new(header, payload))
    }
}

/// Unwraps the retransmissions of incoming streams, where they are.
#[derive(Debug, Default)]
pub struct Retransmissions {
    /// By the SSRC of the retransmissions.
    streams: BTreeMap<u32, Unwrapper>,
}

#[derive(Debug)]
struct Unwrapper {
    media_ssrc: u32,
    rtx: Rtx,
    rids: Option<RidIds>,
}

impl Retransmissions {
    /// Without streams.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn forget(&mut self, media_ssrc: u32) {
        self.streams
            .retain(|_, stream| stream.media_ssrc != media_ssrc);
    }
}

impl Unwrapper {
    /// Makes the original of a retransmission. A packet without a payload was a probe and is
    /// nothing (rtp-034).
    fn unwrap(&self, packet: &mut Packet) -> Verdict {
        let media = self.rtx.unwrapped(packet.header.payload_type);
        let (Some(payload_type), true) = (media, packet.payload.len() > OSN_LEN) else {
            return Verdict::Drop;
        };
        packet.header.payload_type = payload_type;
        packet.header.ssrc = self.media_ssrc;
        packet.header.sequence_number = packet.payload.get_u16();
        if let Some(RidIds { rid, repaired }) = self.rids {
            rename(&mut packet.header.extensions, repaired, rid);
        }
        Verdict::Pass
    }
}

impl Stage for Retransmissions {
    fn bind(&mut self, _: Instant, stream: &Stream) -> Interest {
        if stream.direction == Direction::Outgoing {
            return Interest::Nothing;
        }
        self.forget(stream.ssrc);
        let Some(rtx) = &stream.rtx else {
            return Interest::Nothing;
        };
        self.streams.insert(
            rtx.ssrc,
            Unwrapper {
                media_ssrc: stream.ssrc,
                rtx: rtx.clone(),
                rids: RidIds::of(stream),
            },
        );
        Interest::Quiet
    }

    fn unbind(&mut self, direction: Direction, ssrc: u32) {
        if direction == Direction::Incoming {
            self.forget(ssrc);
        }
    }

    fn handle_incoming(&mut self, _: Instant, packet: &mut Packet) -> Verdict {
        match self.streams.get(&packet.header.ssrc) {
            Some(stream) => stream.unwrap(packet),
            None => Verdict::Pass,
        }
    }
}

/// Gives the element `from` the id `to`.
fn rename(extensions: &mut Extensions, from: u8, to: u8) {
    if extensions.get(from).is_some() {
        extensions.remove(to);
        extensions.remap(|id| Some(if id == from { to } else { id }));
    }
}
