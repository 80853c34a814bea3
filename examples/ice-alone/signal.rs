//! What two agents have to know of each other, as lines of text over a TCP connection. How it is
//! carried is the application's affair; a browser would be told in SDP.

use ice::conn::{Candidate, CandidateType, Credentials, Description, Protocol};
use std::io;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// The names of the types in SDP (RFC 8839 §5.1).
const TYPES: [(CandidateType, &str); 3] = [
    (CandidateType::Host, "host"),
    (CandidateType::ServerReflexive, "srflx"),
    (CandidateType::Relayed, "relay"),
];

/// Sends credentials and candidates, one line each, and an empty line.
pub(crate) async fn send(stream: &mut TcpStream, description: &Description) -> io::Result<()> {
    let credentials = &description.credentials;
    let mut text = format!(
        "{} {}\n",
        credentials.username_fragment, credentials.password
    );
    for candidate in &description.candidates {
        let name = TYPES
            .iter()
            .find(|(kind, _)| *kind == candidate.candidate_type);
        if let (Some((_, name)), Some(address)) = (name, candidate.socket_addr()) {
            let (foundation, priority) = (&candidate.foundation, candidate.priority);
            text += &format!("{foundation} {priority} {address} {name}\n");
        }
    }
    text.push('\n');
    stream.write_all(text.as_bytes()).await
}

/// Reads what [`send`] sends.
pub(crate) async fn receive(stream: &mut TcpStream) -> io::Result<Description> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next_line().await?.ok_or_else(malformed)?;
    let (fragment, password) = first.split_once(' ').ok_or_else(malformed)?;
    let credentials = Credentials::new(fragment, password);
    let mut candidates = Vec::new();
    while let Some(line) = lines.next_line().await?.filter(|line| !line.is_empty()) {
        candidates.push(parse(&line).ok_or_else(malformed)?);
    }
    Ok(Description {
        credentials,
        candidates,
    })
}

fn parse(line: &str) -> Option<Candidate> {
    let mut words = line.split(' ');
    let (foundation, priority) = (words.next()?, words.next()?.parse().ok()?);
    let (address, name) = (words.next()?.parse().ok()?, words.next()?);
    let (kind, _) = TYPES.iter().find(|(_, own)| *own == name)?;
    let address = ice::conn::CandidateAddress::Socket(address);
    Some(Candidate::new(
        foundation,
        *kind,
        Protocol::Udp,
        priority,
        address,
    ))
}
