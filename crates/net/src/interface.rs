use if_addrs::{IfOperStatus, get_if_addrs};
use std::io;
use std::net::IpAddr;

/// One address of one network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interface {
    /// The system's name for the interface.
    pub name: String,
    /// The address.
    pub address: IpAddr,
    /// The index that a link-local IPv6 address needs as its scope; 0 if unknown.
    pub index: u32,
    /// Whether it is a loopback interface.
    pub loopback: bool,
}

/// The addresses of this host, in the system's order: one entry per address, so an interface may
/// come several times. Interfaces that are known to be down are left out.
///
/// # Errors
///
/// What the system says.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let all = get_if_addrs()?;
    let usable = all.into_iter().filter(|i| may_be_up(&i.oper_status));
    Ok(usable
        .map(|i| Interface {
            address: i.ip(),
            index: i.index.unwrap_or(0),
            loopback: i.is_loopback(),
            name: i.name,
        })
        .collect())
}

/// Tunnels and loopback have no link to tell of, and report an unknown state (RFC 2863 §3.1.14).
fn may_be_up(status: &IfOperStatus) -> bool {
    !matches!(
        status,
        IfOperStatus::Down | IfOperStatus::NotPresent | IfOperStatus::LowerLayerDown
    )
}
