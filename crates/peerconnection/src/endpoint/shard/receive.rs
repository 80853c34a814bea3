//! Packets that come in: each goes to its connection at once.

use super::Shard;
use super::path::{Claimed, Path};
use crate::driver::Buffers;
use crate::driver::peek::{Peeked, peek};
use crate::endpoint::member::Member;
use crate::shared::now;
use layer::{Input, SocketId};
use net::Batch;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// Batches taken from one socket before the others and the output have their turn.
const MAX_BATCHES: usize = 4;

impl Shard {
    /// Takes what the sockets have, and gives every connection that got something its turn.
    pub(super) fn receive(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) -> bool {
        let mut worked = false;
        for index in 0..self.inner.locals.len() {
            for _ in 0..MAX_BATCHES {
                let inner = Arc::clone(&self.inner);
                let local = &inner.locals[index];
                let (Some(udp), Some(address)) = (local.udp.get(self.index), local.udp_addr) else {
                    break;
                };
                match udp.poll_recv(cx, &mut buffers.batch) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => {
                        tracing::debug!(local = %address, %error, "a socket failed");
                        break;
                    }
                }
                worked = true;
                self.take_batch((local.socket, address), &mut buffers.batch);
                self.serve_touched(cx, buffers);
            }
        }
        worked
    }

    /// Hands each datagram to its connection. Those that follow each other on one path are handed
    /// over under one lock.
    fn take_batch(&mut self, (socket, local): (SocketId, SocketAddr), batch: &mut Batch) {
        let now = now();
        let mut datagrams = batch.datagrams().peekable();
        while let Some(first) = datagrams.next() {
            let path = (socket, first.remote);
            let peeked = peek(first.bytes);
            let is_data = peeked == Peeked::Other;
            let Some(member) = self.owner(now, path, peeked) else {
                continue;
            };
            let shared = Arc::clone(&member.shared);
            let mut state = shared.lock();
            let input = Input::new(socket, local, first.remote, first.bytes);
            state.session.handle_input(now, input);
            if is_data {
                while let Some(next) = datagrams
                    .next_if(|next| next.remote == path.1 && peek(next.bytes) == Peeked::Other)
                {
                    let input = Input::new(socket, local, next.remote, next.bytes);
                    state.session.handle_input(now, input);
                }
            } else if !self.paths.is_of(now, path, &member) {
                let layers = state.session.layers();
                if layers.is_some_and(|layers| layers.ice.validates(path.0, path.1)) {
                    self.claim(now, path, &member);
                }
            }
            shared.dispatch(&mut state);
            drop(state);
            if member.touch() {
                self.touched.push(member);
            }
        }
    }

    /// Whose packet it is. A request says so itself, a response by what it answers; everything else is
    /// known by its path.
    fn owner(&mut self, now: Instant, path: Path, peeked: Peeked<'_>) -> Option<Arc<Member>> {
        let counters = &self.inner.counters;
        match peeked {
            Peeked::Request { fragment, .. } => {
                let claimant =
                    fragment.and_then(|fragment| self.inner.members().claimant(fragment));
                if claimant.is_none() {
                    counters.unknown_fragments.count();
                }
                claimant
            }
            Peeked::Response(transaction) => {
                let asker = self.inner.transactions().asker(&transaction);
                if asker.is_none() {
                    counters.unknown_transactions.count();
                }
                asker
            }
            Peeked::Other => {
                let owner = self.paths.owner(now, path);
                if owner.is_none() {
                    counters.unknown_paths.count();
                }
                owner
            }
        }
    }

    fn claim(&mut self, now: Instant, path: Path, member: &Arc<Member>) {
        match self.paths.claim(now, path, member) {
            Claimed::Yes => member.move_to(self.index),
            Claimed::Contested => self.inner.counters.contested_paths.count(),
        }
    }

    pub(super) fn serve_touched(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) {
        let mut touched = std::mem::take(&mut self.touched);
        for member in touched.drain(..) {
            member.untouch();
            self.serve(cx, &member, &mut buffers.transmit);
        }
        // The list keeps its memory.
        self.touched = touched;
    }
}
