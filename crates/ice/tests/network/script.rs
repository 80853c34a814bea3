//! Messages of a peer that is written by hand: a stranger, a browser, an attacker.

use layer::Credentials;
use stun::{
    Builder, Class, IceControlled, IceControlling, Message, Method, Priority, TransactionId,
    UseCandidate, Username, XorMappedAddress,
};

/// What a scripted check says.
#[derive(Clone)]
pub struct Script {
    pub id: [u8; 12],
    pub username: String,
    pub password: String,
    pub controlling: Option<u64>,
    pub controlled: Option<u64>,
    pub priority: Option<u32>,
    pub use_candidate: bool,
    pub fingerprint: bool,
    pub integrity: bool,
    pub unknown: bool,
    /// The number of a renomination.
    pub nomination: Option<u32>,
}

impl Script {
    /// A proper check of a controlling peer `theirs` to the agent `ours`.
    pub fn new(number: u8, ours: &Credentials, theirs: &str) -> Self {
        Self {
            id: [number; 12],
            username: format!("{}:{theirs}", ours.username_fragment),
            password: ours.password.clone(),
            controlling: Some(u64::MAX),
            controlled: None,
            priority: Some(0x6E00_1234),
            use_candidate: false,
            fingerprint: true,
            integrity: true,
            unknown: false,
            nomination: None,
        }
    }

    pub fn nominating(mut self) -> Self {
        self.use_candidate = true;
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut buf = [0; 600];
        let key = key(&self.password);
        let id = TransactionId(self.id);
        let mut builder = Builder::new(&mut buf, Class::Request, Method::BINDING, id);
        if !self.username.is_empty() {
            builder.attribute(&Username(&self.username));
        }
        if let Some(priority) = self.priority {
            builder.attribute(&Priority(priority));
        }
        if let Some(tiebreaker) = self.controlling {
            builder.attribute(&IceControlling(tiebreaker));
        }
        if let Some(tiebreaker) = self.controlled {
            builder.attribute(&IceControlled(tiebreaker));
        }
        if self.use_candidate {
            builder.attribute(&UseCandidate);
        }
        if let Some(nomination) = self.nomination {
            builder.attribute(&Nomination(nomination));
        }
        if self.unknown {
            builder.attribute(&Unknown);
        }
        if self.integrity {
            builder.integrity(&*key);
        }
        if self.fingerprint {
            builder.fingerprint();
        }
        let len = builder.finish().unwrap();
        buf[..len].to_vec()
    }
}

/// NOMINATION, as libwebrtc numbers it.
struct Nomination(u32);

impl stun::Attribute<'_> for Nomination {
    const TYPE: stun::AttributeType = stun::AttributeType(0xC001);

    fn parse(_: &[u8], _: &TransactionId) -> Result<Self, stun::DecodeError> {
        Ok(Self(0))
    }

    fn value_len(&self) -> usize {
        4
    }

    fn write(&self, value: &mut [u8], _: &TransactionId) {
        value.copy_from_slice(&self.0.to_be_bytes());
    }
}

/// A comprehension-required attribute that nobody knows.
struct Unknown;

impl stun::Attribute<'_> for Unknown {
    const TYPE: stun::AttributeType = stun::AttributeType(0x7F00);

    fn parse(_: &[u8], _: &TransactionId) -> Result<Self, stun::DecodeError> {
        Ok(Self)
    }

    fn value_len(&self) -> usize {
        4
    }

    fn write(&self, _: &mut [u8], _: &TransactionId) {}
}

pub fn key(password: &str) -> Box<dyn crypto::HmacKey> {
    let provider = crypto::Provider::default();
    provider.hmac_sha1.key(password.as_bytes())
}

/// The success that a peer with this password gives to a check it received.
pub fn success(check: &[u8], password: &str, mapped: std::net::SocketAddr) -> Vec<u8> {
    let mut buf = [0; 200];
    let id = Message::parse(check).unwrap().transaction_id();
    let len = Builder::new(&mut buf, Class::Success, Method::BINDING, id)
        .attribute(&XorMappedAddress(mapped))
        .integrity(&*key(password))
        .fingerprint()
        .finish()
        .unwrap();
    buf[..len].to_vec()
}

/// The error that a peer gives.
pub fn error(check: &[u8], code: u16, password: Option<&str>) -> Vec<u8> {
    let mut buf = [0; 200];
    let id = Message::parse(check).unwrap().transaction_id();
    let mut builder = Builder::new(&mut buf, Class::Error, Method::BINDING, id);
    builder.attribute(&stun::ErrorCode::new(code, "scripted"));
    if let Some(password) = password {
        builder.integrity(&*key(password));
    }
    let len = builder.fingerprint().finish().unwrap();
    buf[..len].to_vec()
}

/// Whether a datagram is a request.
pub fn is_request(bytes: &[u8]) -> bool {
    Message::parse(bytes).is_ok_and(|it| it.class() == Class::Request)
}

/// The class and error code of an answer.
pub fn verdict(bytes: &[u8]) -> Option<(Class, u16)> {
    let message = Message::parse(bytes).ok()?;
    let code = message.attribute::<stun::ErrorCode<'_>>().ok()?;
    Some((message.class(), code.map_or(0, |it| it.code)))
}
