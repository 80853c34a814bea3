//! An ICE agent (RFC 8445, 8838, 7675), sans-IO, with an async front
