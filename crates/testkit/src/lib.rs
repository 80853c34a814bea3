//! A virtual network in virtual time, pairs of machines, and conformance kits for the layers.

mod clock;
pub mod conformance;
pub mod crypto;
pub mod fate;
mod link;
mod network;
mod pair;
mod random;
mod record;
mod seed;
mod transit;
mod wakes;
mod wire;

pub use clock::{Clock, WALL_BASE_SECS};
pub use fate::{Fate, Fault, Leaving, Side};
pub use link::Link;
pub use network::{HostId, Network, NetworkStats, Packet};
pub use pair::{DtlsPeer, IcePair, IcePeer, Pair, Peer, SctpPeer, Tasks};
pub use random::Random;
pub use record::{Record, Recorded};
pub use seed::{SEED_VARIABLE, TestSeed, for_each_seed, layer_seed, seed};
pub use wakes::Wakes;
pub use wire::{Wire, WireStats};
