/// Why a primitive refused. Deliberately without detail: what an attacker can provoke should not explain itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key, nonce or buffer has the wrong length.
    #[error("a key, nonce or buffer has the wrong length")]
    Length,
    /// A tag or signature does not verify.
    #[error("a tag or signature does not verify")]
    Verification,
    /// A key or public value is malformed.
    #[error("a key or public value is malformed")]
    Malformed,
    /// The random source failed.
    #[error("the random source failed")]
    Random,
    /// This provider does not have the primitive.
    #[error("the provider does not have this primitive")]
    Unsupported,
}
