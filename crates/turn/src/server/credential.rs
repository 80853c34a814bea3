//! Who may use a server.

use crate::base64::base64;
use crypto::Provider;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};
use stun::{PasswordAlgorithm, Userhash, long_term_key};

/// Knows the users of a server. A server asks once per request; what takes long (a database) is
/// brought into memory before.
pub trait Credentials: Send + Sync + fmt::Debug {
    /// The account with that name, if it is valid now.
    fn account(&self, query: &Query<'_>) -> Option<Account>;

    /// The name behind a USERHASH (RFC 8489 §14.4). Default: unknown.
    fn username(&self, hash: &Userhash) -> Option<String> {
        let _ = hash;
        None
    }

    /// Whether [`username`](Credentials::username) knows every user's hash: then clients are told to
    /// hide their names. Default `false`.
    fn knows_hashes(&self) -> bool {
        false
    }
}

/// A question to [`Credentials`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Query<'a> {
    /// Where hashes and HMACs come from.
    pub provider: &'a Provider,
    /// The wall clock.
    pub wall: SystemTime,
    /// The name that the client gives.
    pub username: &'a str,
    /// The server's realm.
    pub realm: &'a str,
    /// How the key is to be derived.
    pub algorithm: PasswordAlgorithm,
}

/// The answer. `Debug` does not show the key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// Whose quota counts; names that differ in an expiry time only have the same one.
    pub user: String,
    /// [`stun::long_term_key`] of name, realm and password.
    pub key: Vec<u8>,
}

impl Account {
    /// Both parts.
    #[must_use]
    pub fn new(user: impl Into<String>, key: Vec<u8>) -> Self {
        Self {
            user: user.into(),
            key,
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Names and passwords that do not change. Only keys are kept (turn-035).
#[derive(Clone)]
pub struct StaticCredentials {
    provider: Provider,
    realm: String,
    keys: BTreeMap<String, [Vec<u8>; 2]>,
    names: BTreeMap<Userhash, String>,
}

impl StaticCredentials {
    /// Nobody yet; the realm is the one of the server.
    #[must_use]
    pub fn new(provider: Provider, realm: impl Into<String>) -> Self {
        Self {
            provider,
            realm: realm.into(),
            keys: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    /// Adds a user, or gives one another password. Both texts are prepared as RFC 8265 says.
    #[must_use]
    pub fn with(mut self, username: &str, password: &str) -> Self {
        let key =
            |algorithm| long_term_key(&self.provider, algorithm, username, &self.realm, password);
        let keys = [key(PasswordAlgorithm::Md5), key(PasswordAlgorithm::Sha256)];
        let hash = Userhash::new(&self.provider, username, &self.realm);
        self.keys.insert(username.to_owned(), keys);
        self.names.insert(hash, username.to_owned());
        self
    }
}

impl Credentials for StaticCredentials {
    fn account(&self, query: &Query<'_>) -> Option<Account> {
        let [md5, sha256] = self.keys.get(query.username)?;
        let key = match query.algorithm {
            PasswordAlgorithm::Md5 => md5,
            PasswordAlgorithm::Sha256 => sha256,
        };
        Some(Account::new(query.username, key.clone()))
    }

    fn username(&self, hash: &Userhash) -> Option<String> {
        self.names.get(hash).cloned()
    }

    fn knows_hashes(&self) -> bool {
        true
    }
}

impl fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticCredentials")
            .field("users", &self.keys.len())
            .finish_non_exhaustive()
    }
}

/// Credentials that a web service issues for a time, with a secret it shares with the server
/// (draft-uberti-behave-turn-rest): the name is `EXPIRY:USER`, seconds since 1970 and any text, the
/// password the base64 of the HMAC-SHA1 of the name under the secret.
#[derive(Clone)]
pub struct TurnRest {
    secret: Vec<u8>,
}

impl TurnRest {
    /// With the shared secret.
    #[must_use]
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self {
            secret: secret.into(),
        }
    }

    /// What the web service hands out: name and password of `user` until `expires`.
    #[must_use]
    pub fn issue(&self, provider: &Provider, user: &str, expires: SystemTime) -> (String, String) {
        let since = expires.duration_since(SystemTime::UNIX_EPOCH);
        let username = format!("{}:{user}", since.unwrap_or_default().as_secs());
        let password = self.password(provider, &username);
        (username, password)
    }

    fn password(&self, provider: &Provider, username: &str) -> String {
        let key = provider.hmac_sha1.key(&self.secret);
        let mut tag = [0; 20];
        key.sign(&[username.as_bytes()], &mut tag);
        base64(&tag)
    }
}

impl Credentials for TurnRest {
    // turn-039
    fn account(&self, query: &Query<'_>) -> Option<Account> {
        let (expiry, user) = query
            .username
            .split_once(':')
            .unwrap_or((query.username, ""));
        let expiry = Duration::from_secs(expiry.parse().ok()?);
        if SystemTime::UNIX_EPOCH.checked_add(expiry)? <= query.wall {
            return None;
        }
        let Query {
            provider,
            algorithm,
            username,
            realm,
            ..
        } = *query;
        let password = self.password(provider, username);
        let key = long_term_key(provider, algorithm, username, realm, &password);
        Some(Account::new(user, key))
    }
}

impl fmt::Debug for TurnRest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TurnRest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // turn-039
    #[test]
    fn issued_credentials_are_valid_until_their_time() {
        let provider = Provider::default();
        let rest = TurnRest::new("secret");
        let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let (username, password) = rest.issue(&provider, "alice", expires);
        assert_eq!(username, "1800000000:alice");
        let mut query = Query {
            provider: &provider,
            wall: expires - Duration::from_secs(1),
            username: &username,
            realm: "example.org",
            algorithm: PasswordAlgorithm::Md5,
        };
        let md5 = PasswordAlgorithm::Md5;
        let key = long_term_key(&provider, md5, &username, "example.org", &password);
        assert_eq!(rest.account(&query), Some(Account::new("alice", key)));
        query.wall = expires;
        assert_eq!(rest.account(&query), None);
        query.username = "alice";
        assert_eq!(rest.account(&query), None);
        query.username = "99999999999999999999:alice";
        assert_eq!(rest.account(&query), None);
        query.username = "18446744073709551615:alice";
        assert_eq!(rest.account(&query), None, "beyond the clock");
    }
}
