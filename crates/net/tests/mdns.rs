//! Names on the links of this host.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use muonrtc_net::{is_local_name, publish_local, resolve_local};
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::timeout;

#[test]
fn local_names_have_one_label() {
    assert!(is_local_name("1f4712db-ea17-4bcf-a596-105139dfd8bf.local"));
    assert!(is_local_name("a.LOCAL"));
    for other in ["local", ".local", "a.b.local", "a.local.", "example.org"] {
        assert!(!is_local_name(other), "{other}");
    }
}

#[tokio::test]
async fn a_name_that_is_published_is_found() {
    let name = format!("muon-{}.local", std::process::id());
    let address: IpAddr = "192.0.2.7".parse().unwrap();
    let published = name.clone();
    let publishing = tokio::spawn(async move { publish_local(&published, address).await });
    let found = timeout(Duration::from_secs(10), resolve_local(&name)).await;
    if publishing.is_finished() {
        println!("left out: this host has no link with multicast");
        return;
    }
    match found.unwrap() {
        Ok(found) if found.is_empty() => println!("left out: multicast does not come back here"),
        Ok(found) => assert_eq!(found, [address]),
        Err(error) => println!("left out: this host has no link with multicast ({error})"),
    }
}

#[tokio::test]
async fn other_names_are_not_asked_for_here() {
    assert!(resolve_local("example.org").await.is_err());
    assert!(
        publish_local("a.b.local", [192, 0, 2, 7].into())
            .await
            .is_err()
    );
}
