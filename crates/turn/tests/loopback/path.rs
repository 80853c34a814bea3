//! Paths that the caller brings.

use crate::{LONG_ENOUGH, client_config, server};
use muonrtc_turn::client::{Ending, Failure};
use muonrtc_turn::conn::{AllocateError, Conn, Datagrams};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// A socket that can be held up, and cut.
struct Path {
    socket: UdpSocket,
    valve: Arc<Valve>,
}

#[derive(Default)]
struct Valve {
    closed: AtomicBool,
    cut: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
    dropped: AtomicUsize,
}

impl Valve {
    fn set(&self, switch: &AtomicBool, on: bool) {
        switch.store(on, Ordering::SeqCst);
        self.waiting.lock().unwrap().drain(..).for_each(Waker::wake);
    }

    fn wait<T>(&self, cx: &Context<'_>) -> Poll<T> {
        self.waiting.lock().unwrap().push(cx.waker().clone());
        Poll::Pending
    }
}

impl Datagrams for Path {
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.valve.cut.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let mut buf = ReadBuf::new(buf);
        let Poll::Ready(received) = self.socket.poll_recv(cx, &mut buf) else {
            return self.valve.wait(cx);
        };
        received?;
        Poll::Ready(Ok(buf.filled().len()))
    }

    fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<()>> {
        if self.valve.closed.load(Ordering::SeqCst) {
            return self.valve.wait(cx);
        }
        ready!(self.socket.poll_send(cx, datagram))?;
        Poll::Ready(Ok(()))
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        self.valve.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

async fn path(server: SocketAddr) -> (Path, Arc<Valve>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server).await.unwrap();
    let valve = Arc::<Valve>::default();
    let path = Path {
        socket,
        valve: Arc::clone(&valve),
    };
    (path, valve)
}

/// The address of a server on UDP.
async fn address(server: &muonrtc_turn::conn::Server) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    server.listen_udp(socket).unwrap();
    address
}

#[tokio::test]
async fn who_sends_waits_for_a_path_that_takes_nothing_and_nothing_is_lost() {
    let server = server();
    let address = address(&server).await;
    let (path, valve) = path(address).await;
    let work = async {
        let conn = Conn::allocate_over(path, address, client_config());
        let conn = conn.await.unwrap();
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = peer.local_addr().unwrap();
        conn.send_to(b"first", to).await.unwrap();
        let mut buf = [0; 100];
        assert_eq!(peer.recv(&mut buf).await.unwrap(), 5);

        valve.set(&valve.closed, true);
        let sender = conn.clone();
        let sending = tokio::spawn(async move {
            for number in 0..200_u8 {
                sender.send_to(&[number], to).await.unwrap();
            }
        });
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert!(!sending.is_finished(), "64 wait, and the next one's sender");
        valve.set(&valve.closed, false);
        for number in 0..200 {
            assert_eq!(peer.recv(&mut buf).await.unwrap(), 1);
            assert_eq!(buf[0], number);
        }
        sending.await.unwrap();
        conn.close().await;
    };
    timeout(LONG_ENOUGH, work).await.unwrap();
    crate::eventually("the end of the path", || {
        valve.dropped.load(Ordering::SeqCst) == 1
    })
    .await;
}

#[tokio::test]
async fn with_its_path_the_allocation_ends() {
    let server = server();
    let address = address(&server).await;
    let (path, valve) = path(address).await;
    let work = async {
        let conn = Conn::allocate_over(path, address, client_config());
        let conn = conn.await.unwrap();
        valve.set(&valve.cut, true);
        assert_eq!(conn.closed().await, Ending::Failed(Failure::ConnectionLost));
        let ended = conn.recv_from(&mut [0; 10]).await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::ConnectionAborted);
    };
    timeout(LONG_ENOUGH, work).await.unwrap();
}

#[tokio::test]
async fn why_there_is_no_allocation_over_a_path_is_told() {
    let server = server();
    let address = address(&server).await;
    let (path, _valve) = path(address).await;
    let mut config = client_config();
    config.password = "wrong".to_owned();
    let refused = timeout(LONG_ENOUGH, Conn::allocate_over(path, address, config));
    match refused.await.unwrap() {
        Err(AllocateError::Failed { failure, .. }) => {
            assert_eq!(failure, Failure::Unauthenticated);
        }
        other => panic!("{other:?}"),
    }
}
