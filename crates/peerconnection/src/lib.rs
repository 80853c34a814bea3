//! The W3C PeerConnection in async Rust, over swappable ICE, DTLS and SCTP layers
