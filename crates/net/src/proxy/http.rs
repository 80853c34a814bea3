//! HTTP CONNECT (RFC 9110 §9.3.6).

use super::ProxyError;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest head of an answer, in bytes.
const MAX_HEAD: usize = 8 * 1024;

/// Asks for a tunnel; what comes after the answer's head stays in the stream.
pub(super) async fn tunnel<S>(
    stream: &mut S,
    remote: SocketAddr,
    credentials: Option<(&str, &str)>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&request(remote, credentials)).await?;
    let mut head = Vec::new();
    // Byte by byte: what follows the head belongs to the tunnel.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD {
            return Err(ProxyError::Malformed.into());
        }
        head.push(stream.read_u8().await?);
    }
    match status(&head) {
        // RFC 9110 §9.3.6: any 2xx.
        Some(200..=299) => Ok(()),
        Some(407) => Err(ProxyError::Unauthorized.into()),
        Some(status) => Err(ProxyError::Status(status).into()),
        None => Err(ProxyError::Malformed.into()),
    }
}

fn request(remote: SocketAddr, credentials: Option<(&str, &str)>) -> Vec<u8> {
    let mut request = format!("CONNECT {remote} HTTP/1.1\r\nHost: {remote}\r\n");
    if let Some((name, password)) = credentials {
        // RFC 7617 §2.
        let pair = base64(format!("{name}:{password}").as_bytes());
        request.push_str(&format!("Proxy-Authorization: Basic {pair}\r\n"));
    }
    request.push_str("\r\n");
    request.into_bytes()
}

/// The status of an answer (RFC 9112 §4).
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (version, rest) = line.split_once(' ')?;
    let digits = rest.get(..3)?;
    if !version.starts_with("HTTP/1.") || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let value = group
            .iter()
            .chain(&[0; 2])
            .take(3)
            .fold(0_usize, |value, byte| value << 8 | usize::from(*byte));
        for place in 0..4 {
            if place <= group.len() {
                text.push(char::from(DIGITS[value >> (18 - 6 * place) & 63]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4648 §10.
    #[test]
    fn base64_pads_to_four() {
        let pairs = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, encoded) in pairs {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn a_status_is_read_from_the_first_line() {
        let head = b"HTTP/1.1 200 Connection established\r\n\r\n";
        assert_eq!(status(head), Some(200));
        assert_eq!(status(b"HTTP/1.0 407\r\n\r\n"), Some(407));
        assert_eq!(status(b"SSH-2.0-x 200\r\n\r\n"), None);
        assert_eq!(status(b"HTTP/1.1 2x0 \r\n\r\n"), None);
    }
}
