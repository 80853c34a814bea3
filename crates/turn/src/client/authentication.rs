//! Long-term credentials, the client's side (RFC 8489 §9.2.3, §9.2.5).

use super::Failure;
use crypto::{HmacKey, Provider};
use std::sync::Arc;
use stun::{
    Builder, Message, Nonce, PasswordAlgorithm, PasswordAlgorithms, Realm, SecurityFeatures,
    Userhash, Username, long_term_key,
};

/// What the server wants to see in a request, from its last 401 or 438.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    realm: String,
    nonce: String,
    /// The value of PASSWORD-ALGORITHMS, to be sent back as it came.
    algorithms: Option<Vec<u8>>,
    algorithm: PasswordAlgorithm,
    /// In place of the user name, if the server takes it.
    userhash: Option<Userhash>,
    /// For MESSAGE-INTEGRITY-SHA256 if there are `algorithms`, else for MESSAGE-INTEGRITY.
    key: Arc<dyn HmacKey>,
}

impl Challenge {
    /// Reads what a 401 or 438 asks for.
    pub(super) fn read(
        provider: &Provider,
        username: &str,
        password: &str,
        message: &Message<'_>,
    ) -> Result<Self, Failure> {
        let (Ok(Some(Realm(realm))), Ok(Some(Nonce(nonce)))) =
            (message.attribute(), message.attribute())
        else {
            return Err(Failure::Malformed);
        };
        let features = SecurityFeatures::in_nonce(nonce).unwrap_or_default();
        let algorithms: Option<PasswordAlgorithms<'_>> =
            message.attribute().map_err(|_| Failure::Malformed)?;
        // stun-038: the list was taken out on the way (RFC 8489 §9.2.5).
        if features.password_algorithms && algorithms.is_none() {
            return Err(Failure::BidDown);
        }
        let algorithm = match algorithms {
            Some(list) => list.first_known().ok_or(Failure::BidDown)?,
            None => PasswordAlgorithm::Md5,
        };
        let key = long_term_key(provider, algorithm, username, realm, password);
        // After PASSWORD-ALGORITHMS only the stronger integrity counts (RFC 8489 §9.2.5).
        let hmac = match algorithms {
            Some(_) => provider.hmac_sha256,
            None => provider.hmac_sha1,
        };
        Ok(Self {
            realm: realm.to_owned(),
            nonce: nonce.to_owned(),
            algorithms: algorithms.map(|list| list.0.to_vec()),
            algorithm,
            // stun-039
            userhash: features
                .username_anonymity
                .then(|| Userhash::new(provider, username, realm)),
            key: hmac.key(&key).into(),
        })
    }

    pub(super) fn realm(&self) -> &str {
        &self.realm
    }

    /// Adds everything that authenticates a request (RFC 8489 §9.2.3.2).
    pub(super) fn sign(&self, username: &str, builder: &mut Builder<'_>) {
        match &self.userhash {
            Some(hash) => builder.attribute(hash),
            None => builder.attribute(&Username(username)),
        };
        builder.attribute(&Realm(&self.realm));
        builder.attribute(&Nonce(&self.nonce));
        if let Some(algorithms) = &self.algorithms {
            builder.attribute(&PasswordAlgorithms(algorithms));
            builder.attribute(&self.algorithm);
            builder.integrity_sha256(&*self.key);
        } else {
            builder.integrity(&*self.key);
        }
    }

    /// Whether an answer has the right integrity (stun-026).
    pub(super) fn verifies(&self, message: &Message<'_>) -> bool {
        let integrity = match self.algorithms {
            Some(_) => message.integrity_sha256(&*self.key),
            None => message.integrity(&*self.key),
        };
        integrity == Some(true)
    }
}

/// Whether an answer hides the list of algorithms that its nonce promises: such an answer is ignored
/// (RFC 8489 §9.2.5).
pub(super) fn hides_algorithms(message: &Message<'_>) -> bool {
    let Ok(Some(Nonce(nonce))) = message.attribute() else {
        return false;
    };
    let features = SecurityFeatures::in_nonce(nonce).unwrap_or_default();
    let listed = matches!(message.attribute::<PasswordAlgorithms<'_>>(), Ok(Some(_)));
    features.password_algorithms && !listed
}
