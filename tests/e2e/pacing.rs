//! How often checks may start: what both descriptions say (RFC 8839 §5.5).

use crate::pair::SessionPair;
use muonrtc::{DataChannelInit, Stack};
use std::sync::Arc;
use std::time::Duration;
use testkit::{Link, Side};

fn stack(millis: u64, lite: bool) -> Stack {
    let mut ice = ice::Factory::default();
    ice.check_interval = Duration::from_millis(millis);
    ice.lite = lite;
    let mut stack = Stack::default();
    stack.ice = Arc::new(ice);
    stack
}

/// The proposals in both descriptions of a pair that has connected.
fn proposals(stacks: [Stack; 2]) -> [Option<String>; 2] {
    let mut pair = SessionPair::new(stacks, &Link::delayed(Duration::from_millis(5)), 1);
    let now = pair.now();
    let channel = DataChannelInit::default();
    let made = pair.a.session.create_data_channel(now, "c", channel);
    made.unwrap();
    pair.negotiate(Side::A);
    let both = |pair: &mut SessionPair| pair.a.has_opened() && pair.b.has_opened();
    assert!(pair.run_until(Duration::from_secs(10), both));
    [Side::A, Side::B].map(|side| {
        let description = pair.end(side).session.local_description().unwrap();
        let mut lines = description.sdp().lines();
        let line = lines.find_map(|line| line.strip_prefix("a=ice-pacing:"));
        line.map(str::to_owned)
    })
}

// ice-029
#[test]
fn an_interval_other_than_the_default_is_proposed() {
    let found = proposals([stack(20, false), stack(50, false)]);
    assert_eq!(found, [Some("20".to_owned()), None]);
    let found = proposals([stack(50, false), stack(200, false)]);
    assert_eq!(found, [None, Some("200".to_owned())]);
}

// ice-061
#[test]
fn a_lite_agent_proposes_nothing() {
    let found = proposals([stack(20, false), stack(20, true)]);
    assert_eq!(found, [Some("20".to_owned()), None]);
}
