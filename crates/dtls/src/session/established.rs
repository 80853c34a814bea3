use super::Session;
use crate::alert::{Alert, Failure};
use crate::endpoint::{Traffic, unexpected};
use crate::handshake::key_update::KeyUpdate;
use crate::handshake::{Message, kind};
use crate::schedule::v1_3::next_traffic;
use layer::DtlsVersion;
use std::time::Instant;

impl Session {
    /// Takes a message after the handshake; whether it was of use.
    pub(super) fn take_later_message(&mut self, now: Instant, message: &Message) -> bool {
        if self.endpoint.security.version != DtlsVersion::V1_3 {
            // RFC 8827 §6.5: there is no renegotiation. RFC 5246 §7.2.2 says how to say so.
            if matches!(message.kind, kind::HELLO_REQUEST | kind::CLIENT_HELLO) {
                self.alert = Some(Alert::NO_RENEGOTIATION);
            }
            return true;
        }
        // RFC 9147 §7.1: nothing else answers these.
        self.acknowledgements.at_once();
        match message.kind {
            // Resumption is not for us: every session has its own fingerprints.
            kind::NEW_SESSION_TICKET => {}
            kind::KEY_UPDATE => match KeyUpdate::parse(&message.body) {
                Ok(update) => self.take_key_update(now, update),
                Err(error) => self.fail(error.into()),
            },
            _ => self.fail(unexpected()),
        }
        true
    }

    /// RFC 9147 §8: the peer writes in the next epoch from now on.
    fn take_key_update(&mut self, now: Instant, update: KeyUpdate) {
        let epoch = self.endpoint.records.read_epoch() + 1;
        let provider = self.endpoint.provider;
        let Some(traffic) = &mut self.endpoint.traffic else {
            return;
        };
        traffic.read = next_traffic(&provider, traffic.cipher, &traffic.read);
        let (cipher, secret) = (traffic.cipher, traffic.read.clone());
        if let Err(failure) = self.endpoint.install_read(epoch, cipher, &secret) {
            self.fail(failure);
        } else if update.is_requested {
            self.renew_keys(now);
        }
    }

    /// RFC 9147 §4.5.3: renews our keys in time. One KeyUpdate is out at a time (§5.8.4).
    pub(super) fn watch_key_usage(&mut self, now: Instant) {
        let Some(Traffic { cipher, .. }) = &self.endpoint.traffic else {
            return;
        };
        let limit = self.renew_keys_after.min(cipher.renew_after());
        let sealed = self.endpoint.records.sealed();
        if sealed < limit {
            return;
        }
        if sealed >= 2 * cipher.renew_after() {
            self.fail(Failure::new(
                Alert::INTERNAL_ERROR,
                "the peer never acknowledged a KeyUpdate",
            ));
        } else {
            self.renew_keys(now);
        }
    }

    fn renew_keys(&mut self, now: Instant) {
        if self.is_renewing || !self.endpoint.flight.is_empty() {
            return;
        }
        self.is_renewing = true;
        let epoch = self.endpoint.records.write_epoch();
        let update = KeyUpdate {
            is_requested: false,
        };
        self.endpoint.send(epoch, kind::KEY_UPDATE, update.write());
        self.timer.start(now, &mut self.generator);
    }

    /// The peer has all of our flight. If that was a KeyUpdate, the next epoch begins (RFC 9147 §8).
    pub(super) fn flight_acknowledged(&mut self) {
        if !self.is_established() {
            return;
        }
        self.deadline = None;
        if !std::mem::take(&mut self.is_renewing) {
            return;
        }
        let epoch = self.endpoint.records.write_epoch() + 1;
        let provider = self.endpoint.provider;
        let Some(traffic) = &mut self.endpoint.traffic else {
            return;
        };
        traffic.write = next_traffic(&provider, traffic.cipher, &traffic.write);
        let (cipher, secret) = (traffic.cipher, traffic.write.clone());
        if let Err(failure) = self.endpoint.install_write(epoch, cipher, &secret) {
            self.fail(failure);
        }
    }

    /// Application data of the peer: its last flight was our answer to ours (RFC 6347 §4.2.4).
    pub(super) fn data_came(&mut self) {
        let is_1_2 = self.endpoint.security.version == DtlsVersion::V1_2;
        if is_1_2 && self.is_established() && !self.endpoint.flight.is_empty() {
            self.endpoint.flight.clear();
        }
    }
}
