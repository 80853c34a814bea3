//! SCTP for WebRTC data channels (RFC 9260, 3758, 6525, 8260), sans-IO, with an async front
