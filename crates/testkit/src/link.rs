use std::time::Duration;

/// The properties of one direction of a path, in the order a datagram meets them:
/// MTU, loss, queue and rate, delay and jitter, reordering, duplication.
///
/// Take a preset and change fields:
///
/// ```
/// use muonrtc_testkit::Link;
/// let mut link = Link::lossy(30);
/// link.duplicate = 0.2;
/// link.delay = std::time::Duration::from_millis(40);
/// ```
///
/// Sizes are those of the datagrams themselves: headers of UDP and IP are not added.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Link {
    /// How long every datagram travels. Default 0.
    pub delay: Duration,
    /// Up to this much is added to the delay, evenly distributed. Jitter alone never reorders: what
    /// was sent later arrives later or at the same time. Default 0.
    pub jitter: Duration,
    /// The probability that a datagram is lost, 0.0 to 1.0. Default 0.
    pub loss: f64,
    /// The probability that a datagram is held back by [`reorder_by`](Link::reorder_by), so that
    /// later ones overtake it. Default 0.
    pub reorder: f64,
    /// How long a reordered datagram is held back. Default 10 ms.
    pub reorder_by: Duration,
    /// The probability that a datagram arrives twice; the copy travels up to
    /// [`reorder_by`](Link::reorder_by) longer. Default 0.
    pub duplicate: f64,
    /// How fast the link takes datagrams off its queue, in bits per second; `None`: at once.
    pub rate: Option<u64>,
    /// How many bytes may wait for the rate, the datagram on its way included; one that does not fit is dropped. Only used
    /// with a rate. Default 128 KiB.
    pub queue: usize,
    /// The largest datagram it carries, in bytes; larger ones are dropped silently, as by a router
    /// that does not fragment. `None`: any.
    pub mtu: Option<usize>,
}

impl Link {
    /// Everything arrives at once, in order, exactly once.
    #[must_use]
    pub fn perfect() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: 0.0,
            reorder: 0.0,
            reorder_by: Duration::from_millis(10),
            duplicate: 0.0,
            rate: None,
            queue: 128 * 1024,
            mtu: None,
        }
    }

    /// Nothing is lost, and everything takes this long.
    #[must_use]
    pub fn delayed(delay: Duration) -> Self {
        Self {
            delay,
            ..Self::perfect()
        }
    }

    /// 10 ms, and this many percent of the datagrams are lost.
    #[must_use]
    pub fn lossy(percent: u8) -> Self {
        Self {
            loss: f64::from(percent) / 100.0,
            ..Self::delayed(Duration::from_millis(10))
        }
    }

    /// A home connection: 15 ms with 3 ms of jitter, 20 Mbit/s, 1500-byte packets (1472 bytes of
    /// datagram in IPv4).
    #[must_use]
    pub fn broadband() -> Self {
        Self {
            jitter: Duration::from_millis(3),
            rate: Some(20_000_000),
            mtu: Some(1472),
            ..Self::delayed(Duration::from_millis(15))
        }
    }

    /// A mobile connection on a bad day: 80 ms with 40 ms of jitter, 1 Mbit/s, 3 % loss, some
    /// reordering and duplication.
    #[must_use]
    pub fn mobile() -> Self {
        Self {
            jitter: Duration::from_millis(40),
            loss: 0.03,
            reorder: 0.01,
            duplicate: 0.005,
            rate: Some(1_000_000),
            mtu: Some(1400),
            ..Self::delayed(Duration::from_millis(80))
        }
    }

    /// 10 ms, and a fifth of all datagrams each is lost, reordered and duplicated.
    #[must_use]
    pub fn hostile() -> Self {
        Self {
            reorder: 0.2,
            duplicate: 0.2,
            ..Self::lossy(20)
        }
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::perfect()
    }
}
