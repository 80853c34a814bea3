//! One bundled transport: ICE, DTLS and SCTP glued together, and only here.

mod dtls;
mod ice;
mod sctp;
#[cfg(feature = "rtp")]
mod srtp;

use super::demux::{self, Kind};
use super::media::Transceivers;
use layer::{
    Certificate, DtlsConfig, End, IceConfig, Input, Received, SctpConfig, Start, Transmit,
};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

pub(crate) use self::ice::{default_candidate, layer_candidate, sdp_candidate};

/// The largest datagram that is made without a probe of the path; the buffer for one.
pub(crate) const MAX_DATAGRAM: usize = 2048;

/// What the layers above ICE put into a datagram that no probe went before (RFC 8261 §4). It is the
/// same for every route that carries it: a connection may go on over IPv6 or a relay at any time,
/// and what SCTP has sent once cannot be cut again for a route that takes less (RFC 9260 §6.9).
pub(crate) const MAX_PAYLOAD: usize = 1200;

/// The largest datagram that SCTP fills on a path that carries it (RFC 8899). It holds several
/// chunks, each of which goes on in a datagram of [`MAX_PAYLOAD`] if the path becomes another one.
pub(crate) const MAX_PROBED: usize = 8192;

/// The layers below the data channels.
pub(crate) struct Transport {
    pub(crate) ice: Box<dyn layer::Ice>,
    pub(crate) dtls: Box<dyn layer::Dtls>,
    pub(crate) sctp: Box<dyn layer::Sctp>,
    /// A sealed datagram that was too large for the run being built; it starts the next one.
    carry: Vec<u8>,
    /// Sealed farewells of a closing transport, at most [`MAX_FAREWELLS`].
    farewells: Vec<Vec<u8>>,
    /// How the secure transport ended.
    pub(crate) dtls_end: Option<End>,
    /// Packets that belong to no layer here.
    pub(crate) undemuxed: u64,
}

/// An SCTP ABORT, a DTLS alert, and one more of each.
const MAX_FAREWELLS: usize = 4;

impl Transport {
    /// All layers in their first state.
    pub(crate) fn new(
        stack: &super::Stack,
        start: Start,
        certificate: Arc<dyn Certificate>,
        ice: IceConfig,
        max_message: usize,
        waker: &Waker,
    ) -> Result<Self, layer::DtlsError> {
        let mut dtls_config = DtlsConfig::new(certificate, waker.clone());
        #[cfg(feature = "rtp")]
        {
            // Asked for also where there is only data so far: media may be added later, over the
            // same association (RFC 8842 §4).
            dtls_config.srtp_profiles = stack.srtp.profiles().to_vec();
        }
        dtls_config.max_datagram = MAX_PAYLOAD;
        let dtls = stack.dtls.new_dtls(start, dtls_config)?;
        let mut sctp_config = SctpConfig::new(waker.clone());
        sctp_config.max_packet = MAX_PAYLOAD - dtls.overhead();
        sctp_config.max_message = max_message;
        // What no channel takes whole comes in parts.
        let whole = datachannel::Config::default().max_message_len;
        sctp_config.partial_delivery = (max_message > whole).then_some(whole);
        sctp_config.authenticated = true;
        Ok(Self {
            ice: stack.ice.new_ice(start, ice),
            sctp: stack.sctp.new_sctp(start, sctp_config),
            dtls,
            carry: Vec::new(),
            farewells: Vec::new(),
            dtls_end: None,
            undemuxed: 0,
        })
    }

    /// One packet, through all layers up to SCTP; one of audio or video is given back.
    pub(crate) fn handle_input<'a>(
        &mut self,
        now: Instant,
        input: Input<'a>,
    ) -> Option<&'a mut [u8]> {
        let reborrowed = {
            let mut inner = Input::new(input.socket, input.local, input.remote, &mut *input.bytes);
            inner.protocol = input.protocol;
            inner.ecn = input.ecn;
            self.ice.handle_input(now, inner)
        };
        let Received::Data { range } = reborrowed else {
            return None;
        };
        let packet = input.bytes.get_mut(range)?;
        match demux::kind(packet) {
            Kind::Dtls => self.handle_dtls(now, packet),
            Kind::Rtp => return Some(packet),
            Kind::Unknown => self.undemuxed += 1,
        }
        None
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.ice.handle_timeout(now);
        self.dtls.handle_timeout(now);
        self.sctp.handle_timeout(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let timeouts = [
            self.ice.poll_timeout(),
            self.dtls.poll_timeout(),
            self.sctp.poll_timeout(),
        ];
        timeouts.into_iter().flatten().min()
    }

    /// The next packet or run of packets: checks first, then handshakes, then what audio and video
    /// repair and report, then data.
    pub(crate) fn poll_transmit(
        &mut self,
        now: Instant,
        media: &mut Transceivers,
        buf: &mut [u8],
        max_datagrams: usize,
    ) -> Option<Transmit> {
        if let Some(transmit) = self.ice.poll_transmit(now, buf) {
            return Some(transmit);
        }
        let route = self.ice.route()?;
        let headroom = route.headroom;
        let room = buf.len().checked_sub(headroom + route.tailroom)?;
        let limit = room.min(route.max_payload).min(MAX_PAYLOAD);
        let written = match self.farewells.is_empty() {
            false => take_farewell(&mut self.farewells, &mut buf[headroom..headroom + limit]),
            true => {
                let room = &mut buf[headroom..headroom + limit];
                let handshake = self.dtls.poll_transmit(now, room);
                handshake.or_else(|| media.poll_transmit(now, room))
            }
        };
        if let Some(len) = written {
            return self.wrap(now, buf, headroom, len, None);
        }
        let max_datagrams = if headroom == 0 && route.tailroom == 0 {
            max_datagrams
        } else {
            1
        };
        let (len, segment_size) = self.seal_run(
            now,
            &mut buf[headroom..headroom + room],
            room.min(route.max_probe).min(MAX_PROBED),
            max_datagrams,
        )?;
        self.wrap(now, buf, headroom, len, segment_size)
    }

    pub(crate) fn wrap(
        &mut self,
        now: Instant,
        buf: &mut [u8],
        headroom: usize,
        len: usize,
        segment_size: Option<usize>,
    ) -> Option<Transmit> {
        let (range, mut transmit) =
            self.ice
                .wrap(now, buf, headroom..headroom + len, segment_size)?;
        transmit.len = range.len();
        transmit.segment_size = segment_size;
        if range.start != 0 {
            buf.copy_within(range, 0);
        }
        Some(transmit)
    }

    /// Says goodbye in every layer. What is still to be sent comes out of `poll_transmit`.
    pub(crate) fn close(&mut self, now: Instant) {
        self.sctp.abort(now, "closed");
        let mut buf = [0; 2 * MAX_DATAGRAM];
        while self.farewells.len() < MAX_FAREWELLS {
            let Some((len, _)) = self.seal_run(now, &mut buf, MAX_PAYLOAD, 1) else {
                break;
            };
            self.farewells.push(buf[..len].to_vec());
        }
        self.dtls.close(now);
        while self.farewells.len() < MAX_FAREWELLS {
            let Some(len) = self.dtls.poll_transmit(now, &mut buf) else {
                break;
            };
            self.farewells.push(buf[..len].to_vec());
        }
    }
}

/// Moves the oldest farewell into `out`.
fn take_farewell(farewells: &mut Vec<Vec<u8>>, out: &mut [u8]) -> Option<usize> {
    let farewell = farewells.remove(0);
    out.get_mut(..farewell.len())?.copy_from_slice(&farewell);
    Some(farewell.len())
}
