//! The conformance kits have teeth: an implementation that does one thing wrong fails the case that
//! asks for it.

mod dtls;
mod sctp;
mod srtp;
