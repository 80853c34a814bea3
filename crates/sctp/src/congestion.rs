//! Congestion control (RFC 9260 §7): how much may be in flight.

mod cubic;
mod hystart;
mod reno;

use crate::{CongestionControl, Factory};
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
    fn idle(&mut self, timeouts: u32);

    /// The path carries packets of another size.
    fn set_segment(&mut self, bytes: usize);

    /// The window.
    fn window(&self) -> usize;
}

/// The controller that the settings ask for. `segment` is what one packet carries.
pub(crate) fn controller(settings: &Factory, segment: usize) -> Box<dyn Controller> {
    match settings.congestion {
        CongestionControl::Cubic => Box::new(Cubic::new(settings.initial_window, segment)),
        CongestionControl::Reno => Box::new(Reno::new(settings.initial_window, segment)),
    }
}
