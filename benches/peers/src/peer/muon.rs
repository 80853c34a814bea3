//! Muon with the default configuration of every layer.

use super::{Exchange, LABEL, Link, Peer, Reply};
use crate::duty::{Channel, Duty, perform};
use crate::{ADDRESS, Result};
use bytes::Bytes;
use ice::InterfaceFilter;
use muonrtc::{
    Configuration, DataChannel, DataChannelInit, DataChannelMessage, Endpoint, EndpointConfig,
    PeerConnection, PeerConnectionEvent, SdpType, SessionDescription, Stack,
};
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Connections on the loopback address.
pub(crate) struct Muon {
    stack: Stack,
    /// The one port of the answerers, if they share one.
    endpoint: Option<Endpoint>,
}

impl Muon {
    /// Every connection has a socket of its own.
    pub(crate) fn own_ports() -> Self {
        let mut agents = ice::Factory::default();
        agents.include_loopback = true;
        agents.interface_filter = Some(InterfaceFilter::new(|interface| {
            interface.address == ADDRESS
        }));
        let mut stack = Stack::default();
        stack.ice = Arc::new(agents);
        Self {
            stack,
            endpoint: None,
        }
    }

    /// The answerers share a port.
    pub(crate) fn one_port() -> Result<Self> {
        let mut config = EndpointConfig::default();
        config.addresses = vec![ADDRESS];
        Ok(Self {
            endpoint: Some(Endpoint::bind(config)?),
            ..Self::own_ports()
        })
    }
}

impl Peer for Muon {
    type Link = Joined;

    async fn offer(&self, ordered: bool, exchange: Exchange) -> Result<Joined> {
        let configuration = Configuration::default();
        let connection = PeerConnection::with_stack(configuration, self.stack.clone()).build()?;
        let mut init = DataChannelInit::default();
        init.ordered = ordered;
        let channel = connection.create_data_channel(LABEL, Some(init))?;
        let offer = described(&connection).await?;
        let answer = exchange.answer_to(offer).await?;
        let answer = SessionDescription::new(SdpType::Answer, answer);
        connection.set_remote_description(answer).await?;
        channel.opened().await?;
        Ok(Joined::new(connection, channel))
    }

    async fn answer(&self, offer: String, reply: Reply) -> Result<Joined> {
        let configuration = Configuration::default();
        let stack = self.stack.clone();
        let builder = match &self.endpoint {
            Some(endpoint) => endpoint.peer_connection_with_stack(configuration, stack),
            None => PeerConnection::with_stack(configuration, stack),
        };
        let connection = builder.build()?;
        let offer = SessionDescription::new(SdpType::Offer, offer);
        connection.set_remote_description(offer).await?;
        reply.send(described(&connection).await?)?;
        while let Some(event) = connection.next_event().await {
            if let PeerConnectionEvent::DataChannel(channel) = event.kind {
                return Ok(Joined::new(connection, channel));
            }
        }
        Err("closed before the channel came".into())
    }
}

/// The local description that the state asks for, with its candidates.
async fn described(connection: &PeerConnection) -> Result<String> {
    connection.set_local_description(None).await?;
    connection.gathering_complete().await;
    let description = connection.local_description().ok_or("not described")?;
    Ok(description.sdp().to_owned())
}

/// A connection with its channel.
pub(crate) struct Joined {
    connection: PeerConnection,
    channel: DataChannel,
    work: Option<JoinHandle<()>>,
}

impl Joined {
    fn new(connection: PeerConnection, channel: DataChannel) -> Self {
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
        self.connection.close();
        self.connection.closed().await;
        if let Some(work) = self.work {
            work.abort();
        }
    }
}

impl Channel for DataChannel {
    type Message = Bytes;

    fn message(size: usize) -> Bytes {
        Bytes::from(vec![7; size])
    }

    async fn send(&self, message: Bytes) -> Result<()> {
        Ok(Self::send(self, message).await?)
    }

    async fn recv(&self) -> Option<Bytes> {
        match Self::recv(self).await? {
            DataChannelMessage::Binary(bytes) => Some(bytes),
            DataChannelMessage::Text(_) => Some(Bytes::new()),
        }
    }
}
