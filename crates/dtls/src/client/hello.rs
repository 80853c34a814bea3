use super::{Client, v1_2, v1_3};
use crate::alert::{Alert, Failure};
use crate::endpoint::{Endpoint, Progress, illegal, unexpected};
use crate::extension::KeyShare;
use crate::extension::supported_versions::number;
use crate::handshake::client_hello::{ClientHello, LEGACY_VERSION};
use crate::handshake::hello_verify_request::HelloVerifyRequest;
use crate::handshake::server_hello::{DOWNGRADE, ServerHello};
use crate::handshake::{Message, kind};
use crate::signature;
use crate::suite::Suite;
use crate::transcript::Transcript;
use crypto::{ActiveAgreement, Group};
use layer::DtlsVersion;

/// A ClientHello that waits for its answer.
#[derive(Debug)]
pub(crate) struct Hello {
    pub(super) offer: ClientHello,
    /// As it went out last.
    body: Vec<u8>,
    sequence: u16,
    /// The private halves of its key shares.
    agreements: Vec<(u16, Box<dyn ActiveAgreement>)>,
    /// After a HelloRetryRequest.
    retry: Option<Retry>,
    /// How many HelloVerifyRequests have come.
    verify_requests: u8,
}

/// What a HelloRetryRequest has settled.
#[derive(Debug)]
struct Retry {
    suite: Suite,
    transcript: Transcript,
}

/// RFC 6347 §4.2.1 has one; a server whose secret has just changed may ask again.
const MAX_VERIFY_REQUESTS: u8 = 3;

impl Hello {
    /// Makes the first ClientHello. It offers all our versions at once (RFC 8446 §4.2.1).
    pub(super) fn start(endpoint: &mut Endpoint) -> Result<Self, Failure> {
        let offers_1_3 = endpoint.speaks(DtlsVersion::V1_3);
        let offers_1_2 = endpoint.speaks(DtlsVersion::V1_2);
        let mut hello = Self {
            offer: ClientHello {
                legacy_version: LEGACY_VERSION,
                random: endpoint.random.array().map_err(Failure::of_crypto)?,
                suites: endpoint.suites().map(|suite| suite.id).collect(),
                groups: endpoint.groups(),
                signature_schemes: signature::offered(&endpoint.provider),
                srtp_profiles: endpoint
                    .srtp_profiles
                    .iter()
                    .map(|profile| *profile as u16)
                    .collect(),
                protocols: endpoint.protocols.clone(),
                server_name: endpoint.server_name.clone(),
                extended_master_secret: offers_1_2,
                secure_renegotiation: offers_1_2,
                ..ClientHello::default()
            },
            body: Vec::new(),
            sequence: 0,
            agreements: Vec::new(),
            retry: None,
            verify_requests: 0,
        };
        if offers_1_3 {
            let versions = [DtlsVersion::V1_3, DtlsVersion::V1_2];
            let ours = versions.into_iter().filter(|v| endpoint.speaks(*v));
            hello.offer.versions = Some(ours.map(number).collect());
            hello.start_agreements(endpoint)?;
        }
        hello.send(endpoint);
        Ok(hello)
    }

    /// Shares of the best group, and of P-256, which every server has (RFC 8827 §6.5).
    fn start_agreements(&mut self, endpoint: &Endpoint) -> Result<(), Failure> {
        let best = self.offer.groups.first().copied();
        let common = Some(Group::Secp256r1 as u16);
        let common =
            common.filter(|group| best != Some(*group) && self.offer.groups.contains(group));
        for group in best.into_iter().chain(common) {
            let agreement = endpoint.start_agreement(group)?;
            self.agreements.push((group, agreement));
        }
        Ok(())
    }

    /// Makes the flight: the ClientHello as it is to be now.
    fn send(&mut self, endpoint: &mut Endpoint) {
        if self.offer.versions.is_some() {
            let shares = self.agreements.iter().map(|(group, agreement)| KeyShare {
                group: *group,
                key: agreement.public_key().to_vec(),
            });
            self.offer.shares = Some(shares.collect());
        }
        self.body = self.offer.write();
        endpoint.begin_flight();
        self.sequence = endpoint.send(0, kind::CLIENT_HELLO, self.body.clone());
    }

    pub(super) fn handle(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
    ) -> Result<(Option<Client>, Progress), Failure> {
        match message.kind {
            kind::HELLO_VERIFY_REQUEST => self.verify(endpoint, &message.body),
            kind::SERVER_HELLO => {
                let answer = ServerHello::parse(&message.body)?;
                if answer.version.is_none() {
                    return self.choose_1_2(endpoint, message, &answer);
                }
                if answer.version != Some(number(DtlsVersion::V1_3))
                    || self.offer.versions.is_none()
                {
                    return Err(illegal("a version that was not offered"));
                }
                if !answer.session_id.is_empty() || answer.legacy_version != LEGACY_VERSION {
                    return Err(illegal("an echo of what was not said"));
                }
                // RFC 8446 §4.2: in 1.3 the answer to a name is encrypted.
                if answer.has_unknown || answer.knows_name {
                    return Err(unsolicited());
                }
                if answer.is_retry() {
                    self.retry(endpoint, message, &answer)
                } else {
                    self.choose_1_3(endpoint, message, &answer)
                }
            }
            _ => Err(unexpected()),
        }
    }

    /// RFC 6347 §4.2.1: the same again, with the cookie. Neither counts in the transcript.
    fn verify(
        &mut self,
        endpoint: &mut Endpoint,
        body: &[u8],
    ) -> Result<(Option<Client>, Progress), Failure> {
        let request = HelloVerifyRequest::parse(body)?;
        self.verify_requests += 1;
        // RFC 9147 §5.2: of a server of 1.2 it is taken, whatever else was offered.
        let is_late = self.retry.is_some() || self.verify_requests > MAX_VERIFY_REQUESTS;
        if is_late || !endpoint.speaks(DtlsVersion::V1_2) {
            return Err(unexpected());
        }
        self.offer.legacy_cookie = request.cookie;
        self.send(endpoint);
        Ok((None, Progress::Answered))
    }

    /// RFC 8446 §4.1.4: once, and it must change something.
    fn retry(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
        answer: &ServerHello,
    ) -> Result<(Option<Client>, Progress), Failure> {
        if self.retry.is_some() {
            return Err(unexpected());
        }
        let suite = self.suite(DtlsVersion::V1_3, answer)?;
        if let Some(group) = answer.retry_group {
            let has_share = self.agreements.iter().any(|(other, _)| *other == group);
            if has_share || !self.offer.groups.contains(&group) {
                return Err(illegal(
                    "a share of this group is there, or was never offered",
                ));
            }
            self.agreements = vec![(group, endpoint.start_agreement(group)?)];
        } else if answer.cookie.is_none() {
            return Err(illegal("a HelloRetryRequest that changes nothing"));
        }
        let hash = suite.cipher.hash(&endpoint.provider);
        let mut transcript = Transcript::new(DtlsVersion::V1_3, hash);
        transcript.add(kind::CLIENT_HELLO, self.sequence, &self.body);
        transcript.replace_by_hash();
        transcript.add(message.kind, message.sequence, &message.body);
        self.retry = Some(Retry { suite, transcript });
        self.offer.cookie.clone_from(&answer.cookie);
        self.send(endpoint);
        Ok((None, Progress::Answered))
    }

    fn choose_1_3(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
        answer: &ServerHello,
    ) -> Result<(Option<Client>, Progress), Failure> {
        let suite = self.suite(DtlsVersion::V1_3, answer)?;
        let share = answer.share.as_ref().ok_or(Failure::new(
            Alert::MISSING_EXTENSION,
            "a ServerHello without a key share",
        ))?;
        let mut agreements = self.agreements.iter();
        let at = agreements
            .position(|(group, _)| *group == share.group)
            .ok_or(illegal("a key share of another group"))?;
        let (_, agreement) = self.agreements.swap_remove(at);
        let shared = Endpoint::complete(agreement, &share.key)?;
        let mut transcript = match self.retry.take() {
            Some(retry) if retry.suite != suite => {
                return Err(illegal("another suite than that of the HelloRetryRequest"));
            }
            Some(retry) => retry.transcript,
            None => Transcript::new(DtlsVersion::V1_3, suite.cipher.hash(&endpoint.provider)),
        };
        transcript.add(kind::CLIENT_HELLO, self.sequence, &self.body);
        transcript.add(message.kind, message.sequence, &message.body);
        endpoint.security.version = DtlsVersion::V1_3;
        endpoint.security.cipher_suite = Some(suite.id);
        endpoint.security.group = Some(share.group);
        // RFC 9147 §7.1: who answers has our flight.
        endpoint.begin_flight();
        let state = v1_3::State::new(endpoint, suite.cipher, &shared, transcript)?;
        Ok((Some(Client::V1_3(state)), Progress::More))
    }

    fn choose_1_2(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
        answer: &ServerHello,
    ) -> Result<(Option<Client>, Progress), Failure> {
        let is_older = answer.legacy_version != LEGACY_VERSION;
        if is_older || !endpoint.speaks(DtlsVersion::V1_2) || self.retry.is_some() {
            return Err(Failure::new(
                Alert::PROTOCOL_VERSION,
                "the server takes no version of ours",
            ));
        }
        // RFC 8446 §4.1.3: the server knows 1.3, and somebody has taken that out of our offer.
        if self.offer.versions.is_some() && answer.random.ends_with(&DOWNGRADE) {
            return Err(illegal("a downgrade"));
        }
        if answer.has_unknown || (answer.knows_name && self.offer.server_name.is_none()) {
            return Err(unsolicited());
        }
        // RFC 7627 §5.3: without it, a session is not bound to its handshake.
        if !answer.extended_master_secret {
            return Err(Failure::new(
                Alert::HANDSHAKE_FAILURE,
                "the server knows no extended master secret",
            ));
        }
        let suite = self.suite(DtlsVersion::V1_2, answer)?;
        let hash = suite.cipher.hash(&endpoint.provider);
        let mut transcript = Transcript::new(DtlsVersion::V1_2, hash);
        transcript.add(kind::CLIENT_HELLO, self.sequence, &self.body);
        transcript.add(message.kind, message.sequence, &message.body);
        endpoint.security.version = DtlsVersion::V1_2;
        endpoint.security.cipher_suite = Some(suite.id);
        endpoint.security.srtp_profile = endpoint.accept_srtp(answer.srtp_profile)?;
        let randoms = [self.offer.random, answer.random];
        let state = v1_2::State::new(suite, randoms, transcript);
        Ok((Some(Client::V1_2(state)), Progress::More))
    }

    fn suite(&self, version: DtlsVersion, answer: &ServerHello) -> Result<Suite, Failure> {
        Suite::find(version, answer.suite)
            .filter(|suite| self.offer.suites.contains(&suite.id))
            .ok_or(illegal("a suite that was not offered"))
    }
}

/// RFC 8446 §4.2.
fn unsolicited() -> Failure {
    Failure::new(
        Alert::UNSUPPORTED_EXTENSION,
        "an extension that was not asked for",
    )
}
