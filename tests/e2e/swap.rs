//! A connection whose DTLS is another implementation, put in by value (DESIGN section 6).

use crate::loopback::{connect, incoming_channel};
use muonrtc::{Configuration, DataChannelMessage, PeerConnection, Stack};
use std::sync::Arc;

fn peer(stack: Stack) -> PeerConnection {
    PeerConnection::with_stack(Configuration::default(), stack)
        .build()
        .unwrap()
}

/// The implementation of the webrtc-rs project, with tasks of its own.
fn swapped() -> Stack {
    let mut stack = Stack::default();
    let runtime = tokio::runtime::Handle::current();
    let provider = crypto::Provider::default();
    stack.dtls = Arc::new(dtls::webrtc::Factory::new(runtime, provider));
    stack
}

async fn a_message_crosses(offerer: Stack, answerer: Stack) {
    let (alice, bob) = (peer(offerer), peer(answerer));
    let channel = alice.create_data_channel("swap", None).unwrap();
    connect(&alice, &bob).await;
    let theirs = incoming_channel(&bob).await;
    channel.opened().await.unwrap();
    channel.send_text("from alice").await.unwrap();
    assert_eq!(
        theirs.recv().await,
        Some(DataChannelMessage::Text("from alice".into()))
    );
    theirs.send_text("from bob").await.unwrap();
    assert_eq!(
        channel.recv().await,
        Some(DataChannelMessage::Text("from bob".into()))
    );
}

#[tokio::test]
async fn a_swapped_dtls_connects_with_itself() {
    a_message_crosses(swapped(), swapped()).await;
}

#[tokio::test]
async fn a_swapped_dtls_connects_with_ours_as_client_and_as_server() {
    a_message_crosses(swapped(), Stack::default()).await;
    a_message_crosses(Stack::default(), swapped()).await;
}

/// A server of TURN over DTLS is spoken to by whichever DTLS serves the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swapped_dtls_speaks_with_relays_too() {
    crate::relay_dtls::carries_with(swapped()).await;
}
