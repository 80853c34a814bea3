use crate::alert::Failure;
use crate::endpoint::{Endpoint, Exporter, Progress, unexpected, wrong_finished};
use crate::handshake::certificate_request::CertificateRequest;
use crate::handshake::certificate_verify::CertificateVerify;
use crate::handshake::client_hello::ClientHello;
use crate::handshake::client_key_exchange::ClientKeyExchange;
use crate::handshake::server_hello::{DOWNGRADE, ServerHello};
use crate::handshake::server_key_exchange::{ServerKeyExchange, signed_content};
use crate::handshake::{Message, kind};
use crate::schedule::v1_2::Master;
use crate::signature;
use crate::suite::Suite;
use crate::transcript::Transcript;
use crypto::ActiveAgreement;
use layer::DtlsVersion;
use subtle::ConstantTimeEq;

const VERSION: DtlsVersion = DtlsVersion::V1_2;

/// A server of 1.2 whose first flight is out (RFC 5246 §7.3).
#[derive(Debug)]
pub(crate) struct State {
    step: Step,
    suite: Suite,
    /// The client's and ours.
    randoms: [[u8; 32]; 2],
    transcript: Transcript,
}

/// What comes next, and what was prepared for it.
#[derive(Debug)]
enum Step {
    Certificate(Box<dyn ActiveAgreement>),
    ClientKeyExchange(Box<dyn ActiveAgreement>),
    CertificateVerify(Master),
    Finished(Master),
    /// Nothing: it is over.
    Over,
}

impl State {
    /// Makes the server's flight, from ServerHello to ServerHelloDone; the transcript ends with
    /// ClientHello.
    pub(super) fn answer(
        endpoint: &mut Endpoint,
        suite: Suite,
        group: u16,
        scheme: u16,
        offer: &ClientHello,
        protocol: Option<Vec<u8>>,
        mut transcript: Transcript,
    ) -> Result<Self, Failure> {
        let mut random: [u8; 32] = endpoint.random.array().map_err(Failure::of_crypto)?;
        if endpoint.speaks(DtlsVersion::V1_3) {
            // RFC 8446 §4.1.3: a client that speaks 1.3 too learns that it was cut out.
            let at = random.len() - DOWNGRADE.len();
            random[at..].copy_from_slice(&DOWNGRADE);
        }
        let hello = ServerHello {
            random,
            suite: suite.id,
            extended_master_secret: true,
            secure_renegotiation: offer.secure_renegotiation,
            srtp_profile: endpoint.security.srtp_profile.map(|profile| profile as u16),
            protocol,
            ..ServerHello::default()
        };
        let agreement = endpoint.start_agreement(group)?;
        let point = agreement.public_key().to_vec();
        let content = signed_content(&offer.random, &random, group, &point);
        let exchange = ServerKeyExchange {
            group,
            point,
            scheme,
            signature: endpoint.sign(&content)?,
        };
        // RFC 8122 §6.2: both ends show certificates.
        let request = CertificateRequest {
            signature_schemes: signature::offered(&endpoint.provider),
        };
        endpoint.begin_flight();
        for (kind, body) in [
            (kind::SERVER_HELLO, hello.write()),
            (kind::CERTIFICATE, endpoint.certificate_body(VERSION)),
            (kind::SERVER_KEY_EXCHANGE, exchange.write()),
            (kind::CERTIFICATE_REQUEST, request.write(VERSION)),
            (kind::SERVER_HELLO_DONE, Vec::new()),
        ] {
            endpoint.send_counted(&mut transcript, 0, kind, body);
        }
        Ok(Self {
            step: Step::Certificate(agreement),
            suite,
            randoms: [offer.random, random],
            transcript,
        })
    }

    pub(super) fn handle(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
    ) -> Result<Progress, Failure> {
        let body = &message.body;
        let step = std::mem::replace(&mut self.step, Step::Over);
        self.step = match (step, message.kind) {
            (Step::Certificate(agreement), kind::CERTIFICATE) => {
                endpoint.take_certificates(VERSION, body)?;
                Step::ClientKeyExchange(agreement)
            }
            (Step::ClientKeyExchange(agreement), kind::CLIENT_KEY_EXCHANGE) => {
                let exchange = ClientKeyExchange::parse(body)?;
                let shared = Endpoint::complete(agreement, &exchange.point)?;
                self.transcript.add(message.kind, message.sequence, body);
                self.step = Step::CertificateVerify(self.derive(endpoint, &shared)?);
                return Ok(Progress::More);
            }
            (Step::CertificateVerify(master), kind::CERTIFICATE_VERIFY) => {
                let verify = CertificateVerify::parse(body)?;
                let content = self.transcript.messages();
                endpoint.verify(VERSION, verify.scheme, content, &verify.signature)?;
                self.transcript.forget_messages();
                Step::Finished(master)
            }
            (Step::Finished(master), kind::FINISHED) => {
                let expected = master.client_finished(&self.transcript.digest());
                if !bool::from(expected.ct_eq(body)) {
                    return Err(wrong_finished());
                }
                self.transcript.add(message.kind, message.sequence, body);
                return Ok(self.finish(endpoint, master));
            }
            _ => return Err(unexpected()),
        };
        self.transcript.add(message.kind, message.sequence, body);
        Ok(Progress::More)
    }

    /// RFC 7627 §3: the session hash ends with ClientKeyExchange.
    fn derive(&self, endpoint: &mut Endpoint, shared: &[u8]) -> Result<Master, Failure> {
        let master = Master::extended(
            &endpoint.provider,
            self.suite.cipher,
            shared,
            &self.transcript.digest(),
            self.randoms,
        );
        let keys = master
            .keys(&endpoint.provider)
            .map_err(Failure::of_crypto)?;
        endpoint.records.install_read(1, keys.client);
        endpoint.records.install_write(1, keys.server);
        Ok(master)
    }

    /// The last flight.
    fn finish(&mut self, endpoint: &mut Endpoint, master: Master) -> Progress {
        endpoint.begin_flight();
        let verify_data = master.server_finished(&self.transcript.digest());
        endpoint.send_finished_1_2(&mut self.transcript, verify_data);
        endpoint.exporter = Some(Exporter::V1_2(master));
        Progress::Finished
    }
}
