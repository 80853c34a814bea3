use crate::Factory;
use crate::cookie::CookieSecret;
use crate::packet::{Abort, Header, WireChunk, Writer, encode, padded, write_cause};
use crate::packet::{HEADER_LEN, OperationError};
use crate::queue::{PIECE_COST, SendQueue};
use crate::reassembly::MessageLimits;
use crate::receiver::initial_window;
use crate::sender::{PacketSize, Upper};
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use layer::{Message, SctpConfig, SctpEvent, SctpStats, Start};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many packets are kept that come before `connect`. A peer that is ahead of us sends one INIT,
/// and another after half a second.
const MAX_EARLY_PACKETS: usize = 16;

/// How many answers wait to be sent, of each kind. More are dropped: who needs them asks again.
const MAX_REPLIES: usize = 32;

/// The smallest `max_packet`: below it no message would get anywhere.
const MIN_PACKET: usize = 256;

/// The largest: that of a datagram.
const MAX_PACKET: usize = 65_535;

/// The longest text of ours in an ABORT, so that it fits into any packet.
const MAX_REASON: usize = 128;

/// Packets that came before `connect`.
#[derive(Debug, Default)]
pub(super) struct Early(VecDeque<Vec<u8>>);

impl Early {
    /// Keeps a packet; `false` if there are too many.
    pub(super) fn keep(&mut self, packet: &[u8]) -> bool {
        let room = self.0.len() < MAX_EARLY_PACKETS;
        if room {
            self.0.push_back(packet.to_vec());
        }
        room
    }

    pub(super) fn take(&mut self) -> VecDeque<Vec<u8>> {
        std::mem::take(&mut self.0)
    }
}

/// Our side of the association, with or without a TCB.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) settings: Factory,
    start: Instant,
    rng: ChaCha12Rng,
    /// The largest packet that the owner allows.
    pub(super) limit: usize,
    /// The largest packet that is sent, but for probes and what was cut for a larger path.
    pub(super) max_packet: usize,
    /// The last packet was larger, and no probe.
    pub(super) oversize: bool,
    pub(super) limits: MessageLimits,
    /// The layer below authenticates every packet.
    pub(super) authenticated: bool,
    pub(super) port: u16,
    pub(super) peer_port: u16,
    /// Our Initiate Tag.
    pub(super) tag: u32,
    /// Our Initial TSN.
    pub(super) initial_tsn: u32,
    pub(super) cookie_secret: CookieSecret,
    pub(super) round_trip_hint: Option<Duration>,
    pub(super) queue: SendQueue,
    pub(super) events: VecDeque<SctpEvent>,
    pub(super) stats: SctpStats,
    /// Messages that the owner had not taken when the association ended: no more than the receive
    /// window holds.
    pub(super) undelivered: VecDeque<Message>,
    /// Packets that are complete: answers that stand alone, or carry another tag than the TCB's.
    alone: VecDeque<Vec<u8>>,
    /// Chunks that travel with others.
    pub(super) chunks: VecDeque<Vec<u8>>,
    /// How many bytes a refused `send` wanted to queue.
    refused: Option<usize>,
    pub(super) scratch: Vec<u8>,
}

impl Local {
    pub(super) fn new(settings: Factory, start: Start, config: &SctpConfig) -> Self {
        let mut rng = ChaCha12Rng::from_seed(*start.seed.as_bytes());
        rng.set_stream(u64::from_be_bytes(*b"sctp    "));
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        let mut local = Self {
            start: start.now,
            limit: MIN_PACKET,
            max_packet: MIN_PACKET,
            oversize: false,
            limits: MessageLimits {
                largest: config.max_message,
                partial: config.partial_delivery,
            },
            authenticated: config.authenticated,
            port: 0,
            peer_port: 0,
            tag: 0,
            initial_tsn: rng.next_u32(),
            cookie_secret: CookieSecret::new(secret),
            round_trip_hint: None,
            queue: SendQueue::new(settings.send_buffer, settings.scheduler),
            events: VecDeque::new(),
            stats: SctpStats::default(),
            undelivered: VecDeque::new(),
            alone: VecDeque::new(),
            chunks: VecDeque::new(),
            refused: None,
            scratch: Vec::new(),
            rng,
            settings,
        };
        local.set_limit(config.max_packet);
        local.tag = local.new_tag();
        local
    }

    /// A tag that is not 0 (RFC 9260 §5.3.1).
    pub(super) fn new_tag(&mut self) -> u32 {
        loop {
            let tag = self.rng.next_u32();
            if tag != 0 {
                return tag;
            }
        }
    }

    pub(super) fn random_u32(&mut self) -> u32 {
        self.rng.next_u32()
    }

    pub(super) fn random_u64(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A random part of a duration.
    pub(super) fn random_part(&mut self, of: Duration) -> Duration {
        of.mul_f64(f64::from(self.rng.next_u32()) / f64::from(u32::MAX))
    }

    /// Microseconds since the association was made.
    pub(super) fn age(&self, now: Instant) -> u64 {
        let age = now.saturating_duration_since(self.start).as_micros();
        u64::try_from(age).unwrap_or(u64::MAX)
    }

    /// The owner allows packets of this size, whether the path carries them or not. Returns whether
    /// it did not before, or allowed more.
    pub(super) fn set_limit(&mut self, bytes: usize) -> bool {
        let before = std::mem::replace(&mut self.limit, bytes.clamp(MIN_PACKET, MAX_PACKET));
        self.max_packet = self.max_packet.min(self.limit).max(self.base_packet());
        self.limit != before
    }

    pub(super) fn packet_size(&self) -> PacketSize {
        PacketSize {
            now: self.max_packet,
            base: self.base_packet(),
        }
    }

    /// The size that needs no probe.
    pub(super) fn base_packet(&self) -> usize {
        self.settings.base_packet.max(MIN_PACKET).min(self.limit)
    }

    /// The window that INIT and INIT ACK tell.
    pub(super) fn a_rwnd(&self) -> u32 {
        let window = initial_window(&self.settings, self.limits);
        u32::try_from(window).unwrap_or(u32::MAX)
    }

    pub(super) fn upper(&mut self) -> Upper<'_> {
        Upper {
            queue: &mut self.queue,
            events: &mut self.events,
            stats: &mut self.stats,
        }
    }

    // --- the send buffer ---

    pub(super) fn send_capacity(&self, outstanding: usize) -> usize {
        let occupied = self.queue.occupied() + outstanding + PIECE_COST;
        self.settings.send_buffer.saturating_sub(occupied)
    }

    /// Whether `len` more bytes are accepted. An empty buffer takes a message of any size: it is
    /// in the caller's memory already. So does the message that all others wait for.
    pub(super) fn has_room(&mut self, stream: u16, len: usize, outstanding: usize) -> bool {
        let room = len <= self.send_capacity(outstanding)
            || (self.queue.is_empty() && outstanding == 0)
            || self.queue.waits_for(stream);
        if !room {
            self.refused = Some(len);
            self.queue.unblock(stream);
        }
        room
    }

    /// Tells that there is room again, once it is worth it.
    pub(super) fn tell_room(&mut self, outstanding: usize) {
        let Some(refused) = self.refused else {
            return;
        };
        let wanted = refused.max(self.settings.send_buffer / 8);
        let empty = self.queue.is_empty() && outstanding == 0;
        if self.send_capacity(outstanding) >= wanted || empty || self.queue.is_starved() {
            self.refused = None;
            self.events.push_back(SctpEvent::Writable);
        }
    }

    // --- answers ---

    /// The header of a packet to the peer.
    pub(super) fn header(&self, verification_tag: u32) -> Header {
        Header {
            source_port: self.port,
            destination_port: self.peer_port,
            verification_tag,
        }
    }

    /// Answers with a packet that holds this chunk only.
    pub(super) fn reply_alone(&mut self, verification_tag: u32, chunk: &impl WireChunk) {
        if self.alone.len() >= MAX_REPLIES {
            return;
        }
        let mut packet = vec![0; HEADER_LEN + padded(4 + chunk.value_len())];
        if let Some(mut writer) = Writer::new(&mut packet, self.header(verification_tag)) {
            writer.push(chunk);
            let len = writer.finish();
            packet.truncate(len);
            self.alone.push_back(packet);
        }
    }

    /// Answers with an ABORT that has one cause; `reason` is cut to fit.
    pub(super) fn reply_abort(&mut self, verification_tag: u32, cause: u16, info: &[u8]) {
        let mut causes = Vec::new();
        let info = info.get(..MAX_REASON).unwrap_or(info);
        write_cause(&mut causes, cause, info);
        let abort = Abort {
            reflected: false,
            causes: &causes,
        };
        self.reply_alone(verification_tag, &abort);
    }

    /// Sends a chunk with the next packet.
    pub(super) fn reply(&mut self, chunk: &impl WireChunk) {
        let fits = padded(4 + chunk.value_len()) <= self.max_packet - HEADER_LEN;
        if self.chunks.len() < MAX_REPLIES && fits {
            self.chunks.push_back(encode(chunk));
        }
    }

    /// Sends a chunk as the first of the next packet, unless it is that already.
    pub(super) fn reply_first(&mut self, chunk: &impl WireChunk) {
        let chunk = encode(chunk);
        if self.chunks.front() != Some(&chunk) {
            self.chunks.push_front(chunk);
        }
    }

    /// Throws away what no packet takes any more, and would hold up what is behind it: who needs an
    /// answer asks again.
    pub(super) fn forget_large_replies(&mut self) {
        let most = self.max_packet - HEADER_LEN;
        self.chunks.retain(|chunk| chunk.len() <= most);
    }

    /// How long the information in a report may be, so that it fits into a packet with others.
    pub(super) fn longest_report(&self) -> usize {
        self.max_packet / 2
    }

    /// Reports an error that is not fatal (RFC 9260 §3.3.10); a long `info` is cut.
    pub(super) fn report(&mut self, cause: u16, info: &[u8]) {
        let mut causes = Vec::new();
        let info = info.get(..self.longest_report()).unwrap_or(info);
        write_cause(&mut causes, cause, info);
        self.reply(&OperationError { causes: &causes });
    }

    /// Writes the next packet that stands alone.
    pub(super) fn write_alone(&mut self, buf: &mut [u8]) -> Option<usize> {
        while let Some(packet) = self.alone.pop_front() {
            if let Some(out) = buf.get_mut(..packet.len()) {
                out.copy_from_slice(&packet);
                self.oversize = packet.len() > self.max_packet;
                return Some(packet.len());
            }
        }
        None
    }
}
