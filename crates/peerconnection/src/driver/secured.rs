//! A UDP socket that speaks DTLS with one server (RFC 7350): what a relay over DTLS goes through.
//!
//! The session is one of the stack's own DTLS layer, so that whichever serves the connection serves
//! here. A peer is known by its fingerprint (RFC 8122 §5), a server by a chain to a root: when the
//! handshake is over the chain is verified, and the fingerprint of its leaf told to the session, which
//! until then hands no data over.

use super::at_a_port;
use crate::owner::DriverWake;
use crate::shared::now;
use layer::{
    CertificateParams, Dtls, DtlsConfig, DtlsEvent, DtlsRole, DtlsState, End, Fingerprint,
    HashAlgorithm, NewDtls, Start,
};
use net::{Batch, Connector, Datagram, UdpSocket};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use tokio::time::{Sleep, sleep_until, timeout};

/// RFC 7443 §3: the name of TURN, by which a server tells it from the web on one port.
const ALPN_TURN: &[u8] = b"stun.turn";

/// What is reserved for a datagram on its way out; a larger one makes itself room.
const OUT_BUFFER: usize = 2048;

/// Room of one receive during the handshake, in datagrams.
const HANDSHAKE_SLOTS: usize = 1;

/// Receives during the handshake before others have their turn.
const MAX_BATCHES: usize = 16;

/// A server, and what to speak with it.
pub(crate) struct Server {
    /// The address to connect from; port 0 for any.
    pub(crate) local: SocketAddr,
    /// The ports to try when `local` has port 0.
    pub(crate) ports: Option<(u16, u16)>,
    pub(crate) remote: SocketAddr,
    /// What its certificate is for: a name or an address.
    pub(crate) name: String,
    /// Makes the session.
    pub(crate) factory: Arc<dyn NewDtls>,
    pub(crate) start: Start,
}

/// A socket whose datagrams are sealed. Whatever happens on it wakes who polled last.
pub(crate) struct Secured {
    udp: UdpSocket,
    remote: SocketAddr,
    dtls: Box<dyn Dtls>,
    waker: Arc<DriverWake>,
    sleep: Pin<Box<Sleep>>,
    /// A datagram on its way out.
    out: Vec<u8>,
    end: Option<End>,
}

impl Secured {
    /// Connects to a server that the connector trusts. Cancel safe: what was begun is closed.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`] where the connector trusts nobody;
    /// [`io::ErrorKind::TimedOut`]; [`io::ErrorKind::InvalidData`] with what is wrong with the
    /// certificate, or with how the handshake ended; what the system says.
    pub(crate) async fn connect(server: Server, connector: &Connector) -> io::Result<Self> {
        // Where nobody is trusted there is nothing to ask a server for.
        let trusted = connector.verify_server(&[], &server.name).err();
        if let Some(error) = trusted.filter(|it| it.kind() == io::ErrorKind::Unsupported) {
            return Err(error);
        }
        let mut secured = Self::begin(&server)?;
        let mut batch = Batch::with_slots(HANDSHAKE_SLOTS);
        let connected = poll_fn(|cx| {
            secured.poll_connected(cx, &mut batch, |chain| {
                connector.verify_server(chain, &server.name)
            })
        });
        timeout(connector.timeout, connected)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        Ok(secured)
    }

    fn begin(server: &Server) -> io::Result<Self> {
        let udp = at_a_port(server.local, server.ports, UdpSocket::bind)?;
        // One of its own, in case the server asks: ours would tell it who we are to the peer.
        let params = CertificateParams::default();
        let certificate = server
            .factory
            .generate_certificate(server.start, &params)
            .map_err(io::Error::other)?;
        let waker = Arc::<DriverWake>::default();
        let mut config = DtlsConfig::new(certificate, Waker::from(Arc::clone(&waker)));
        config.protocols = vec![ALPN_TURN.to_vec()];
        config.server_name = Some(server.name.clone());
        let mut dtls = server
            .factory
            .new_dtls(server.start, config)
            .map_err(io::Error::other)?;
        let now = now();
        dtls.set_role(now, DtlsRole::Client)
            .map_err(io::Error::other)?;
        Ok(Self {
            udp,
            remote: server.remote,
            dtls,
            waker,
            sleep: Box::pin(sleep_until(now.into())),
            out: vec![0; OUT_BUFFER],
            end: None,
        })
    }

    fn poll_connected(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
        verify: impl Fn(&[&[u8]]) -> io::Result<[u8; 32]>,
    ) -> Poll<io::Result<()>> {
        for _ in 0..MAX_BATCHES {
            self.poll_turn(cx)?;
            if self.dtls.state() == DtlsState::Connected {
                return Poll::Ready(Ok(()));
            }
            // Whoever answers may show any certificate; by the end of the handshake it has proved
            // that it is the certificate's own.
            if self.dtls.security().is_some() {
                self.trust(&verify)?;
                continue;
            }
            ready!(self.poll_recv(cx, batch))?;
            for datagram in batch.datagrams() {
                self.open(datagram);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Verifies who the server is; the session is connected then.
    fn trust(&mut self, verify: impl Fn(&[&[u8]]) -> io::Result<[u8; 32]>) -> io::Result<()> {
        let chain = self.dtls.remote_certificates().iter();
        let chain: Vec<&[u8]> = chain.map(|der| &der[..]).collect();
        let verified = verify(&chain);
        // RFC 8446 §6.2: with a fingerprint that no certificate has, the session says
        // bad_certificate and ends.
        let leaf = verified.as_ref().copied().unwrap_or_default();
        let fingerprint = Fingerprint::new(HashAlgorithm::Sha256, leaf.to_vec());
        self.dtls
            .set_remote_fingerprints(now(), fingerprint.as_slice());
        verified?;
        if self.dtls.state() != DtlsState::Connected {
            return Err(io::Error::other("the session is not connected"));
        }
        Ok(())
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.udp.local_addr()
    }

    pub(crate) fn remote_addr(&self) -> SocketAddr {
        self.remote
    }

    /// What is put around a packet at most.
    pub(crate) fn overhead(&self) -> usize {
        self.dtls.overhead()
    }

    /// Receives what is there; each datagram is to be [`open`](Self::open)ed.
    pub(crate) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<usize>> {
        self.udp.poll_recv(cx, batch)
    }

    /// What a datagram says, decrypted in place; nothing if it is a stranger's or the session's own.
    pub(crate) fn open<'a>(&mut self, datagram: Datagram<'a>) -> Option<&'a mut [u8]> {
        if datagram.remote != self.remote {
            return None;
        }
        let opened = self.dtls.handle_input(now(), datagram.bytes);
        datagram.bytes.get_mut(opened.plaintext?)
    }

    /// The next packet that could not be opened in place.
    pub(crate) fn poll_message(&mut self, buf: &mut [u8]) -> Option<usize> {
        self.dtls.poll_message(buf)
    }

    /// Sends a packet; `false` if the socket is full, and the packet to be sent again.
    pub(crate) fn send(&mut self, cx: &mut Context<'_>, packet: &[u8]) -> bool {
        let room = packet.len() + self.dtls.overhead();
        if self.out.len() < room {
            self.out.resize(room, 0);
        }
        // What cannot be sealed is lost: the session has ended, and its owner hears of it.
        let Ok(len @ 1..) = self.dtls.seal_into(now(), packet, &mut self.out) else {
            return true;
        };
        loop {
            let sealed = &self.out[..len];
            match self.udp.try_send(self.remote, sealed, None, None, None) {
                Ok(()) => return true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.udp.poll_writable(cx).is_pending() {
                        return false;
                    }
                }
                Err(error) => {
                    tracing::trace!(%error, "a packet to a server was not sent");
                    return true;
                }
            }
        }
    }

    /// The session's own turn: what it has to say, its time, and its end.
    ///
    /// # Errors
    ///
    /// How the session ended.
    pub(crate) fn poll_turn(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.waker.register(cx.waker());
        loop {
            self.transmit();
            while let Some(event) = self.dtls.poll_event() {
                if let DtlsEvent::Ended(end) = event {
                    self.end = Some(end);
                }
            }
            if let Some(end) = &self.end {
                return Err(io::Error::new(
                    io::ErrorKind::ConnectionAborted,
                    end.to_string(),
                ));
            }
            let Some(at) = self.dtls.poll_timeout() else {
                return Ok(());
            };
            if self.sleep.deadline() != at.into() {
                self.sleep.as_mut().reset(at.into());
            }
            if self.sleep.as_mut().poll(cx).is_pending() {
                return Ok(());
            }
            self.dtls.handle_timeout(now());
        }
    }

    /// What a full socket does not take is lost, as on any path: a handshake says it again.
    fn transmit(&mut self) {
        while let Some(len) = self.dtls.poll_transmit(now(), &mut self.out) {
            let datagram = &self.out[..len];
            if let Err(error) = self.udp.try_send(self.remote, datagram, None, None, None) {
                tracing::trace!(%error, "a datagram to a server was not sent");
            }
        }
    }
}

impl Drop for Secured {
    /// Says goodbye, so that the server need not wait for the allocation to expire.
    fn drop(&mut self) {
        self.dtls.close(now());
        self.transmit();
    }
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured")
            .field("local", &self.udp.local_addr())
            .field("remote", &self.remote)
            .field("state", &self.dtls.state())
            .finish_non_exhaustive()
    }
}
