use super::local::Local;
use super::tcb::{Phase, Tcb};
use super::{Association, State};
use crate::packet::{CookieEcho, Writer};
use std::time::Instant;

impl Association {
    /// Writes the next packet. The questions, in order: is there an answer that stands alone; is
    /// the INIT due; what does the TCB have to say.
    pub(super) fn transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        self.local.oversize = false;
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
        if let Some(len) = self.write_oversize(now, local, buf) {
            return Some(len);
        }
        let len = local.max_packet.min(buf.len());
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
        let len = self.finish(local, packet);
        self.note_full_packet(now, local, len);
        Some(len)
    }

    /// A chunk that was cut for a larger path cannot be cut again (RFC 9260 §6.9): alone, in a packet
    /// that the network may fragment. So does a request whose streams were counted for such a path.
    fn write_oversize(&mut self, now: Instant, local: &mut Local, buf: &mut [u8]) -> Option<usize> {
        let is_request_large = self.reset.due_len() > local.max_packet;
        let lost = if self.may_send_data() {
            self.sender.next_oversize(now, &local.queue)
        } else {
            None
        };
        if lost.is_none() && !is_request_large {
            return None;
        }
        let mut packet = Writer::new(buf, local.header(self.peer.tag))?;
        if is_request_large {
            self.write_re_config(&mut packet);
        }
        if packet.is_empty() {
            let (tsn, len) = lost?;
            self.sender
                .write_alone(now, &mut packet, &mut local.upper(), (tsn, len))?;
        }
        local.oversize = true;
        Some(self.finish(local, packet))
    }

    /// RFC 9653 §5.2: without a checksum only if the peer takes it, and never with a COOKIE ECHO,
    /// which does not go this way.
    fn finish(&self, local: &Local, packet: Writer<'_>) -> usize {
        let unsummed = local.authenticated && self.peer.extensions.zero_checksum;
        if unsummed {
            packet.finish_authenticated()
        } else {
            packet.finish()
        }
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
