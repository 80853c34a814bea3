//! libdatachannel (C++, with libjuice, usrsctp and OpenSSL) through the crate `datachannel`.

use super::{Exchange, LABEL, Link, Peer, Reply};
use crate::duty::{Channel, Duty, perform};
use crate::{ADDRESS, Result};
use bytes::Bytes;
use datachannel::{
    DataChannelHandler, DataChannelInfo, DataChannelInit, GatheringState, PeerConnectionHandler,
    Reliability, RtcConfig, RtcDataChannel, RtcPeerConnection, SdpType, SessionDescription,
};
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, spawn_blocking};

/// From here on a sender waits, and until here: its queue has no bound.
const HIGH_WATER: usize = 1 << 20;
const LOW_WATER: usize = 256 << 10;

type Connection = Box<RtcPeerConnection<Handler>>;
type DataChannel = Box<RtcDataChannel<Inbox>>;

/// Connections on the loopback address.
#[derive(Debug)]
pub(crate) struct Libdatachannel;

impl Peer for Libdatachannel {
    type Link = Joined;

    async fn offer(&self, ordered: bool, exchange: Exchange) -> Result<Joined> {
        let (mut connection, mut happenings) = connection()?;
        let mut reliability = Reliability::default();
        if !ordered {
            reliability = reliability.unordered();
        }
        let init = DataChannelInit::default().reliability(reliability);
        let (inbox, mail) = inbox();
        // With the first channel it makes the offer.
        let channel = connection.create_data_channel_ex(LABEL, inbox, &init)?;
        let offer = described(&connection, &mut happenings).await?;
        let answer = exchange.answer_to(offer).await?;
        connection.set_remote_description(&description(SdpType::Answer, &answer)?)?;
        mail.opened.notified().await;
        Joined::new(connection, channel, mail)
    }

    async fn answer(&self, offer: String, reply: Reply) -> Result<Joined> {
        let (mut connection, mut happenings) = connection()?;
        // With the offer it makes the answer.
        connection.set_remote_description(&description(SdpType::Offer, &offer)?)?;
        reply.send(described(&connection, &mut happenings).await?)?;
        let channel = happenings.channel_came.recv().await;
        let mail = happenings.mail_of_channel.recv().await;
        let (channel, mail) = channel.zip(mail).ok_or("closed before the channel came")?;
        Joined::new(connection, channel, mail)
    }
}

fn connection() -> Result<(Connection, Happenings)> {
    let servers: [&str; 0] = [];
    let config = RtcConfig::new(&servers).bind_address(&ADDRESS.to_string());
    let (gathered, has_gathered) = unbounded_channel();
    let (channels, channel_came) = unbounded_channel();
    let (mails, mail_of_channel) = unbounded_channel();
    let handler = Handler {
        gathered,
        channels,
        mails,
    };
    let happenings = Happenings {
        has_gathered,
        channel_came,
        mail_of_channel,
    };
    Ok((RtcPeerConnection::new(&config, handler)?, happenings))
}

/// The local description once it has its candidates.
async fn described(connection: &Connection, happenings: &mut Happenings) -> Result<String> {
    happenings.has_gathered.recv().await;
    let description = connection.local_description().ok_or("not described")?;
    Ok(description.sdp.to_string())
}

/// A description from its text, which the crate parses through serde alone.
fn description(kind: SdpType, sdp: &str) -> Result<SessionDescription> {
    Ok(serde_json::from_value(json!({ "type": kind, "sdp": sdp }))?)
}

/// What the handler has seen.
struct Happenings {
    has_gathered: UnboundedReceiver<()>,
    channel_came: UnboundedReceiver<DataChannel>,
    mail_of_channel: UnboundedReceiver<Mail>,
}

/// Passes on what happens; whoever does not listen any more needs nothing.
struct Handler {
    gathered: UnboundedSender<()>,
    channels: UnboundedSender<DataChannel>,
    mails: UnboundedSender<Mail>,
}

impl PeerConnectionHandler for Handler {
    type DCH = Inbox;

    fn data_channel_handler(&mut self, _: DataChannelInfo) -> Inbox {
        let (inbox, mail) = inbox();
        let _ = self.mails.send(mail);
        inbox
    }

    fn on_gathering_state_change(&mut self, state: GatheringState) {
        if matches!(state, GatheringState::Complete) {
            let _ = self.gathered.send(());
        }
    }

    fn on_data_channel(&mut self, channel: DataChannel) {
        let _ = self.channels.send(channel);
    }
}

/// The end of a channel that its callbacks write to.
struct Inbox {
    messages: UnboundedSender<Bytes>,
    signals: Arc<Signals>,
}

/// The end from which it is read.
struct Mail {
    messages: UnboundedReceiver<Bytes>,
    opened: Arc<Notify>,
    signals: Arc<Signals>,
}

#[derive(Default)]
struct Signals {
    opened: Arc<Notify>,
    /// There is room to send again.
    drained: Notify,
    /// Once it is set, messages are counted and not kept.
    total: OnceLock<Arc<AtomicU64>>,
}

fn inbox() -> (Inbox, Mail) {
    let (sender, messages) = unbounded_channel();
    let signals = Arc::<Signals>::default();
    let inbox = Inbox {
        messages: sender,
        signals: signals.clone(),
    };
    let mail = Mail {
        messages,
        opened: signals.opened.clone(),
        signals,
    };
    (inbox, mail)
}

impl DataChannelHandler for Inbox {
    fn on_open(&mut self) {
        self.signals.opened.notify_one();
    }

    fn on_message(&mut self, message: &[u8]) {
        if let Some(total) = self.signals.total.get() {
            total.fetch_add(message.len() as u64, Ordering::Relaxed);
        } else {
            let _ = self.messages.send(Bytes::copy_from_slice(message));
        }
    }

    fn on_buffered_amount_low(&mut self) {
        self.signals.drained.notify_one();
    }
}

/// A connection with its channel.
pub(crate) struct Joined {
    connection: Connection,
    channel: Shared,
    work: Option<JoinHandle<()>>,
}

/// A channel for whoever sends on it and whoever reads it.
#[derive(Clone)]
struct Shared {
    channel: Arc<Mutex<DataChannel>>,
    messages: Arc<tokio::sync::Mutex<UnboundedReceiver<Bytes>>>,
    signals: Arc<Signals>,
}

impl Joined {
    fn new(connection: Connection, mut channel: DataChannel, mail: Mail) -> Result<Self> {
        channel.set_buffered_amount_low_threshold(LOW_WATER)?;
        let channel = Shared {
            channel: Arc::new(Mutex::new(channel)),
            messages: Arc::new(tokio::sync::Mutex::new(mail.messages)),
            signals: mail.signals,
        };
        Ok(Self {
            connection,
            channel,
            work: None,
        })
    }
}

impl Link for Joined {
    fn assign(&mut self, duty: Duty) {
        if let Duty::Count(total) = duty {
            // Assigned once.
            let _ = self.channel.signals.total.set(total);
            return;
        }
        self.work = Some(tokio::spawn(perform(self.channel.clone(), duty)));
    }

    async fn close(self) {
        if let Some(work) = self.work {
            work.abort();
        }
        // Dropping it waits for its threads.
        let (channel, connection) = (self.channel, self.connection);
        let closing = spawn_blocking(move || {
            drop(channel);
            drop(connection);
        });
        let _ = closing.await;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, DataChannel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends it, and says whether more may follow at once.
    fn send_now(&self, message: &[u8]) -> Result<bool> {
        let mut channel = self.lock();
        channel.send(message)?;
        Ok(channel.buffered_amount() <= HIGH_WATER)
    }
}

impl Channel for Shared {
    type Message = Bytes;

    fn message(size: usize) -> Bytes {
        Bytes::from(vec![7; size])
    }

    async fn send(&self, message: Bytes) -> Result<()> {
        if !self.send_now(&message)? {
            self.signals.drained.notified().await;
        }
        Ok(())
    }

    async fn recv(&self) -> Option<Bytes> {
        self.messages.lock().await.recv().await
    }
}
