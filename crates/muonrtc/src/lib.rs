//! WebRTC for async Rust: the W3C API, and every layer a crate of its own
