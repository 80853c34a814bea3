use crate::{
    Candidate, CandidateError, Ecn, End, IceServer, IceStats, Protocol, SocketId, Start, Transmit,
    TransportPolicy,
};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::task::Waker;
use std::time::{Duration, Instant};

/// The time between two checks of an agent that proposes nothing else (RFC 8445 §14.2).
pub const DEFAULT_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Makes ICE agents. Settings that belong to ICE live on the factory, not here.
pub trait NewIce: Send + Sync + fmt::Debug {
    /// A new agent in the state [`IceState::New`], with credentials of its own.
    fn new_ice(&self, start: Start, config: IceConfig) -> Box<dyn Ice>;
}

/// What the connection tells a new agent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IceConfig {
    /// STUN and TURN servers to gather from.
    pub servers: Vec<IceServer>,
    /// Which candidates may be used.
    pub policy: TransportPolicy,
    /// Wakes the owner when the agent has output that no call of the owner made.
    pub waker: Waker,
}

impl IceConfig {
    /// No servers, every candidate allowed.
    #[must_use]
    pub fn new(waker: Waker) -> Self {
        Self {
            servers: Vec::new(),
            policy: TransportPolicy::All,
            waker,
        }
    }
}

/// An ICE agent for one component (RFC 8445): it gathers, checks, selects, and keeps consent.
///
/// An agent never touches the operating system. What it needs from there it asks for with an event
/// that carries a [`RequestId`], and the owner answers with the verb of the same name. An
/// unanswered request delays gathering and nothing else.
///
/// # Data
///
/// Until a pair is valid [`route`](Ice::route) is `None` and the layers above keep their output.
/// Data received on a 5-tuple on which no authenticated check has been seen is dropped and
/// counted, so that nothing above this layer sees a stranger's bytes.
pub trait Ice: Send {
    // --- input ---

    /// Takes one datagram, or one unframed packet of a stream.
    ///
    /// A packet that is STUN (RFC 7983 §7) is the agent's own. One that belongs to a relay is
    /// unwrapped in place. Anything else is data for the layers above, in the returned range.
    fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Received;

    /// Time has come to the instant that [`poll_timeout`](Ice::poll_timeout) gave, or passed it.
    /// Early calls do nothing.
    fn handle_timeout(&mut self, now: Instant);

    // --- answers to requests ---

    /// Answers [`IceEvent::ListInterfaces`]. May be called again, unasked, whenever addresses come or go.
    fn interfaces_listed(&mut self, now: Instant, request: RequestId, interfaces: &[Interface]);

    /// Answers [`IceEvent::Bind`], [`IceEvent::ListenTcp`] and [`IceEvent::ConnectDtls`].
    fn bound(&mut self, now: Instant, request: RequestId, result: Result<Bound, io::ErrorKind>);

    /// Answers [`IceEvent::ConnectTcp`]; also tells of a connection that a listener accepted, with
    /// the request of [`IceEvent::ListenTcp`].
    fn tcp_connected(
        &mut self,
        now: Instant,
        request: RequestId,
        result: Result<Bound, io::ErrorKind>,
    ) {
        let _ = (now, request, result);
    }

    /// Answers [`IceEvent::ConnectTcp`] and [`IceEvent::ConnectDtls`] where there is no connection and
    /// more is known of it than a kind, such as what is wrong with a server's certificate. An agent
    /// that does not tell it to anybody takes the kind alone.
    fn connect_failed(&mut self, now: Instant, request: RequestId, error: &io::Error) {
        self.tcp_connected(now, request, Err(error.kind()));
    }

    /// A socket is gone: closed by the peer, or failed.
    fn socket_closed(&mut self, now: Instant, socket: SocketId) {
        let _ = (now, socket);
    }

    /// Answers [`IceEvent::Resolve`]. An empty list means the name has no address.
    fn resolved(&mut self, now: Instant, request: RequestId, addresses: &[IpAddr]) {
        let _ = (now, request, addresses);
    }

    // --- verbs ---

    /// Starts gathering for the current generation. Does nothing if it was started already.
    fn gather(&mut self, now: Instant);

    /// Starts gathering before anybody needs candidates (the candidate pool, RFC 9429 §3.5.4). What it
    /// finds is told when [`gather`](Ice::gather) is called. An agent that cannot leaves it.
    fn gather_ahead(&mut self, now: Instant) {
        let _ = now;
    }

    /// Sets our role. The initiator controls unless the peer is lite (RFC 8445 §6.1.1); a role
    /// conflict is solved by the agents themselves and told by [`IceEvent::RoleChange`].
    fn set_role(&mut self, now: Instant, role: IceRole);

    /// Sets what the peer signalled; checks start as soon as there are candidates on both sides.
    /// Other credentials than before begin a new remote generation (RFC 8445 §9).
    ///
    /// # Errors
    ///
    /// [`IceError::Credentials`] if they break the grammar of RFC 8839 §5.4.
    fn set_remote_credentials(
        &mut self,
        now: Instant,
        credentials: Credentials,
        lite: bool,
    ) -> Result<(), IceError>;

    /// Sets how much time between two checks the peer proposes, its default where it proposes
    /// nothing (RFC 8839 §5.5); the larger of both proposals counts from now on (RFC 8445 §14.2).
    fn set_remote_check_interval(&mut self, interval: Duration) {
        let _ = interval;
    }

    /// Adds a candidate of the peer. One whose address is a name is resolved first; one that
    /// cannot be used (another family, another component, an unknown transport) is dropped and
    /// counted, as RFC 8839 §5.1 asks.
    ///
    /// # Errors
    ///
    /// [`IceError::UnknownGeneration`] if the candidate names a user name fragment that is not the
    /// peer's current one; [`IceError::TooManyCandidates`] beyond the agent's bound.
    fn add_remote_candidate(&mut self, now: Instant, candidate: Candidate) -> Result<(), IceError>;

    /// The peer has no more candidates in this generation (RFC 8838 §14).
    fn end_of_remote_candidates(&mut self, now: Instant);

    /// Begins a new generation with these credentials (RFC 8445 §9). The caller makes them, so
    /// that an offer can carry them before it is applied. Data keeps flowing on the selected pair
    /// until the new generation has one. Gathering starts anew with [`gather`](Ice::gather).
    ///
    /// # Errors
    ///
    /// [`IceError::Credentials`] if they break the grammar of RFC 8839 §5.4 or are the current ones.
    fn restart(&mut self, now: Instant, credentials: Credentials) -> Result<(), IceError>;

    /// Other servers or another policy, from the next gathering on.
    fn reconfigure(&mut self, servers: Vec<IceServer>, policy: TransportPolicy) {
        let _ = (servers, policy);
    }

    /// The peer has said goodbye in a layer above: its consent ends at once (RFC 7675 §5.2). Nothing
    /// is sent any more, and the state becomes [`IceState::Failed`].
    fn revoke_consent(&mut self, now: Instant) {
        let _ = now;
    }

    /// Ends at once. Relays are given back as far as one last burst of output allows.
    fn close(&mut self, now: Instant);

    // --- output ---

    /// Writes the next packet into `buf` and says where it goes; `None` when there is none.
    /// `buf` holds at least 1500 bytes; a larger packet is never made.
    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit>;

    /// When [`handle_timeout`](Ice::handle_timeout) wants to be called; `None`: not before another input.
    fn poll_timeout(&self) -> Option<Instant>;

    /// The next event, in the order they happened.
    fn poll_event(&mut self) -> Option<IceEvent>;

    /// Puts `payload` (a range of `buf` written at [`Route::headroom`] with [`Route::tailroom`]
    /// bytes free behind it) on the selected path, in place, and returns the range of the packet
    /// and where it goes. `None` when there is no route any more, or the payload does not fit.
    ///
    /// A direct path leaves the bytes alone; a relayed one puts ChannelData or a Send indication
    /// around them. When `segment_size` is set, `payload` is a run of equal datagrams and is only
    /// accepted on a path without headroom.
    fn wrap(
        &mut self,
        now: Instant,
        buf: &mut [u8],
        payload: Range<usize>,
        segment_size: Option<usize>,
    ) -> Option<(Range<usize>, Transmit)>;

    // --- questions ---

    /// The state of the checks.
    fn state(&self) -> IceState;

    /// The state of gathering in the current generation.
    fn gathering_state(&self) -> GatheringState;

    /// Whether we are a lite agent, which descriptions have to say (RFC 8839 §5.3).
    fn is_lite(&self) -> bool {
        false
    }

    /// How much time between two checks we propose, which descriptions have to say unless it is the
    /// default (RFC 8445 §14.2).
    fn check_interval(&self) -> Duration {
        DEFAULT_CHECK_INTERVAL
    }

    /// Whether we follow and send renominations, which descriptions have to say
    /// (draft-thatcher-ice-renomination §5).
    fn renominates(&self) -> bool {
        false
    }

    /// Our role, once known.
    fn role(&self) -> Option<IceRole>;

    /// Our credentials in the current generation.
    fn local_credentials(&self) -> &Credentials;

    /// The peer's, once set.
    fn remote_credentials(&self) -> Option<&Credentials>;

    /// The candidates gathered so far in this generation.
    fn local_candidates(&self) -> Vec<Candidate>;

    /// The peer's candidates, peer-reflexive ones included.
    fn remote_candidates(&self) -> Vec<Candidate>;

    /// Where data goes now: the selected pair, or before nomination the best valid one
    /// (RFC 8445 §12). `None` before a pair is valid and after consent is lost.
    fn route(&self) -> Option<Route>;

    /// The selected pair, once there is one.
    fn selected_pair(&self) -> Option<CandidatePair>;

    /// Counters and what every pair has been through.
    fn stats(&self) -> IceStats;

    /// Whether data that comes on this socket from there would be taken: a check between the two has
    /// been authenticated. The owner of a shared socket asks it once for each path.
    fn validates(&self, socket: SocketId, remote: SocketAddr) -> bool {
        let is_route = |route: Route| (route.socket, route.remote) == (socket, remote);
        self.route().is_some_and(is_route)
            || self.stats().pairs.iter().any(|pair| {
                pair.pair.remote.socket_addr() == Some(remote)
                    && pair.requests_received + pair.responses_received > 0
            })
    }

    /// The user name fragments under which a packet that reaches a shared socket is ours: the
    /// current one, and the one before while it still has traffic.
    fn claims(&self) -> Vec<String> {
        vec![self.local_credentials().username_fragment.clone()]
    }
}

/// One packet as the shell received it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Input<'a> {
    /// The socket it came in on.
    pub socket: SocketId,
    /// What that socket speaks.
    pub protocol: Protocol,
    /// The address it was sent to: a base of ours.
    pub local: SocketAddr,
    /// Where it came from.
    pub remote: SocketAddr,
    /// Its congestion notification bits, where the system tells them.
    pub ecn: Option<Ecn>,
    /// The packet. Relayed data is unwrapped in place.
    pub bytes: &'a mut [u8],
}

impl<'a> Input<'a> {
    /// A UDP datagram.
    #[must_use]
    pub fn new(
        socket: SocketId,
        local: SocketAddr,
        remote: SocketAddr,
        bytes: &'a mut [u8],
    ) -> Self {
        Self {
            socket,
            protocol: Protocol::Udp,
            local,
            remote,
            ecn: None,
            bytes,
        }
    }
}

/// What became of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// It was the agent's own, or was dropped and counted.
    Consumed,
    /// It is data for the layers above, from a 5-tuple that a check has authenticated.
    Data {
        /// Where in the packet the data lies.
        range: Range<usize>,
    },
}

/// Matches a request of the agent with the owner's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// One address of one network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interface {
    /// The system's name for it.
    pub name: String,
    /// The address.
    pub address: IpAddr,
    /// The index that a link-local IPv6 address needs as its scope; 0 if unknown.
    pub index: u32,
    /// Whether it is a loopback interface.
    pub loopback: bool,
    /// Whether the address is a temporary (privacy) one (RFC 8981).
    pub temporary: bool,
    /// Whether packets to the world leave from this address: the default route of its family.
    pub default_route: bool,
}

impl Interface {
    /// A permanent address; whether it is loopback is read from the address.
    #[must_use]
    pub fn new(name: impl Into<String>, address: IpAddr) -> Self {
        Self {
            name: name.into(),
            address,
            index: 0,
            loopback: address.is_loopback(),
            temporary: false,
            default_route: false,
        }
    }
}

/// A socket that the shell has made for the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bound {
    /// Its name from now on.
    pub socket: SocketId,
    /// The local address it got, never unspecified.
    pub local: SocketAddr,
    /// What the shell puts around each packet on this socket at most, in bytes. Default 0.
    pub overhead: usize,
}

impl Bound {
    /// A socket that carries packets as they are.
    #[must_use]
    pub fn new(socket: SocketId, local: SocketAddr) -> Self {
        Self {
            socket,
            local,
            overhead: 0,
        }
    }
}

/// How packets lie in a TCP or TLS stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Framing {
    /// Each behind a length of 16 bits (RFC 4571 §2): to a peer.
    #[default]
    Length,
    /// One behind the other: STUN and ChannelData tell their own length (RFC 8656 §12.5), and
    /// ChannelData is padded to a multiple of four bytes. To a STUN or TURN server.
    Stun,
}

/// What the agent tells, and what it asks of the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IceEvent {
    /// Asks for the addresses of this host; answered by [`Ice::interfaces_listed`].
    ListInterfaces {
        /// For the answer.
        request: RequestId,
    },
    /// Asks for a UDP socket; answered by [`Ice::bound`].
    Bind {
        /// For the answer.
        request: RequestId,
        /// The address to bind; port 0 for any.
        local: SocketAddr,
        /// The ports to try when `local` has port 0; `None` for any.
        ports: Option<(u16, u16)>,
    },
    /// Asks for a TCP connection; answered by [`Ice::tcp_connected`].
    ConnectTcp {
        /// For the answer.
        request: RequestId,
        /// The address to connect from; port 0 for any.
        local: SocketAddr,
        /// Where to.
        remote: SocketAddr,
        /// How packets lie in the stream.
        framing: Framing,
        /// The name that the server's certificate must carry, where the stream is TLS (`turns:`,
        /// `stuns:`); `None` for plain TCP.
        server_name: Option<String>,
    },
    /// Asks for a UDP socket of its own that speaks DTLS with one server (`turns:` with
    /// `transport=udp`, RFC 7350); answered by [`Ice::bound`] when the handshake is over and the
    /// certificate is the server's, or by [`Ice::connect_failed`]. To the agent it is a socket of
    /// [`Protocol::Udp`] with that server alone at its other end: packets are plain on either side
    /// of the agent, [`Bound::overhead`] says what DTLS puts around them, and when the session ends the
    /// socket is gone ([`Ice::socket_closed`]).
    ConnectDtls {
        /// For the answer.
        request: RequestId,
        /// The address to connect from; port 0 for any.
        local: SocketAddr,
        /// The ports to try when `local` has port 0; `None` for any.
        ports: Option<(u16, u16)>,
        /// Where to.
        remote: SocketAddr,
        /// The name that the server's certificate must carry, or an address.
        server_name: String,
    },
    /// Asks for a socket that accepts TCP connections of peers (passive candidates, RFC 6544
    /// §4.1); answered by [`Ice::bound`]. Each connection it accepts is told by
    /// [`Ice::tcp_connected`] with this request; its packets lie behind lengths.
    ListenTcp {
        /// For the answer.
        request: RequestId,
        /// The address to bind; port 0 for any.
        local: SocketAddr,
        /// The ports to try when `local` has port 0; `None` for any.
        ports: Option<(u16, u16)>,
    },
    /// Asks that a `.local` name is answered for by multicast DNS as long as the agent lives
    /// (draft-ietf-mmusic-mdns-ice-candidates §3.1.1). There is no answer; a shell that cannot leaves
    /// it.
    PublishName {
        /// The name.
        host: String,
        /// Its address, one of this host.
        address: IpAddr,
    },
    /// The socket is no longer needed.
    CloseSocket {
        /// Which.
        socket: SocketId,
    },
    /// Asks for the addresses of a name (`.local`: multicast DNS); answered by [`Ice::resolved`].
    Resolve {
        /// For the answer.
        request: RequestId,
        /// The name.
        host: String,
    },
    /// The checks have come to another state.
    StateChange(IceState),
    /// Gathering has come to another state.
    GatheringStateChange(GatheringState),
    /// A local candidate, to be signalled. It is paired from now on (RFC 8838 §9).
    Candidate(Candidate),
    /// A server gave no candidate.
    CandidateError(CandidateError),
    /// Our role is another one now (RFC 8445 §7.3.1.1).
    RoleChange(IceRole),
    /// [`Ice::route`] gives another answer than before: retest the path MTU and start congestion
    /// control anew (RFC 8831 §5).
    RouteChange,
    /// The selected pair is another one.
    SelectedPairChange(CandidatePair),
    /// A check or a consent check measured the round trip of the current route.
    RoundTrip(Duration),
    /// The agent has ended; nothing comes after this.
    Ended(End),
}

/// W3C `RTCIceTransportState` (webrtc-pc §5.6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IceState {
    /// Waiting for remote candidates.
    #[default]
    New,
    /// Checking pairs; none is usable yet.
    Checking,
    /// A usable pair exists; checks may go on.
    Connected,
    /// A pair is selected and checking is over.
    Completed,
    /// Nothing has come on the selected pair for a while; may come back by itself.
    Disconnected,
    /// No pair works, or consent is lost; only a restart helps.
    Failed,
    /// Closed by us.
    Closed,
}

/// W3C `RTCIceGathererState` (webrtc-pc §5.6.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GatheringState {
    /// Not started in this generation.
    #[default]
    New,
    /// Under way.
    Gathering,
    /// No more candidates will come in this generation.
    Complete,
}

/// Who nominates (RFC 8445 §6.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IceRole {
    /// Nominates.
    Controlling,
    /// Follows.
    Controlled,
}

/// A user name fragment and a password (RFC 8445 §5.3). `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// 4 to 256 ice-chars.
    pub username_fragment: String,
    /// 22 to 256 ice-chars.
    pub password: String,
}

impl Credentials {
    /// Both parts; the grammar is checked by the agent that takes them.
    #[must_use]
    pub fn new(username_fragment: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            username_fragment: username_fragment.into(),
            password: password.into(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username_fragment", &self.username_fragment)
            .finish_non_exhaustive()
    }
}

/// A local and a remote candidate between which data flows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CandidatePair {
    /// Ours.
    pub local: Candidate,
    /// The peer's.
    pub remote: Candidate,
}

impl CandidatePair {
    /// Both parts.
    #[must_use]
    pub fn new(local: Candidate, remote: Candidate) -> Self {
        Self { local, remote }
    }
}

/// The path that data takes, and the room it wants around a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The socket to send on.
    pub socket: SocketId,
    /// What that socket speaks.
    pub protocol: Protocol,
    /// Our base.
    pub local: SocketAddr,
    /// The next hop: the peer, or the relay.
    pub remote: SocketAddr,
    /// Bytes that [`Ice::wrap`] wants free before a payload; 0 on a direct path.
    pub headroom: usize,
    /// Bytes that it wants free behind one.
    pub tailroom: usize,
    /// The largest payload to count on, in bytes.
    pub max_payload: usize,
    /// The largest payload that [`Ice::wrap`] takes, for a layer that finds out by probes what the
    /// path carries (`MAX_PLPMTU`, RFC 8899 §5.1.2). The system refuses what its interface does not
    /// carry, and the network drops it.
    pub max_probe: usize,
}

impl Route {
    /// A direct path, on which nothing larger is tried.
    #[must_use]
    pub fn new(
        socket: SocketId,
        protocol: Protocol,
        local: SocketAddr,
        remote: SocketAddr,
        max_payload: usize,
    ) -> Self {
        Self {
            socket,
            protocol,
            local,
            remote,
            headroom: 0,
            tailroom: 0,
            max_payload,
            max_probe: max_payload,
        }
    }
}

/// What a caller of an agent did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IceError {
    /// A user name fragment or password breaks the grammar of RFC 8839 §5.4.
    Credentials,
    /// The candidate belongs to a generation that is not the current one.
    UnknownGeneration,
    /// More remote candidates than the agent keeps.
    TooManyCandidates,
    /// The agent is closed.
    Closed,
}

impl fmt::Display for IceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Credentials => {
                "a user name fragment wants 4 to 256 ice-chars, a password 22 to 256"
            }
            Self::UnknownGeneration => {
                "the candidate names a user name fragment that is not current"
            }
            Self::TooManyCandidates => "the agent keeps no more remote candidates",
            Self::Closed => "the agent is closed",
        })
    }
}

impl std::error::Error for IceError {}
