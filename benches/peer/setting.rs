//! The settings of a run, from the environment.

use std::env::var;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::time::Duration;

/// The number in this variable; `None` where it is not set or is none.
pub(crate) fn number<T: FromStr>(name: &str) -> Option<T> {
    var(name).ok()?.parse().ok()
}

/// Whether this variable is set to anything but 0.
pub(crate) fn is_set(name: &str) -> bool {
    var(name).is_ok_and(|value| value != "0")
}

/// The seconds in this variable, or else so many.
pub(crate) fn seconds(name: &str, default: f64) -> Duration {
    Duration::from_secs_f64(number(name).unwrap_or(default))
}

/// The address that both ends use.
pub(crate) fn address() -> IpAddr {
    number("BENCH_IP").unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// The ports of an impaired path that stand for the offerer and the answerer.
pub(crate) fn impaired_ports() -> Option<(u16, u16)> {
    let ports = var("IMPAIR").ok()?;
    let (offerer, answerer) = ports.split_once(',')?;
    Some((offerer.trim().parse().ok()?, answerer.trim().parse().ok()?))
}
