use crate::alert::Failure;
use crate::endpoint::{Endpoint, Exporter, Progress, Traffic, unexpected, wrong_finished};
use crate::extension::KeyShare;
use crate::extension::supported_versions::number;
use crate::handshake::certificate_request::CertificateRequest;
use crate::handshake::certificate_verify::{CertificateVerify, Signer, signed_content};
use crate::handshake::encrypted_extensions::EncryptedExtensions;
use crate::handshake::server_hello::ServerHello;
use crate::handshake::{Message, kind};
use crate::schedule::Secret;
use crate::schedule::v1_3::{KeySchedule, TrafficSecrets, verify_data};
use crate::signature;
use crate::suite::{Cipher, Suite};
use crate::transcript::Transcript;
use layer::DtlsVersion;
use subtle::ConstantTimeEq;

const VERSION: DtlsVersion = DtlsVersion::V1_3;

/// A server of 1.3 whose flight is out (RFC 8446 §A.2).
#[derive(Debug)]
pub(crate) struct State {
    step: Step,
    cipher: Cipher,
    transcript: Transcript,
    /// Of epoch 2.
    handshake: TrafficSecrets,
    /// Of epoch 3.
    application: TrafficSecrets,
    exporter: Secret,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Certificate,
    CertificateVerify,
    Finished,
}

impl State {
    /// Makes the server's flight, from ServerHello to Finished; the transcript ends with
    /// ClientHello.
    pub(super) fn answer(
        endpoint: &mut Endpoint,
        suite: Suite,
        share: &KeyShare,
        scheme: u16,
        protocol: Option<Vec<u8>>,
        mut transcript: Transcript,
    ) -> Result<Self, Failure> {
        let (provider, cipher) = (endpoint.provider, suite.cipher);
        let agreement = endpoint.start_agreement(share.group)?;
        let hello = ServerHello {
            random: endpoint.random.array().map_err(Failure::of_crypto)?,
            suite: suite.id,
            version: Some(number(VERSION)),
            share: Some(KeyShare {
                group: share.group,
                key: agreement.public_key().to_vec(),
            }),
            ..ServerHello::default()
        };
        let shared = Endpoint::complete(agreement, &share.key)?;
        endpoint.begin_flight();
        endpoint.send_counted(&mut transcript, 0, kind::SERVER_HELLO, hello.write());

        let schedule = KeySchedule::new(&provider, cipher, &shared);
        let handshake = schedule.handshake_traffic(&transcript.digest());
        endpoint.install_read(2, cipher, &handshake.client)?;
        endpoint.install_write(2, cipher, &handshake.server)?;
        let extensions = EncryptedExtensions {
            srtp_profile: endpoint.security.srtp_profile.map(|profile| profile as u16),
            protocol,
            ..EncryptedExtensions::default()
        };
        let extensions = extensions.write();
        endpoint.send_counted(&mut transcript, 2, kind::ENCRYPTED_EXTENSIONS, extensions);
        // RFC 8122 §6.2: both ends show certificates.
        let request = CertificateRequest {
            signature_schemes: signature::offered(&provider),
        };
        let request = request.write(VERSION);
        endpoint.send_counted(&mut transcript, 2, kind::CERTIFICATE_REQUEST, request);
        let certificate = endpoint.certificate_body(VERSION);
        endpoint.send_counted(&mut transcript, 2, kind::CERTIFICATE, certificate);
        let content = signed_content(Signer::Server, &transcript.digest());
        let signature = endpoint.sign(&content)?;
        let verify = CertificateVerify { scheme, signature }.write();
        endpoint.send_counted(&mut transcript, 2, kind::CERTIFICATE_VERIFY, verify);
        let finished = verify_data(&provider, cipher, &handshake.server, &transcript.digest());
        endpoint.send_counted(&mut transcript, 2, kind::FINISHED, finished);

        let (application, exporter) = schedule.application_traffic(&transcript.digest());
        Ok(Self {
            step: Step::Certificate,
            cipher,
            transcript,
            handshake,
            application,
            exporter,
        })
    }

    pub(super) fn handle(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
    ) -> Result<Progress, Failure> {
        // RFC 9147 §7.1: who goes on has our flight.
        endpoint.begin_flight();
        let body = &message.body;
        match (self.step, message.kind) {
            (Step::Certificate, kind::CERTIFICATE) => {
                endpoint.take_certificates(VERSION, body)?;
                self.step = Step::CertificateVerify;
            }
            (Step::CertificateVerify, kind::CERTIFICATE_VERIFY) => {
                let verify = CertificateVerify::parse(body)?;
                let content = signed_content(Signer::Client, &self.transcript.digest());
                endpoint.verify(VERSION, verify.scheme, &content, &verify.signature)?;
                self.step = Step::Finished;
            }
            (Step::Finished, kind::FINISHED) => {
                let digest = self.transcript.digest();
                let secret = &self.handshake.client;
                let expected = verify_data(&endpoint.provider, self.cipher, secret, &digest);
                if !bool::from(expected.ct_eq(body)) {
                    return Err(wrong_finished());
                }
                self.finish(endpoint)?;
                return Ok(Progress::Finished);
            }
            _ => return Err(unexpected()),
        }
        self.transcript.add(message.kind, message.sequence, body);
        Ok(Progress::More)
    }

    /// The client is done: epoch 3 begins. Before, nothing of it is read (RFC 9147 §5.8.1).
    fn finish(&mut self, endpoint: &mut Endpoint) -> Result<(), Failure> {
        endpoint.install_read(3, self.cipher, &self.application.client)?;
        endpoint.install_write(3, self.cipher, &self.application.server)?;
        endpoint.exporter = Some(Exporter::V1_3(self.cipher, self.exporter.clone()));
        endpoint.traffic = Some(Traffic {
            cipher: self.cipher,
            read: self.application.client.clone(),
            write: self.application.server.clone(),
        });
        Ok(())
    }
}
