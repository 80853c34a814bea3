use crate::alert::{Alert, Failure};
use crate::endpoint::{Endpoint, Exporter, Progress, Traffic, unexpected, wrong_finished};
use crate::handshake::certificate_request::CertificateRequest;
use crate::handshake::certificate_verify::{CertificateVerify, Signer, signed_content};
use crate::handshake::encrypted_extensions::EncryptedExtensions;
use crate::handshake::{Message, kind};
use crate::schedule::v1_3::{KeySchedule, TrafficSecrets, verify_data};
use crate::suite::Cipher;
use crate::transcript::Transcript;
use layer::DtlsVersion;
use subtle::ConstantTimeEq;

const VERSION: DtlsVersion = DtlsVersion::V1_3;

/// A client of 1.3 from ServerHello on (RFC 8446 §A.1).
#[derive(Debug)]
pub(crate) struct State {
    step: Step,
    cipher: Cipher,
    transcript: Transcript,
    schedule: KeySchedule,
    traffic: TrafficSecrets,
    /// The schemes that a CertificateRequest named.
    request: Option<Vec<u16>>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    EncryptedExtensions,
    CertificateRequest,
    Certificate,
    CertificateVerify,
    Finished,
}

impl State {
    /// The transcript ends with ServerHello.
    pub(super) fn new(
        endpoint: &mut Endpoint,
        cipher: Cipher,
        shared: &[u8],
        transcript: Transcript,
    ) -> Result<Self, Failure> {
        let schedule = KeySchedule::new(&endpoint.provider, cipher, shared);
        let traffic = schedule.handshake_traffic(&transcript.digest());
        endpoint.install_read(2, cipher, &traffic.server)?;
        endpoint.install_write(2, cipher, &traffic.client)?;
        Ok(Self {
            step: Step::EncryptedExtensions,
            cipher,
            transcript,
            schedule,
            traffic,
            request: None,
        })
    }

    pub(super) fn handle(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
    ) -> Result<Progress, Failure> {
        let body = &message.body;
        match (self.step, message.kind) {
            (Step::EncryptedExtensions, kind::ENCRYPTED_EXTENSIONS) => {
                let extensions = EncryptedExtensions::parse(body)?;
                let is_named = endpoint.server_name.is_some();
                if extensions.has_unknown || (extensions.knows_name && !is_named) {
                    return Err(Failure::new(
                        Alert::UNSUPPORTED_EXTENSION,
                        "an extension that was not asked for",
                    ));
                }
                endpoint.security.srtp_profile = endpoint.accept_srtp(extensions.srtp_profile)?;
                self.step = Step::CertificateRequest;
            }
            (Step::CertificateRequest, kind::CERTIFICATE_REQUEST) => {
                let request = CertificateRequest::parse(VERSION, body)?;
                self.request = Some(request.signature_schemes);
                self.step = Step::Certificate;
            }
            (Step::CertificateRequest | Step::Certificate, kind::CERTIFICATE) => {
                endpoint.take_certificates(VERSION, body)?;
                self.step = Step::CertificateVerify;
            }
            (Step::CertificateVerify, kind::CERTIFICATE_VERIFY) => {
                let verify = CertificateVerify::parse(body)?;
                let content = signed_content(Signer::Server, &self.transcript.digest());
                endpoint.verify(VERSION, verify.scheme, &content, &verify.signature)?;
                self.step = Step::Finished;
            }
            (Step::Finished, kind::FINISHED) => return self.finish(endpoint, message),
            _ => return Err(unexpected()),
        }
        self.transcript.add(message.kind, message.sequence, body);
        Ok(Progress::More)
    }

    fn finish(&mut self, endpoint: &mut Endpoint, message: &Message) -> Result<Progress, Failure> {
        let provider = endpoint.provider;
        let digest = self.transcript.digest();
        let expected = verify_data(&provider, self.cipher, &self.traffic.server, &digest);
        if !bool::from(expected.ct_eq(&message.body)) {
            return Err(wrong_finished());
        }
        self.transcript
            .add(message.kind, message.sequence, &message.body);
        let (traffic, exporter) = self.schedule.application_traffic(&self.transcript.digest());

        endpoint.begin_flight();
        if let Some(schemes) = self.request.take() {
            self.show_certificate(endpoint, &schemes)?;
        }
        let digest = self.transcript.digest();
        let own = verify_data(&provider, self.cipher, &self.traffic.client, &digest);
        endpoint.send(2, kind::FINISHED, own);

        endpoint.install_read(3, self.cipher, &traffic.server)?;
        endpoint.install_write(3, self.cipher, &traffic.client)?;
        endpoint.exporter = Some(Exporter::V1_3(self.cipher, exporter));
        endpoint.traffic = Some(Traffic {
            cipher: self.cipher,
            read: traffic.server,
            write: traffic.client,
        });
        Ok(Progress::Finished)
    }

    fn show_certificate(
        &mut self,
        endpoint: &mut Endpoint,
        schemes: &[u16],
    ) -> Result<(), Failure> {
        let scheme = endpoint.own_scheme(schemes)?;
        let certificate = endpoint.certificate_body(VERSION);
        let transcript = &mut self.transcript;
        endpoint.send_counted(transcript, 2, kind::CERTIFICATE, certificate);
        let content = signed_content(Signer::Client, &transcript.digest());
        let signature = endpoint.sign(&content)?;
        let verify = CertificateVerify { scheme, signature };
        endpoint.send_counted(transcript, 2, kind::CERTIFICATE_VERIFY, verify.write());
        Ok(())
    }
}
