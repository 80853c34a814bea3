//! The port, and what goes on behind it.

use examples::Outcome;
use ice::Factory;
use muonrtc::{
    Configuration, DataChannel, DataChannelMessage, Endpoint, EndpointConfig, PeerConnection,
    PeerConnectionEvent, PeerConnectionState, Stack,
};
use std::sync::Arc;

/// One port for everything, on every address of this machine.
pub(crate) fn bind(port: u16) -> Outcome<Endpoint> {
    let mut config = EndpointConfig::default();
    config.udp_port = Some(port);
    config.tcp_port = Some(port);
    Ok(Endpoint::bind(config)?)
}

/// A connection behind the endpoint, whose agent offers the TCP port too.
pub(crate) fn connection(endpoint: &Endpoint) -> Outcome<PeerConnection> {
    let mut agents = Factory::default();
    agents.tcp_passive = true;
    let mut stack = Stack::default();
    stack.ice = Arc::new(agents);
    let configuration = Configuration::default();
    Ok(endpoint
        .peer_connection_with_stack(configuration, stack)
        .build()?)
}

/// Echoes every channel of one connection.
pub(crate) async fn serve(connection: PeerConnection) -> Outcome {
    while let Some(event) = connection.next_event().await {
        match event.kind {
            PeerConnectionEvent::DataChannel(channel) => {
                examples::spawn(echo(channel));
            }
            PeerConnectionEvent::SelectedCandidatePairChange(pair) => {
                tracing::info!(local = %pair.local.candidate(), "a path is selected");
            }
            PeerConnectionEvent::ConnectionStateChange(
                PeerConnectionState::Failed | PeerConnectionState::Closed,
            ) => break,
            _ => {}
        }
    }
    connection.close();
    Ok(())
}

async fn echo(channel: DataChannel) -> Outcome {
    while let Some(message) = channel.recv().await {
        match message {
            DataChannelMessage::Text(text) => channel.send_text(&text).await?,
            DataChannelMessage::Binary(data) => channel.send(data).await?,
        }
    }
    Ok(())
}
