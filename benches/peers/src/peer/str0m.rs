//! str0m, which has no sockets and no tasks of its own: here each connection is a task with a
//! socket, driven as its documentation says (one change, then `poll_output` until it gives a
//! timeout).

use super::{Exchange, LABEL, Link, Peer, Reply};
use crate::duty::{Duty, PING};
use crate::{ADDRESS, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer};
use str0m::channel::{ChannelConfig, ChannelData, ChannelId};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

/// The size of its receive buffer in str0m's documentation.
const DATAGRAM: usize = 2000;

/// Connections on the loopback address.
#[derive(Debug)]
pub(crate) struct Str0m {
    /// Bytes of the send buffer; `None` for what str0m chooses, 128 KiB.
    pub(crate) send_buffer: Option<usize>,
}

impl Str0m {
    async fn session(&self) -> Result<Session> {
        let socket = UdpSocket::bind((ADDRESS, 0)).await?;
        let local = socket.local_addr()?;
        let mut config = Rtc::builder();
        if let Some(bytes) = self.send_buffer {
            config = config.set_sctp_max_buffered_amount(bytes);
        }
        let mut rtc = config.build(Instant::now());
        rtc.add_local_candidate(Candidate::host(local, "udp")?);
        Ok(Session {
            rtc,
            socket,
            local,
            deadline: Instant::now(),
            channel: None,
            work: Work::Nothing,
        })
    }
}

impl Peer for Str0m {
    type Link = Remote;

    async fn offer(&self, ordered: bool, exchange: Exchange) -> Result<Remote> {
        let mut session = self.session().await?;
        let mut changes = session.rtc.sdp_api();
        changes.add_channel_with_config(ChannelConfig {
            label: LABEL.into(),
            ordered,
            ..ChannelConfig::default()
        });
        let (offer, pending) = changes.apply().ok_or("nothing to offer")?;
        let answer = exchange.answer_to(offer.to_sdp_string()).await?;
        let answer = SdpAnswer::from_sdp_string(&answer)?;
        session.rtc.sdp_api().accept_answer(pending, answer)?;
        session.opened().await
    }

    async fn answer(&self, offer: String, reply: Reply) -> Result<Remote> {
        let mut session = self.session().await?;
        let offer = SdpOffer::from_sdp_string(&offer)?;
        let answer = session.rtc.sdp_api().accept_offer(offer)?;
        reply.send(answer.to_sdp_string())?;
        session.opened().await
    }
}

/// The handle of a connection that runs in its task.
pub(crate) struct Remote {
    duties: UnboundedSender<Duty>,
    task: JoinHandle<()>,
}

impl Link for Remote {
    fn assign(&mut self, duty: Duty) {
        // A connection that has ended shows in what it does not deliver.
        let _ = self.duties.send(duty);
    }

    async fn close(self) {
        // The task ends when nobody can give it a duty any more.
        drop(self.duties);
        let _ = self.task.await;
    }
}

/// What the connection does with its channel.
enum Work {
    Nothing,
    Count(Arc<AtomicU64>),
    Echo,
    Fill(Vec<u8>),
    Ping(Rounds),
}

/// Round trips.
struct Rounds {
    left: usize,
    started: Instant,
    times: Vec<Duration>,
    report: Option<oneshot::Sender<Vec<Duration>>>,
}

/// A connection.
struct Session {
    rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    deadline: Instant,
    channel: Option<ChannelId>,
    work: Work,
}

impl Session {
    /// Runs until the channel is open, and from then on in a task.
    async fn opened(mut self) -> Result<Remote> {
        let (duties, mut received) = unbounded_channel();
        let mut buffer = vec![0; DATAGRAM];
        // Before it knows the time, an answerer asks for no time at which it would send.
        self.rtc.handle_input(Input::Timeout(Instant::now()))?;
        self.drain().await?;
        while self.channel.is_none() {
            self.turn(&mut received, &mut buffer).await?;
        }
        let task = tokio::spawn(async move {
            while let Ok(true) = self.turn(&mut received, &mut buffer).await {}
        });
        Ok(Remote { duties, task })
    }

    /// Waits for one thing to happen, and does what follows. `false` when there is nobody left who
    /// could give it a duty.
    async fn turn(
        &mut self,
        duties: &mut UnboundedReceiver<Duty>,
        buffer: &mut [u8],
    ) -> Result<bool> {
        tokio::select! {
            received = self.socket.recv_from(buffer) => {
                let (len, source) = received?;
                let input = Receive {
                    proto: Protocol::Udp,
                    source,
                    destination: self.local,
                    contents: buffer[..len].try_into()?,
                };
                self.rtc.handle_input(Input::Receive(Instant::now(), input))?;
            }
            duty = duties.recv() => match duty {
                Some(duty) => self.assign(duty)?,
                None => return Ok(false),
            },
            () = sleep_until(self.deadline.into()) => {
                self.rtc.handle_input(Input::Timeout(Instant::now()))?;
            }
        }
        self.drain().await?;
        while self.fill()? {
            self.drain().await?;
        }
        Ok(true)
    }

    /// Sends and handles all that the connection has to say, until it says when it wants to be
    /// called again.
    async fn drain(&mut self) -> Result<()> {
        loop {
            match self.rtc.poll_output()? {
                Output::Transmit(transmit) => {
                    let sent = self
                        .socket
                        .send_to(&transmit.contents, transmit.destination);
                    sent.await?;
                }
                Output::Event(Event::ChannelOpen(channel, _)) => self.channel = Some(channel),
                Output::Event(Event::ChannelData(message)) => self.message(&message)?,
                Output::Event(_) => {}
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    return Ok(());
                }
            }
        }
    }

    fn assign(&mut self, duty: Duty) -> Result<()> {
        self.work = match duty {
            Duty::Count(total) => Work::Count(total),
            Duty::Echo => Work::Echo,
            Duty::Fill(size) => Work::Fill(vec![7; size]),
            Duty::Ping { rounds, times } => {
                self.write(&[7; PING])?;
                Work::Ping(Rounds {
                    left: rounds,
                    started: Instant::now(),
                    times: Vec::with_capacity(rounds),
                    report: Some(times),
                })
            }
        };
        Ok(())
    }

    /// Writes a message; `false` where the send buffer has no room for it.
    fn write(&mut self, message: &[u8]) -> Result<bool> {
        let channel = self.channel.and_then(|channel| self.rtc.channel(channel));
        let mut channel = channel.ok_or("there is no channel")?;
        Ok(channel.write(true, message)?)
    }

    /// Writes one more message, if that is what is to be done and it has room.
    fn fill(&mut self) -> Result<bool> {
        let Work::Fill(message) = &mut self.work else {
            return Ok(false);
        };
        let message = std::mem::take(message);
        let written = self.write(&message);
        self.work = Work::Fill(message);
        written
    }

    fn message(&mut self, message: &ChannelData) -> Result<()> {
        match &mut self.work {
            Work::Nothing | Work::Fill(_) => {}
            Work::Count(total) => {
                total.fetch_add(message.data.len() as u64, Ordering::Relaxed);
            }
            Work::Echo => {
                self.write(&message.data)?;
            }
            Work::Ping(rounds) => {
                if rounds.came_back() {
                    self.write(&message.data)?;
                }
            }
        }
        Ok(())
    }
}

impl Rounds {
    /// A round is over. Whether there is another one, which starts now.
    fn came_back(&mut self) -> bool {
        let now = Instant::now();
        self.times.push(now - self.started);
        self.started = now;
        self.left = self.left.saturating_sub(1);
        if self.left == 0
            && let Some(report) = self.report.take()
        {
            let _ = report.send(std::mem::take(&mut self.times));
        }
        self.left > 0
    }
}
