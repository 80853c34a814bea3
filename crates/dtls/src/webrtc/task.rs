use super::Factory;
use super::pipe::Pipe;
use crate::extension::server_name::host_name;
use crate::identity::{Identity, Verdict};
use layer::{
    Certificate, CertificateError, DtlsConfig, DtlsRole, DtlsVersion, KeyAlgorithm, Security,
    SrtpProfile,
};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use std::sync::{Arc, Mutex, PoisonError};
use webrtc_dtls::Error;
use webrtc_dtls::config::{ClientAuthType, Config, ExtendedMasterSecretType};
use webrtc_dtls::conn::DTLSConn;
use webrtc_dtls::crypto::{CryptoPrivateKey, CryptoPrivateKeyKind};
use webrtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use webrtc_dtls::state::State;

/// What the task tells the owner.
pub(super) enum Outcome {
    /// The handshake is over.
    Established(Box<Established>),
    /// The handshake failed.
    Failed(Error),
    /// The peer has ended the session.
    Closed,
}

/// What a handshake agreed on.
pub(super) struct Established {
    pub(super) security: Security,
    pub(super) certificates: Vec<Vec<u8>>,
    /// Exports keying material.
    pub(super) state: State,
}

/// The largest message; the implementation reads records into 8 KiB.
pub(super) const MAX_MESSAGE: usize = 8192 - 64;

/// What the implementation has, GCM first. A client offers its list in this order; a server takes
/// the first of the client's that it has, whatever its own order.
const ALL_PROFILES: [SrtpProfile; 4] = [
    SrtpProfile::AeadAes128Gcm,
    SrtpProfile::AeadAes256Gcm,
    SrtpProfile::Aes128CmSha1_80,
    SrtpProfile::Aes128CmSha1_32,
];

/// A certificate as the implementation wants it: with its key.
pub(super) fn identity(
    certificate: &dyn Certificate,
) -> Result<webrtc_dtls::crypto::Certificate, CertificateError> {
    match certificate.key_algorithm() {
        KeyAlgorithm::EcdsaP256 => {}
        other => return Err(CertificateError::Unsupported(other)),
    }
    let pkcs8 = certificate.private_key().ok_or(CertificateError::Signer)?;
    #[allow(
        clippy::disallowed_methods,
        reason = "ring wants a random source to check a key pair"
    )]
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, &random)
        .map_err(|_| CertificateError::Malformed)?;
    Ok(webrtc_dtls::crypto::Certificate {
        certificate: vec![certificate.der().to_vec().into()],
        private_key: CryptoPrivateKey {
            kind: CryptoPrivateKeyKind::Ecdsa256(pair),
            serialized_der: pkcs8.to_vec(),
        },
    })
}

/// The settings of one session. `peer` lets the handshake itself refuse a stranger, with
/// `bad_certificate`, when the fingerprints are there in time.
pub(super) fn config(
    factory: &Factory,
    session: &DtlsConfig,
    identity: webrtc_dtls::crypto::Certificate,
    peer: Arc<Mutex<Identity>>,
    role: DtlsRole,
) -> Config {
    let provider = factory.provider;
    // RFC 5764 §4.1.1 leaves the extension out where nothing is common; their server refuses the
    // client instead. One of a data-only session takes what it is offered, and tells nobody.
    let profiles: &[SrtpProfile] = match role {
        DtlsRole::Server if session.srtp_profiles.is_empty() => &ALL_PROFILES,
        _ => &session.srtp_profiles,
    };
    let server_name = session.server_name.as_deref().and_then(host_name);
    Config {
        certificates: vec![identity],
        srtp_protection_profiles: profiles
            .iter()
            .map(|profile| SrtpProtectionProfile::from(*profile as u16))
            .collect(),
        // RFC 8122 §6.2: both ends present certificates, and fingerprints alone count.
        client_auth: ClientAuthType::RequireAnyClientCert,
        insecure_skip_verify: true,
        verify_peer_certificate: Some(Arc::new(move |certificates, _| {
            let mut peer = peer.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(leaf) = certificates.first() {
                peer.set_certificate(leaf);
            }
            match peer.verdict(&provider) {
                Verdict::Mismatch => Err(Error::ErrInvalidCertificate),
                Verdict::Open | Verdict::Match => Ok(()),
            }
        })),
        extended_master_secret: ExtendedMasterSecretType::Require,
        server_name: server_name.unwrap_or_default(),
        flight_interval: factory.flight_interval,
        mtu: session.max_datagram,
        ..Config::default()
    }
}

/// The life of a session: the handshake, data both ways, the end.
pub(super) async fn run(pipe: Arc<Pipe>, config: Config, role: DtlsRole) {
    let connection = Arc::clone(&pipe);
    let conn = match DTLSConn::new(connection, config, role == DtlsRole::Client, None).await {
        Ok(conn) => conn,
        Err(error) => return pipe.tell(Outcome::Failed(error)),
    };
    let state = conn.connection_state().await;
    let mut security = Security::new(DtlsVersion::V1_2);
    security.srtp_profile = profile(conn.selected_srtpprotection_profile());
    pipe.tell(Outcome::Established(Box::new(Established {
        security,
        certificates: state.peer_certificates.clone(),
        state,
    })));
    let mut buf = vec![0; MAX_MESSAGE];
    loop {
        tokio::select! {
            read = conn.read(&mut buf, None) => match read {
                Ok(len) => pipe.deliver(&buf[..len]),
                Err(Error::ErrBufferTooSmall) => {}
                Err(_) => return pipe.tell(Outcome::Closed),
            },
            () = pipe.asked() => {
                if send(&pipe, &conn).await {
                    return;
                }
            }
        }
    }
}

/// Sends what the owner asked for; whether it asked for the end.
async fn send(pipe: &Pipe, conn: &DTLSConn) -> bool {
    loop {
        let (plaintext, closing) = {
            let mut queues = pipe.lock();
            (queues.plaintexts.pop(), queues.closing)
        };
        match plaintext {
            Some(plaintext) if conn.write(&plaintext, None).await.is_ok() => {}
            Some(_) => return true,
            None if closing => {
                let _ = conn.close().await;
                return true;
            }
            None => return false,
        }
    }
}

fn profile(profile: SrtpProtectionProfile) -> Option<SrtpProfile> {
    match profile {
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => Some(SrtpProfile::Aes128CmSha1_80),
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32 => Some(SrtpProfile::Aes128CmSha1_32),
        SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => Some(SrtpProfile::AeadAes128Gcm),
        SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => Some(SrtpProfile::AeadAes256Gcm),
        SrtpProtectionProfile::Unsupported => None,
    }
}
