//! The proxy: HTTP CONNECT (RFC 9110 §9.3.6) and SOCKS 5 (RFC 1928) on one port, for whoever comes.
//!
//! It is here so that the example needs no other program, and no more than that needs.

use examples::Outcome;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// How long a client may take to say where it wants to go.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest head of a request, in bytes.
const MAX_HEAD: usize = 8 * 1024;

/// Opens the proxy on loopback, and returns where it is.
pub(crate) async fn open() -> Outcome<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    examples::spawn(async move {
        loop {
            let (client, from) = listener.accept().await?;
            examples::spawn(serve(client, from));
        }
    });
    Ok(address)
}

/// One client, from its question to the end of its tunnel.
async fn serve(mut client: TcpStream, from: SocketAddr) -> Outcome {
    // SOCKS begins with the number of its version, HTTP with the name of a method.
    let mut first = [0];
    client.peek(&mut first).await?;
    let asked = async {
        match first {
            [5] => socks(&mut client).await,
            _ => http(&mut client).await,
        }
    };
    let (target, yes) = timeout(PATIENCE, asked).await??;
    println!("the proxy connects {from} with {target}");
    let mut server = TcpStream::connect(target).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    client.write_all(&yes).await?;
    // However it ends: an end that goes away is nobody's fault.
    let _ = copy_bidirectional(&mut client, &mut server).await;
    println!("the tunnel of {from} is over");
    Ok(())
}

/// Reads a CONNECT; returns where to, and the answer to give.
async fn http(client: &mut TcpStream) -> Outcome<(SocketAddr, Vec<u8>)> {
    let mut head = Vec::new();
    // Byte by byte: what follows the head is for the server.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == MAX_HEAD {
            return Err("the proxy was asked too long a question".into());
        }
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    let target = head.strip_prefix("CONNECT ");
    let target = target.and_then(|rest| rest.split(' ').next());
    let target = target.ok_or("the proxy was not asked to connect")?;
    Ok((target.parse()?, b"HTTP/1.1 200 OK\r\n\r\n".to_vec()))
}

/// Reads a greeting and a request; returns where to, and the answer to give.
async fn socks(client: &mut TcpStream) -> Outcome<(SocketAddr, Vec<u8>)> {
    // RFC 1928 §3: the version and the methods; nobody has to say who he is.
    let [_, methods] = read(client).await?;
    let mut offered = vec![0; methods.into()];
    client.read_exact(&mut offered).await?;
    client.write_all(&[5, 0]).await?;
    // §4: the version, CONNECT, nothing, and the kind of the address.
    let [_, command, _, kind] = read(client).await?;
    let address: IpAddr = match (command, kind) {
        (1, 1) => Ipv4Addr::from(read::<4>(client).await?).into(),
        (1, 4) => Ipv6Addr::from(read::<16>(client).await?).into(),
        _ => return Err("the proxy connects, to addresses, and nothing else".into()),
    };
    let port = u16::from_be_bytes(read(client).await?);
    // §6: it has succeeded, from an address that matters to nobody.
    let yes = vec![5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    Ok((SocketAddr::new(address, port), yes))
}

async fn read<const N: usize>(client: &mut TcpStream) -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}
