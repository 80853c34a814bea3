//! Real browsers against the server of `examples/echo`, and against other examples.
//!
//! Each test starts itself again in a network namespace of its own ([`network`]), serves
//! `page.html` or `media.html` and the signalling of the echo server there, or `examples.html` and
//! one of those [`example`]s, starts a browser on the
//! page ([`browser`]), and takes the outcome of each check from what the page posts back ([`page`]).
//! [`relay`] stands between the two where packets are to be lost, a [`turn_server`] where they shall
//! not meet.
//! [`coturn`] and [`nat`] are tried in the same way, without a browser.
//!
//! `MUON_INTEROP=skip`, which `cargo xtask test --no-interop` sets, leaves them out;
//! `MUON_INTEROP=itself` also runs the checks of media with the browser in the server's place.

#![allow(
    clippy::disallowed_methods,
    reason = "real browsers need real time and real tasks"
)]

mod browser;
mod coturn;
mod coturn_dtls;
mod example;
mod nat;
mod network;
mod page;
mod relay;
#[path = "../../examples/echo/server.rs"]
mod server;
mod turn_server;

use axum::Router;
use browser::{Addresses, Browser};
use example::{Begun, Example};
use network::Inside;
use page::{Page, Report};
use std::sync::{Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout_at};

/// What every browser must pass, in the order in which `page.html` does them.
const CHECKS: &[&str] = &[
    "a channel opens and echoes",
    "1000 messages come back intact and in order",
    "an unordered channel",
    "a channel with maxRetransmits 0",
    "a channel with maxPacketLifeTime",
    "a negotiated channel",
    "label and protocol",
    "a channel the server opens",
    "twenty channels on one connection",
    "a second offer",
    "a second offer with a section the server may refuse",
    "an ICE restart",
    "the server offers",
    "a channel closed by the page",
    "a connection closed by the server",
    "a connection closed by the page",
    "IPv4 alone",
    "IPv6 alone",
    "reliable channels on a path that loses packets",
    "maxRetransmits 0 on a path that loses packets",
    "twenty connections at once",
];

/// What differs when the browser does not hide its addresses behind multicast DNS names.
const CHECKS_OF_ADDRESSES: &[&str] = &["a channel opens and echoes", "IPv4 alone", "IPv6 alone"];

/// Audio and video, in the order in which `media.js` does them.
const CHECKS_OF_MEDIA: &[&str] = &[
    "camera and microphone come back",
    "video as VP8",
    "video as VP9",
    "video as H264",
    "video as AV1",
    "audio as opus",
    "audio as PCMU",
    "audio as PCMA",
    "audio as G722",
    "audio alone",
    "many sections",
    "a channel beside audio and video",
    "sources that are not declared",
    "packets without the name of their section",
    "the server offers audio and video",
    "muted and unmuted by direction",
    "tracks added and removed by renegotiation",
    "another track in place of the camera",
    "an ICE restart under audio and video",
    "simulcast with three layers",
    "one track fanned out to five pages",
    "video on a path that loses one packet in twenty",
];

/// Through TURN servers alone, and from one path to the next, in the order of `paths.js`.
const CHECKS_OF_PATHS: &[&str] = &[
    "through our TURN server over UDP",
    "through our TURN server over TCP",
    "through coturn over UDP",
    "through coturn over TCP",
    "ICE restarted by the page under numbered messages",
    "ICE restarted by the server under numbered messages",
    "ICE restarted by both in turn, from relay to relay",
];

/// Two browsers at once would only make each other slow.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// One browser on one page.
#[derive(Clone, Copy)]
struct Visit {
    browser: Browser,
    addresses: Addresses,
    page: Page,
    checks: &'static [&'static str],
}

impl Visit {
    const fn data(browser: Browser) -> Self {
        Self {
            browser,
            addresses: Addresses::Hidden,
            page: Page::Data,
            checks: CHECKS,
        }
    }

    const fn showing_its_addresses(self) -> Self {
        Self {
            addresses: Addresses::Shown,
            checks: CHECKS_OF_ADDRESSES,
            ..self
        }
    }

    /// A page that may use the camera is shown the addresses.
    const fn media(browser: Browser) -> Self {
        Self {
            page: Page::Media,
            ..Self::media_loop(browser)
        }
    }

    /// A page that holds those of an example.
    const fn example(browser: Browser, example: Example, checks: &'static [&'static str]) -> Self {
        Self {
            page: Page::Example(example),
            checks,
            ..Self::media_loop(browser)
        }
    }

    const fn paths(browser: Browser) -> Self {
        Self {
            page: Page::Paths,
            checks: CHECKS_OF_PATHS,
            ..Self::data(browser)
        }
    }

    const fn media_loop(browser: Browser) -> Self {
        Self {
            browser,
            addresses: Addresses::Shown,
            page: Page::MediaLoop,
            checks: CHECKS_OF_MEDIA,
        }
    }
}

#[test]
fn chromium() {
    interop("chromium", Visit::data(Browser::Chromium));
}

#[test]
fn chromium_showing_its_addresses() {
    interop(
        "chromium_showing_its_addresses",
        Visit::data(Browser::Chromium).showing_its_addresses(),
    );
}

#[test]
fn chromium_changes_paths() {
    interop("chromium_changes_paths", Visit::paths(Browser::Chromium));
}

#[test]
fn firefox_changes_paths() {
    interop("firefox_changes_paths", Visit::paths(Browser::Firefox));
}

#[test]
fn chromium_media() {
    interop("chromium_media", Visit::media(Browser::Chromium));
}

/// Tells the browser's own faults from ours, where a check of media fails.
#[test]
fn chromium_in_media_with_itself() {
    interop(
        "chromium_in_media_with_itself",
        Visit::media_loop(Browser::Chromium),
    );
}

#[test]
fn chromium_broadcasts() {
    let checks = &["one camera is watched by three pages"];
    let visit = Visit::example(Browser::Chromium, Example::Broadcast, checks);
    interop("chromium_broadcasts", visit);
}

#[test]
fn chromium_is_recorded() {
    let checks = &["camera and microphone are recorded"];
    let visit = Visit::example(Browser::Chromium, Example::SaveToDisk, checks);
    interop("chromium_is_recorded", visit);
}

#[test]
fn chromium_meets_in_a_room() {
    let checks = &["a room of three pages"];
    let visit = Visit::example(Browser::Chromium, Example::Sfu, checks);
    interop("chromium_meets_in_a_room", visit);
}

/// Twenty connections at once behind one port, over UDP and over TCP alone.
const CHECKS_OF_ONE_PORT: &[&str] = &[
    "twenty connections to one UDP port",
    "twenty connections to one TCP port",
];

#[test]
fn chromium_connects_to_one_port() {
    let visit = Visit::example(Browser::Chromium, Example::SinglePort, CHECKS_OF_ONE_PORT);
    interop("chromium_connects_to_one_port", visit);
}

/// The async fronts of the layers, one on top of the other.
const CHECKS_OF_LAYERS: &[&str] = &["layers put together by hand"];

#[test]
fn chromium_connects_to_layers() {
    let visit = Visit::example(Browser::Chromium, Example::Ortc, CHECKS_OF_LAYERS);
    interop("chromium_connects_to_layers", visit);
}

#[test]
fn firefox_connects_to_layers() {
    let visit = Visit::example(Browser::Firefox, Example::Ortc, CHECKS_OF_LAYERS);
    interop("firefox_connects_to_layers", visit);
}

#[test]
fn firefox_connects_to_one_port() {
    let visit = Visit::example(Browser::Firefox, Example::SinglePort, CHECKS_OF_ONE_PORT);
    interop("firefox_connects_to_one_port", visit);
}

#[test]
fn firefox_meets_in_a_room() {
    let checks = &["a room of three pages"];
    let visit = Visit::example(Browser::Firefox, Example::Sfu, checks);
    interop("firefox_meets_in_a_room", visit);
}

#[test]
fn firefox_media() {
    interop("firefox_media", Visit::media(Browser::Firefox));
}

#[test]
fn firefox() {
    interop("firefox", Visit::data(Browser::Firefox));
}

#[test]
fn firefox_showing_its_addresses() {
    interop(
        "firefox_showing_its_addresses",
        Visit::data(Browser::Firefox).showing_its_addresses(),
    );
}

/// Tells the browser's own faults from ours, where a check of media fails.
#[test]
fn firefox_in_media_with_itself() {
    interop(
        "firefox_in_media_with_itself",
        Visit::media_loop(Browser::Firefox),
    );
}

/// Runs the checks in a namespace; `test` is the name of the calling test, which is run again there.
fn interop(test: &str, visit: Visit) {
    if let Some(inside) = Inside::from_env() {
        inside.configure();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
        return runtime.block_on(run(&inside, visit));
    }
    let wanted = std::env::var("MUON_INTEROP").unwrap_or_default();
    if wanted == "skip" {
        println!("left out: {test} (MUON_INTEROP=skip)");
        return;
    }
    if visit.page == Page::MediaLoop && wanted != "itself" {
        println!("left out: {test} (MUON_INTEROP=itself runs it)");
        return;
    }
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Err(missing) = visit.browser.program() {
        panic!("{missing}");
    }
    network::run_inside(test);
}

/// The whole run, inside the namespace.
async fn run(inside: &Inside, visit: Visit) {
    let Visit {
        browser,
        addresses,
        page: visited,
        checks,
    } = visit;
    start_log();
    let (page, mut reports) = page::router(checks);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let url = format!("http://{address}{}", visited.path());
    let (served, example) = serve(visited, inside);
    let app = served.merge(page);
    tokio::spawn(async move { axum::serve(listener, app).await });

    println!("\n{browser} on {url}");
    let mut process = browser.start(inside.scratch(), addresses, &url);
    let deadline = Instant::now() + visited.deadline();
    let mut failed: Vec<String> = Vec::new();
    let mut left = checks.iter();
    let ended = loop {
        match timeout_at(deadline, reports.recv()).await {
            Ok(Some(Report::Checked(outcome))) => {
                println!("{outcome}");
                assert_eq!(Some(&outcome.check.as_str()), left.next(), "the next check");
                if !outcome.passed {
                    failed.push(outcome.check);
                    if failed[0] == checks[0] {
                        break Err("without the first the rest is in vain".to_owned());
                    }
                }
            }
            Ok(Some(Report::Finished { agent })) => {
                println!("{agent}");
                break Ok(());
            }
            Ok(None) => break Err("the page's server has ended".to_owned()),
            Err(_) => {
                break Err(format!(
                    "not finished after {} s",
                    visited.deadline().as_secs()
                ));
            }
        }
    };
    let output = process.stop().await;
    if let Err(reason) = ended {
        let waiting = left.next().unwrap_or(&"the end");
        panic!("{browser}: {reason}; failed: {failed:?}, next: {waiting}\nit said:\n{output}");
    }
    assert_eq!(left.next(), None, "{browser}: the page leaves no check out");
    assert!(
        failed.is_empty(),
        "{browser}: failed: {}",
        failed.join(", ")
    );
    if let Some(example) = example {
        example.end().await;
    }
}

/// What a page talks to.
fn serve(visited: Page, inside: &Inside) -> (Router, Option<Begun>) {
    match visited {
        Page::Example(example) => {
            let (routes, begun) = example.begin(inside.scratch());
            (routes, Some(begun))
        }
        Page::Paths => (server::router().merge(turn_server::router()), None),
        _ => (server::router().merge(relay::router()), None),
    }
}

/// `RUST_LOG=debug` shows what the server's side does.
fn start_log() {
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .try_init();
}
