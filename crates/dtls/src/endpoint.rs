use crate::alert::{Alert, Failure};
use crate::certificate::{KeyKind, PublicKey};
use crate::extension::{server_name, use_srtp};
use crate::flight::outgoing::Flight;
use crate::handshake::certificate::Certificates;
use crate::handshake::kind;
use crate::random::Random;
use crate::record::layer::Records;
use crate::schedule::{Secret, v1_2, v1_3};
use crate::signature;
use crate::suite::{Cipher, SUITES, Suite};
use crate::transcript::Transcript;
use bytes::Bytes;
use crypto::{ActiveAgreement, Agreement, Provider};
use layer::{Certificate, DtlsConfig, DtlsVersion, Security, SrtpProfile};
use std::ops::RangeInclusive;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a handshake has whatever the role and the version: what we are, what goes out, and what
/// has been agreed on.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) provider: Provider,
    pub(crate) random: Random,
    pub(crate) certificate: Arc<dyn Certificate>,
    pub(crate) versions: RangeInclusive<DtlsVersion>,
    /// Best first.
    pub(crate) srtp_profiles: Vec<SrtpProfile>,
    /// What is on top of us, best first (ALPN).
    pub(crate) protocols: Vec<Vec<u8>>,
    /// What the server is called, where it has a name.
    pub(crate) server_name: Option<String>,
    /// As a server, ask for a cookie first.
    pub(crate) verify_address: bool,

    pub(crate) records: Records,
    pub(crate) flight: Flight,
    /// The `message_seq` of our next message.
    next_sequence: u16,

    pub(crate) peer: Peer,
    pub(crate) security: Security,
    /// When the handshake is over.
    pub(crate) exporter: Option<Exporter>,
    /// In 1.3, of the newest epochs.
    pub(crate) traffic: Option<Traffic>,
}

/// What the peer has shown.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    /// The leaf first.
    pub(crate) certificates: Vec<Bytes>,
    key: Option<PublicKey>,
    /// The handshake is over: what was agreed on stands.
    pub(crate) is_proven: bool,
}

/// Where keying material comes from.
#[derive(Debug)]
pub(crate) enum Exporter {
    V1_2(v1_2::Master),
    V1_3(Cipher, Secret),
}

/// The secrets of the newest epochs.
#[derive(Debug)]
pub(crate) struct Traffic {
    pub(crate) cipher: Cipher,
    pub(crate) read: Secret,
    pub(crate) write: Secret,
}

/// How far a message brought a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The peer's flight goes on.
    More,
    /// The peer's flight is over, and ours stands in [`Endpoint::flight`].
    Answered,
    /// The handshake is over; what we still have to say stands in [`Endpoint::flight`].
    Finished,
}

impl Endpoint {
    pub(crate) fn new(
        provider: Provider,
        random: Random,
        versions: RangeInclusive<DtlsVersion>,
        verify_address: bool,
        config: DtlsConfig,
    ) -> Self {
        let server_name = config.server_name.as_deref();
        Self {
            provider,
            random,
            certificate: config.certificate,
            versions,
            srtp_profiles: config.srtp_profiles,
            protocols: config.protocols,
            server_name: server_name.and_then(server_name::host_name),
            verify_address,
            records: Records::new(),
            flight: Flight::default(),
            next_sequence: 0,
            peer: Peer::default(),
            security: Security::new(DtlsVersion::V1_2),
            exporter: None,
            traffic: None,
        }
    }

    pub(crate) fn speaks(&self, version: DtlsVersion) -> bool {
        self.versions.contains(&version)
    }

    /// The suites of our versions that can be used, best first.
    pub(crate) fn suites(&self) -> impl Iterator<Item = Suite> + '_ {
        let suites = SUITES.into_iter();
        suites.filter(|suite| self.speaks(suite.version))
    }

    /// The groups of the provider, best first.
    pub(crate) fn groups(&self) -> Vec<u16> {
        let agreements = self.provider.agreements.iter();
        agreements
            .map(|agreement| agreement.group() as u16)
            .collect()
    }

    pub(crate) fn agreement(&self, group: u16) -> Option<&'static dyn Agreement> {
        let mut agreements = self.provider.agreements.iter();
        agreements
            .find(|agreement| agreement.group() as u16 == group)
            .copied()
    }

    /// An ephemeral key of a group.
    pub(crate) fn start_agreement(&self, group: u16) -> Result<Box<dyn ActiveAgreement>, Failure> {
        self.agreement(group)
            .ok_or(crypto::Error::Unsupported)
            .and_then(|agreement| agreement.start(&self.random))
            .map_err(Failure::of_crypto)
    }

    /// Both sides' profiles, by our preference (RFC 5764 §4.1.1).
    pub(crate) fn choose_srtp(&self, offered: &[u16]) -> Option<SrtpProfile> {
        let mut ours = self.srtp_profiles.iter().copied();
        ours.find(|profile| offered.contains(&(*profile as u16)))
    }

    /// The profile that a server chose, which must be one of ours.
    pub(crate) fn accept_srtp(&self, chosen: Option<u16>) -> Result<Option<SrtpProfile>, Failure> {
        let Some(number) = chosen else {
            return Ok(None);
        };
        use_srtp::profile(number)
            .filter(|profile| self.srtp_profiles.contains(profile))
            .map(Some)
            .ok_or(Failure::new(
                Alert::ILLEGAL_PARAMETER,
                "an SRTP profile that was not offered",
            ))
    }

    /// Our turn: what went before is answered.
    pub(crate) fn begin_flight(&mut self) {
        self.flight.clear();
    }

    /// Adds a message to our flight and returns its `message_seq`.
    pub(crate) fn send(&mut self, epoch: u64, kind: u8, body: Vec<u8>) -> u16 {
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        self.flight.push_message(epoch, kind, sequence, body);
        sequence
    }

    /// The same, and counts it.
    pub(crate) fn send_counted(
        &mut self,
        transcript: &mut Transcript,
        epoch: u64,
        kind: u8,
        body: Vec<u8>,
    ) {
        transcript.add(kind, self.next_sequence, &body);
        self.send(epoch, kind, body);
    }

    /// Our certificate.
    pub(crate) fn certificate_body(&self, version: DtlsVersion) -> Vec<u8> {
        Certificates::write(version, self.certificate.der())
    }

    /// The scheme of our key, if the peer takes it.
    pub(crate) fn own_scheme(&self, taken: &[u16]) -> Result<u16, Failure> {
        signature::of_key(self.certificate.key_algorithm())
            .map(|scheme| scheme as u16)
            .filter(|scheme| taken.contains(scheme))
            .ok_or(Failure::new(
                Alert::HANDSHAKE_FAILURE,
                "the peer takes no signature that our key makes",
            ))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let signed = self.certificate.sign(message);
        signed.map_err(|_| Failure::new(Alert::INTERNAL_ERROR, "our key does not sign"))
    }

    /// Takes the peer's certificates. Whether it is who it said is asked when the handshake is
    /// over (RFC 8122 §6.2).
    pub(crate) fn take_certificates(
        &mut self,
        version: DtlsVersion,
        body: &[u8],
    ) -> Result<(), Failure> {
        let Certificates(list) = Certificates::parse(version, body)?;
        let Some(leaf) = list.first() else {
            // RFC 8446 §4.4.2.4; RFC 5246 §7.4.6 has no alert of its own.
            let alert = match version {
                DtlsVersion::V1_3 => Alert::CERTIFICATE_REQUIRED,
                _ => Alert::HANDSHAKE_FAILURE,
            };
            return Err(Failure::new(alert, "the peer shows no certificate"));
        };
        let key = PublicKey::of(leaf).ok_or(Failure::new(
            Alert::UNSUPPORTED_CERTIFICATE,
            "the peer's certificate has no key that can be used",
        ))?;
        self.peer = Peer {
            certificates: list.into_iter().map(Bytes::from).collect(),
            key: Some(key),
            is_proven: false,
        };
        Ok(())
    }

    /// The kind of key in the peer's certificate.
    pub(crate) fn peer_key(&self) -> Option<KeyKind> {
        self.peer.key.as_ref().map(|key| key.kind)
    }

    /// Checks a signature of the peer.
    pub(crate) fn verify(
        &mut self,
        version: DtlsVersion,
        scheme: u16,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Failure> {
        let Some(key) = &self.peer.key else {
            return Err(unexpected());
        };
        signature::verify(&self.provider, version, scheme, key, message, signature)?;
        self.security.signature_scheme = Some(scheme);
        Ok(())
    }

    /// What both ends know now.
    pub(crate) fn complete(
        agreement: Box<dyn ActiveAgreement>,
        peer: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        agreement
            .complete(peer)
            .map(Zeroizing::new)
            .map_err(|_| Failure::new(Alert::ILLEGAL_PARAMETER, "a key share is no point"))
    }

    /// Reads and writes an epoch of 1.3 from now on.
    pub(crate) fn install_read(
        &mut self,
        epoch: u64,
        cipher: Cipher,
        secret: &Secret,
    ) -> Result<(), Failure> {
        let keys = v1_3::protection(&self.provider, cipher, secret).map_err(Failure::of_crypto)?;
        self.records.install_read(epoch, keys);
        Ok(())
    }

    pub(crate) fn install_write(
        &mut self,
        epoch: u64,
        cipher: Cipher,
        secret: &Secret,
    ) -> Result<(), Failure> {
        let keys = v1_3::protection(&self.provider, cipher, secret).map_err(Failure::of_crypto)?;
        self.records.install_write(epoch, keys);
        Ok(())
    }

    /// Adds the ChangeCipherSpec and the Finished of 1.2 to our flight.
    pub(crate) fn send_finished_1_2(&mut self, transcript: &mut Transcript, verify_data: Vec<u8>) {
        self.flight.push_change_cipher_spec();
        self.send_counted(transcript, 1, kind::FINISHED, verify_data);
    }
}

/// A message out of its turn.
pub(crate) fn unexpected() -> Failure {
    Failure::new(Alert::UNEXPECTED_MESSAGE, "a message out of its turn")
}

/// A Finished that is not what it should be.
pub(crate) fn wrong_finished() -> Failure {
    Failure::new(Alert::DECRYPT_ERROR, "a Finished does not verify")
}

/// Parameters that contradict each other or what was offered.
pub(crate) fn illegal(reason: &'static str) -> Failure {
    Failure::new(Alert::ILLEGAL_PARAMETER, reason)
}
