//! The async front, on tokio: a [`Conn`] is an allocation that is used like a UDP socket, a
//! [`Server`] serves any number of clients.
//!
//! For those who want TURN and nothing else; nothing else in the family depends on it. UDP, TCP and,
//! with the feature `tls`, TLS carry the messages; a TCP or TLS connection may go through a proxy.
//! A path of the caller's own, such as a DTLS session, does as well ([`Conn::allocate_over`]).
//!
//! ```no_run
//! use muonrtc_turn::{client, conn::{Conn, ServerAddress}};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let server = ServerAddress::udp("192.0.2.1:3478".parse()?);
//! let config = client::Config::new(crypto::Provider::default(), "alice", "secret");
//! let conn = Conn::allocate(&server, config).await?;
//! println!("peers reach us at {}", conn.relayed());
//! conn.send_to(b"hello", "198.51.100.7:5000".parse()?).await?;
//! let mut buf = [0; 1500];
//! let (len, peer) = conn.recv_from(&mut buf).await?;
//! println!("{peer} says {:?}", &buf[..len]);
//! conn.close().await;
//! # Ok(())
//! # }
//! ```

mod allocate;
mod carrier;
mod client;
mod connection;
mod datagrams;
mod dial;
mod server;
mod state;

pub use allocate::AllocateError;
pub use client::Conn;
pub use connection::PeerStream;
pub use datagrams::Datagrams;
pub use dial::{ProxyAddress, ServerAddress};
pub use server::{Limits, Server, ServerStats};
#[cfg(feature = "tls")]
pub use tokio_rustls::rustls;

use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};

/// The protocol name of TURN in TLS (RFC 7443 §3), for `alpn_protocols` of a TLS configuration.
pub const ALPN_TURN: &[u8] = b"stun.turn";

/// The protocol name of STUN alone in TLS (RFC 7443 §3).
pub const ALPN_STUN: &[u8] = b"stun.nat-discovery";

/// A stream of whatever kind.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

#[expect(clippy::disallowed_methods, reason = "a front reads the clock")]
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
