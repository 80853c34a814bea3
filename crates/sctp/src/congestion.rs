//! Congestion control (RFC 9260 §7): how much may be in flight.

mod bbr;
mod cubic;
mod hystart;
mod reno;

use crate::outstanding::Delivery;
use crate::{CongestionControl, Factory};
use bbr::Bbr;
use cubic::Cubic;
use reno::Reno;
use std::fmt;
use std::time::{Duration, Instant};

/// What a controller learns from a SACK.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acked {
    pub(crate) now: Instant,
    /// Bytes that this SACK acknowledged for the first time.
    pub(crate) bytes: usize,
    /// Bytes in flight before the SACK.
    pub(crate) in_flight_before: usize,
    /// Bytes in flight after it.
    pub(crate) in_flight: usize,
    /// Whether the Cumulative TSN Ack Point advanced.
    pub(crate) advanced: bool,
    /// The round trip of what has just arrived, if it can be told.
    pub(crate) round_trip: Option<Duration>,
    /// The smoothed round trip.
    pub(crate) smoothed: Option<Duration>,
    /// How fast it was delivered; `None` if nothing that was sent has just arrived.
    pub(crate) delivery: Option<Delivery>,
}

/// Decides the congestion window. All sizes are bytes.
pub(crate) trait Controller: Send + fmt::Debug {
    /// New data was acknowledged.
    fn acked(&mut self, acked: Acked);

    /// Packets were lost, as SACKs tell; called once per loss event (RFC 9260 §7.2.4).
    fn lost(&mut self);

    /// The loss event is over: everything in flight at its start has arrived.
    fn recovered(&mut self);

    /// The retransmission timer expired (RFC 9260 §7.2.3).
    fn timed_out(&mut self);

    /// Nothing was sent for this many retransmission timeouts (RFC 9260 §7.2.1).
    fn idle(&mut self, now: Instant, timeouts: u32);

    /// The path carries packets of another size.
    fn set_segment(&mut self, bytes: usize);

    /// Whether every loss means that the path is full, so that until it is made good packets leave
    /// only as others arrive.
    fn conserves_packets(&self) -> bool {
        true
    }

    /// The window.
    fn window(&self) -> usize;

    /// How fast packets leave, in bytes per second; `None` as fast as the window allows.
    fn pacing_rate(&self) -> Option<f64> {
        None
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes and counts are far below 2^52"
)]
fn float(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "windows are not negative and far below 2^52 bytes; infinity is the largest number"
)]
fn whole(bytes: f64) -> usize {
    bytes as usize
}

/// The controller that the settings ask for. `segment` is what one packet carries, `seed` makes
/// flows differ that are alike.
pub(crate) fn controller(settings: &Factory, segment: usize, seed: u32) -> Box<dyn Controller> {
    match settings.congestion {
        CongestionControl::Bbr => Box::new(Bbr::new(settings.initial_window, segment, seed.into())),
        CongestionControl::Cubic => Box::new(Cubic::new(settings.initial_window, segment)),
        CongestionControl::Reno => Box::new(Reno::new(settings.initial_window, segment)),
    }
}
