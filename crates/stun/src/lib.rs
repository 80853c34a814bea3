//! STUN messages and client transactions (RFC 8489), sans-IO
