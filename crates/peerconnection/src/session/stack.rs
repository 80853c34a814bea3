#[cfg(feature = "rtp")]
use layer::NewSrtp;
use layer::{NewDtls, NewIce, NewSctp};
use std::sync::Arc;
#[cfg(feature = "ring")]
use std::sync::OnceLock;

/// Which layers serve a connection: take the default and assign the field you replace.
///
/// ```
/// use muonrtc_peerconnection::Stack;
///
/// let stack = Stack::default();
/// // stack.sctp = std::sync::Arc::new(MySctp { .. });
/// # let _ = stack;
/// ```
///
/// The settings of a layer are fields of its factory. A replacement implements the traits of
/// `muonrtc-layer` and proves itself with the conformance kits of `muonrtc-testkit`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stack {
    /// Makes the ICE agent.
    pub ice: Arc<dyn NewIce>,
    /// Makes the DTLS session and the certificate.
    pub dtls: Arc<dyn NewDtls>,
    /// Makes the SRTP contexts.
    #[cfg(feature = "rtp")]
    pub srtp: Arc<dyn NewSrtp>,
    /// Stages of the application's own in the pipeline of audio and video, besides the built-in
    /// ones.
    #[cfg(feature = "rtp")]
    pub stages: Vec<Arc<dyn interceptor::NewStage>>,
    /// Makes the SCTP association.
    pub sctp: Arc<dyn NewSctp>,
}

#[cfg(feature = "ring")]
impl Default for Stack {
    /// Our own layers. All default stacks share their factories, and what those have prepared.
    fn default() -> Self {
        static DEFAULT: OnceLock<Stack> = OnceLock::new();
        DEFAULT
            .get_or_init(|| Self {
                ice: Arc::new(ice::Factory::default()),
                dtls: Arc::new(dtls::Factory::default()),
                #[cfg(feature = "rtp")]
                srtp: Arc::new(srtp::Factory::default()),
                #[cfg(feature = "rtp")]
                stages: Vec::new(),
                sctp: Arc::new(sctp::Factory::default()),
            })
            .clone()
    }
}
