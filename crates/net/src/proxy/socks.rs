//! SOCKS 5 (RFC 1928), with names and passwords (RFC 1929).

use super::ProxyError;
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const VERSION: u8 = 5;

/// RFC 1928 §3.
const NO_AUTHENTICATION: u8 = 0;
const USERNAME_PASSWORD: u8 = 2;

/// RFC 1929 §2.
const NEGOTIATION_VERSION: u8 = 1;

/// RFC 1928 §4.
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const DOMAIN_NAME: u8 = 3;
const IPV6: u8 = 4;

/// Asks for a tunnel.
pub(super) async fn tunnel<S>(
    stream: &mut S,
    remote: SocketAddr,
    credentials: Option<(&str, &str)>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let method = match credentials {
        Some(_) => USERNAME_PASSWORD,
        None => NO_AUTHENTICATION,
    };
    // Both are offered: a proxy that wants no password should not be told one.
    let methods: &[u8] = match credentials {
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, USERNAME_PASSWORD],
        None => &[VERSION, 1, NO_AUTHENTICATION],
    };
    stream.write_all(methods).await?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await?;
    match (chosen, credentials) {
        ([VERSION, NO_AUTHENTICATION], _) => {}
        ([VERSION, chosen], Some((name, password))) if chosen == method => {
            authenticate(stream, name, password).await?;
        }
        ([VERSION, _], _) => return Err(ProxyError::Unauthorized.into()),
        _ => return Err(ProxyError::Malformed.into()),
    }
    stream.write_all(&request(remote)).await?;
    take_reply(stream).await
}

/// RFC 1929 §2.
async fn authenticate<S>(stream: &mut S, name: &str, password: &str) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = vec![NEGOTIATION_VERSION];
    for field in [name, password] {
        let length = u8::try_from(field.len()).map_err(|_| ProxyError::Unauthorized)?;
        request.push(length);
        request.extend_from_slice(field.as_bytes());
    }
    stream.write_all(&request).await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    match answer {
        [_, 0] => Ok(()),
        _ => Err(ProxyError::Unauthorized.into()),
    }
}

fn request(remote: SocketAddr) -> Vec<u8> {
    let mut request = vec![VERSION, CONNECT, 0];
    match remote.ip() {
        IpAddr::V4(ip) => {
            request.push(IPV4);
            request.extend_from_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            request.push(IPV6);
            request.extend_from_slice(&ip.octets());
        }
    }
    request.extend_from_slice(&remote.port().to_be_bytes());
    request
}

/// RFC 1928 §6; the address that the proxy bound is of no use to us.
async fn take_reply<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<()> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [VERSION, reply, _, kind] = head else {
        return Err(ProxyError::Malformed.into());
    };
    if reply != 0 {
        return Err(ProxyError::Reply(reply).into());
    }
    let address = match kind {
        IPV4 => 4,
        IPV6 => 16,
        DOMAIN_NAME => usize::from(stream.read_u8().await?),
        _ => return Err(ProxyError::Malformed.into()),
    };
    let mut bound = [0; u8::MAX as usize + 2];
    stream.read_exact(&mut bound[..address + 2]).await?;
    Ok(())
}
