//! The async front: two connections over a path in memory, with the clock of a paused runtime.

#![allow(clippy::unwrap_used, reason = "tests")]
#![cfg(all(feature = "tokio", feature = "ring"))]

use layer::{Blame, Certificate, Datagrams, DtlsConfig, DtlsRole, NewDtls};
use muonrtc_dtls::Factory;
use muonrtc_dtls::conn::{self, Connection};
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use tokio::sync::mpsc;

/// One end of a path that loses the datagrams whose number it is told.
struct Memory {
    out: mpsc::UnboundedSender<Vec<u8>>,
    arriving: Mutex<mpsc::UnboundedReceiver<Vec<u8>>>,
    lost: usize,
    sent: Mutex<usize>,
}

impl Memory {
    fn pair(lost: usize) -> (Self, Self) {
        let (a_out, b_in) = mpsc::unbounded_channel();
        let (b_out, a_in) = mpsc::unbounded_channel();
        let end = |out, arriving| Self {
            out,
            arriving: Mutex::new(arriving),
            lost,
            sent: Mutex::new(0),
        };
        (end(a_out, a_in), end(b_out, b_in))
    }
}

impl Datagrams for Memory {
    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.arriving.lock().unwrap().poll_recv(cx) {
            Poll::Ready(Some(datagram)) => {
                buf[..datagram.len()].copy_from_slice(&datagram);
                Poll::Ready(Ok(datagram.len()))
            }
            Poll::Ready(None) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_send(&self, _cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<()>> {
        let mut sent = self.sent.lock().unwrap();
        *sent += 1;
        if *sent != self.lost {
            let _ = self.out.send(datagram.to_vec());
        }
        Poll::Ready(Ok(()))
    }
}

fn certificate(factory: &Factory) -> Arc<dyn Certificate> {
    let start = conn::start(&factory.provider).unwrap();
    factory
        .generate_certificate(start, &layer::CertificateParams::default())
        .unwrap()
}

/// Two connections whose ends expect each other.
fn connections(lost: usize) -> (Connection, Connection) {
    let factory = Factory::default();
    let (a, b) = Memory::pair(lost);
    let (ours, theirs) = (certificate(&factory), certificate(&factory));
    let spawn = |path, role, own: &Arc<dyn Certificate>, peer: &Arc<dyn Certificate>| {
        let start = conn::start(&factory.provider).unwrap();
        let config = DtlsConfig::new(Arc::clone(own), Waker::noop().clone());
        Connection::spawn(path, &factory, start, config, role, &peer.fingerprints()).unwrap()
    };
    (
        spawn(a, DtlsRole::Client, &ours, &theirs),
        spawn(b, DtlsRole::Server, &theirs, &ours),
    )
}

#[tokio::test(start_paused = true)]
async fn messages_go_both_ways() {
    let (a, b) = connections(0);
    a.connected().await.unwrap();
    b.connected().await.unwrap();
    a.send(b"from a").await.unwrap();
    b.send(b"from b").await.unwrap();
    let mut buf = [0; 100];
    assert_eq!(b.recv(&mut buf).await.unwrap(), 6);
    assert_eq!(&buf[..6], b"from a");
    assert_eq!(a.recv(&mut buf).await.unwrap(), 6);
    assert_eq!(&buf[..6], b"from b");
}

#[tokio::test(start_paused = true)]
async fn a_lost_datagram_is_sent_again() {
    for lost in 1..4 {
        let (a, b) = connections(lost);
        a.connected().await.unwrap();
        b.connected().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn send_waits_for_the_connection() {
    let (a, b) = connections(0);
    a.send(b"early").await.unwrap();
    let mut buf = [0; 100];
    assert_eq!(b.recv(&mut buf).await.unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn close_ends_both_sides() {
    let (a, b) = connections(0);
    a.connected().await.unwrap();
    b.connected().await.unwrap();
    a.close();
    assert_eq!(a.closed().await.blame, Blame::Local);
    assert_eq!(b.closed().await.blame, Blame::Peer);
    let error = b.recv(&mut [0; 100]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    assert!(a.send(b"late").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_says_goodbye() {
    let (a, b) = connections(0);
    a.connected().await.unwrap();
    b.connected().await.unwrap();
    drop(a);
    assert_eq!(b.closed().await.blame, Blame::Peer);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_answers_times_out() {
    let factory = Factory::default();
    let (a, _silent) = Memory::pair(0);
    let own = certificate(&factory);
    let start = conn::start(&factory.provider).unwrap();
    let config = DtlsConfig::new(Arc::clone(&own), Waker::noop().clone());
    let a = Connection::spawn(a, &factory, start, config, DtlsRole::Client, &[]).unwrap();
    assert_eq!(a.connected().await.unwrap_err().blame, Blame::Timeout);
}
