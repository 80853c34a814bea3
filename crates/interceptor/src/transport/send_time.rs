use crate::start::WallClock;
use crate::{Direction, Interest, PipelineStart, Stage, Stream, Verdict};
use rtp::Packet;
use std::collections::BTreeMap;
use std::time::Instant;

/// Writes the absolute send time on outgoing streams that have the extension: 24 bits of seconds,
/// 18 of them fraction, from which receivers without transport-wide feedback estimate.
#[derive(Debug)]
pub struct AbsoluteSendTime {
    wall: WallClock,
    /// The id of the extension, by SSRC, and the SSRC of the media.
    streams: BTreeMap<u32, (u8, u32)>,
}

impl AbsoluteSendTime {
    /// Without streams.
    #[must_use]
    pub fn new(start: &PipelineStart) -> Self {
        Self {
            wall: WallClock::new(start),
            streams: BTreeMap::new(),
        }
    }
}

impl Stage for AbsoluteSendTime {
    fn bind(&mut self, _: Instant, stream: &Stream) -> Interest {
        if stream.direction == Direction::Incoming {
            return Interest::Nothing;
        }
        self.unbind(Direction::Outgoing, stream.ssrc);
        if let Some(id) = stream.absolute_send_time_id {
            let rtx = stream.rtx.as_ref().map(|rtx| rtx.ssrc);
            for ssrc in [Some(stream.ssrc), rtx].into_iter().flatten() {
                self.streams.insert(ssrc, (id, stream.ssrc));
            }
        }
        Interest::quiet_if(stream.absolute_send_time_id.is_some())
    }

    fn unbind(&mut self, direction: Direction, ssrc: u32) {
        if direction == Direction::Outgoing {
            self.streams.retain(|_, (_, media)| *media != ssrc);
        }
    }

    fn handle_outgoing(&mut self, now: Instant, packet: &mut Packet) -> Verdict {
        if let Some(&(id, _)) = self.streams.get(&packet.header.ssrc) {
            // 6 bits of seconds and 18 of fraction out of the 32 and 32 of NTP.
            let [.., a, b, c] = (self.wall.at(now).0 >> 14).to_be_bytes();
            // Only an id of 0 is refused, and nothing negotiates one.
            let _ = packet.header.extensions.set(id, &[a, b, c]);
        }
        Verdict::Pass
    }
}
