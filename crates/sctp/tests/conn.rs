//! The async front: two connections over a path in memory, with the clock of a paused runtime.

#![allow(clippy::unwrap_used, reason = "tests")]
#![cfg(feature = "tokio")]

use bytes::Bytes;
use layer::{Blame, Datagrams, Outgoing, SctpConfig, SctpConnect, SctpError, Seed, Start, Streams};
use muonrtc_sctp::Factory;
use muonrtc_sctp::conn::Connection;
use std::future::poll_fn;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;
use tokio::sync::mpsc;

/// One end of a path that loses every tenth datagram.
struct Memory {
    out: mpsc::UnboundedSender<Vec<u8>>,
    arriving: Mutex<mpsc::UnboundedReceiver<Vec<u8>>>,
    sent: AtomicU32,
}

impl Memory {
    fn pair() -> (Self, Self) {
        let (a_out, b_in) = mpsc::unbounded_channel();
        let (b_out, a_in) = mpsc::unbounded_channel();
        let end = |out, arriving| Self {
            out,
            arriving: Mutex::new(arriving),
            sent: AtomicU32::new(0),
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

    fn poll_send(&self, _: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<()>> {
        if self.sent.fetch_add(1, Ordering::Relaxed) % 10 != 9 {
            let _ = self.out.send(datagram.to_vec());
        }
        Poll::Ready(Ok(()))
    }
}

fn spawn(path: Memory, seed: u8, ports: SctpConnect) -> Result<Connection, SctpError> {
    let config = SctpConfig::new(Waker::noop().clone());
    spawn_with(path, seed, ports, &Factory::default(), config)
}

#[allow(clippy::disallowed_methods, reason = "the clock of the runtime")]
fn spawn_with(
    path: Memory,
    seed: u8,
    ports: SctpConnect,
    factory: &Factory,
    config: SctpConfig,
) -> Result<Connection, SctpError> {
    let now = tokio::time::Instant::now().into_std();
    let start = Start::new(now, SystemTime::UNIX_EPOCH, Seed::new([seed; 32]));
    Connection::spawn(path, factory, start, config, ports)
}

async fn connected() -> (Connection, Connection) {
    let (a, b) = Memory::pair();
    let a = spawn(a, 1, SctpConnect::new(5000, 5001)).unwrap();
    let b = spawn(b, 2, SctpConnect::new(5001, 5000)).unwrap();
    assert_eq!(a.connected().await.unwrap(), (65_535, 65_535));
    b.connected().await.unwrap();
    (a, b)
}

#[tokio::test(start_paused = true)]
async fn messages_go_both_ways_and_a_shutdown_waits_for_them() {
    let (a, b) = connected().await;
    for number in 0..100_u16 {
        let data = Bytes::from(vec![7; usize::from(number) * 300 + 1]);
        a.send(Outgoing::new(number % 7, 53, data)).await.unwrap();
    }
    b.send(Outgoing::new(3, 51, "back".into())).await.unwrap();
    assert_eq!(a.recv().await.unwrap().unwrap().data, "back");
    a.shutdown();
    let mut count = 0;
    while b.recv().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 100);
    assert_eq!(a.closed().await.blame, Blame::Local);
    assert!(a.recv().await.unwrap().is_none());
    let late = a.send(Outgoing::new(0, 51, "late".into())).await;
    assert_eq!(late.unwrap_err().kind(), io::ErrorKind::NotConnected);
}

#[tokio::test(start_paused = true)]
async fn a_sender_waits_for_room_in_the_buffer() {
    let (a, b) = connected().await;
    let reader = async {
        for _ in 0..300 {
            b.recv().await.unwrap().unwrap();
        }
    };
    let writer = async {
        for _ in 0..300 {
            let data = Bytes::from(vec![1; 200_000]);
            a.send(Outgoing::new(0, 53, data)).await.unwrap();
        }
    };
    tokio::join!(reader, writer);
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_heard_at_the_other_end() {
    let (a, b) = connected().await;
    a.send(Outgoing::new(4, 51, "last".into())).await.unwrap();
    a.reset(4).unwrap();
    assert_eq!(poll_fn(|cx| b.poll_incoming_reset(cx)).await.unwrap(), 4);
    assert_eq!(b.recv().await.unwrap().unwrap().data, "last");
    let refused = a.reset(65_535).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_aborts() {
    let (a, b) = connected().await;
    drop(a);
    assert_eq!(b.closed().await.blame, Blame::Peer);
    let error = b.recv().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
}

#[tokio::test(start_paused = true)]
async fn port_zero_is_refused() {
    let (a, _b) = Memory::pair();
    let refused = spawn(a, 1, SctpConnect::new(0, 5000));
    assert_eq!(refused.unwrap_err(), SctpError::Port);
}

// F4.09
#[allow(clippy::disallowed_methods, reason = "the tasks are the test")]
#[tokio::test(start_paused = true)]
async fn many_tasks_stream_messages_larger_than_the_buffers() {
    let mut factory = Factory::default();
    factory.send_buffer = 256 * 1024;
    factory.receive_window = 256 * 1024;
    let mut config = SctpConfig::new(Waker::noop().clone());
    config.max_message = usize::MAX;
    config.partial_delivery = Some(16 * 1024);
    let (a, b) = Memory::pair();
    let (there, back) = (SctpConnect::new(1, 2), SctpConnect::new(2, 1));
    let a = spawn_with(a, 1, there, &factory, config.clone()).unwrap();
    let b = spawn_with(b, 2, back, &factory, config).unwrap();
    a.connected().await.unwrap();
    let (tasks, parts, len) = (6_u16, 60, 20_000);
    for stream in 0..tasks {
        a.set_priority(stream, 128 << (stream % 4));
        let a = a.clone();
        tokio::spawn(async move {
            for part in 1..=parts {
                let data = Bytes::from(vec![7; len]);
                let mut outgoing = Outgoing::new(stream, 53, data);
                (outgoing.first, outgoing.last) = (part == 1, part == parts);
                a.send(outgoing).await.unwrap();
            }
        });
    }
    let mut received = vec![0; usize::from(tasks)];
    let mut left = tasks;
    while left > 0 {
        let part = b.recv().await.unwrap().unwrap();
        let received = &mut received[usize::from(part.stream)];
        assert_eq!(part.first, *received == 0);
        *received += part.data.len();
        left -= u16::from(part.last);
    }
    assert_eq!(received, vec![parts * len; usize::from(tasks)]);
}
