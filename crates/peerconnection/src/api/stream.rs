use crate::api::channel::DataChannel;
use crate::message::DataChannelMessage;
use bytes::{Buf, Bytes};
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The largest message that a write makes: no message needs interleaving to be fair (dc-023), and
/// larger ones gain nothing.
const MAX_WRITE: usize = 16 * 1024;

type Receiving = Pin<Box<dyn Future<Output = Option<DataChannelMessage>> + Send>>;
type Sending = Pin<Box<dyn Future<Output = Result<(), crate::Error>> + Send>>;

/// A data channel as a stream of bytes.
///
/// A write makes one binary message of at most 16 KiB, a read takes what has come, text as UTF-8.
/// Writes wait as [`DataChannel::send`] does; a flush waits until the message of the last write is
/// accepted; shutdown closes the channel. The end of the channel is the end of the stream.
pub struct DataChannelStream {
    channel: DataChannel,
    rest: Bytes,
    receiving: Option<Receiving>,
    sending: Option<Sending>,
}

impl DataChannel {
    /// The channel as a stream of bytes, `AsyncRead` and `AsyncWrite`: the messages' ends
    /// disappear, as in what Pion calls a detached channel.
    #[must_use]
    pub fn byte_stream(&self) -> DataChannelStream {
        DataChannelStream {
            channel: self.clone(),
            rest: Bytes::new(),
            receiving: None,
            sending: None,
        }
    }
}

impl DataChannelStream {
    /// Waits until the message of the last write is accepted.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(sending) = &mut self.sending else {
            return Poll::Ready(Ok(()));
        };
        let sent = ready!(sending.as_mut().poll(cx));
        self.sending = None;
        Poll::Ready(sent.map_err(|error| io::Error::new(io::ErrorKind::BrokenPipe, error)))
    }
}

impl AsyncRead for DataChannelStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.rest.is_empty() {
            let channel = &this.channel;
            let receiving = this.receiving.get_or_insert_with(|| {
                let channel = channel.clone();
                Box::pin(async move { channel.recv().await })
            });
            let message = ready!(receiving.as_mut().poll(cx));
            this.receiving = None;
            this.rest = match message {
                Some(DataChannelMessage::Binary(bytes)) => bytes,
                Some(DataChannelMessage::Text(text)) => Bytes::from(text),
                None => return Poll::Ready(Ok(())),
            };
        }
        let len = this.rest.len().min(buf.remaining());
        buf.put_slice(&this.rest[..len]);
        this.rest.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for DataChannelStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_sent(cx))?;
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let len = buf
            .len()
            .min(MAX_WRITE)
            .min(self.channel.max_message_size());
        let (channel, data) = (self.channel.clone(), Bytes::copy_from_slice(&buf[..len]));
        let mut sending: Sending = Box::pin(async move { channel.send(data).await });
        // Most sends are accepted at once. One that waits has its bytes; it is finished first.
        match sending.as_mut().poll(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, error)));
            }
            Poll::Pending => self.sending = Some(sending),
        }
        Poll::Ready(Ok(len))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_sent(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_sent(cx))?;
        self.channel.close();
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for DataChannelStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataChannelStream")
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}
