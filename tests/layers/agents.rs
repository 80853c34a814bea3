//! Two ICE agents on hosts of a virtual network.

use layer::IceEvent;
use std::net::IpAddr;
use std::time::Duration;
use testkit::{IcePair, Link, Record, Side};

const SECOND: Duration = Duration::from_secs(1);

fn agents(link: &Link, seed: u64) -> IcePair {
    let factory = ice::Factory::default();
    let a: [IpAddr; 2] = ["10.0.0.1", "fd00::1"].map(|address| address.parse().unwrap());
    let b: [IpAddr; 2] = ["10.0.0.2", "fd00::2"].map(|address| address.parse().unwrap());
    IcePair::new([&factory, &factory], [&a, &b], link, seed, |_| ())
}

#[test]
fn agents_connect_and_carry_data_on_every_kind_of_link() {
    testkit::for_each_seed(1..=20, |seed| {
        for link in [
            Link::delayed(SECOND / 100),
            Link::lossy(30),
            Link::hostile(),
            Link::mobile(),
        ] {
            let mut pair = agents(&link, seed.value());
            assert!(pair.connect(SECOND * 20), "{pair:?}");
            pair.network.link = Link::delayed(SECOND / 100);
            pair.run_for(SECOND * 10);
            let now = pair.now();
            assert!(pair.a.send(now, b"\x14data"), "{pair:?}");
            let arrived = pair.run_until(SECOND, |pair| pair.b.data == [b"\x14data"]);
            assert!(arrived, "{pair:?}");
            assert_eq!(pair.network.stats().not_bound, 0, "{pair:?}");
            let now = pair.now();
            pair.a.machine.close(now);
            pair.settle();
            assert!(matches!(pair.a.events.last(), Some(IceEvent::Ended(_))));
        }
    });
}

#[test]
fn agents_take_the_family_that_is_not_blocked() {
    let mut pair = agents(&Link::delayed(SECOND / 100), 1);
    let blocked = ["fd00::1", "fd00::2"].map(|address| address.parse().unwrap());
    pair.network.block(blocked[0], blocked[1]);
    assert!(pair.connect(SECOND * 5), "{pair:?}");
    let route = pair.a.machine.route().unwrap();
    assert!(route.remote.is_ipv4(), "{route:?}");
    assert!(pair.network.stats().blocked > 0);
}

#[test]
fn agents_with_the_same_seed_send_the_same_bytes() {
    let run = |seed| {
        let mut pair = agents(&Link::hostile(), seed);
        pair.record = Some(Record::default());
        assert!(pair.connect(SECOND * 20), "{pair:?}");
        pair.run_for(SECOND * 60);
        pair.record.take().unwrap()
    };
    assert_eq!(run(1).difference(&run(1)), None);
    let first = |seed| run(seed).sent_by(Side::A).next().map(<[u8]>::to_vec);
    assert_ne!(first(1), first(2));
}
