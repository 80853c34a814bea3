use super::local::Local;
use super::tcb::{Phase, Tcb};
use super::{Association, State};
use crate::packet::{CookieEcho, Writer};
use std::time::Instant;

impl Association {
    /// Writes the next packet. The questions, in order: is there an answer that stands alone; is
    /// the INIT due; what does the TCB have to say.
    pub(super) fn transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        if let Some(len) = self.local.write_alone(buf) {
            return Some(len);
        }
        match &mut self.state {
            State::CookieWait(wait) => {
                if !wait.init.pending {
                    return None;
                }
                // The tag of an INIT is 0 (RFC 9260 §8.5.1).
                let mut packet = Writer::new(buf, self.local.header(0))?;
                wait.init.pending = !self.local.write_init(|init| packet.push(init));
                (!packet.is_empty()).then(|| packet.finish())
            }
            State::Open(tcb) => tcb.transmit(now, &mut self.local, buf),
            State::New(_) | State::Closed => None,
        }
    }
}

impl Tcb {
    fn transmit(&mut self, now: Instant, local: &mut Local, buf: &mut [u8]) -> Option<usize> {
        if let Some(len) = self.write_probe(now, local, buf) {
            return Some(len);
        }
        let len = self.sender.packet_len(now, local.max_packet).min(buf.len());
        let mut packet = Writer::new(&mut buf[..len], local.header(self.peer.tag))?;
        if self.is_connecting() {
            self.write_cookie_echo(&mut packet);
            // Until the COOKIE ACK nothing goes without the COOKIE ECHO (RFC 9260 §5.1).
            if packet.is_empty() {
                return None;
            }
            write_replies(local, &mut packet);
            self.sender.write_data(now, &mut packet, &mut local.upper());
            return Some(packet.finish());
        }
        // Control chunks before DATA (RFC 9260 §6.10); a COOKIE ACK is the first reply.
        write_replies(local, &mut packet);
        self.write_sack(now, local, &mut packet);
        self.write_re_config(&mut packet);
        self.write_shutdown(&mut packet);
        self.write_heartbeat(now, local, &mut packet);
        if self.may_send_data() {
            self.sender
                .write_forward(now, &mut packet, &mut local.scratch);
            self.sender.write_data(now, &mut packet, &mut local.upper());
        }
        if packet.is_empty() {
            return None;
        }
        // RFC 9653 §5.2: not with a COOKIE ECHO, which goes above; and only if we take it too.
        let unsummed = local.authenticated && self.peer.extensions.zero_checksum;
        let len = if unsummed {
            packet.finish_authenticated()
        } else {
            packet.finish()
        };
        self.note_full_packet(now, local, len);
        Some(len)
    }

    fn write_cookie_echo(&mut self, packet: &mut Writer<'_>) {
        if let Phase::CookieEchoed(echoed) = &mut self.phase
            && echoed.echo.pending
        {
            echoed.echo.pending = !packet.push(&CookieEcho {
                cookie: &echoed.cookie,
            });
        }
    }

    /// A SACK that is due, or one that can travel with data (RFC 9260 §6.1).
    fn write_sack(&mut self, now: Instant, local: &Local, packet: &mut Writer<'_>) {
        // While SHUTDOWN is being sent, it acknowledges (RFC 9260 §6.2).
        let travels = self.receiver.has_unacknowledged()
            && self.may_send_data()
            && self.sender.has_sendable(now, &local.queue);
        if self.receiver.is_sack_due() || travels {
            self.receiver.write_sack(packet);
        }
    }
}

/// Answers to control chunks, as many as fit.
fn write_replies(local: &mut Local, packet: &mut Writer<'_>) {
    while let Some(chunk) = local.chunks.front() {
        if !packet.push_encoded(chunk) {
            return;
        }
        local.chunks.pop_front();
    }
}
