//! CONNECT (RFC 9110 §9.3.6).
//!
//! ```text
//! CONNECT turn.example.org:443 HTTP/1.1
//! Host: turn.example.org:443
//! Proxy-Authorization: Basic YWxpY2U6c2VjcmV0
//!
//! HTTP/1.1 200 OK
//! ```

use super::{Login, Refusal, Step, Target};
use crate::base64::base64;

/// The request.
pub(super) fn request(target: &Target, login: Option<&Login>) -> Result<Vec<u8>, Refusal> {
    let target = target.to_string();
    let is_word = |text: &str| !text.chars().any(|it| it.is_control() || it.is_whitespace());
    if !is_word(&target) {
        return Err(Refusal::Unsendable);
    }
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(Login { username, password }) = login {
        // RFC 7617 §2: the first colon ends the user name.
        if username.contains(':') {
            return Err(Refusal::Unsendable);
        }
        let both = base64(format!("{username}:{password}").as_bytes());
        request += &format!("Proxy-Authorization: Basic {both}\r\n");
    }
    request += "\r\n";
    Ok(request.into_bytes())
}

/// The answer: a status line and fields that do not matter here, up to an empty line.
pub(super) fn read(received: &[u8]) -> Step {
    let beginning = b"HTTP/1.";
    let seen = received.len().min(beginning.len());
    if received[..seen] != beginning[..seen] {
        return Step::Refused(Refusal::Malformed);
    }
    let end = received.windows(4).position(|it| it == b"\r\n\r\n");
    let Some(end) = end else { return Step::More };
    match status(&received[..end]) {
        // RFC 9110 §9.3.6: a success has no content, whatever its fields say.
        Some(200..=299) => Step::Open(end + 4),
        Some(407) => Step::Refused(Refusal::Unauthenticated),
        Some(code) => Step::Refused(Refusal::Refused { code }),
        None => Step::Refused(Refusal::Malformed),
    }
}

/// `HTTP/1.1 200 OK` (RFC 9112 §4).
fn status(head: &[u8]) -> Option<u16> {
    let [b'0' | b'1', b' ', digits @ ..] = head.get(7..)? else {
        return None;
    };
    let (digits, rest) = digits.split_at_checked(3)?;
    let ends = matches!(rest.first(), None | Some(b' ' | b'\r'));
    let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (ends && digits.iter().all(u8::is_ascii_digit)).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::super::{Protocol, State, Tunnel};
    use super::*;

    fn target() -> Target {
        Target::Name("turn.example.org".to_owned(), 443)
    }

    #[test]
    fn the_request_names_target_and_user() {
        let login = Login::new("Aladdin", "open sesame");
        let request = request(&target(), Some(&login)).unwrap();
        let expected = "CONNECT turn.example.org:443 HTTP/1.1\r\nHost: turn.example.org:443\r\n\
            Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n";
        assert_eq!(String::from_utf8(request).unwrap(), expected);
        let six = Target::Address("[2001:db8::1]:3478".parse().unwrap());
        let request = super::request(&six, None).unwrap();
        assert!(request.starts_with(b"CONNECT [2001:db8::1]:3478 HTTP/1.1\r\n"));
    }

    #[test]
    fn what_would_break_the_request_is_not_sent() {
        let split = Target::Name("a\r\nX: y".to_owned(), 1);
        assert_eq!(request(&split, None), Err(Refusal::Unsendable));
        let login = Login::new("a:b", "c");
        assert_eq!(request(&target(), Some(&login)), Err(Refusal::Unsendable));
    }

    #[test]
    fn the_server_begins_behind_the_empty_line_however_the_stream_is_cut() {
        let answer = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nrest";
        for size in 1..=answer.len() {
            let mut tunnel = Tunnel::new(Protocol::Http, &target(), None);
            assert!(tunnel.poll_transmit().is_some());
            for chunk in answer.chunks(size) {
                tunnel.handle_input(chunk);
            }
            assert_eq!(tunnel.state(), State::Open);
            assert_eq!(tunnel.into_rest(), b"rest");
        }
    }

    #[test]
    fn refusals_are_told_apart() {
        for (answer, refusal) in [
            (
                "HTTP/1.1 407 Authenticate\r\n\r\n",
                Refusal::Unauthenticated,
            ),
            ("HTTP/1.0 403\r\n\r\n", Refusal::Refused { code: 403 }),
            ("HTTP/1.1 20\r\n\r\n", Refusal::Malformed),
            ("HTTP/1.1 2000\r\n\r\n", Refusal::Malformed),
            ("HTTP/2 200\r\n\r\n", Refusal::Malformed),
            ("SSH-2.0", Refusal::Malformed),
        ] {
            let mut tunnel = Tunnel::new(Protocol::Http, &target(), None);
            tunnel.handle_input(answer.as_bytes());
            assert_eq!(tunnel.state(), State::Refused(refusal), "{answer}");
        }
    }

    #[test]
    fn an_answer_without_end_is_given_up() {
        let mut tunnel = Tunnel::new(Protocol::Http, &target(), None);
        tunnel.handle_input(b"HTTP/1.1 200 OK\r\n");
        for _ in 0..20 {
            tunnel.handle_input(&[b'x'; 1024]);
        }
        assert_eq!(tunnel.state(), State::Refused(Refusal::Malformed));
    }
}
