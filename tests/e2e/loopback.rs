//! A handful of connections over real loopback sockets, through the public API.

use bytes::Bytes;
use muonrtc::{
    Configuration, DataChannel, DataChannelMessage, PeerConnection, PeerConnectionEvent,
};

/// Connects two peers without trickling.
async fn connect(offerer: &PeerConnection, answerer: &PeerConnection) {
    offerer.set_local_description(None).await.unwrap();
    offerer.gathering_complete().await;
    answerer.set_remote_description(offerer.local_description().unwrap()).await.unwrap();
    answerer.set_local_description(None).await.unwrap();
    answerer.gathering_complete().await;
    offerer.set_remote_description(answerer.local_description().unwrap()).await.unwrap();
}

async fn incoming_channel(connection: &PeerConnection) -> DataChannel {
    while let Some(event) = connection.next_event().await {
        if let PeerConnectionEvent::DataChannel(channel) = event.kind {
            return channel;
        }
    }
    panic!("the connection closed before a channel came");
}

fn peer() -> PeerConnection {
    PeerConnection::builder(Configuration::default()).build().unwrap()
}

#[tokio::test]
async fn messages_cross_and_come_back_over_real_sockets() {
    let (alice, bob) = (peer(), peer());
    let channel = alice.create_data_channel("chat", None).unwrap();
    connect(&alice, &bob).await;
    let echo = tokio::spawn(async move {
        let channel = incoming_channel(&bob).await;
        while let Some(message) = channel.recv().await {
            match message {
                DataChannelMessage::Text(text) => channel.send_text(&text).await.unwrap(),
                DataChannelMessage::Binary(data) => channel.send(data).await.unwrap(),
            }
        }
    });
    channel.opened().await.unwrap();
    channel.send_text("").await.unwrap();
    channel.send_text("grüße").await.unwrap();
    let large = Bytes::from(vec![7; 200_000]);
    channel.send(large.clone()).await.unwrap();
    assert_eq!(channel.recv().await, Some(DataChannelMessage::Text(String::new())));
    assert_eq!(channel.recv().await, Some(DataChannelMessage::Text("grüße".into())));
    assert_eq!(channel.recv().await, Some(DataChannelMessage::Binary(large)));
    channel.close();
    assert_eq!(channel.recv().await, None);
    echo.await.unwrap();
    alice.close();
    alice.closed().await;
}
