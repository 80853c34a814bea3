//! Long-term credentials, the server's side (RFC 8489 §9.2.4).

use super::{FiveTuple, Query, Server};
use crypto::HmacKey;
use std::time::Instant;
use stun::{
    AttributeType, Builder, ErrorCode, Message, Nonce, PasswordAlgorithm, PasswordAlgorithms,
    Realm, SecurityFeatures, Userhash, Username,
};

/// Protects the answer to an authenticated request.
#[derive(Debug)]
pub(super) struct Signer {
    key: Box<dyn HmacKey>,
    /// MESSAGE-INTEGRITY-SHA256 instead of MESSAGE-INTEGRITY.
    sha256: bool,
}

impl Signer {
    pub(super) fn sign(&self, builder: &mut Builder<'_>) {
        if self.sha256 {
            builder.integrity_sha256(&*self.key);
        } else {
            builder.integrity(&*self.key);
        }
    }
}

/// Who sends a request.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) username: String,
    pub(super) user: String,
    pub(super) signer: Signer,
}

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 400, and nothing to go on with.
    Bad,
    /// 401, because there are no credentials: the ordinary beginning.
    Bare,
    /// 401, because they are wrong.
    Wrong,
    /// 438.
    Stale,
}

impl Refusal {
    pub(super) fn code(self) -> ErrorCode<'static> {
        match self {
            Self::Bad => ErrorCode::BAD_REQUEST,
            Self::Bare | Self::Wrong => ErrorCode::UNAUTHENTICATED,
            Self::Stale => ErrorCode::STALE_NONCE,
        }
    }

    /// Whether the answer has a realm and a nonce.
    pub(super) fn is_challenge(self) -> bool {
        self != Self::Bad
    }
}

impl Server {
    /// The checks of RFC 8489 §9.2.4, in their order.
    pub(super) fn authenticate(
        &self,
        now: Instant,
        five_tuple: FiveTuple,
        message: &Message<'_>,
    ) -> Result<Identity, Refusal> {
        let has = |kind| message.attributes().any(|raw| raw.kind == kind);
        let sha256 = has(AttributeType::MESSAGE_INTEGRITY_SHA256);
        // turn-026
        if !sha256 && !has(AttributeType::MESSAGE_INTEGRITY) {
            return Err(Refusal::Bare);
        }
        let (Ok(Some(Realm(realm))), Ok(Some(Nonce(nonce)))) =
            (message.attribute(), message.attribute())
        else {
            return Err(Refusal::Bad);
        };
        let username = self.username(message)?;
        let (algorithm, listed) = algorithm(message, nonce)?;
        let username = username.ok_or(Refusal::Wrong)?;
        let query = Query {
            provider: &self.config.provider,
            wall: self.wall(now),
            username: &username,
            realm: &self.config.realm,
            algorithm,
        };
        let account = self.config.credentials.account(&query);
        let account = account.ok_or(Refusal::Wrong)?;
        if realm != self.config.realm {
            return Err(Refusal::Wrong);
        }
        let provider = &self.config.provider;
        let verified = if sha256 {
            message.integrity_sha256(&*provider.hmac_sha256.key(&account.key))
        } else {
            message.integrity(&*provider.hmac_sha1.key(&account.key))
        };
        if verified != Some(true) {
            return Err(Refusal::Wrong);
        }
        if !self.nonces.is_fresh(now, five_tuple.client, nonce) {
            return Err(Refusal::Stale);
        }
        // The answer has the stronger integrity as soon as the client names algorithms.
        let hmac = if listed {
            provider.hmac_sha256
        } else {
            provider.hmac_sha1
        };
        let key = hmac.key(&account.key);
        Ok(Identity {
            username,
            user: account.user,
            signer: Signer {
                key,
                sha256: listed,
            },
        })
    }

    /// The name in USERNAME, or behind USERHASH; `Ok(None)` for a hash that nobody has.
    fn username(&self, message: &Message<'_>) -> Result<Option<String>, Refusal> {
        if let Ok(Some(Username(name))) = message.attribute() {
            return Ok(Some(name.to_owned()));
        }
        match message.attribute::<Userhash>() {
            Ok(Some(hash)) => Ok(self.config.credentials.username(&hash)),
            _ => Err(Refusal::Bad),
        }
    }

    /// Adds what a client needs to answer a challenge.
    pub(super) fn challenge(&self, now: Instant, five_tuple: FiveTuple, builder: &mut Builder<'_>) {
        let nonce = self.nonces.issue(now, five_tuple.client);
        builder.attribute(&Realm(&self.config.realm));
        builder.attribute(&Nonce(&nonce));
        builder.attribute(&PasswordAlgorithms::ALL);
    }
}

/// How the key is derived, and whether the client says so. The list must come back as it went out, or
/// somebody has changed it (stun-038).
fn algorithm(message: &Message<'_>, nonce: &str) -> Result<(PasswordAlgorithm, bool), Refusal> {
    let list = message.attribute::<PasswordAlgorithms<'_>>();
    let chosen = message.attribute::<PasswordAlgorithm>();
    let features = SecurityFeatures::in_nonce(nonce).unwrap_or_default();
    if !features.password_algorithms {
        return Ok((PasswordAlgorithm::Md5, false));
    }
    match (list, chosen) {
        (Ok(None), Ok(None)) => Ok((PasswordAlgorithm::Md5, false)),
        (Ok(Some(list)), Ok(Some(chosen))) if list == PasswordAlgorithms::ALL => Ok((chosen, true)),
        _ => Err(Refusal::Bad),
    }
}
