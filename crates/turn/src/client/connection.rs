//! Data connections (RFC 6062 §4.3, §4.4): a stream of its own for what goes to and from one peer.

use super::authentication::{Challenge, hides_algorithms};
use super::message::MAX_REQUEST;
use super::response::{MAX_RENEWALS, UNDERSTOOD};
use super::{Config, Failure};
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use std::time::Instant;
use stun::{
    Builder, Class, ConnectionId, ErrorCode, Message, Method, Software, Transaction, TransactionId,
};

/// How far a [`DataConnection`] has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataState {
    /// Asking the server.
    Binding,
    /// Everything from here on is the peer's and ours: what follows the answer in the stream
    /// ([`Frames::into_rest`](crate::Frames::into_rest)), and what is written to it.
    Bound,
    /// The stream is of no use.
    Failed(Failure),
}

/// The first request on a further stream to the server, after which that stream is the one to the
/// peer.
///
/// Driven as a [`Client`](super::Client): input from the stream cut by [`Frames`](crate::Frames), and
/// [`poll_transmit`](DataConnection::poll_transmit) after every input, until
/// [`state`](DataConnection::state) is no longer [`DataState::Binding`].
#[derive(Debug)]
pub struct DataConnection {
    config: Config,
    random: ChaCha12Rng,
    challenge: Option<Challenge>,
    connection: ConnectionId,
    transaction: Transaction,
    request: Option<Vec<u8>>,
    renewals: u32,
    /// The realm the request was signed for; `None` if it was not signed.
    realm: Option<String>,
    state: DataState,
}

impl DataConnection {
    pub(super) fn begin(
        now: Instant,
        config: &Config,
        challenge: Option<Challenge>,
        connection: ConnectionId,
        seed: [u8; 32],
    ) -> Self {
        let timeout = config.timing.total();
        let mut begun = Self {
            config: config.clone(),
            random: ChaCha12Rng::from_seed(seed),
            challenge,
            connection,
            transaction: Transaction::once(TransactionId([0; 12]), now, timeout),
            request: None,
            renewals: 0,
            realm: None,
            state: DataState::Binding,
        };
        begun.ask(now);
        begun
    }

    /// Takes one message of the server.
    pub fn handle_input(&mut self, now: Instant, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else {
            return self.fail(Failure::Malformed);
        };
        let is_answer = message.transaction_id() == self.transaction.id()
            && message.method() == Method::CONNECTION_BIND;
        if self.state != DataState::Binding || !is_answer {
            return;
        }
        let error = match message.class() {
            Class::Success => None,
            Class::Error => match message.attribute::<ErrorCode<'_>>() {
                Ok(Some(error)) => Some(error.code),
                _ => return self.fail(Failure::Malformed),
            },
            _ => return,
        };
        if let Some(code @ (401 | 438)) = error {
            return self.challenged(now, code == 438, &message);
        }
        let verifies = |challenge: &Challenge| challenge.verifies(&message);
        let is_authentic = self.realm.is_none() || self.challenge.as_ref().is_some_and(verifies);
        // Nothing else can come on a stream (RFC 8489 §9.2.5).
        if !is_authentic || hides_algorithms(&message) {
            return self.fail(Failure::IntegrityViolated);
        }
        match error {
            _ if message.unknown_attributes(&UNDERSTOOD).is_some() => {
                self.fail(Failure::Malformed);
            }
            Some(code) => self.fail(Failure::from_code(code)),
            None => self.state = DataState::Bound,
        }
    }

    /// Gives up when the server does not answer.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|timeout| timeout <= now) {
            self.fail(Failure::TimedOut);
        }
    }

    /// The stream was closed.
    pub fn connection_closed(&mut self) {
        if self.state == DataState::Binding {
            self.fail(Failure::ConnectionLost);
        }
    }

    /// Writes the next message into `buf`, which holds at least 1500 bytes, and returns its length.
    pub fn poll_transmit(&mut self, buf: &mut [u8]) -> Option<usize> {
        let request = self.request.take()?;
        buf.get_mut(..request.len())?.copy_from_slice(&request);
        Some(request.len())
    }

    /// When [`handle_timeout`](DataConnection::handle_timeout) wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        (self.state == DataState::Binding).then(|| self.transaction.poll_timeout())
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> &DataState {
        &self.state
    }

    /// 401 or 438, as for every request of a client.
    fn challenged(&mut self, now: Instant, stale: bool, message: &Message<'_>) {
        let Config {
            provider,
            username,
            password,
            ..
        } = &self.config;
        let challenge = match Challenge::read(provider, username, password, message) {
            Ok(challenge) => challenge,
            Err(failure) => return self.fail(failure),
        };
        let same_realm = self.realm.as_deref() == Some(challenge.realm());
        if (!stale && same_realm) || self.renewals >= MAX_RENEWALS {
            return self.fail(Failure::Unauthenticated);
        }
        self.renewals += 1;
        self.challenge = Some(challenge);
        self.ask(now);
    }

    fn ask(&mut self, now: Instant) {
        let mut id = [0; 12];
        self.random.fill_bytes(&mut id);
        let id = TransactionId(id);
        let mut buf = [0; MAX_REQUEST];
        let mut builder = Builder::new(&mut buf, Class::Request, Method::CONNECTION_BIND, id);
        if let Some(software) = &self.config.software {
            builder.attribute(&Software(software));
        }
        builder.attribute(&self.connection);
        if let Some(challenge) = &self.challenge {
            challenge.sign(&self.config.username, &mut builder);
        }
        let Ok(len) = builder.finish() else {
            return self.fail(Failure::TooLarge);
        };
        self.realm = self.challenge.as_ref().map(|it| it.realm().to_owned());
        self.transaction = Transaction::once(id, now, self.config.timing.total());
        self.request = Some(buf[..len].to_vec());
    }

    fn fail(&mut self, failure: Failure) {
        self.request = None;
        self.state = DataState::Failed(failure);
    }
}
