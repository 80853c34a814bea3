use super::{Server, v1_2, v1_3};
use crate::alert::{Alert, Failure};
use crate::endpoint::{Endpoint, illegal, unexpected};
use crate::extension::KeyShare;
use crate::extension::supported_versions::number;
use crate::handshake::client_hello::{ClientHello, LEGACY_VERSION};
use crate::handshake::hello_verify_request::HelloVerifyRequest;
use crate::handshake::server_hello::{RETRY_RANDOM, ServerHello};
use crate::handshake::{Message, kind};
use crate::suite::{Authentication, Suite};
use crate::transcript::Transcript;
use crypto::Group;
use layer::DtlsVersion;
use subtle::ConstantTimeEq;

/// A server that waits for a ClientHello, the first or the second.
#[derive(Debug, Default)]
pub(crate) struct Hello {
    retry: Option<Retry>,
    /// What a HelloVerifyRequest asked for.
    cookie: Option<[u8; COOKIE_LEN]>,
}

/// What our HelloRetryRequest has settled.
#[derive(Debug)]
struct Retry {
    suite: Suite,
    /// A share of this group alone will do now.
    group: Option<u16>,
    cookie: Option<[u8; COOKIE_LEN]>,
    transcript: Transcript,
}

/// RFC 6347 §4.2.1: it cannot be guessed.
const COOKIE_LEN: usize = 16;

impl Hello {
    pub(super) fn handle(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
    ) -> Result<Option<Server>, Failure> {
        if message.kind != kind::CLIENT_HELLO {
            return Err(unexpected());
        }
        let offer = ClientHello::parse(&message.body)?;
        match self.version(endpoint, &offer)? {
            DtlsVersion::V1_3 => self.choose_1_3(endpoint, message, &offer),
            _ => self.choose_1_2(endpoint, message, &offer),
        }
    }

    /// RFC 8446 §4.2.1: 1.3 where both speak it.
    fn version(&self, endpoint: &Endpoint, offer: &ClientHello) -> Result<DtlsVersion, Failure> {
        let offers = |version| match &offer.versions {
            Some(versions) => versions.contains(&number(version)),
            // Versions count down. What is older than 1.2 has the larger number.
            None => version == DtlsVersion::V1_2 && offer.legacy_version <= LEGACY_VERSION,
        };
        [DtlsVersion::V1_3, DtlsVersion::V1_2]
            .into_iter()
            .find(|version| endpoint.speaks(*version) && offers(*version))
            .ok_or(Failure::new(
                Alert::PROTOCOL_VERSION,
                "the client offers no version of ours",
            ))
    }

    fn choose_1_3(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
        offer: &ClientHello,
    ) -> Result<Option<Server>, Failure> {
        let shares = offer.shares.as_ref().ok_or(Failure::new(
            Alert::MISSING_EXTENSION,
            "a ClientHello without key shares",
        ))?;
        let scheme = endpoint.own_scheme(&offer.signature_schemes)?;
        let suite = endpoint
            .suites()
            .find(|suite| suite.version == DtlsVersion::V1_3 && offer.suites.contains(&suite.id))
            .ok_or(nothing_in_common())?;
        // A group that has a share, before one that would cost a round trip.
        let groups = endpoint.groups();
        let mut ours = groups.iter();
        let share = ours.find_map(|group| shares.iter().find(|share| share.group == *group));
        let Some(retry) = self.retry.take() else {
            return self.begin_1_3(endpoint, message, offer, suite, share, scheme);
        };
        // RFC 8446 §4.1.2: the second ClientHello is the first with what was asked for.
        check_cookie(retry.cookie, offer.cookie.as_deref())?;
        let share = share
            .filter(|share| retry.group.is_none_or(|group| group == share.group))
            .ok_or(illegal(
                "a second ClientHello without the share that was asked for",
            ))?;
        if retry.suite != suite {
            return Err(illegal("a second ClientHello with other suites"));
        }
        let mut transcript = retry.transcript;
        transcript.add(message.kind, message.sequence, &message.body);
        self.accept_1_3(endpoint, offer, suite, share, scheme, transcript)
    }

    /// The first ClientHello: answers it, or asks for another one.
    fn begin_1_3(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
        offer: &ClientHello,
        suite: Suite,
        share: Option<&KeyShare>,
        scheme: u16,
    ) -> Result<Option<Server>, Failure> {
        let hash = suite.cipher.hash(&endpoint.provider);
        let mut transcript = Transcript::new(DtlsVersion::V1_3, hash);
        transcript.add(message.kind, message.sequence, &message.body);
        match share {
            Some(share) if !endpoint.verify_address => {
                self.accept_1_3(endpoint, offer, suite, share, scheme, transcript)
            }
            share => {
                let group = match share {
                    Some(_) => None,
                    None => Some(common_group(endpoint, &offer.groups)?),
                };
                self.ask_again(endpoint, suite, group, transcript)?;
                Ok(None)
            }
        }
    }

    /// HelloRetryRequest (RFC 8446 §4.1.4).
    fn ask_again(
        &mut self,
        endpoint: &mut Endpoint,
        suite: Suite,
        group: Option<u16>,
        mut transcript: Transcript,
    ) -> Result<(), Failure> {
        let cookie = endpoint
            .verify_address
            .then(|| endpoint.random.array())
            .transpose()
            .map_err(Failure::of_crypto)?;
        let request = ServerHello {
            random: RETRY_RANDOM,
            suite: suite.id,
            version: Some(number(DtlsVersion::V1_3)),
            retry_group: group,
            cookie: cookie.map(Vec::from),
            ..ServerHello::default()
        };
        transcript.replace_by_hash();
        endpoint.begin_flight();
        endpoint.send_counted(&mut transcript, 0, kind::SERVER_HELLO, request.write());
        self.retry = Some(Retry {
            suite,
            group,
            cookie,
            transcript,
        });
        Ok(())
    }

    fn accept_1_3(
        &mut self,
        endpoint: &mut Endpoint,
        offer: &ClientHello,
        suite: Suite,
        share: &KeyShare,
        scheme: u16,
        transcript: Transcript,
    ) -> Result<Option<Server>, Failure> {
        endpoint.security.version = DtlsVersion::V1_3;
        endpoint.security.cipher_suite = Some(suite.id);
        endpoint.security.group = Some(share.group);
        endpoint.security.srtp_profile = endpoint.choose_srtp(&offer.srtp_profiles);
        let protocol = choose_protocol(endpoint, offer);
        let state = v1_3::State::answer(endpoint, suite, share, scheme, protocol, transcript)?;
        Ok(Some(Server::V1_3(state)))
    }

    fn choose_1_2(
        &mut self,
        endpoint: &mut Endpoint,
        message: &Message,
        offer: &ClientHello,
    ) -> Result<Option<Server>, Failure> {
        if self.retry.is_some() {
            return Err(illegal("a second ClientHello of another version"));
        }
        if endpoint.verify_address && !self.is_verified(offer) {
            let cookie = endpoint.random.array().map_err(Failure::of_crypto)?;
            self.cookie = Some(cookie);
            let request = HelloVerifyRequest {
                cookie: cookie.to_vec(),
            };
            endpoint.begin_flight();
            endpoint.send(0, kind::HELLO_VERIFY_REQUEST, request.write());
            return Ok(None);
        }
        // RFC 7627 §5.2.
        if !offer.extended_master_secret {
            return Err(Failure::new(
                Alert::HANDSHAKE_FAILURE,
                "the client knows no extended master secret",
            ));
        }
        let scheme = endpoint.own_scheme(&offer.signature_schemes)?;
        let suite = endpoint
            .suites()
            .filter(|suite| suite.authentication == Authentication::Ecdsa)
            .find(|suite| offer.suites.contains(&suite.id))
            .ok_or(nothing_in_common())?;
        // RFC 8422 §4: a client that names no groups takes any.
        let group = if offer.groups.is_empty() {
            Group::Secp256r1 as u16
        } else {
            common_group(endpoint, &offer.groups)?
        };
        let hash = suite.cipher.hash(&endpoint.provider);
        let mut transcript = Transcript::new(DtlsVersion::V1_2, hash);
        transcript.add(message.kind, message.sequence, &message.body);
        endpoint.security.version = DtlsVersion::V1_2;
        endpoint.security.cipher_suite = Some(suite.id);
        endpoint.security.group = Some(group);
        endpoint.security.srtp_profile = endpoint.choose_srtp(&offer.srtp_profiles);
        let protocol = choose_protocol(endpoint, offer);
        let state =
            v1_2::State::answer(endpoint, suite, group, scheme, offer, protocol, transcript)?;
        Ok(Some(Server::V1_2(state)))
    }

    fn is_verified(&self, offer: &ClientHello) -> bool {
        self.cookie
            .is_some_and(|cookie| bool::from(cookie[..].ct_eq(&offer.legacy_cookie)))
    }
}

/// RFC 9147 §5.1: a wrong cookie is an illegal parameter.
fn check_cookie(asked: Option<[u8; COOKIE_LEN]>, shown: Option<&[u8]>) -> Result<(), Failure> {
    let Some(asked) = asked else {
        return Ok(());
    };
    if bool::from(asked[..].ct_eq(shown.unwrap_or_default())) {
        Ok(())
    } else {
        Err(illegal("a wrong cookie"))
    }
}

/// Our best group that the client has too.
fn common_group(endpoint: &Endpoint, offered: &[u16]) -> Result<u16, Failure> {
    let mut ours = endpoint.groups().into_iter();
    ours.find(|group| offered.contains(group))
        .ok_or(nothing_in_common())
}

/// The first protocol that is also ours. A client that offers others alone is answered without
/// (RFC 7301 §3.2 would have it refused; browsers know no such refusal).
fn choose_protocol(endpoint: &Endpoint, offer: &ClientHello) -> Option<Vec<u8>> {
    let mut protocols = offer.protocols.iter();
    protocols
        .find(|name| endpoint.protocols.contains(name))
        .cloned()
}

fn nothing_in_common() -> Failure {
    Failure::new(
        Alert::HANDSHAKE_FAILURE,
        "no cipher suite or group in common",
    )
}
