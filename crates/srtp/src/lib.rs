//! SRTP and SRTCP contexts for `muonrtc-layer` (RFC 3711, RFC 6188, RFC 7714).
