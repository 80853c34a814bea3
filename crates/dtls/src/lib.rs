//! DTLS 1.2 and 1.3 for WebRTC, sans-IO, with an async front
