use super::{Machine, Session};
use crate::alert::{Alert, Failure};
use crate::client::Client;
use crate::codec::Reader;
use crate::endpoint::Progress;
use crate::flight::reassembly::Fate;
use crate::handshake::header::FragmentHeader;
use crate::handshake::{Message, kind};
use crate::identity::Verdict;
use crate::record::RecordNumber;
use crate::server::Server;
use layer::{Blame, DtlsRole, DtlsState, DtlsVersion, End};
use std::time::Instant;

impl Session {
    /// The role is known: the machine begins, and what came early is handled.
    pub(super) fn begin(&mut self, now: Instant, role: DtlsRole) {
        self.set_state(DtlsState::Connecting);
        match role {
            DtlsRole::Client => match Client::start(&mut self.endpoint) {
                Ok(client) => {
                    self.machine = Machine::Client(Box::new(client));
                    self.deadline = Some(now + self.handshake_timeout);
                    self.timer.start(now, &mut self.generator);
                }
                Err(failure) => self.fail(failure),
            },
            DtlsRole::Server => self.machine = Machine::Server(Box::new(Server::start())),
        }
        self.replay(now);
    }

    /// Time has come.
    pub(super) fn fire(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            if !self.is_established() {
                let end = End::new(Blame::Timeout, "the handshake was not answered");
                self.end(DtlsState::Failed, end);
                return;
            }
            // The peer has our last flight, or is gone, which is for others to notice.
            self.endpoint.flight.clear();
            self.timer.stop();
        }
        if self.timer.fires(now, &mut self.generator) {
            self.endpoint.flight.send_again();
        }
        self.acknowledgements.fire(now);
    }

    /// Takes the content of a handshake record, one fragment or several; whether it was of use.
    pub(super) fn take_fragments(
        &mut self,
        now: Instant,
        number: RecordNumber,
        content: &[u8],
    ) -> bool {
        let mut reader = Reader::new(content);
        let mut is_used = false;
        while !reader.is_empty() && !self.ended() {
            let Ok((header, fragment)) = FragmentHeader::parse(&mut reader) else {
                break;
            };
            is_used |= self.take_fragment(now, number, header, fragment);
        }
        is_used
    }

    fn take_fragment(
        &mut self,
        now: Instant,
        number: RecordNumber,
        header: FragmentHeader,
        fragment: &[u8],
    ) -> bool {
        if self.reassembly.is_new(header.sequence)
            && number.epoch != self.expected_epoch(header.kind)
        {
            return false;
        }
        match self.reassembly.insert(number.epoch, header, fragment) {
            Fate::Refused => return false,
            Fate::Old { is_last } => self.take_repetition(now, number, is_last),
            Fate::Kept => {
                self.acknowledgements.note(number);
                while let Some(message) = self.reassembly.take() {
                    if !self.take_message(now, &message) {
                        return false;
                    }
                }
                let wait = self.timer.interval() / 4;
                if self.can_acknowledge() && !self.is_established() {
                    self.acknowledgements.later(now, wait);
                }
            }
        }
        true
    }

    /// In which epoch the next message comes.
    fn expected_epoch(&self, kind: u8) -> u64 {
        let is_undecided = match &self.machine {
            Machine::Client(client) => client.is_undecided(),
            Machine::Server(server) => server.is_undecided(),
            _ => false,
        };
        if is_undecided {
            return 0;
        }
        if self.endpoint.security.version == DtlsVersion::V1_3 {
            return self.endpoint.records.read_epoch();
        }
        (self.is_established() || kind == kind::FINISHED).into()
    }

    /// The peer repeats itself: it has not seen what we said to it (RFC 6347 §4.2.4), or that we
    /// have heard it (RFC 9147 §7.1).
    fn take_repetition(&mut self, now: Instant, number: RecordNumber, is_last: bool) {
        if is_last {
            self.repeat_flight(now);
        }
        if number.epoch > 0 && self.can_acknowledge() {
            self.acknowledgements.note(number);
            let has_answer = !self.endpoint.flight.is_empty();
            if self.is_established() && !has_answer {
                self.acknowledgements.at_once();
            } else if !has_answer {
                let wait = self.timer.interval() / 4;
                self.acknowledgements.later(now, wait);
            }
        }
    }

    /// Whether ACKs exist, and we have keys for one.
    pub(super) fn can_acknowledge(&self) -> bool {
        self.endpoint.security.version == DtlsVersion::V1_3
            && self.endpoint.records.write_epoch() > 0
    }

    /// Sends our flight again, but for what was acknowledged; not more often than in a quarter of
    /// the first wait, however often somebody asks.
    pub(super) fn repeat_flight(&mut self, now: Instant) {
        let spacing = self.timer.interval() / 4;
        let is_early = self.repeated.is_some_and(|last| now < last + spacing);
        if !is_early && !self.endpoint.flight.has_more() {
            self.repeated = Some(now);
            self.endpoint.flight.send_again();
        }
    }

    /// Takes a whole message; whether it was of use.
    fn take_message(&mut self, now: Instant, message: &Message) -> bool {
        let (taken, is_undecided) = match &mut self.machine {
            Machine::Client(client) => {
                let is_undecided = client.is_undecided();
                (client.handle(&mut self.endpoint, message), is_undecided)
            }
            Machine::Server(server) => {
                let is_undecided = server.is_undecided();
                (server.handle(&mut self.endpoint, message), is_undecided)
            }
            Machine::Established => return self.take_later_message(now, message),
            Machine::Idle | Machine::Over => return false,
        };
        let peer = &self.endpoint.peer.certificates;
        if self.identity.certificates().is_empty() && !peer.is_empty() {
            self.identity.set_certificates(peer.clone());
        }
        match taken {
            Ok(progress) => self.advance(now, progress),
            Err(failure) if is_undecided && is_noise(failure) => {
                // RFC 6347 §4.1.2.7: what anybody can send is dropped. The peer's own follows.
                self.reassembly.refuse_last();
                return false;
            }
            Err(failure) => self.fail(failure),
        }
        true
    }

    fn advance(&mut self, now: Instant, progress: Progress) {
        if self.endpoint.security.version == DtlsVersion::V1_3 {
            self.reassembly.forget_plaintext();
        }
        match progress {
            Progress::More => {
                if self.endpoint.flight.is_empty() {
                    self.timer.stop();
                }
            }
            Progress::Answered => {
                self.acknowledgements.clear();
                self.timer.start(now, &mut self.generator);
                // A server's time begins with the first ClientHello.
                self.deadline.get_or_insert(now + self.handshake_timeout);
            }
            Progress::Finished => self.finish(now),
        }
    }

    /// The handshake is over.
    fn finish(&mut self, now: Instant) {
        self.machine = Machine::Established;
        self.endpoint.peer.is_proven = true;
        self.timer.stop();
        let is_1_3 = self.endpoint.security.version == DtlsVersion::V1_3;
        match self.role {
            // RFC 9147 §7.1: nothing else tells the client that its last flight has come.
            Some(DtlsRole::Server) if is_1_3 => {
                self.deadline = None;
                self.acknowledgements.at_once();
            }
            Some(DtlsRole::Client) if is_1_3 => {
                self.acknowledgements.clear();
                self.timer.start(now, &mut self.generator);
            }
            // RFC 6347 §4.2.4: who speaks last has no timer, and answers repetitions.
            _ => self.deadline = None,
        }
        self.settle();
    }

    /// Connects once the handshake is over and the peer is who it said.
    pub(super) fn settle(&mut self) {
        if !self.is_established() || self.state != DtlsState::Connecting {
            return;
        }
        match self.identity.verdict(&self.endpoint.provider) {
            // RFC 8842 §5.2: until the fingerprint is known, nothing is delivered.
            Verdict::Open => {}
            Verdict::Match => self.set_state(DtlsState::Connected),
            // RFC 8122 §6.2: bad_certificate. It goes out under the keys of the finished handshake.
            Verdict::Mismatch => self.fail(Failure::new(
                Alert::BAD_CERTIFICATE,
                super::ending::STRANGER,
            )),
        }
    }
}

/// What a byte of noise looks like, rather than a peer that means it.
fn is_noise(failure: Failure) -> bool {
    matches!(
        failure.alert,
        Alert::DECODE_ERROR | Alert::UNEXPECTED_MESSAGE
    )
}
