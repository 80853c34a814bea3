use crate::Framing;
use crate::transport::Transport;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What waits to be written when the system takes no more, in bytes. A packet beyond it is dropped
/// and counted, as on any full queue of a path.
pub const MAX_WRITE_QUEUE: usize = 256 * 1024;

/// The longest packet that a stream to a server of ours may carry, in bytes. A peer that announces
/// a longer one is not followed any further, so that nobody fills memory one slow byte at a time.
pub const MAX_PACKET: usize = 65_556;

/// What an empty queue keeps of its memory, in bytes: room for a packet.
const KEPT_QUEUE: usize = 2048;

/// What one read takes at most, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// A TCP or TLS stream that carries packets.
///
/// It holds no buffer while nothing is cut in half: what is read goes into a [`StreamBuffer`] that
/// belongs to the thread or task. What is written and not taken by the system waits, up to
/// [`MAX_WRITE_QUEUE`].
///
/// All polls of one stream should come with the waker of the task that owns it.
pub struct PacketStream {
    transport: Transport,
    framing: Framing,
    local: SocketAddr,
    remote: SocketAddr,
    max_packet: usize,
    /// The beginning of a packet whose end has not come.
    partial: Vec<u8>,
    queue: Vec<u8>,
    /// How much of `queue` has been taken.
    written: usize,
    /// TLS has records that the system has not taken.
    unflushed: bool,
    dropped: u64,
}

impl PacketStream {
    pub(crate) fn new(
        transport: Transport,
        framing: Framing,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Self {
        Self {
            transport,
            framing,
            local,
            remote,
            max_packet: MAX_PACKET,
            partial: Vec::new(),
            queue: Vec::new(),
            written: 0,
            unflushed: false,
            dropped: 0,
        }
    }

    /// Packets longer than this end the stream: for streams of strangers, who may be slow on purpose.
    #[must_use]
    pub fn with_max_packet(mut self, bytes: usize) -> Self {
        self.max_packet = bytes.min(MAX_PACKET);
        self
    }

    /// Our end.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The other end: behind a proxy the address that the proxy was asked for.
    #[must_use]
    pub fn remote_addr(&self) -> SocketAddr {
        self.remote
    }

    /// Packets that [`send`](Self::send) dropped because too much waited.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes that wait to be taken by the system.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.len() - self.written
    }

    /// Reads what is there into `buffer`, and returns the number of whole packets in it, which is 0
    /// when only a part of one came.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::UnexpectedEof`] when the other end has closed,
    /// [`io::ErrorKind::InvalidData`] when the stream cannot be followed or a packet is too long, or
    /// what the system says. The stream is then of no more use.
    pub fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut StreamBuffer,
    ) -> Poll<io::Result<usize>> {
        buffer.begin(self.framing, &self.partial);
        let mut read = ReadBuf::new(buffer.room());
        ready!(Pin::new(&mut self.transport).poll_read(cx, &mut read))?;
        let count = read.filled().len();
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        Poll::Ready(self.cut(buffer, count))
    }

    fn cut(&mut self, buffer: &mut StreamBuffer, read: usize) -> io::Result<usize> {
        buffer.end += read;
        let (mut at, mut packets) = (0, 0);
        while let Some(frame) = self.framing.frame(&buffer.bytes[at..buffer.end])? {
            if frame.end - frame.start > self.max_packet {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if at + frame.next > buffer.end {
                break;
            }
            at += frame.next;
            packets += usize::from(frame.end > frame.start);
        }
        let rest = &buffer.bytes[at..buffer.end];
        self.partial.clear();
        self.partial.extend_from_slice(rest);
        if rest.is_empty() {
            // An idle stream holds nothing.
            self.partial = Vec::new();
        }
        buffer.end = at;
        Ok(packets)
    }

    /// Sends one packet, or with `segment_size` a run of packets of that size, the last of which may
    /// be shorter; `false` if what waits already, or the packet, is too much: it is dropped, and
    /// counted.
    ///
    /// # Errors
    ///
    /// What the system says. The stream is then of no more use.
    pub fn send(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        segment_size: Option<usize>,
    ) -> io::Result<bool> {
        if self.queued() + bytes.len() > MAX_WRITE_QUEUE {
            self.dropped += 1;
            return Ok(false);
        }
        let before = self.queue.len();
        for packet in bytes.chunks(segment_size.unwrap_or(bytes.len()).max(1)) {
            if !self.framing.put(packet, &mut self.queue) {
                self.queue.truncate(before);
                self.dropped += 1;
                return Ok(false);
            }
        }
        match self.poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(error),
            _ => Ok(true),
        }
    }

    /// Writes what waits; ready when nothing does.
    ///
    /// # Errors
    ///
    /// What the system says. The stream is then of no more use.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.queue.len() {
            let rest = &self.queue[self.written..];
            let Poll::Ready(taken) = Pin::new(&mut self.transport).poll_write(cx, rest)? else {
                // What was taken makes room.
                self.queue.drain(..self.written);
                self.written = 0;
                return Poll::Pending;
            };
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += taken;
            self.unflushed = true;
        }
        self.queue.clear();
        self.written = 0;
        self.queue.shrink_to(KEPT_QUEUE);
        if self.unflushed {
            ready!(Pin::new(&mut self.transport).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for PacketStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacketStream")
            .field("local", &self.local)
            .field("remote", &self.remote)
            .field("queued", &self.queued())
            .finish_non_exhaustive()
    }
}

/// A buffer that streams are read into.
///
/// It belongs to a thread or a task, never to a connection. Every read overwrites it; what is to be
/// kept is copied out.
pub struct StreamBuffer {
    bytes: Box<[u8]>,
    /// Where whole packets end.
    end: usize,
    framing: Framing,
}

impl StreamBuffer {
    /// 128 KiB, of which the system backs only what is ever written.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bytes: vec![0; MAX_PACKET + 2 + READ_SIZE].into_boxed_slice(),
            end: 0,
            framing: Framing::Length,
        }
    }

    fn begin(&mut self, framing: Framing, partial: &[u8]) {
        self.framing = framing;
        self.bytes[..partial.len()].copy_from_slice(partial);
        self.end = partial.len();
    }

    fn room(&mut self) -> &mut [u8] {
        let end = self.bytes.len().min(self.end + READ_SIZE);
        &mut self.bytes[self.end..end]
    }

    /// The packets of the last read, in their order. Empty ones are left out.
    pub fn packets(&mut self) -> Packets<'_> {
        Packets {
            rest: &mut self.bytes[..self.end],
            framing: self.framing,
        }
    }
}

impl Default for StreamBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for StreamBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamBuffer")
            .field("filled", &self.end)
            .finish()
    }
}

/// Iterates over the packets of a [`StreamBuffer`]; made by [`StreamBuffer::packets`].
#[derive(Debug)]
pub struct Packets<'a> {
    rest: &'a mut [u8],
    framing: Framing,
}

impl<'a> Iterator for Packets<'a> {
    type Item = &'a mut [u8];

    fn next(&mut self) -> Option<&'a mut [u8]> {
        loop {
            let rest = std::mem::take(&mut self.rest);
            let frame = self.framing.frame(rest).ok()??;
            let (packet, rest) = rest.split_at_mut_checked(frame.next)?;
            self.rest = rest;
            if frame.start < frame.end {
                return packet.get_mut(frame.start..frame.end);
            }
        }
    }
}
