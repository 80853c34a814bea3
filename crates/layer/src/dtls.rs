use crate::{
    Certificate, CertificateError, CertificateParams, End, Fingerprint, SrtpProfile, Start,
};
use bytes::Bytes;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

/// Makes DTLS sessions and the certificates they present.
pub trait NewDtls: Send + Sync + fmt::Debug {
    /// Generates a self-signed certificate with a fresh key.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Unsupported`] for a key this implementation does not make,
    /// [`CertificateError::Signer`] if the random source fails.
    fn generate_certificate(
        &self,
        start: Start,
        params: &CertificateParams,
    ) -> Result<Arc<dyn Certificate>, CertificateError>;

    /// Imports a certificate (DER) with its private key (PKCS #8 DER), for example a persisted one.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Malformed`] if they do not parse or do not belong together.
    fn import_certificate(
        &self,
        der: &[u8],
        private_key: &[u8],
    ) -> Result<Arc<dyn Certificate>, CertificateError>;

    /// A new session in the state [`DtlsState::New`].
    ///
    /// # Errors
    ///
    /// [`DtlsError::Certificate`] if the certificate cannot be used by this implementation,
    /// [`DtlsError::Crypto`] if its primitives cannot.
    fn new_dtls(&self, start: Start, config: DtlsConfig) -> Result<Box<dyn Dtls>, DtlsError>;
}

/// What the connection tells a new session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DtlsConfig {
    /// What we present: always as a server, and as a client to a server that asks, as peers do
    /// (RFC 8122 §6.2).
    pub certificate: Arc<dyn Certificate>,
    /// The SRTP profiles to offer, best first; empty for a data-only session, which then has no
    /// `use_srtp` where the implementation can leave it out.
    pub srtp_profiles: Vec<SrtpProfile>,
    /// What the application on top is called (ALPN, RFC 7301), best first; empty for none, and for
    /// an implementation that does not say it. Default: `webrtc` (RFC 8833 §4).
    pub protocols: Vec<Vec<u8>>,
    /// The name of the server, which a client tells it (SNI, RFC 6066 §3) unless it is an address. An
    /// implementation may leave it out. Default: none, which peers do not have.
    pub server_name: Option<String>,
    /// The largest datagram to make, in bytes. Default 1200, the base of RFC 8261 §4.
    pub max_datagram: usize,
    /// Wakes the owner when the session has output that no call of the owner made.
    pub waker: Waker,
}

impl DtlsConfig {
    /// A data-only session.
    #[must_use]
    pub fn new(certificate: Arc<dyn Certificate>, waker: Waker) -> Self {
        Self {
            certificate,
            srtp_profiles: Vec::new(),
            protocols: vec![b"webrtc".to_vec()],
            server_name: None,
            max_datagram: 1200,
            waker,
        }
    }
}

/// One DTLS session over a path that ICE has validated (RFC 6347, RFC 9147, RFC 5764).
///
/// # Order of things
///
/// Role, fingerprints and datagrams may come in any order:
///
/// - Datagrams that come before the role are kept within a bound and handled when it is set, so
///   that a ClientHello that overtakes the answer is not lost.
/// - Fingerprints may come after the handshake. Until they match, application data is held within
///   a bound, [`seal_into`](Dtls::seal_into) refuses with [`SealError::NotConnected`] and the
///   state is [`DtlsState::Connecting`] (RFC 8842 §5.2, RFC 8827 §6.5).
/// - The peer's certificate is checked against them and nothing else; a mismatch ends the session
///   with [`Blame::Identity`](crate::Blame::Identity).
///
/// # Application data
///
/// Where the implementation can, [`handle_input`](Dtls::handle_input) decrypts in place and
/// returns the range; what it could not return there (several records in one datagram, data that
/// was held) comes out of [`poll_message`](Dtls::poll_message).
pub trait Dtls: Send {
    // --- input ---

    /// Takes one datagram. Application data is decrypted in place into the returned range.
    /// Records that do not belong are dropped and counted.
    fn handle_input(&mut self, now: Instant, datagram: &mut [u8]) -> Opened;

    /// Time has come to the instant that [`poll_timeout`](Dtls::poll_timeout) gave.
    fn handle_timeout(&mut self, now: Instant);

    // --- verbs ---

    /// Sets our role; the client begins to speak. A second call with the same role does nothing.
    ///
    /// # Errors
    ///
    /// [`DtlsError::RoleIsSet`] if another role was set before.
    fn set_role(&mut self, now: Instant, role: DtlsRole) -> Result<(), DtlsError>;

    /// Sets the fingerprints that the peer signalled. One of them must be of the peer's
    /// certificate (RFC 8122 §5.1). A later call adds to them.
    fn set_remote_fingerprints(&mut self, now: Instant, fingerprints: &[Fingerprint]);

    /// Encrypts `plaintext` into `out` as one datagram and returns its length. An implementation
    /// that encrypts in a task of its own returns 0: the datagram then comes out of
    /// [`poll_transmit`](Dtls::poll_transmit), after a wake.
    ///
    /// # Errors
    ///
    /// [`SealError::NotConnected`] before the session is connected and after its end,
    /// [`SealError::TooSmall`] if `out` has less than `plaintext.len() + overhead()` bytes,
    /// [`SealError::TooLarge`] if no record holds the plaintext.
    fn seal_into(
        &mut self,
        now: Instant,
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SealError>;

    /// Says goodbye (`close_notify`) and ends the session.
    fn close(&mut self, now: Instant);

    /// The path carries datagrams of this size from now on.
    fn set_max_datagram(&mut self, bytes: usize) {
        let _ = bytes;
    }

    /// The path has this round trip; flight timers may follow it (RFC 9147 §5.8.2).
    fn set_round_trip(&mut self, round_trip: Duration) {
        let _ = round_trip;
    }

    // --- output ---

    /// Writes the next datagram (handshake, alert, acknowledgement) into `buf` and returns its
    /// length; `None` when there is none.
    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize>;

    /// When [`handle_timeout`](Dtls::handle_timeout) wants to be called.
    fn poll_timeout(&self) -> Option<Instant>;

    /// The next event, in the order they happened.
    fn poll_event(&mut self) -> Option<DtlsEvent>;

    /// Writes the next message of application data that [`handle_input`](Dtls::handle_input) did
    /// not return into `buf` and returns its length. A message longer than `buf` is dropped and counted.
    fn poll_message(&mut self, buf: &mut [u8]) -> Option<usize>;

    // --- questions ---

    /// The state.
    fn state(&self) -> DtlsState;

    /// Our role, once set.
    fn role(&self) -> Option<DtlsRole>;

    /// What was negotiated, once the handshake is over.
    fn security(&self) -> Option<Security>;

    /// The peer's certificates (DER, the leaf first); empty before the handshake. An implementation
    /// that has peers of WebRTC alone in mind may give the leaf without what stands behind it: nobody
    /// there asks for more. A server whose certificate an intermediate one signed is then not known.
    fn remote_certificates(&self) -> &[Bytes];

    /// Fills `out` with keying material (RFC 5705 §4, RFC 8446 §7.5).
    ///
    /// # Errors
    ///
    /// [`ExportError::NotConnected`] before the handshake is over, [`ExportError::Unsupported`] if
    /// the implementation cannot export under this label and context.
    fn export(
        &self,
        label: &str,
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<(), ExportError>;

    /// The most bytes that [`seal_into`](Dtls::seal_into) adds to a plaintext.
    fn overhead(&self) -> usize;

    /// Counters.
    fn stats(&self) -> DtlsStats;
}

/// What [`Dtls::handle_input`] decrypted in place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// Where in the datagram the application data lies; `None` if there is none, or if it comes
    /// out of [`Dtls::poll_message`].
    pub plaintext: Option<Range<usize>>,
}

impl Opened {
    /// Application data in the datagram.
    #[must_use]
    pub fn in_place(range: Range<usize>) -> Self {
        Self {
            plaintext: Some(range),
        }
    }
}

/// Who speaks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DtlsRole {
    /// Sends the ClientHello (`a=setup:active`).
    Client,
    /// Waits for it (`a=setup:passive`).
    Server,
}

/// W3C `RTCDtlsTransportState` (webrtc-pc §5.5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DtlsState {
    /// No role yet.
    #[default]
    New,
    /// Handshaking, or waiting for fingerprints.
    Connecting,
    /// The handshake is over and the peer is who it said.
    Connected,
    /// Closed by either side.
    Closed,
    /// Ended by an error.
    Failed,
}

/// What a session tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DtlsEvent {
    /// Another state.
    StateChange(DtlsState),
    /// The session has ended; nothing comes after this.
    Ended(End),
}

/// The version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DtlsVersion {
    /// 1.2 (RFC 6347).
    V1_2,
    /// 1.3 (RFC 9147).
    V1_3,
}

/// What a handshake agreed on. A part that the implementation does not tell is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Security {
    /// The version.
    pub version: DtlsVersion,
    /// The IANA number of the cipher suite.
    pub cipher_suite: Option<u16>,
    /// The IANA number of the key exchange group.
    pub group: Option<u16>,
    /// The IANA number of the peer's signature scheme.
    pub signature_scheme: Option<u16>,
    /// The SRTP profile; `None` also when none was negotiated.
    pub srtp_profile: Option<SrtpProfile>,
}

impl Security {
    /// Only the version is known.
    #[must_use]
    pub fn new(version: DtlsVersion) -> Self {
        Self {
            version,
            cipher_suite: None,
            group: None,
            signature_scheme: None,
            srtp_profile: None,
        }
    }
}

/// Counters of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DtlsStats {
    /// Datagrams that held nothing that could be used.
    pub dropped: u64,
    /// Datagrams or application data that came early and found the bound reached.
    pub overflowed: u64,
    /// Datagrams handed out.
    pub datagrams_sent: u64,
    /// Datagrams taken.
    pub datagrams_received: u64,
}

/// What a caller of a session, or of its factory, did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DtlsError {
    /// The certificate cannot be used.
    Certificate(CertificateError),
    /// Another role is set already.
    RoleIsSet(DtlsRole),
    /// The primitives that the factory was given fail their tests, or are too few.
    Crypto,
}

impl fmt::Display for DtlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(error) => write!(f, "the certificate cannot be used: {error}"),
            Self::RoleIsSet(role) => write!(f, "the role is {role:?} already"),
            Self::Crypto => f.write_str("the cryptographic primitives cannot be used"),
        }
    }
}

impl std::error::Error for DtlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Certificate(error) => Some(error),
            Self::RoleIsSet(_) | Self::Crypto => None,
        }
    }
}

/// Why nothing was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The session is not connected, or not any more.
    NotConnected,
    /// The output buffer is too small.
    TooSmall,
    /// The plaintext is larger than a record or the path carries.
    TooLarge,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "the session is not connected",
            Self::TooSmall => "the output buffer is too small",
            Self::TooLarge => "the plaintext does not fit one datagram",
        })
    }
}

impl std::error::Error for SealError {}

/// Why no keying material was exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportError {
    /// The handshake is not over.
    NotConnected,
    /// Not under this label, with this context, or of this length.
    Unsupported,
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "the handshake is not over",
            Self::Unsupported => "keying material of this label, context or length is not exported",
        })
    }
}

impl std::error::Error for ExportError {}
