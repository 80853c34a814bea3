//! Proxies that do as they are asked.

use muonrtc_turn::proxy::Login;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A proxy for CONNECT, which wants a password if there is one.
pub(crate) async fn http(login: Option<Login>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connect(stream, login.clone()));
        }
    });
    address
}

async fn connect(mut stream: TcpStream, login: Option<Login>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    let request = String::from_utf8(request).unwrap();
    // `bob:pass`
    if login.is_some() && !request.contains("\r\nProxy-Authorization: Basic Ym9iOnBhc3M=\r\n") {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        return stream.write_all(refusal).await.unwrap();
    }
    let target = request.split(' ').nth(1).unwrap();
    let mut server = TcpStream::connect(target).await.unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let _ = copy_bidirectional(&mut stream, &mut server).await;
}

/// A proxy for SOCKS5, which wants a password if there is one.
pub(crate) async fn socks5(login: Option<Login>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(negotiate(stream, login.clone()));
        }
    });
    address
}

async fn negotiate(mut stream: TcpStream, login: Option<Login>) {
    assert_eq!(stream.read_u8().await.unwrap(), 5);
    let methods = text(&mut stream).await;
    let method = u8::from(login.is_some()) * 2;
    if !methods.contains(&method) {
        return stream.write_all(&[5, 0xFF]).await.unwrap();
    }
    stream.write_all(&[5, method]).await.unwrap();
    if let Some(login) = login {
        assert_eq!(stream.read_u8().await.unwrap(), 1);
        assert_eq!(text(&mut stream).await, login.username.as_bytes());
        assert_eq!(text(&mut stream).await, login.password.as_bytes());
        stream.write_all(&[1, 0]).await.unwrap();
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[..3], [5, 1, 0]);
    let host = match head[3] {
        1 => std::net::Ipv4Addr::from(stream.read_u32().await.unwrap()).to_string(),
        3 => String::from_utf8(text(&mut stream).await).unwrap(),
        other => panic!("{other}"),
    };
    let port = stream.read_u16().await.unwrap();
    let mut server = TcpStream::connect((host, port)).await.unwrap();
    let reply = [5, 0, 0, 1, 127, 0, 0, 1, 0, 1];
    stream.write_all(&reply).await.unwrap();
    let _ = copy_bidirectional(&mut stream, &mut server).await;
}

/// A length and as many bytes.
async fn text(stream: &mut TcpStream) -> Vec<u8> {
    let len = stream.read_u8().await.unwrap();
    let mut bytes = vec![0; len.into()];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}
