use std::io;
use std::net::IpAddr;

/// The addresses of `host`, a name or an address in text, from the system's resolver, each once and
/// in its order.
///
/// Cancel safe; a lookup under way then ends unheard on a thread of the runtime. There is no
/// deadline of its own.
///
/// # Errors
///
/// What the resolver says, such as that there is no such name.
pub async fn resolve(host: &str) -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for found in tokio::net::lookup_host((host, 0)).await? {
        if !addresses.contains(&found.ip()) {
            addresses.push(found.ip());
        }
    }
    Ok(addresses)
}
