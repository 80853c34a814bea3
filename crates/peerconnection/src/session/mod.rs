//! The whole connection as one state machine, without IO.

mod channels;
mod connectivity;
mod demux;
mod event;
#[cfg(feature = "rtp")]
pub(crate) mod media;
#[cfg(not(feature = "rtp"))]
#[path = "media_off.rs"]
pub(crate) mod media;
pub(crate) mod negotiation;
mod pump;
mod stack;
mod state;
mod stats;
#[cfg(feature = "rtp")]
mod tracks;
pub(crate) mod transports;

pub use self::channels::{DataChannelInfo, IncomingMessage, Payload};
pub use self::event::{SessionEvent, ShellRequest};
#[cfg(feature = "rtp")]
pub(crate) use self::media::SentTrack;
#[cfg(feature = "rtp")]
pub use self::media::{
    IncomingRtcp, IncomingRtp, ReceiverInfo, SenderInfo, TransceiverInfo, TransceiverKey,
};
pub use self::stack::Stack;

use self::media::Transceivers;
use self::negotiation::{Applied, LocalTransport, Negotiation};
use self::state::States;
use self::transports::Transport;
use crate::api::candidate::IceCandidatePair;
use crate::api::description::{SdpType, SessionDescription};
use crate::api::state::{
    IceConnectionState, IceGatheringState, PeerConnectionState, SignalingState,
};
use crate::config::Configuration;
use crate::error::{Error, ErrorKind};
use bytes::Bytes;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use datachannel::{ChannelKey, Channels};
use layer::{
    Bound, Certificate, CertificateParams, Credentials, IceConfig, Input, Interface, RequestId,
    Seed, SocketId, Start, Transmit,
};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

/// One peer connection as a sans-IO state machine: negotiation, layers and data channels.
///
/// It has the four families of `muonrtc-layer`, and is what [`PeerConnection`](crate::PeerConnection)
/// drives on tokio. Use it directly to own sockets, clock and threads yourself:
///
/// - **input**: [`handle_input`](Self::handle_input) for every packet of a socket,
///   [`handle_timeout`](Self::handle_timeout), and the answers to [`ShellRequest`]s;
/// - **verbs**: the W3C's, synchronous, with the time;
/// - **output**: [`poll_event`](Self::poll_event), [`poll_message`](Self::poll_message),
///   [`poll_transmit`](Self::poll_transmit), [`poll_timeout`](Self::poll_timeout), polled until
///   empty after every input and verb, events first so that a channel is known before its messages;
/// - **questions**: the W3C's attributes.
///
/// It leaves out sockets, the clock, the operations chain and back-pressure towards tasks.
pub struct Session {
    start: Start,
    configuration: Configuration,
    stack: Stack,
    waker: Waker,
    rng: ChaCha12Rng,
    certificate: Arc<dyn Certificate>,
    tls_id: String,
    pub(crate) negotiation: Negotiation,
    transport: Option<Transport>,
    pub(crate) media: Transceivers,
    pub(crate) channels: Channels,
    /// The peer's `a=sctp-port`, until the association starts.
    remote_sctp_port: Option<u16>,
    /// The peer's `a=sctp-init`, if both sides have one.
    remote_init: Option<Bytes>,
    /// The peer's `a=max-message-size`; `None` for any size.
    remote_max_message: Option<usize>,
    /// The size of SCTP's send buffer, known when the association is up.
    send_buffer: usize,
    /// Credentials of a restart that a description may carry and that is not applied yet.
    restart: Option<Credentials>,
    /// Fragments that a restart is to replace (webrtc-pc §4.4.1, `[[LocalIceCredentialsToReplace]]`).
    to_replace: Vec<String>,
    negotiation_needed: bool,
    /// A channel was made here once: the next offer has a data section.
    wants_data: bool,
    low_thresholds: BTreeMap<ChannelKey, u32>,
    states: States,
    events: VecDeque<SessionEvent>,
    /// Servers or policy have changed since the last offer.
    reconfigured: bool,
    channels_opened: u32,
    channels_closed: u32,
    closed: bool,
}

impl Session {
    /// A session in state `new`, with its certificate.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidAccess`] if a given certificate has expired or a TURN server has no
    /// credentials, [`ErrorKind::Syntax`] if a server's URL does not parse,
    /// [`ErrorKind::Operation`] if no certificate could be made.
    pub fn new(
        start: Start,
        configuration: Configuration,
        stack: Stack,
        waker: Waker,
    ) -> Result<Self, Error> {
        crate::server::check(&configuration.ice_servers)?;
        // webrtc-pc §4.4.1.1: any of them, also one that would not be presented.
        let given = &configuration.certificates;
        if given.iter().any(|it| it.expires() <= start.wall) {
            let expired = "the certificate has expired";
            return Err(Error::new(ErrorKind::InvalidAccess, expired));
        }
        let certificate = match given.first() {
            Some(certificate) => certificate.clone(),
            None => stack
                .dtls
                .generate_certificate(start, &CertificateParams::default())
                .map_err(|error| {
                    Error::new(ErrorKind::Operation, "no certificate could be made")
                        .with_source(error)
                })?,
        };
        let mut rng = ChaCha12Rng::from_seed(*start.seed.as_bytes());
        rng.set_stream(u64::from_be_bytes(*b"session "));
        let negotiation = Negotiation::new(rng.next_u64() >> 1);
        let tls_id = ice_chars(&mut rng, TLS_ID_LEN);
        Ok(Self {
            start,
            media: Transceivers::new(start, &configuration, &stack),
            configuration,
            stack,
            waker,
            certificate,
            tls_id,
            negotiation,
            transport: None,
            channels: Channels::new(datachannel::Config::default()),
            remote_sctp_port: None,
            remote_init: None,
            remote_max_message: None,
            send_buffer: usize::MAX,
            restart: None,
            to_replace: Vec::new(),
            negotiation_needed: false,
            wants_data: false,
            low_thresholds: BTreeMap::new(),
            states: States::default(),
            events: VecDeque::new(),
            reconfigured: false,
            channels_opened: 0,
            channels_closed: 0,
            closed: false,
            rng,
        })
    }

    // --- input ---

    /// Takes one packet of a socket. Application data is decrypted in place.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        if let Some(transport) = &mut self.transport {
            if let Some(packet) = transport.handle_input(now, input) {
                self.media.handle_packet(now, packet);
            }
            self.pump(now);
        }
    }

    /// Time has come to the instant that [`poll_timeout`](Self::poll_timeout) gave.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(transport) = &mut self.transport {
            transport.handle_timeout(now);
            self.media.handle_timeout(now);
            self.pump(now);
        }
    }

    /// Answers [`ShellRequest::ListInterfaces`]; may be called again when addresses change.
    pub fn interfaces_listed(&mut self, now: Instant, request: RequestId, list: &[Interface]) {
        self.with_transport(now, |transport| {
            transport.ice.interfaces_listed(now, request, list);
        });
    }

    /// Answers [`ShellRequest::Bind`], [`ShellRequest::ListenTcp`] and [`ShellRequest::ConnectDtls`].
    pub fn bound(
        &mut self,
        now: Instant,
        request: RequestId,
        result: Result<Bound, io::ErrorKind>,
    ) {
        self.with_transport(now, |transport| transport.ice.bound(now, request, result));
    }

    /// Answers [`ShellRequest::ConnectTcp`].
    pub fn tcp_connected(
        &mut self,
        now: Instant,
        request: RequestId,
        result: Result<Bound, io::ErrorKind>,
    ) {
        self.with_transport(now, |transport| {
            transport.ice.tcp_connected(now, request, result)
        });
    }

    /// Answers [`ShellRequest::ConnectTcp`] and [`ShellRequest::ConnectDtls`] with a failure of which more
    /// is known than its kind.
    pub fn connect_failed(&mut self, now: Instant, request: RequestId, error: &io::Error) {
        self.with_transport(now, |transport| {
            transport.ice.connect_failed(now, request, error);
        });
    }

    /// What a DTLS session with a server is made with, which is none of the connection's own.
    pub(crate) fn dtls_to_server(&mut self, now: Instant) -> (Arc<dyn layer::NewDtls>, Start) {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let start = Start::new(now, self.start.wall_at(now), Seed::new(seed));
        (Arc::clone(&self.stack.dtls), start)
    }

    /// Answers [`ShellRequest::Resolve`].
    pub fn resolved(&mut self, now: Instant, request: RequestId, addresses: &[IpAddr]) {
        self.with_transport(now, |transport| {
            transport.ice.resolved(now, request, addresses)
        });
    }

    /// A socket is gone.
    pub fn socket_closed(&mut self, now: Instant, socket: SocketId) {
        self.with_transport(now, |transport| transport.ice.socket_closed(now, socket));
    }

    fn with_transport(&mut self, now: Instant, answer: impl FnOnce(&mut Transport)) {
        if let Some(transport) = &mut self.transport {
            answer(transport);
            self.pump(now);
        }
    }

    // --- verbs (descriptions: negotiation/apply.rs, channels: channels.rs) ---

    /// W3C `restartIce`: the next offer carries new credentials.
    pub fn restart_ice(&mut self) {
        let negotiation = &self.negotiation;
        let described = [&negotiation.current_local, &negotiation.pending_local];
        self.to_replace = described
            .into_iter()
            .flatten()
            .filter_map(|applied| applied.username_fragment().map(str::to_owned))
            .collect();
        self.update_negotiation_needed();
    }

    /// W3C `setConfiguration`: other servers and another policy, from the next generation of
    /// candidates on. Nothing else can change.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidModification`] if another policy of bundling or multiplexing, another
    /// certificate, or another size of the pool after a local description is asked for;
    /// [`ErrorKind::Syntax`] and [`ErrorKind::InvalidAccess`] for servers, as in
    /// [`new`](Self::new); [`ErrorKind::InvalidState`] after [`close`](Self::close).
    pub fn set_configuration(&mut self, configuration: Configuration) -> Result<(), Error> {
        self.check_open()?;
        crate::server::check(&configuration.ice_servers)?;
        let own = &self.configuration;
        let der = |configuration: &Configuration| -> Vec<Vec<u8>> {
            let certificates = configuration.certificates.iter();
            certificates.map(|it| it.der().to_vec()).collect()
        };
        let fixed = configuration.bundle_policy == own.bundle_policy
            && configuration.rtcp_mux_policy == own.rtcp_mux_policy
            && (configuration.certificates.is_empty() || der(&configuration) == der(own));
        // pc-009
        let pool_fits = configuration.ice_candidate_pool_size == own.ice_candidate_pool_size
            || self.negotiation.local().is_none();
        #[cfg(feature = "rtp")]
        let fixed = fixed && configuration.capabilities == own.capabilities;
        if !fixed || !pool_fits {
            return Err(Error::new(
                ErrorKind::InvalidModification,
                "only servers and the transport policy can change",
            ));
        }
        // pc-010: the next offer begins a generation that is gathered with them.
        self.reconfigured |= configuration.ice_servers != own.ice_servers
            || configuration.ice_transport_policy != own.ice_transport_policy;
        let certificates = std::mem::take(&mut self.configuration.certificates);
        self.configuration = configuration;
        self.configuration.certificates = certificates;
        let policy = self.configuration.ice_transport_policy.into();
        if let Some(transport) = &mut self.transport {
            let servers = self.configuration.ice_servers.clone();
            transport.ice.reconfigure(servers, policy);
        }
        Ok(())
    }

    /// W3C `close`: immediate. What the layers say as a farewell comes out of
    /// [`poll_transmit`](Self::poll_transmit) once more.
    pub fn close(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        self.closed = true;
        self.media.close(now);
        if let Some(transport) = &mut self.transport {
            transport.close(now);
        }
        self.channels.transport_closed(None);
        self.negotiation.signaling_state = SignalingState::Closed;
        // webrtc-pc §4.4.2.2: closing raises no state events of the connection itself.
        self.states = States::closed();
        self.events
            .retain(|event| matches!(event, SessionEvent::Request(_)));
    }

    // --- output ---

    /// The next event.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        self.events
            .pop_front()
            .or_else(|| self.poll_channel_event())
    }

    /// Writes the next packet, or a run of up to `max_datagrams` packets of one size, into `buf`.
    ///
    /// 4 KiB are enough for all that is sent. With 16 KiB or more the path is probed for larger
    /// packets (RFC 8899).
    pub fn poll_transmit(
        &mut self,
        now: Instant,
        buf: &mut [u8],
        max_datagrams: usize,
    ) -> Option<Transmit> {
        let (transport, media) = (self.transport.as_mut()?, &mut self.media);
        let mut transmit = transport.poll_transmit(now, media, buf, max_datagrams);
        if transmit.is_none() && self.closed {
            // RFC 8656 §8: relays are given back, behind the goodbyes that went through them.
            transport.ice.close(now);
            transmit = transport.poll_transmit(now, media, buf, max_datagrams);
        }
        if transmit.is_some() {
            return transmit;
        }
        // What has left the buffers may be an event, and a layer with tasks of its own may have
        // told something since: both can make output.
        self.pump(now);
        let (transport, media) = (self.transport.as_mut()?, &mut self.media);
        transport.poll_transmit(now, media, buf, max_datagrams)
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let transport = self.transport.as_ref()?.poll_timeout();
        [transport, self.media.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    // --- questions ---

    /// W3C `localDescription`, with the candidates gathered so far.
    #[must_use]
    pub fn local_description(&self) -> Option<SessionDescription> {
        self.negotiation
            .local()
            .map(|applied| self.with_candidates(applied))
    }

    /// W3C `remoteDescription`.
    #[must_use]
    pub fn remote_description(&self) -> Option<SessionDescription> {
        self.negotiation.remote().map(Applied::as_set)
    }

    /// W3C `currentLocalDescription`.
    #[must_use]
    pub fn current_local_description(&self) -> Option<SessionDescription> {
        self.negotiation
            .current_local
            .as_ref()
            .map(|applied| self.with_candidates(applied))
    }

    /// W3C `pendingLocalDescription`.
    #[must_use]
    pub fn pending_local_description(&self) -> Option<SessionDescription> {
        self.negotiation
            .pending_local
            .as_ref()
            .map(|applied| self.with_candidates(applied))
    }

    /// W3C `currentRemoteDescription`.
    #[must_use]
    pub fn current_remote_description(&self) -> Option<SessionDescription> {
        self.negotiation
            .current_remote
            .as_ref()
            .map(Applied::as_set)
    }

    /// W3C `pendingRemoteDescription`.
    #[must_use]
    pub fn pending_remote_description(&self) -> Option<SessionDescription> {
        self.negotiation
            .pending_remote
            .as_ref()
            .map(Applied::as_set)
    }

    /// W3C `signalingState`.
    #[must_use]
    pub fn signaling_state(&self) -> SignalingState {
        self.negotiation.signaling_state
    }

    /// W3C `iceGatheringState`.
    #[must_use]
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        self.states.gathering
    }

    /// W3C `iceConnectionState`.
    #[must_use]
    pub fn ice_connection_state(&self) -> IceConnectionState {
        self.states.ice
    }

    /// W3C `connectionState`.
    #[must_use]
    pub fn connection_state(&self) -> PeerConnectionState {
        self.states.connection
    }

    /// W3C `canTrickleIceCandidates`; `None` before a remote description.
    #[must_use]
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        self.negotiation.remote().map(Applied::can_trickle)
    }

    /// Whether an offer and answer are needed now (webrtc-pc §4.7.3).
    #[must_use]
    pub fn is_negotiation_needed(&self) -> bool {
        self.negotiation_needed
    }

    /// Whether a data section is negotiated.
    #[must_use]
    pub fn has_data(&self) -> bool {
        self.negotiation.has_data()
    }

    /// Whether [`close`](Self::close) was called.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// The selected pair.
    #[must_use]
    pub fn selected_candidate_pair(&self) -> Option<IceCandidatePair> {
        let pair = self.transport.as_ref()?.ice.selected_pair()?;
        Some(self.candidate_pair(&pair))
    }

    /// The layers' own counters and states, once they exist.
    #[must_use]
    pub fn layers(&self) -> Option<Layers<'_>> {
        self.transport.as_ref().map(|transport| Layers {
            ice: &*transport.ice,
            dtls: &*transport.dtls,
            sctp: &*transport.sctp,
        })
    }

    pub(crate) fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// dc-020: the largest message that may be sent, in bytes: what the peer takes, and what our
    /// send buffer holds.
    pub(crate) fn max_message_size(&self) -> usize {
        self.remote_max_message
            .unwrap_or(usize::MAX)
            .min(self.send_buffer)
    }

    // --- inside ---

    fn check_open(&self) -> Result<(), Error> {
        if self.closed {
            Err(Error::closed())
        } else {
            Ok(())
        }
    }

    /// Makes the layers, once.
    fn ensure_transport(&mut self) -> Result<&mut Transport, Error> {
        let transport = match self.transport.take() {
            Some(transport) => transport,
            None => {
                let mut ice = IceConfig::new(self.waker.clone());
                ice.servers.clone_from(&self.configuration.ice_servers);
                ice.policy = self.configuration.ice_transport_policy.into();
                let certificate = self.certificate.clone();
                let (stack, waker) = (&self.stack, &self.waker);
                let max_message = self.configuration.max_message_size;
                Transport::new(stack, self.start, certificate, ice, max_message, waker)
                    .map_err(Error::from_dtls)?
            }
        };
        Ok(self.transport.insert(transport))
    }

    /// What a description of ours says about the transport.
    fn local_transport(&mut self) -> Result<LocalTransport, Error> {
        let ice = &self.ensure_transport()?.ice;
        let (current, lite) = (ice.local_credentials().clone(), ice.is_lite());
        let check_interval = ice.check_interval();
        Ok(LocalTransport {
            credentials: self.restart.clone().unwrap_or(current),
            lite,
            check_interval,
            fingerprints: self.certificate.fingerprints(),
            tls_id: self.tls_id.clone(),
            init: self.local_init(),
            max_message: self.configuration.max_message_size,
        })
    }

    /// ice-015: 24 random bits for the fragment and 128 for the password at least.
    fn draw_restart(&mut self) {
        let started = self
            .transport
            .as_ref()
            .is_some_and(|t| t.ice.remote_credentials().is_some());
        if started && self.restart.is_none() {
            let fragment = ice_chars(&mut self.rng, 8);
            self.restart = Some(Credentials::new(fragment, ice_chars(&mut self.rng, 24)));
        }
    }

    /// One side refused the data section, or took it away. Where none was offered or agreed on,
    /// nothing is lost: channels wait for a negotiation that has one.
    fn lose_data(&mut self, now: Instant) {
        if !self.negotiation.has_data() && !self.negotiation.offers_data() {
            return;
        }
        if let Some(transport) = &mut self.transport {
            transport.sctp.abort(now, "the data section was rejected");
        }
        self.channels.transport_closed(None);
    }

    /// No section is left: the layers end, and sections that come later get new ones
    /// (RFC 9429 §5.11).
    fn end_transport(&mut self, now: Instant) {
        let Some(transport) = &mut self.transport else {
            return;
        };
        transport.ice.close(now);
        // Its sockets are given back.
        self.pump(now);
        self.transport = None;
        self.media.transport_ended();
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        self.start.seed = Seed::new(seed);
        self.states.transport_ended(&mut self.events);
    }

    /// Whether audio and video want an exchange (webrtc-pc §4.7.3).
    fn media_needs_negotiation(&self) -> bool {
        let negotiation = &self.negotiation;
        let local = negotiation.current_local.as_ref();
        let remote = negotiation.current_remote.as_ref();
        self.media.is_negotiation_needed(
            local.map(|applied| &applied.description),
            remote.map(|applied| &applied.description),
            local.is_some_and(|applied| applied.kind != SdpType::Offer),
        )
    }

    /// pc-025: channels, audio and video, and restarts.
    pub(crate) fn update_negotiation_needed(&mut self) {
        let stable = self.negotiation.signaling_state == SignalingState::Stable;
        let needed = stable
            && !self.closed
            && ((self.wants_data && !self.negotiation.has_data())
                || !self.to_replace.is_empty()
                || self.media_needs_negotiation());
        if needed && !self.negotiation_needed {
            self.events.push_back(SessionEvent::NegotiationNeeded);
        }
        self.negotiation_needed = needed;
    }
}

/// The layers of a session, to be asked.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Layers<'a> {
    /// The ICE agent.
    pub ice: &'a dyn layer::Ice,
    /// The DTLS session.
    pub dtls: &'a dyn layer::Dtls,
    /// The SCTP association.
    pub sctp: &'a dyn layer::Sctp,
}

/// sdp-020: 120 random bits at least; 6 bits a character.
const TLS_ID_LEN: usize = 24;

/// Random ice-chars (RFC 8839 §5.1), 6 bits each; all of them are fit for a tls-id too.
fn ice_chars(rng: &mut ChaCha12Rng, len: usize) -> String {
    const CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = vec![0; len];
    rng.fill_bytes(&mut bytes);
    bytes
        .into_iter()
        .map(|byte| char::from(CHARS[usize::from(byte & 63)]))
        .collect()
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("signaling_state", &self.negotiation.signaling_state)
            .field("states", &self.states)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Layers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layers")
            .field("ice", &self.ice.state())
            .field("dtls", &self.dtls.state())
            .field("sctp", &self.sctp.state())
            .finish()
    }
}
