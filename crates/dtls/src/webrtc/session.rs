use super::Factory;
use super::pipe::Pipe;
use super::plaintext;
use super::task::{self, Established, MAX_MESSAGE, Outcome};
use crate::alert::Alert;
use crate::identity::{Identity, Verdict};
use crate::waiting::Waiting;
use bytes::Bytes;
use layer::{
    Blame, Dtls, DtlsConfig, DtlsError, DtlsEvent, DtlsRole, DtlsState, DtlsStats, End,
    ExportError, Fingerprint, Opened, SealError, Security,
};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use tokio::task::AbortHandle;
use webrtc_util::KeyingMaterialExporter;

/// The owner's end of a session.
pub(super) struct Session {
    factory: Factory,
    config: DtlsConfig,
    certificate: webrtc_dtls::crypto::Certificate,
    pipe: Arc<Pipe>,
    task: Option<AbortHandle>,
    deadline: Option<Instant>,
    state: DtlsState,
    role: Option<DtlsRole>,
    peer: Arc<Mutex<Identity>>,
    remote_certificates: Vec<Bytes>,
    established: Option<Box<Established>>,
    early: Waiting,
    events: VecDeque<DtlsEvent>,
    stats: DtlsStats,
}

/// Header, explicit nonce and the largest tag with padding that a suite of theirs adds.
const OVERHEAD: usize = 13 + 16 + 20 + 16;

impl Session {
    pub(super) fn new(
        factory: &Factory,
        config: DtlsConfig,
        certificate: webrtc_dtls::crypto::Certificate,
    ) -> Self {
        Self {
            pipe: Arc::new(Pipe::new(config.waker.clone(), factory.max_queued)),
            early: Waiting::new(factory.max_early_datagrams, usize::MAX),
            factory: factory.clone(),
            config,
            certificate,
            task: None,
            deadline: None,
            state: DtlsState::New,
            role: None,
            peer: Arc::default(),
            remote_certificates: Vec::new(),
            established: None,
            events: VecDeque::new(),
            stats: DtlsStats::default(),
        }
    }

    fn peer(&self) -> MutexGuard<'_, Identity> {
        self.peer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verdict(&self) -> Verdict {
        self.peer().verdict(&self.factory.provider)
    }

    fn set_state(&mut self, state: DtlsState) {
        if self.state != state {
            self.state = state;
            self.events.push_back(DtlsEvent::StateChange(state));
        }
    }

    fn ended(&self) -> bool {
        matches!(self.state, DtlsState::Closed | DtlsState::Failed)
    }

    /// What the task has told.
    fn collect(&mut self) {
        loop {
            let outcome = self.pipe.lock().outcomes.pop_front();
            match outcome {
                None => return,
                Some(_) if self.ended() => {}
                Some(Outcome::Established(mut established)) => {
                    if self.config.srtp_profiles.is_empty() {
                        established.security.srtp_profile = None;
                    }
                    let chain = established.certificates.iter();
                    self.remote_certificates =
                        chain.map(|der| Bytes::copy_from_slice(der)).collect();
                    self.established = Some(established);
                    self.deadline = None;
                    self.settle();
                }
                Some(Outcome::Failed(error)) => self.failed(&error),
                Some(Outcome::Closed) => {
                    let code = u16::from(Alert::CLOSE_NOTIFY.description);
                    let end = End::new(Blame::Peer, "close_notify").with_code(code);
                    self.end(DtlsState::Closed, end);
                }
            }
        }
    }

    /// Connects once the handshake is over and the peer is who it said.
    fn settle(&mut self) {
        if self.established.is_none() || self.state != DtlsState::Connecting {
            return;
        }
        match self.verdict() {
            Verdict::Open => {}
            Verdict::Match => self.set_state(DtlsState::Connected),
            Verdict::Mismatch => {
                self.pipe.close();
                self.end(DtlsState::Failed, stranger());
            }
        }
    }

    fn failed(&mut self, error: &webrtc_dtls::Error) {
        let end = if self.verdict() == Verdict::Mismatch {
            stranger()
        } else {
            End::new(Blame::Protocol, Cow::Owned(error.to_string()))
        };
        self.end(DtlsState::Failed, end);
    }

    fn end(&mut self, state: DtlsState, end: End) {
        self.deadline = None;
        self.established = None;
        self.early.clear();
        self.set_state(state);
        self.events.push_back(DtlsEvent::Ended(end));
    }
}

fn stranger() -> End {
    let reason = "the certificate has none of the signalled fingerprints";
    let code = u16::from(Alert::BAD_CERTIFICATE.description);
    End::new(Blame::Identity, reason).with_code(code)
}

impl Dtls for Session {
    fn handle_input(&mut self, now: Instant, datagram: &mut [u8]) -> Opened {
        self.stats.datagrams_received += 1;
        let over = self.established.is_some();
        if over && self.role == Some(DtlsRole::Server) && plaintext::is_plain_handshake(datagram) {
            self.pipe.repeat_last_flight();
        }
        // The implementation ends with an alert on plaintext that it cannot read, whoever sent it.
        let stray = over && plaintext::is_plaintext(datagram);
        if self.ended() || stray || !plaintext::is_well_formed(datagram) {
            self.stats.dropped += 1;
        } else if self.role.is_none() {
            if !self.early.push(datagram) {
                self.stats.overflowed += 1;
            }
        } else {
            if self.deadline.is_none() && self.established.is_none() {
                self.deadline = Some(now + self.factory.handshake_timeout);
            }
            self.pipe.arrive(datagram);
        }
        Opened::default()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.collect();
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            let end = End::new(Blame::Timeout, "the handshake was not answered");
            self.end(DtlsState::Failed, end);
            if let Some(task) = self.task.take() {
                task.abort();
            }
        }
    }

    fn set_role(&mut self, now: Instant, role: DtlsRole) -> Result<(), DtlsError> {
        match self.role {
            Some(set) if set != role => return Err(DtlsError::RoleIsSet(set)),
            Some(_) => return Ok(()),
            None => self.role = Some(role),
        }
        if self.ended() {
            return Ok(());
        }
        self.set_state(DtlsState::Connecting);
        if role == DtlsRole::Client {
            self.deadline = Some(now + self.factory.handshake_timeout);
        }
        let config = task::config(
            &self.factory,
            &self.config,
            self.certificate.clone(),
            Arc::clone(&self.peer),
            role,
        );
        let run = task::run(Arc::clone(&self.pipe), config, role);
        self.task = Some(self.factory.runtime.spawn(run).abort_handle());
        while let Some(mut datagram) = self.early.pop() {
            self.stats.datagrams_received -= 1;
            self.handle_input(now, &mut datagram);
        }
        Ok(())
    }

    fn set_remote_fingerprints(&mut self, _now: Instant, fingerprints: &[Fingerprint]) {
        self.peer().add_fingerprints(fingerprints);
        self.collect();
        self.settle();
    }

    fn seal_into(
        &mut self,
        _now: Instant,
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SealError> {
        if self.state != DtlsState::Connected {
            return Err(SealError::NotConnected);
        }
        if plaintext.len() > MAX_MESSAGE {
            return Err(SealError::TooLarge);
        }
        if out.len() < plaintext.len() + OVERHEAD {
            return Err(SealError::TooSmall);
        }
        self.pipe.ask(plaintext);
        Ok(0)
    }

    fn close(&mut self, _now: Instant) {
        if self.ended() {
            return;
        }
        match (&self.established, self.task.take()) {
            (None, Some(task)) => task.abort(),
            _ => self.pipe.close(),
        }
        self.end(DtlsState::Closed, End::new(Blame::Local, "closed"));
    }

    fn set_max_datagram(&mut self, bytes: usize) {
        self.config.max_datagram = bytes;
    }

    fn poll_transmit(&mut self, _now: Instant, buf: &mut [u8]) -> Option<usize> {
        self.collect();
        let datagram = self.pipe.lock().leaving.pop()?;
        buf.get_mut(..datagram.len())?.copy_from_slice(&datagram);
        self.stats.datagrams_sent += 1;
        Some(datagram.len())
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    fn poll_event(&mut self) -> Option<DtlsEvent> {
        self.collect();
        self.events.pop_front()
    }

    fn poll_message(&mut self, buf: &mut [u8]) -> Option<usize> {
        self.collect();
        while self.state == DtlsState::Connected {
            let message = self.pipe.lock().messages.pop()?;
            if let Some(place) = buf.get_mut(..message.len()) {
                place.copy_from_slice(&message);
                return Some(message.len());
            }
            self.stats.dropped += 1;
        }
        None
    }

    fn state(&self) -> DtlsState {
        self.state
    }

    fn role(&self) -> Option<DtlsRole> {
        self.role
    }

    fn security(&self) -> Option<Security> {
        let established = self.established.as_ref()?;
        Some(established.security.clone())
    }

    fn remote_certificates(&self) -> &[Bytes] {
        &self.remote_certificates
    }

    fn export(
        &self,
        label: &str,
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<(), ExportError> {
        let connected = self.state == DtlsState::Connected;
        let established = self.established.as_ref().filter(|_| connected);
        let state = &established.ok_or(ExportError::NotConnected)?.state;
        // RFC 5705 §4: an empty context is not the same as none, and they only have none.
        if context.is_some() {
            return Err(ExportError::Unsupported);
        }
        let exported = at_once(state.export_keying_material(label, &[], out.len()));
        let block = exported.and_then(Result::ok);
        out.copy_from_slice(&block.ok_or(ExportError::Unsupported)?);
        Ok(())
    }

    fn overhead(&self) -> usize {
        OVERHEAD
    }

    fn stats(&self) -> DtlsStats {
        let mut stats = self.stats.clone();
        stats.overflowed += self.pipe.lock().overflowed;
        stats
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A task that still says goodbye ends by itself.
        if let Some(task) = self.task.take().filter(|_| !self.ended()) {
            task.abort();
        }
    }
}

/// The answer of a future that only waits for a lock that nobody else knows.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}
