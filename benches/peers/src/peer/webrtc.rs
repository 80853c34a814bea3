//! webrtc-rs, set up as in its own benchmark of data channels: default codecs, default interceptors,
//! its runtime for tokio.

use super::wide::Wide;
use super::{Exchange, LABEL, Link, Peer, Reply};
use crate::duty::{Channel, Duty, perform};
use crate::{ADDRESS, Result};
use async_trait::async_trait;
use bytes::BytesMut;
use rtc::peer_connection::configuration::setting_engine::SctpMaxMessageSize;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCConfigurationBuilder, RTCIceGatheringState, RTCSessionDescription, Registry,
    SettingEngineBuilder, register_default_interceptors,
};
use webrtc::runtime::{Runtime, TokioRuntime};

/// From here on `send` waits. It never does by default, and what is sent would pile up; the figure
/// is the one at which Muon's does.
const SEND_LIMIT: usize = 1 << 20;

/// The largest message, and what is received but not read, where the buffers are enlarged.
const WIDE_MESSAGE: u32 = 256 << 10;
const WIDE_WINDOW: u32 = 16 << 20;

/// Connections on the loopback address.
#[derive(Debug)]
pub(crate) struct Webrtc {
    /// With socket buffers of 4 MiB, a receive window of 16 MiB and messages of up to 256 KiB.
    pub(crate) wide: bool,
}

impl Webrtc {
    async fn connection(&self) -> Result<(Arc<dyn PeerConnection>, Happenings)> {
        let (gathered, has_gathered) = unbounded_channel();
        let (channels, channel_came) = unbounded_channel();
        let mut media = MediaEngine::default();
        media.register_default_codecs()?;
        let interceptors = register_default_interceptors(Registry::new(), &mut media)?;
        let runtime: Arc<dyn Runtime> = if self.wide {
            Arc::new(Wide)
        } else {
            Arc::new(TokioRuntime)
        };
        let mut settings = SettingEngineBuilder::new();
        if self.wide {
            settings = settings
                .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(WIDE_MESSAGE))
                .with_sctp_max_receive_buffer_size(WIDE_WINDOW);
        }
        let connection = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(media)
            .with_interceptor_registry(interceptors)
            .with_setting_engine(settings.build())
            .with_handler(Arc::new(Handler { gathered, channels }))
            .with_runtime(runtime)
            .with_udp_addrs(vec![format!("{ADDRESS}:0")])
            .with_data_channel_send_buffer_limit(SEND_LIMIT)
            .build()
            .await?;
        let happenings = Happenings {
            has_gathered,
            channel_came,
        };
        Ok((Arc::new(connection), happenings))
    }
}

impl Peer for Webrtc {
    type Link = Joined;

    async fn offer(&self, ordered: bool, exchange: Exchange) -> Result<Joined> {
        let (connection, mut happenings) = self.connection().await?;
        let init = RTCDataChannelInit {
            ordered,
            ..RTCDataChannelInit::default()
        };
        let channel = connection.create_data_channel(LABEL, Some(init)).await?;
        let offer = connection.create_offer(None).await?;
        let offer = described(&connection, offer, &mut happenings).await?;
        let answer = RTCSessionDescription::answer(exchange.answer_to(offer).await?)?;
        connection.set_remote_description(answer).await?;
        while let Some(event) = channel.poll().await {
            if matches!(event, DataChannelEvent::OnOpen) {
                return Ok(Joined::new(connection, channel));
            }
        }
        Err("closed before the channel was open".into())
    }

    async fn answer(&self, offer: String, reply: Reply) -> Result<Joined> {
        let (connection, mut happenings) = self.connection().await?;
        let offer = RTCSessionDescription::offer(offer)?;
        connection.set_remote_description(offer).await?;
        let answer = connection.create_answer(None).await?;
        reply.send(described(&connection, answer, &mut happenings).await?)?;
        let channel = happenings.channel_came.recv().await;
        let channel = channel.ok_or("closed before the channel came")?;
        Ok(Joined::new(connection, channel))
    }
}

/// The description once it is set and has its candidates.
async fn described(
    connection: &Arc<dyn PeerConnection>,
    description: RTCSessionDescription,
    happenings: &mut Happenings,
) -> Result<String> {
    connection.set_local_description(description).await?;
    happenings.has_gathered.recv().await;
    let description = connection.local_description().await;
    Ok(description.ok_or("not described")?.sdp)
}

/// What the handler has seen.
struct Happenings {
    has_gathered: UnboundedReceiver<()>,
    channel_came: UnboundedReceiver<Arc<dyn DataChannel>>,
}

/// Passes on what happens.
struct Handler {
    gathered: UnboundedSender<()>,
    channels: UnboundedSender<Arc<dyn DataChannel>>,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            // Nobody listens any more once it is connected.
            let _ = self.gathered.send(());
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let _ = self.channels.send(channel);
    }
}

/// A connection with its channel.
pub(crate) struct Joined {
    connection: Arc<dyn PeerConnection>,
    channel: Arc<dyn DataChannel>,
    work: Option<JoinHandle<()>>,
}

impl Joined {
    fn new(connection: Arc<dyn PeerConnection>, channel: Arc<dyn DataChannel>) -> Self {
        Self {
            connection,
            channel,
            work: None,
        }
    }
}

impl Link for Joined {
    fn assign(&mut self, duty: Duty) {
        self.work = Some(tokio::spawn(perform(self.channel.clone(), duty)));
    }

    async fn close(self) {
        // An error would say that it is closed already.
        let _ = self.connection.close().await;
        if let Some(work) = self.work {
            work.abort();
        }
    }
}

impl Channel for Arc<dyn DataChannel> {
    type Message = BytesMut;

    fn message(size: usize) -> BytesMut {
        BytesMut::from(vec![7; size].as_slice())
    }

    async fn send(&self, message: BytesMut) -> Result<()> {
        Ok(self.as_ref().send(message).await?)
    }

    async fn recv(&self) -> Option<BytesMut> {
        loop {
            if let DataChannelEvent::OnMessage(message) = self.poll().await? {
                return Some(message.data);
            }
        }
    }
}
