//! RTP over the path of ICE, under keys of DTLS: what ORTC's senders and receivers stand on.

use bytes::Bytes;
use examples::Outcome;
use ice::conn::Conn;
use layer::{NewSrtp, Srtp, SrtpConfig, Start};
use rtp::{Packet, is_rtcp};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// The largest packet made here, in bytes.
const MAX_PACKET: usize = 1200;

/// RFC 5764 §4.2.
const LABEL: &str = "EXTRACTOR-dtls_srtp";

/// Packets of any number of sources, both ways.
pub(crate) struct Media {
    path: Arc<Conn>,
    waiting: mpsc::Receiver<Vec<u8>>,
    srtp: Mutex<Box<dyn Srtp>>,
}

impl Media {
    /// Takes the keys of a handshake that is over.
    pub(crate) fn new(
        path: Arc<Conn>,
        waiting: mpsc::Receiver<Vec<u8>>,
        dtls: &dtls::conn::Connection,
        start: Start,
        is_client: bool,
    ) -> Outcome<Self> {
        let security = dtls.security().ok_or("not connected")?;
        let profile = security
            .srtp_profile
            .ok_or("no profile of SRTP in common")?;
        let mut block = vec![0; profile.keying_len()];
        dtls.export(LABEL, None, &mut block)?;
        let keys = SrtpConfig::from_keying_material(profile, is_client, &block);
        let srtp = srtp::Factory::default().new_srtp(start, keys.ok_or("a wrong length")?)?;
        println!("SRTP: {}", profile.name());
        Ok(Self {
            path,
            waiting,
            srtp: Mutex::new(srtp),
        })
    }

    /// Protects a packet and sends it.
    pub(crate) async fn send(&self, packet: &Packet) -> Outcome {
        let mut header = vec![0; packet.header.encoded_len()];
        packet.header.write(&mut header)?;
        let mut out = [0; MAX_PACKET];
        let len = {
            let mut srtp = self.srtp.lock().unwrap_or_else(PoisonError::into_inner);
            srtp.protect_into(&header, &packet.payload, &mut out)?
        };
        Ok(self.path.send(&out[..len]).await?)
    }

    /// The next packet that is authentic; `None` at the end.
    pub(crate) async fn recv(&mut self) -> Option<Packet> {
        while let Some(mut packet) = self.waiting.recv().await {
            // No reports are read here.
            if is_rtcp(&packet) {
                continue;
            }
            let srtp = self.srtp.get_mut();
            let srtp = srtp.unwrap_or_else(PoisonError::into_inner);
            let Ok(len) = srtp.unprotect_in_place(&mut packet) else {
                continue;
            };
            packet.truncate(len);
            if let Ok(packet) = Packet::parse(&Bytes::from(packet)) {
                return Some(packet);
            }
        }
        None
    }
}
