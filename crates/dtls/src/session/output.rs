use super::{MAX_HANDSHAKE_DATAGRAM, MIN_HANDSHAKE_DATAGRAM, Session};
use crate::alert::Alert;
use crate::record::ContentType;

/// RFC 6347 §4.1.1.1: after so many losses, the path may carry less than it said,
const LOSSES_BEFORE_SHRINKING: u32 = 2;
/// but this much: the smallest reassembly buffer of IPv4, less its headers and those of UDP.
const SHRUNK_DATAGRAM: usize = 548;

impl Session {
    /// What leaves next, in this order.
    pub(super) fn next_datagram(&mut self, buf: &mut [u8]) -> Option<usize> {
        let limit = self.handshake_limit();
        if let Some(len) = self
            .endpoint
            .flight
            .write(&mut self.endpoint.records, limit, buf)
        {
            return Some(len);
        }
        if let Some(len) = self.write_ack(buf) {
            return Some(len);
        }
        self.write_alert(buf)
    }

    fn handshake_limit(&self) -> usize {
        let limit = self
            .max_datagram
            .clamp(MIN_HANDSHAKE_DATAGRAM, MAX_HANDSHAKE_DATAGRAM);
        if self.timer.fired() > LOSSES_BEFORE_SHRINKING {
            limit.min(SHRUNK_DATAGRAM)
        } else {
            limit
        }
    }

    /// RFC 9147 §7: in the newest epoch.
    fn write_ack(&mut self, buf: &mut [u8]) -> Option<usize> {
        if self.ended() || !self.can_acknowledge() {
            return None;
        }
        let content = self.acknowledgements.take()?.write();
        if self.is_established() {
            self.acknowledgements.forget();
        }
        let records = &mut self.endpoint.records;
        let epoch = records.write_epoch();
        let (len, _) = records.seal(epoch, ContentType::Ack, &content, buf)?;
        Some(len)
    }

    /// RFC 6347 §4.2.7: once.
    fn write_alert(&mut self, buf: &mut [u8]) -> Option<usize> {
        let alert = self.alert.take()?;
        let records = &mut self.endpoint.records;
        let epoch = records.write_epoch();
        if epoch == 0 && alert == Alert::CLOSE_NOTIFY {
            // Nobody could tell it from a stranger's.
            return None;
        }
        let (len, _) = records.seal(epoch, ContentType::Alert, &alert.to_bytes(), buf)?;
        Some(len)
    }
}
