//! ICE and nothing else: a datagram path between two programs, through whatever lies between.
//!
//! `cargo run --release --example ice-alone` plays both ends. With `--listen` on one machine and
//! `--connect` on another, the two exchange candidates over a TCP connection and datagrams over the
//! best path they find.

mod signal;

use examples::{Flags, Outcome};
use ice::Factory;
use ice::conn::{Conn, Description, IceRole, IceServer};
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

const HELP: &str = "\
Finds a path between two programs and sends datagrams over it, there and back.

Usage: cargo run --release --example ice-alone -- [OPTIONS]

Options:
  --listen ADDRESS   wait here for the other program, over TCP, to exchange candidates
  --connect ADDRESS  where the other program waits
                     without either, both ends are in this program
  --stun URL         a STUN server, such as stun:stun.example.org
  --turn URL         a TURN server, such as turn:turn.example.org
  --user NAME        the user name for it [default: alice]
  --password TEXT    the password for it [default: secret]
  --rounds N         datagrams there and back, one by one [default: 1000]
  --help             print this and exit";

/// How long a datagram may be on its way; one that takes longer is lost.
const LOST_AFTER: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> ExitCode {
    examples::run(HELP, find).await
}

async fn find(flags: Flags) -> Outcome {
    let rounds: u32 = flags.value("--rounds", 1000)?;
    let servers = servers(&flags)?;
    let listen: String = flags.value("--listen", String::new())?;
    let connect: String = flags.value("--connect", String::new())?;
    if !listen.is_empty() {
        let listener = TcpListener::bind(&listen).await?;
        println!("waiting on {}", listener.local_addr()?);
        let (stream, _) = listener.accept().await?;
        let conn = meet(stream, IceRole::Controlled, servers).await?;
        answer(&conn).await
    } else if !connect.is_empty() {
        let stream = TcpStream::connect(&connect).await?;
        let conn = meet(stream, IceRole::Controlling, servers).await?;
        ask(&conn, rounds).await
    } else {
        both_ends(servers, rounds).await
    }
}

/// Carries what has to be signalled over `stream`, and waits for a path.
async fn meet(
    mut stream: TcpStream,
    role: IceRole,
    servers: Vec<IceServer>,
) -> Result<Conn, Box<dyn std::error::Error + Send + Sync>> {
    let conn = Conn::gather(&Factory::default(), role, &[], servers).await?;
    tell_candidates(&conn.local());
    signal::send(&mut stream, &conn.local()).await?;
    let theirs = signal::receive(&mut stream).await?;
    if let Err(error) = conn.connect(&theirs).await {
        tell_why(&conn);
        return Err(error.into());
    }
    tell_path(&conn);
    Ok(conn)
}

/// Both ends in one program: nothing has to be carried.
async fn both_ends(servers: Vec<IceServer>, rounds: u32) -> Outcome {
    let factory = Factory::default();
    let here = Conn::gather(&factory, IceRole::Controlling, &[], servers.clone()).await?;
    let there = Conn::gather(&factory, IceRole::Controlled, &[], servers).await?;
    tell_candidates(&here.local());
    let (offer, answer_) = (here.local(), there.local());
    tokio::try_join!(here.connect(&answer_), there.connect(&offer))?;
    tell_path(&here);
    tokio::select! {
        outcome = ask(&here, rounds) => outcome,
        outcome = answer(&there) => outcome,
    }
}

/// Sends datagrams and waits for each to come back.
async fn ask(conn: &Conn, rounds: u32) -> Outcome {
    let mut times = Vec::new();
    let mut buffer = [0; 1500];
    for round in 0..rounds {
        #[expect(clippy::disallowed_methods, reason = "an application reads the clock")]
        let begun = Instant::now();
        // The first byte is not one of STUN's (RFC 7983 §7).
        let mut datagram = [0x80; 100];
        datagram[1..5].copy_from_slice(&round.to_be_bytes());
        conn.send(&datagram).await?;
        let back = timeout(LOST_AFTER, async {
            loop {
                let len = conn.recv(&mut buffer).await?;
                if buffer[..len] == datagram {
                    return Ok::<_, std::io::Error>(());
                }
            }
        });
        if back.await.is_ok_and(|outcome| outcome.is_ok()) {
            times.push(begun.elapsed());
        }
    }
    times.sort();
    println!("{} of {rounds} came back", times.len());
    if let Some(median) = times.get(times.len() / 2) {
        println!("median of the time there and back: {median:?}");
    }
    Ok(())
}

/// Sends back what comes, until the other end is gone.
async fn answer(conn: &Conn) -> Outcome {
    let mut buffer = [0; 1500];
    while let Ok(len) = conn.recv(&mut buffer).await {
        conn.send(&buffer[..len]).await?;
    }
    println!("the other end is gone");
    Ok(())
}

fn servers(flags: &Flags) -> Result<Vec<IceServer>, Box<dyn std::error::Error + Send + Sync>> {
    let mut servers = Vec::new();
    let stun: String = flags.value("--stun", String::new())?;
    if !stun.is_empty() {
        servers.push(IceServer::new(vec![stun]));
    }
    let turn: String = flags.value("--turn", String::new())?;
    if !turn.is_empty() {
        let mut server = IceServer::new(vec![turn]);
        server.username = flags.value("--user", "alice".to_owned())?;
        server.credential = flags.value("--password", "secret".to_owned())?;
        servers.push(server);
    }
    Ok(servers)
}

fn tell_candidates(description: &Description) {
    for candidate in &description.candidates {
        let (kind, address) = (candidate.candidate_type, &candidate.address);
        println!("candidate: {kind:?} {address}");
    }
}

fn tell_path(conn: &Conn) {
    if let Some((local, remote)) = conn.path() {
        println!("connected: {local} to {remote}");
    }
}

/// Everything that could have worked, and why it did not.
fn tell_why(conn: &Conn) {
    let stats = conn.stats();
    for server in stats.servers {
        let failure = server.failure.map_or(String::new(), |it| it.text);
        println!("{}: {:?} {failure}", server.url, server.state);
    }
    for pair in stats.pairs {
        let (local, remote) = (&pair.pair.local.address, &pair.pair.remote.address);
        let failure = pair.last_failure.map_or(String::new(), |it| it.to_string());
        println!("{local} to {remote}: {:?} {failure}", pair.state);
    }
}
