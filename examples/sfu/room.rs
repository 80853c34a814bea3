//! The room: who is in it, and what they are told of each other.

use super::member::Member;
use super::message::{Notice, Person, Request};
use super::spawn;
use super::speaker::{self, Loudness};
use muonrtc::{Error, PeerConnectionEvent, PeerConnectionState, SessionDescription};
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tracing::{debug, info};

/// Members at the same time. Everybody gets two sections for everybody else.
const MAX_MEMBERS: usize = 16;
/// Connections that are not members yet, at the same time.
const MAX_ARRIVALS: usize = 16;
/// The longest name, in characters.
const MAX_NAME: usize = 40;
/// How long a page may take from its offer until its data channel is open.
const SETUP_TIME: Duration = Duration::from_secs(30);
/// How long a page may be silent, beyond what makes it disconnected, until it has left.
const SILENCE_TIME: Duration = Duration::from_secs(8);
/// How often layers are chosen, key frames asked for, and the speaker is found.
const TURN: Duration = Duration::from_millis(250);

/// A room.
#[derive(Debug)]
pub(crate) struct Room {
    /// In the order in which ids sort, which means nothing.
    members: Mutex<BTreeMap<String, Arc<Member>>>,
    arrivals: tokio::sync::Semaphore,
}

/// Why a page does not get in.
#[derive(Debug)]
pub(super) enum Refusal {
    /// As many are there as may be.
    Full,
    /// The offer is not one that can be answered.
    Offer(Error),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => write!(f, "the room is full: {MAX_MEMBERS} are in it"),
            Self::Offer(error) => write!(f, "{error}"),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Offer(error)
    }
}

impl Room {
    /// An empty room.
    pub(crate) fn open() -> Arc<Self> {
        let room = Arc::new(Self {
            members: Mutex::default(),
            arrivals: tokio::sync::Semaphore::new(MAX_ARRIVALS),
        });
        spawn(take_turns(Arc::downgrade(&room)));
        room
    }

    /// Closes everybody's connection, of which they hear at once.
    pub(crate) async fn close(&self) {
        let members = std::mem::take(&mut *self.members());
        for member in members.values() {
            member.connection.close();
        }
        for member in members.values() {
            member.connection.closed().await;
        }
    }

    /// Answers the offer of a page. It is a member as soon as its data channel is open: a page that
    /// cannot connect is never seen by the others.
    pub(super) async fn join(
        self: &Arc<Self>,
        name: &str,
        offer: SessionDescription,
    ) -> Result<(String, SessionDescription), Refusal> {
        if self.members().len() >= MAX_MEMBERS {
            return Err(Refusal::Full);
        }
        let _arrival = self.arrivals.try_acquire().map_err(|_| Refusal::Full)?;
        let name: String = name.trim().chars().take(MAX_NAME).collect();
        let id = fresh_id();
        let person = Person {
            id: id.clone(),
            name,
        };
        let member = Arc::new(Member::new(person, offer).await?);
        let answer = member.answer().await?;
        for source in &member.sources {
            source.run();
        }
        spawn(Arc::clone(self).follow(member));
        Ok((id, answer))
    }

    /// Follows one member until it leaves.
    async fn follow(self: Arc<Self>, member: Arc<Member>) {
        let mut patience = pin!(tokio::time::sleep(SETUP_TIME));
        let mut waits = true;
        loop {
            let done = tokio::select! {
                event = member.connection.next_event() => match event.map(|event| event.kind) {
                    Some(PeerConnectionEvent::DataChannel(channel)) => {
                        if member.open(channel) && !self.enter(&member) {
                            break;
                        }
                        waits = false;
                        Ok(())
                    }
                    // Sections were added, or have ended.
                    Some(PeerConnectionEvent::NegotiationNeeded) => member.offer().await,
                    Some(PeerConnectionEvent::ConnectionStateChange(state)) => match state {
                        PeerConnectionState::Failed | PeerConnectionState::Closed => break,
                        PeerConnectionState::Disconnected => {
                            patience.set(tokio::time::sleep(SILENCE_TIME));
                            waits = true;
                            Ok(())
                        }
                        PeerConnectionState::Connected => {
                            waits = !member.is_open();
                            Ok(())
                        }
                        _ => Ok(()),
                    },
                    Some(_) => Ok(()),
                    None => break,
                },
                request = member.next_request() => match request {
                    Some(Request::Answer { sdp }) => member.take_answer(sdp).await,
                    Some(Request::Layer { of, rid }) => {
                        self.want(&member, &of, &rid);
                        Ok(())
                    }
                    // The page closed the channel, or itself.
                    None => break,
                },
                () = &mut patience, if waits => break,
            };
            if let Err(error) = done {
                info!(member = %member.person.id, %error, "does not negotiate");
                break;
            }
        }
        self.leave(&member);
    }

    /// Makes everybody see everybody; `false` if the room has filled up meanwhile.
    fn enter(&self, member: &Arc<Member>) -> bool {
        let mut members = self.members();
        if members.len() >= MAX_MEMBERS {
            return false;
        }
        let others = members.values().map(|other| other.person.clone());
        member.tell(&Notice::Welcome {
            members: others.collect(),
        });
        for other in members.values() {
            other.tell(&Notice::Joined(member.person.clone()));
            other.watch(member);
            member.watch(other);
        }
        members.insert(member.person.id.clone(), Arc::clone(member));
        info!(member = %member.person.id, members = members.len(), "came");
        true
    }

    fn leave(&self, member: &Member) {
        member.connection.close();
        let mut members = self.members();
        if members.remove(&member.person.id).is_none() {
            return;
        }
        let id = &member.person.id;
        for other in members.values() {
            member.forget(other);
            other.tell(&Notice::Left { id: id.clone() });
        }
        for source in &member.sources {
            source.end();
        }
        info!(member = %id, members = members.len(), "left");
    }

    fn want(&self, viewer: &Member, of: &str, rid: &str) {
        let Some(watched) = self.members().get(of).cloned() else {
            debug!(of, "has left already");
            return;
        };
        for source in &watched.sources {
            source.want(&viewer.person.id, rid);
        }
    }

    fn members(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Member>>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does at intervals what no packet sets off, as long as there is a room.
async fn take_turns(room: Weak<Room>) {
    let mut turns = tokio::time::interval(TURN);
    let mut heard: BTreeMap<String, Loudness> = BTreeMap::new();
    let mut speaker: Option<String> = None;
    loop {
        turns.tick().await;
        let Some(room) = room.upgrade() else { return };
        let members = room.members();
        heard.retain(|id, _| members.contains_key(id));
        for (id, member) in &*members {
            for source in &member.sources {
                source.turn();
                if let Some(level) = source.take_loudest() {
                    heard.entry(id.clone()).or_default().hear(level);
                }
            }
        }
        let levels = heard.iter().map(|(id, loudness)| (id.as_str(), *loudness));
        let now = speaker::choose(speaker.as_deref(), levels);
        if now != speaker.as_deref() {
            speaker = now.map(str::to_owned);
            for member in members.values() {
                member.tell(&Notice::Speaker {
                    id: speaker.clone(),
                });
            }
        }
    }
}

/// 64 bits from the operating system's randomness, which seeds the hasher.
fn fresh_id() -> String {
    format!("{:016x}", RandomState::new().hash_one(MAX_MEMBERS))
}
