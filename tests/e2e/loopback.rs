//! A handful of connections over real loopback sockets, through the public API.

use bytes::Bytes;
use muonrtc::{
    Configuration, DataChannel, DataChannelEvent, DataChannelInit, DataChannelMessage,
    DataChannelState, PeerConnection, PeerConnectionEvent,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Connects two peers without trickling.
pub(crate) async fn connect(offerer: &PeerConnection, answerer: &PeerConnection) {
    offerer.set_local_description(None).await.unwrap();
    offerer.gathering_complete().await;
    answerer
        .set_remote_description(offerer.local_description().unwrap())
        .await
        .unwrap();
    answerer.set_local_description(None).await.unwrap();
    answerer.gathering_complete().await;
    offerer
        .set_remote_description(answerer.local_description().unwrap())
        .await
        .unwrap();
}

pub(crate) async fn incoming_channel(connection: &PeerConnection) -> DataChannel {
    while let Some(event) = connection.next_event().await {
        if let PeerConnectionEvent::DataChannel(channel) = event.kind {
            return channel;
        }
    }
    panic!("the connection closed before a channel came");
}

fn peer() -> PeerConnection {
    PeerConnection::builder(Configuration::default())
        .build()
        .unwrap()
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
    assert_eq!(
        channel.recv().await,
        Some(DataChannelMessage::Text(String::new()))
    );
    assert_eq!(
        channel.recv().await,
        Some(DataChannelMessage::Text("grüße".into()))
    );
    assert_eq!(
        channel.recv().await,
        Some(DataChannelMessage::Binary(large))
    );
    channel.close();
    assert_eq!(channel.recv().await, None);
    echo.await.unwrap();
    alice.close();
    alice.closed().await;
}

/// A connected pair with one channel open at both ends.
async fn open(label: &str) -> (PeerConnection, DataChannel, PeerConnection, DataChannel) {
    let (alice, bob) = (peer(), peer());
    let ours = alice.create_data_channel(label, None).unwrap();
    connect(&alice, &bob).await;
    let theirs = incoming_channel(&bob).await;
    ours.opened().await.unwrap();
    (alice, ours, bob, theirs)
}

// dc-024, F4.09
#[tokio::test]
async fn a_message_is_sent_and_received_in_parts() {
    let (_alice, ours, _bob, theirs) = open("parts").await;
    assert!(theirs.receive_in_parts(true));
    let part = Bytes::from(vec![7; 60_000]);
    let writer = tokio::spawn(async move {
        for n in 0..4 {
            ours.send_part(part.clone(), n == 3).await.unwrap();
        }
        let empty = ours.send_part(Bytes::new(), false).await;
        assert_eq!(empty.unwrap_err().kind(), muonrtc::ErrorKind::Type);
        ours.send_text("and a whole one").await.unwrap();
        ours
    });
    let mut received = 0;
    loop {
        let part = theirs.recv_part().await.unwrap();
        assert_eq!(part.first, received == 0);
        assert!(!part.is_text && !part.aborted);
        received += part.data.len();
        if part.last {
            break;
        }
    }
    assert_eq!(received, 240_000);
    let text = theirs.recv_part().await.unwrap();
    assert!(text.first && text.last && text.is_text);
    assert_eq!(&text.data[..], b"and a whole one");
    writer.await.unwrap();
}

// dc-023
#[tokio::test]
async fn a_stream_writes_messages_that_hold_nobody_up() {
    let (_alice, ours, _bob, theirs) = open("stream").await;
    let writer = tokio::spawn(async move {
        let mut stream = ours.byte_stream();
        stream.write_all(&[1; 100_000]).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let mut received = 0;
    while let Some(message) = theirs.recv().await {
        let DataChannelMessage::Binary(data) = message else {
            panic!("a stream is bytes");
        };
        assert!(data.len() <= 16 * 1024, "{}", data.len());
        received += data.len();
    }
    assert_eq!(received, 100_000);
    writer.await.unwrap();
}

// dc-025
#[tokio::test]
async fn a_channel_is_a_stream_of_bytes() {
    let (_alice, ours, _bob, theirs) = open("stream").await;
    let sent: Vec<u8> = (0..300_000u32).flat_map(u32::to_be_bytes).collect();
    let copy = sent.clone();
    let writer = tokio::spawn(async move {
        let mut stream = ours.byte_stream();
        stream.write_all(&copy).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let mut received = Vec::new();
    theirs
        .byte_stream()
        .read_to_end(&mut received)
        .await
        .unwrap();
    assert!(
        received == sent,
        "{} bytes of {}",
        received.len(),
        sent.len()
    );
    writer.await.unwrap();
}

/// pc-025: once a channel is negotiated, nothing more is, whichever pair is selected.
#[tokio::test]
async fn connecting_asks_for_no_second_negotiation() {
    let (alice, ours, bob, theirs) = open("once").await;
    ours.send_text("hello").await.unwrap();
    assert!(theirs.recv().await.is_some());
    assert!(alice.selected_candidate_pair().is_some());
    alice.close();
    bob.close();
    let mut needed = [0, 0];
    for (connection, needed) in [&alice, &bob].into_iter().zip(&mut needed) {
        while let Some(event) = connection.next_event().await {
            let asks = matches!(event.kind, PeerConnectionEvent::NegotiationNeeded);
            *needed += u32::from(asks);
        }
    }
    assert_eq!(needed, [1, 0]);
}

/// dc-024: what nobody reads holds the sender back, and nothing is lost when it is read at last.
#[tokio::test]
async fn a_slow_reader_holds_the_sender_back() {
    let (_alice, ours, _bob, theirs) = open("slow").await;
    let message = Bytes::from(vec![5; 64 * 1024]);
    let mut accepted = 0;
    while ours.try_send(message.clone()).is_ok() {
        accepted += 1;
        assert!(accepted < 10_000, "the send buffer has no bound");
        tokio::task::yield_now().await;
    }
    let sender = tokio::spawn(async move {
        for _ in 0..100 {
            ours.send(Bytes::from(vec![6; 64 * 1024])).await.unwrap();
        }
        ours
    });
    for _ in 0..accepted {
        assert_eq!(
            theirs.recv().await,
            Some(DataChannelMessage::Binary(message.clone()))
        );
    }
    for _ in 0..100 {
        let Some(DataChannelMessage::Binary(data)) = theirs.recv().await else {
            panic!()
        };
        assert!(data.iter().all(|byte| *byte == 6));
    }
    sender.await.unwrap();
}

/// A slow reader of a channel with limited reliability loses the oldest messages, counted, and
/// holds nobody back.
#[tokio::test]
async fn an_unreliable_channel_keeps_the_newest_for_a_slow_reader() {
    let (alice, bob) = (peer(), peer());
    let mut init = DataChannelInit::default();
    init.max_retransmits = Some(10);
    let ours = alice.create_data_channel("newest", Some(init)).unwrap();
    connect(&alice, &bob).await;
    let theirs = incoming_channel(&bob).await;
    ours.opened().await.unwrap();
    for number in 0..400u32 {
        let mut data = vec![0; 16 * 1024];
        data[..4].copy_from_slice(&number.to_be_bytes());
        ours.send(Bytes::from(data)).await.unwrap();
    }
    ours.close();
    while theirs.ready_state() != DataChannelState::Closed {
        tokio::task::yield_now().await;
    }
    let mut numbers = Vec::new();
    while let Some(DataChannelMessage::Binary(data)) = theirs.recv().await {
        numbers.push(u32::from_be_bytes(data[..4].try_into().unwrap()));
    }
    assert!(numbers.is_sorted());
    assert_eq!(numbers.last(), Some(&399));
    assert!(numbers.len() * 16 * 1024 <= 512 * 1024, "{}", numbers.len());
    assert_eq!(theirs.messages_dropped() + numbers.len() as u64, 400);
}

/// dc-018
#[tokio::test]
async fn the_buffered_amount_falls_to_its_threshold_and_says_so() {
    let (_alice, ours, _bob, theirs) = open("low").await;
    ours.set_buffered_amount_low_threshold(100_000);
    for _ in 0..32 {
        ours.try_send(Bytes::from(vec![1; 64 * 1024])).unwrap();
    }
    assert!(ours.buffered_amount() > 100_000);
    tokio::spawn(async move { while theirs.recv().await.is_some() {} });
    loop {
        let event = ours.next_event().await.unwrap();
        if matches!(event.kind, DataChannelEvent::BufferedAmountLow) {
            break;
        }
    }
    assert!(ours.buffered_amount() <= 100_000);
}

/// Dropping the last handles closes: the other end sees its channel close.
#[tokio::test]
async fn dropping_every_handle_closes_the_connection() {
    let (alice, ours, _bob, theirs) = open("drop").await;
    drop((alice, ours));
    assert_eq!(theirs.recv().await, None);
}

#[tokio::test]
async fn twenty_connections_open_at_once() {
    let connections = (0..20).map(|number| {
        tokio::spawn(async move {
            let (_alice, ours, _bob, theirs) = open("many").await;
            ours.send_text(&number.to_string()).await.unwrap();
            assert_eq!(
                theirs.recv().await,
                Some(DataChannelMessage::Text(number.to_string()))
            );
        })
    });
    for connection in connections.collect::<Vec<_>>() {
        connection.await.unwrap();
    }
}
