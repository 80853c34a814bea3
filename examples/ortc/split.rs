//! One path, two users: what comes is told apart by its first byte (RFC 7983 §7).

use ice::conn::Conn;
use layer::Datagrams;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

/// Packets that wait for who reads RTP; when it is full, more are dropped, as on the way.
const MAX_WAITING: usize = 256;

/// The half for DTLS. It is always being read, and puts aside what is for the other half.
pub(crate) struct Handshakes {
    path: Arc<Conn>,
    packets: mpsc::Sender<Vec<u8>>,
}

/// The half for DTLS, and what is for the half for SRTP.
pub(crate) fn split(path: Arc<Conn>) -> (Handshakes, mpsc::Receiver<Vec<u8>>) {
    let (packets, waiting) = mpsc::channel(MAX_WAITING);
    (Handshakes { path, packets }, waiting)
}

impl Datagrams for Handshakes {
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let len = ready!(self.path.poll_recv(cx, buf))?;
            match buf[..len] {
                [20..=63, ..] => return Poll::Ready(Ok(len)),
                [128..=191, ..] => {
                    let _ = self.packets.try_send(buf[..len].to_vec());
                }
                // STUN has been taken out by ICE, and nothing else is spoken here.
                _ => {}
            }
        }
    }

    fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<()>> {
        self.path.poll_send(cx, datagram)
    }

    fn max_datagram(&self) -> usize {
        self.path.max_datagram()
    }
}
