//! The second backend passes the kit, alone and against the default. Left out: it is 1.2, does not
//! count what it drops, and exports without a context alone.

#![allow(clippy::unwrap_used, reason = "tests")]
#![cfg(all(feature = "webrtc-dtls", feature = "ring"))]

use layer::{DtlsVersion, NewDtls};
use muonrtc_dtls::{Factory, webrtc};
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::Clock;
use testkit::conformance::dtls::{Claims, Environment, Subject};
use tokio::runtime::{Builder, Runtime};

/// How often the tasks of a paused runtime are asked whether their time has come.
const TICK: Duration = Duration::from_millis(150);
/// More turns than a datagram needs on its way through the tasks of a session.
const TURNS: usize = 20;

/// A runtime whose clock the tests move.
fn runtime() -> Arc<Runtime> {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    Arc::new(runtime.unwrap())
}

#[allow(clippy::disallowed_methods, reason = "the clock of a paused runtime")]
fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

fn environment(runtime: &Arc<Runtime>) -> Environment {
    let clock = Clock::starting_at(runtime.block_on(async { now().into_std() }));
    let runtime = Arc::clone(runtime);
    let tasks = move |instant: Instant| {
        runtime.block_on(async {
            let ahead = instant.saturating_duration_since(now().into_std());
            if !ahead.is_zero() {
                tokio::time::advance(ahead).await;
            }
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        });
        Some(instant + TICK)
    };
    Environment::with_tasks(clock, Box::new(tasks))
}

fn claims(claims: &mut Claims) {
    claims.versions = vec![DtlsVersion::V1_2];
    claims.deterministic = false;
    claims.general_exporter = false;
    claims.counts_drops = false;
    claims.srtp_choice = false;
}

fn run(subject: &Subject) {
    let report = subject.run();
    assert!(report.passed(), "{report}");
}

#[test]
fn it_conforms() {
    let runtime = runtime();
    let handle = runtime.handle().clone();
    let factory = move || -> Arc<dyn NewDtls> {
        Arc::new(webrtc::Factory::new(
            handle.clone(),
            crypto::Provider::default(),
        ))
    };
    let subject = Subject::new(factory)
        .claiming(claims)
        .living_in(move || environment(&runtime));
    run(&subject);
}

#[test]
fn it_gets_on_with_the_default() {
    let runtime = runtime();
    let handle = runtime.handle().clone();
    let theirs = move || -> Arc<dyn NewDtls> {
        Arc::new(webrtc::Factory::new(
            handle.clone(),
            crypto::Provider::default(),
        ))
    };
    let ours = || -> Arc<dyn NewDtls> { Arc::new(Factory::default()) };
    let subject = Subject::between(ours, theirs)
        .claiming(claims)
        .living_in(move || environment(&runtime));
    run(&subject);
}
