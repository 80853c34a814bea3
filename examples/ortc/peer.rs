//! One end: the transports, one on top of the other, and nobody above them who negotiates.
//!
//! ```text
//!   datachannel::conn        RTP
//!   sctp::conn                │
//!   dtls::conn  ── keys ──  SRTP
//!        └──── split ────────┘
//!            ice::conn
//! ```

use super::media::Media;
use super::parameters::{Parameters, SctpCapabilities};
use super::split::split;
use datachannel::Parity;
use examples::Outcome;
use ice::conn::{Conn, IceRole};
use layer::{Certificate, DtlsConfig, DtlsRole, NewDtls, SctpConfig, SctpConnect};
use std::sync::Arc;
use std::task::Waker;

/// The port of SCTP that everybody takes (RFC 8841 §5).
const SCTP_PORT: u16 = 5000;

/// An end that has gathered, and knows nothing of the other one yet.
pub(crate) struct Peer {
    ice: Arc<Conn>,
    role: IceRole,
    certificate: Arc<dyn Certificate>,
    dtls: dtls::Factory,
    channels: datachannel::Config,
}

/// An end that is connected.
pub(crate) struct Session {
    pub(crate) channels: datachannel::conn::Connection,
    /// Where audio and video were wanted.
    pub(crate) media: Option<Media>,
}

impl Peer {
    /// Makes a certificate, and looks for candidates.
    pub(crate) async fn gather(role: IceRole) -> Outcome<Self> {
        let ice = Conn::gather(&ice::Factory::default(), role, &[], Vec::new()).await?;
        let dtls = dtls::Factory::default();
        let start = dtls::conn::start(&dtls.provider)?;
        let certificate = dtls.generate_certificate(start, &Default::default())?;
        Ok(Self {
            ice: Arc::new(ice),
            role,
            certificate,
            dtls,
            channels: datachannel::Config::default(),
        })
    }

    /// What the other end has to be told.
    pub(crate) fn parameters(&self) -> Parameters {
        let sctp = SctpCapabilities {
            port: SCTP_PORT,
            max_message_size: self.channels.max_message_len,
        };
        Parameters::new(&self.ice.local(), &self.certificate.fingerprints(), sctp)
    }

    /// Starts one transport after the other, as far as the other end has started its own.
    pub(crate) async fn start(self, remote: &Parameters, wants_media: bool) -> Outcome<Session> {
        self.ice.connect(&remote.description()).await?;
        if let Some((local, remote)) = self.ice.path() {
            println!("ICE: {local} to {remote}");
        }

        // ORTC §4.2: with the role "auto" on both sides the one that controls is the server.
        let is_client = self.role == IceRole::Controlled;
        let (role, parity) = if is_client {
            (DtlsRole::Client, Parity::Even)
        } else {
            (DtlsRole::Server, Parity::Odd)
        };
        let mut config = DtlsConfig::new(self.certificate, Waker::noop().clone());
        if wants_media {
            config.srtp_profiles = srtp::Factory::default().profiles;
        }
        let (path, waiting) = split(Arc::clone(&self.ice));
        let start = dtls::conn::start(&self.dtls.provider)?;
        let fingerprints = remote.fingerprints()?;
        let secured =
            dtls::conn::Connection::spawn(path, &self.dtls, start, config, role, &fingerprints)?;
        secured.connected().await.map_err(|end| end.to_string())?;
        if let Some(security) = secured.security() {
            println!("DTLS: {:?} as {role:?}", security.version);
        }
        let media = if wants_media {
            let start = dtls::conn::start(&self.dtls.provider)?;
            Some(Media::new(self.ice, waiting, &secured, start, is_client)?)
        } else {
            None
        };

        let start = dtls::conn::start(&self.dtls.provider)?;
        let mut config = SctpConfig::new(Waker::noop().clone());
        config.max_message = self.channels.max_message_len;
        config.authenticated = true;
        let ports = SctpConnect::new(SCTP_PORT, remote.sctp.port);
        let factory = sctp::Factory::default();
        let association = sctp::conn::Connection::spawn(secured, &factory, start, config, ports)?;
        let streams = association.connected().await;
        let (incoming, outgoing) = streams.map_err(|end| end.to_string())?;
        println!("SCTP: {incoming} streams in, {outgoing} out");

        let streams = incoming.min(outgoing);
        let channels =
            datachannel::conn::Connection::spawn(association, parity, streams, self.channels);
        channels.set_max_send_len(remote.sctp.max_message_size);
        Ok(Session { channels, media })
    }
}
