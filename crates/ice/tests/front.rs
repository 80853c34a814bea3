//! The async front over real sockets on loopback.
#![cfg(all(feature = "tokio", feature = "ring"))]
#![allow(clippy::unwrap_used, reason = "tests")]

use layer::{CandidateAddress, CandidateType, IceRole, IceServer, IceState};
use muonrtc_ice::Factory;
use muonrtc_ice::conn::Conn;
use std::io::ErrorKind;
use std::time::Duration;

async fn pair() -> [Conn; 2] {
    let factory = Factory::default();
    let loopback = [[127, 0, 0, 1].into()];
    [
        Conn::bind(&factory, IceRole::Controlling, &loopback)
            .await
            .unwrap(),
        Conn::bind(&factory, IceRole::Controlled, &loopback)
            .await
            .unwrap(),
    ]
}

#[tokio::test]
async fn two_ends_connect_over_loopback_and_exchange_datagrams_of_any_content() {
    let [here, there] = pair().await;
    let (offer, answer) = (here.local(), there.local());
    assert_eq!(offer.candidates.len(), 1, "gathered at once");
    tokio::try_join!(here.connect(&answer), there.connect(&offer)).unwrap();
    let mut buf = [0; 2000];
    for number in 0..100_u8 {
        here.send(&[number; 1200]).await.unwrap();
        let len = there.recv(&mut buf).await.unwrap();
        assert_eq!(buf[..len], [number; 1200]);
        there.send(&[number; 7]).await.unwrap();
        assert_eq!(here.recv(&mut buf).await.unwrap(), 7);
    }
    assert_eq!(
        here.path().map(|(local, remote)| (remote, local)),
        there.path()
    );
}

// ice-071
#[tokio::test]
async fn a_name_of_multicast_dns_is_asked_of_nobody() {
    let [here, there] = pair().await;
    let (offer, mut answer) = (here.local(), there.local());
    let mut named = answer.candidates[0].clone();
    let host = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local".to_owned();
    named.address = CandidateAddress::Name { host, port: 9 };
    answer.candidates.insert(0, named);
    tokio::try_join!(here.connect(&answer), there.connect(&offer)).unwrap();
    assert_eq!(here.stats().candidates_dropped, 1);
}

#[tokio::test]
async fn a_datagram_too_long_for_the_path_is_refused() {
    let [here, there] = pair().await;
    let (offer, answer) = (here.local(), there.local());
    tokio::try_join!(here.connect(&answer), there.connect(&offer)).unwrap();
    let most = layer::Datagrams::max_datagram(&here);
    assert_eq!(most, 1472);
    here.send(&vec![1; most]).await.unwrap();
    // What jumbo frames carry may be tried.
    here.send(&vec![1; 9000 - 28]).await.unwrap();
    let refused = here.send(&vec![1; 9000 - 27]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn closing_wakes_whoever_waits() {
    let [here, there] = pair().await;
    let (offer, answer) = (here.local(), there.local());
    tokio::try_join!(here.connect(&answer), there.connect(&offer)).unwrap();
    let here = std::sync::Arc::new(here);
    let reader = std::sync::Arc::clone(&here);
    #[expect(clippy::disallowed_methods, reason = "a test needs a second task")]
    let reading = tokio::spawn(async move { reader.recv(&mut [0; 100]).await });
    tokio::task::yield_now().await;
    here.close();
    let end = tokio::time::timeout(Duration::from_secs(5), reading).await;
    assert_eq!(
        end.unwrap().unwrap().unwrap_err().kind(),
        ErrorKind::ConnectionAborted
    );
    assert_eq!(here.state(), IceState::Closed);
}

#[tokio::test]
async fn without_addresses_given_some_are_found() {
    let conn = Conn::bind(&Factory::default(), IceRole::Controlled, &[])
        .await
        .unwrap();
    assert!(!conn.local().candidates.is_empty());
}

#[tokio::test]
async fn servers_are_asked_by_name_and_gathering_waits_for_them() {
    let server = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    #[expect(clippy::disallowed_methods, reason = "a server of the test's own")]
    tokio::spawn(async move {
        let mut buf = [0; 600];
        while let Ok((len, from)) = server.recv_from(&mut buf).await {
            let id = stun::Message::parse(&buf[..len]).unwrap().transaction_id();
            let mut answer = [0; 100];
            let (class, method) = (stun::Class::Success, stun::Method::BINDING);
            let len = stun::Builder::new(&mut answer, class, method, id)
                // As a NAT would show us.
                .attribute(&stun::XorMappedAddress("192.0.2.1:4444".parse().unwrap()))
                .finish()
                .unwrap();
            server.send_to(&answer[..len], from).await.unwrap();
        }
    });
    let servers = [
        format!("stun:localhost:{port}"),
        "turn:localhost:9?transport=tcp".into(),
    ];
    let servers = vec![IceServer::new(servers.into())];
    let loopback = [[127, 0, 0, 1].into()];
    let factory = Factory::default();
    let gathered = Conn::gather(&factory, IceRole::Controlling, &loopback, servers);
    let conn = gathered.await.unwrap();
    let candidates = conn.local().candidates;
    let kinds: Vec<_> = candidates.iter().map(|it| it.candidate_type).collect();
    assert_eq!(kinds, [CandidateType::Host, CandidateType::ServerReflexive]);
    let servers = conn.stats().servers;
    assert!(servers.iter().any(|it| it.failure.is_some()), "no TCP here");
}
