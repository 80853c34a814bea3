use crate::alert::Failure;
use crate::certificate::KeyKind;
use crate::endpoint::{Endpoint, Exporter, Progress, illegal, unexpected, wrong_finished};
use crate::handshake::certificate_request::CertificateRequest;
use crate::handshake::certificate_verify::CertificateVerify;
use crate::handshake::client_key_exchange::ClientKeyExchange;
use crate::handshake::server_key_exchange::{ServerKeyExchange, signed_content};
use crate::handshake::{Message, kind};
use crate::schedule::v1_2::Master;
use crate::suite::{Authentication, Suite};
use crate::transcript::Transcript;
use layer::DtlsVersion;
use subtle::ConstantTimeEq;

const VERSION: DtlsVersion = DtlsVersion::V1_2;

/// A client of 1.2 from ServerHello on (RFC 5246 §7.3).
#[derive(Debug)]
pub(crate) struct State {
    step: Step,
    suite: Suite,
    /// The client's and the server's.
    randoms: [[u8; 32]; 2],
    transcript: Transcript,
}

/// What comes next, and what was learned for it.
#[derive(Debug)]
enum Step {
    Certificate,
    ServerKeyExchange,
    CertificateRequest(ServerKeyExchange),
    ServerHelloDone(ServerKeyExchange, Option<Vec<u16>>),
    Finished(Master),
    /// Nothing: it is over.
    Over,
}

impl State {
    /// The transcript ends with ServerHello.
    pub(super) fn new(suite: Suite, randoms: [[u8; 32]; 2], transcript: Transcript) -> Self {
        Self {
            step: Step::Certificate,
            suite,
            randoms,
            transcript,
        }
    }

    pub(super) fn handle(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
    ) -> Result<Progress, Failure> {
        let body = &message.body;
        let step = std::mem::replace(&mut self.step, Step::Over);
        if let (Step::Finished(master), kind::FINISHED) = (&step, message.kind) {
            let expected = master.server_finished(&self.transcript.digest());
            if !bool::from(expected.ct_eq(body)) {
                return Err(wrong_finished());
            }
            endpoint.begin_flight();
            if let Step::Finished(master) = step {
                endpoint.exporter = Some(Exporter::V1_2(master));
            }
            return Ok(Progress::Finished);
        }
        self.transcript.add(message.kind, message.sequence, body);
        self.step = match (step, message.kind) {
            (Step::Certificate, kind::CERTIFICATE) => {
                endpoint.take_certificates(VERSION, body)?;
                self.check_key(endpoint)?;
                Step::ServerKeyExchange
            }
            (Step::ServerKeyExchange, kind::SERVER_KEY_EXCHANGE) => {
                Step::CertificateRequest(self.take_exchange(endpoint, body)?)
            }
            (Step::CertificateRequest(exchange), kind::CERTIFICATE_REQUEST) => {
                let request = CertificateRequest::parse(VERSION, body)?;
                Step::ServerHelloDone(exchange, Some(request.signature_schemes))
            }
            (Step::CertificateRequest(exchange), kind::SERVER_HELLO_DONE) => {
                return self.answer(endpoint, &exchange, None);
            }
            (Step::ServerHelloDone(exchange, schemes), kind::SERVER_HELLO_DONE) => {
                return self.answer(endpoint, &exchange, schemes);
            }
            _ => return Err(unexpected()),
        };
        Ok(Progress::More)
    }

    /// RFC 8422 §2: the suite says with what kind of key the server signs.
    fn check_key(&self, endpoint: &Endpoint) -> Result<(), Failure> {
        let is_rsa = endpoint.peer_key() == Some(KeyKind::Rsa);
        if is_rsa == (self.suite.authentication == Authentication::Rsa) {
            Ok(())
        } else {
            Err(illegal("a certificate that does not go with the suite"))
        }
    }

    fn take_exchange(
        &self,
        endpoint: &mut Endpoint,
        body: &[u8],
    ) -> Result<ServerKeyExchange, Failure> {
        let exchange = ServerKeyExchange::parse(body)?;
        if endpoint.agreement(exchange.group).is_none() {
            return Err(illegal("a group that was not offered"));
        }
        let [client, server] = &self.randoms;
        let content = signed_content(client, server, exchange.group, &exchange.point);
        endpoint.verify(VERSION, exchange.scheme, &content, &exchange.signature)?;
        endpoint.security.group = Some(exchange.group);
        Ok(exchange)
    }

    /// Our second flight: Certificate, ClientKeyExchange, CertificateVerify, Finished.
    fn answer(
        &mut self,
        endpoint: &mut Endpoint,
        exchange: &ServerKeyExchange,
        schemes: Option<Vec<u16>>,
    ) -> Result<Progress, Failure> {
        let agreement = endpoint.start_agreement(exchange.group)?;
        let point = agreement.public_key().to_vec();
        let shared = Endpoint::complete(agreement, &exchange.point)?;
        let scheme = schemes
            .map(|schemes| endpoint.own_scheme(&schemes))
            .transpose()?;
        let transcript = &mut self.transcript;

        endpoint.begin_flight();
        if scheme.is_some() {
            let certificate = endpoint.certificate_body(VERSION);
            endpoint.send_counted(transcript, 0, kind::CERTIFICATE, certificate);
        }
        let key_exchange = ClientKeyExchange { point }.write();
        endpoint.send_counted(transcript, 0, kind::CLIENT_KEY_EXCHANGE, key_exchange);
        // RFC 7627 §3: the session hash ends with ClientKeyExchange.
        let master = Master::extended(
            &endpoint.provider,
            self.suite.cipher,
            &shared,
            &transcript.digest(),
            self.randoms,
        );
        if let Some(scheme) = scheme {
            let signature = endpoint.sign(transcript.messages())?;
            let verify = CertificateVerify { scheme, signature };
            endpoint.send_counted(transcript, 0, kind::CERTIFICATE_VERIFY, verify.write());
        }
        transcript.forget_messages();
        let keys = master
            .keys(&endpoint.provider)
            .map_err(Failure::of_crypto)?;
        endpoint.records.install_write(1, keys.client);
        endpoint.records.install_read(1, keys.server);
        let verify_data = master.client_finished(&transcript.digest());
        endpoint.send_finished_1_2(transcript, verify_data);
        self.step = Step::Finished(master);
        Ok(Progress::Answered)
    }
}
