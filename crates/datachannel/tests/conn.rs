//! The async front over message streams in memory.
#![cfg(feature = "tokio")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use bytes::Bytes;
use layer::{Message, Outgoing, Streams};
use muonrtc_datachannel::conn::Connection;
use muonrtc_datachannel::{ChannelError, ChannelInit, Config, Parity, Payload, SendError};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// One direction of an association in memory.
#[derive(Default)]
struct Pipe {
    messages: VecDeque<Message>,
    resets: VecDeque<u16>,
    wakers: Vec<Waker>,
    /// Bytes sent and not returned by the receiver.
    held: usize,
    /// The stream whose message has begun: what goes on with it is taken in any case.
    current: Option<u16>,
    weights: Vec<(u16, u16)>,
    is_closed: bool,
    is_broken: bool,
}

impl Pipe {
    fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }
}

/// The window of the association.
const WINDOW: usize = 4096;

struct End {
    incoming: Arc<Mutex<Pipe>>,
    outgoing: Arc<Mutex<Pipe>>,
    streams: u16,
}

fn association(streams: u16) -> (End, End) {
    let (x, y) = (Arc::default(), Arc::default());
    let end = |incoming: &Arc<_>, outgoing: &Arc<_>| End {
        incoming: Arc::clone(incoming),
        outgoing: Arc::clone(outgoing),
        streams,
    };
    (end(&x, &y), end(&y, &x))
}

impl Streams for End {
    fn poll_message(&self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Message>>> {
        let mut pipe = self.incoming.lock().unwrap();
        match pipe.messages.pop_front() {
            Some(message) => Poll::Ready(Ok(Some(message))),
            None if pipe.is_broken => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            None if pipe.is_closed => Poll::Ready(Ok(None)),
            None => {
                pipe.wakers.push(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        message: &mut Option<Outgoing>,
    ) -> Poll<io::Result<()>> {
        let mut pipe = self.outgoing.lock().unwrap();
        let Some(outgoing) = message.take() else {
            return Poll::Ready(Ok(()));
        };
        if outgoing.stream >= self.streams {
            return Poll::Ready(Err(io::ErrorKind::InvalidInput.into()));
        }
        let goes_on = !outgoing.first && pipe.current == Some(outgoing.stream);
        if pipe.held >= WINDOW && !goes_on {
            *message = Some(outgoing);
            pipe.wakers.push(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.held += outgoing.data.len();
        pipe.current = (!outgoing.last).then_some(outgoing.stream);
        let mut arrived = Message::new(outgoing.stream, outgoing.protocol, outgoing.data);
        (arrived.first, arrived.last) = (outgoing.first, outgoing.last);
        pipe.messages.push_back(arrived);
        pipe.wake();
        Poll::Ready(Ok(()))
    }

    fn consume(&self, _stream: u16, bytes: usize) {
        let mut pipe = self.incoming.lock().unwrap();
        pipe.held -= bytes;
        pipe.wake();
    }

    fn set_priority(&self, stream: u16, priority: u16) {
        self.outgoing
            .lock()
            .unwrap()
            .weights
            .push((stream, priority));
    }

    fn reset(&self, stream: u16) -> io::Result<()> {
        let mut pipe = self.outgoing.lock().unwrap();
        pipe.resets.push_back(stream);
        pipe.wake();
        Ok(())
    }

    fn poll_incoming_reset(&self, cx: &mut Context<'_>) -> Poll<io::Result<u16>> {
        let mut pipe = self.incoming.lock().unwrap();
        match pipe.resets.pop_front() {
            Some(stream) => Poll::Ready(Ok(stream)),
            None => {
                pipe.wakers.push(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut pipe = self.outgoing.lock().unwrap();
        pipe.is_closed = true;
        pipe.wake();
    }
}

fn run(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(future);
}

fn connections() -> (Connection, Connection) {
    let (a, b) = association(100);
    (
        Connection::spawn(a, Parity::Even, 100, Config::default()),
        Connection::spawn(b, Parity::Odd, 100, Config::default()),
    )
}

#[test]
fn channels_carry_messages_both_ways_and_close() {
    run(async {
        let (a, b) = connections();
        let mut init = ChannelInit::new("chat");
        init.protocol = "json".into();
        let ours = a.open(init).unwrap();
        ours.send(Payload::Text, "hello".into()).await.unwrap();
        ours.send(Payload::Binary, Bytes::new()).await.unwrap();

        let theirs = b.accept().await.unwrap();
        let info = theirs.info().unwrap();
        assert_eq!((info.init.label.as_str(), info.id), ("chat", Some(0)));
        let hello = Some((Payload::Text, Bytes::from("hello")));
        assert_eq!(theirs.recv().await, hello);
        assert_eq!(theirs.recv().await, Some((Payload::Binary, Bytes::new())));
        theirs.send(Payload::Text, "hi".into()).await.unwrap();
        assert_eq!(ours.recv().await, Some((Payload::Text, "hi".into())));

        ours.close();
        assert_eq!(theirs.recv().await, None);
        assert_eq!(ours.recv().await, None);
        assert_eq!(ours.error(), None);
        let late = theirs.send(Payload::Text, "late".into()).await;
        assert_eq!(late, Err(SendError::NotOpen));
    });
}

// dc-024
#[test]
fn a_reader_that_does_not_read_stops_the_writer_and_nothing_is_lost() {
    run(async {
        let (a, b) = connections();
        let ours = a.open(ChannelInit::new("bulk")).unwrap();
        let writer = tokio::spawn(async move {
            for index in 0..2000_u32 {
                let mut data = index.to_be_bytes().to_vec();
                data.resize(1024, 0);
                ours.send(Payload::Binary, data.into()).await.unwrap();
            }
            ours
        });
        let theirs = b.accept().await.unwrap();
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        assert!(!writer.is_finished());
        for index in 0..2000_u32 {
            let (_, data) = theirs.recv().await.unwrap();
            assert_eq!(data[..4], index.to_be_bytes());
        }
        assert!(writer.await.is_ok());
    });
}

#[test]
fn dropping_a_channel_closes_it_and_frees_its_stream() {
    run(async {
        let (a, b) = connections();
        for _ in 0..5 {
            let ours = a.open(ChannelInit::new("short")).unwrap();
            assert_eq!(ours.info().unwrap().id, Some(0));
            ours.send(Payload::Text, "x".into()).await.unwrap();
            drop(ours);
            let theirs = b.accept().await.unwrap();
            assert_eq!(theirs.recv().await, Some((Payload::Text, "x".into())));
            assert_eq!(theirs.recv().await, None);
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn the_end_of_the_association_ends_everything() {
    run(async {
        let (a, b) = connections();
        let ours = a.open(ChannelInit::new("x")).unwrap();
        let theirs = b.accept().await.unwrap();
        drop((a, ours));
        assert_eq!(theirs.recv().await, None);
        assert!(b.accept().await.is_none());
        assert_eq!(theirs.error(), None);
    });
}

// dc-012
#[test]
fn an_association_that_breaks_closes_its_channels_with_an_error() {
    run(async {
        let (a, _b) = association(100);
        let incoming = Arc::clone(&a.incoming);
        let a = Connection::spawn(a, Parity::Even, 100, Config::default());
        let channel = a.open(ChannelInit::new("x")).unwrap();
        channel.send(Payload::Text, "x".into()).await.unwrap();
        {
            let mut pipe = incoming.lock().unwrap();
            pipe.is_broken = true;
            pipe.wake();
        }
        assert_eq!(channel.recv().await, None);
        assert_eq!(channel.error(), Some(ChannelError::Transport));
        assert!(a.accept().await.is_none());
        assert!(a.open(ChannelInit::new("late")).is_err());
    });
}

#[test]
fn a_stream_that_the_association_lacks_closes_its_channel() {
    run(async {
        let (a, _b) = association(2);
        let a = Connection::spawn(a, Parity::Even, 100, Config::default());
        let first = a.open(ChannelInit::new("first")).unwrap();
        let second = a.open(ChannelInit::new("second")).unwrap();
        assert_eq!(second.recv().await, None);
        first.send(Payload::Text, "x".into()).await.unwrap();
    });
}

// dc-003, F4.09
#[test]
fn a_message_larger_than_any_buffer_goes_through_in_parts() {
    run(async {
        let (a, b) = connections();
        a.set_max_send_len(usize::MAX);
        let ours = a.open(ChannelInit::new("large")).unwrap();
        let theirs = b.accept().await.unwrap();
        assert!(theirs.receive_in_parts(true));
        let (parts, len) = (3000_u32, 1000);
        let writer = tokio::spawn(async move {
            for part in 1..=parts {
                let data = Bytes::from(vec![part.to_be_bytes()[3]; len]);
                let sent = ours.send_part(Payload::Binary, data, part == parts);
                sent.await.unwrap();
            }
            ours
        });
        for part in 1..=parts {
            let received = theirs.recv_part().await.unwrap();
            assert_eq!((received.first, received.last), (part == 1, part == parts));
            assert_eq!(received.data, vec![part.to_be_bytes()[3]; len]);
        }
        let ours = writer.await.unwrap();
        ours.send(Payload::Text, "next".into()).await.unwrap();
        assert_eq!(theirs.recv().await, Some((Payload::Text, "next".into())));
    });
}

// F4.09
#[test]
fn the_next_part_passes_what_has_no_room() {
    run(async {
        let (a, b) = connections();
        a.set_max_send_len(usize::MAX);
        let parts = a.open(ChannelInit::new("parts")).unwrap();
        let whole = a.open(ChannelInit::new("whole")).unwrap();
        let first = b.accept().await.unwrap();
        let second = b.accept().await.unwrap();
        let begin = Bytes::from(vec![0; WINDOW]);
        parts
            .send_part(Payload::Binary, begin, false)
            .await
            .unwrap();
        // More than waits here, behind a window that is full.
        let crowd = tokio::spawn(async move {
            for _ in 0..600 {
                let data = Bytes::from(vec![1; 1000]);
                whole.send(Payload::Binary, data).await.unwrap();
            }
            whole
        });
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        assert!(!crowd.is_finished());
        for last in [false, true] {
            let data = Bytes::from_static(b"more");
            parts.send_part(Payload::Binary, data, last).await.unwrap();
        }
        assert_eq!(first.recv().await.unwrap().1.len(), WINDOW + 8);
        for _ in 0..600 {
            assert_eq!(second.recv().await.unwrap().1.len(), 1000);
        }
        assert!(crowd.await.is_ok());
    });
}

#[test]
fn a_channel_that_may_give_messages_up_does_not_receive_in_parts() {
    run(async {
        let (a, _b) = connections();
        let mut init = ChannelInit::new("lossy");
        init.max_retransmits = Some(0);
        assert!(!a.open(init).unwrap().receive_in_parts(true));
    });
}

// dc-013
#[test]
fn the_weight_of_a_channel_is_that_of_its_stream_at_both_ends() {
    run(async {
        let (a, b) = association(100);
        let pipes = [&a, &b].map(|end| Arc::clone(&end.outgoing));
        let a = Connection::spawn(a, Parity::Even, 100, Config::default());
        let b = Connection::spawn(b, Parity::Odd, 100, Config::default());
        let mut init = ChannelInit::new("urgent");
        init.priority = 1024;
        let ours = a.open(init).unwrap();
        let theirs = b.accept().await.unwrap();
        theirs.send(Payload::Text, "x".into()).await.unwrap();
        ours.recv().await.unwrap();
        for pipe in pipes {
            assert_eq!(pipe.lock().unwrap().weights, [(0, 1024)]);
        }
    });
}
