//! The addresses of this host, asked of the system once for many connections.

use layer::Interface;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How old a list may be. Asking the system takes longer than setting a connection up.
const MAX_AGE: Duration = Duration::from_secs(2);

/// How often an owner looks whether addresses have come or gone, when it is awake for something else.
pub(crate) const LOOK_INTERVAL: Duration = Duration::from_secs(3);

/// How long it sleeps at most before it looks.
pub(crate) const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// The last list and when it was made.
static LATEST: Mutex<Option<(Instant, Arc<[Interface]>)>> = Mutex::new(None);

/// The addresses of this host, as they were at most [`MAX_AGE`] ago.
pub(crate) fn interfaces(now: Instant) -> Arc<[Interface]> {
    let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((made, list)) = &*latest
        && now.saturating_duration_since(*made) < MAX_AGE
    {
        return Arc::clone(list);
    }
    let list = list();
    *latest = Some((now, Arc::clone(&list)));
    list
}

fn list() -> Arc<[Interface]> {
    let listed = net::interfaces().unwrap_or_else(|error| {
        tracing::debug!(%error, "the interfaces could not be listed");
        Vec::new()
    });
    listed
        .into_iter()
        .map(|found| {
            let mut interface = Interface::new(found.name, found.address);
            interface.index = found.index;
            interface.loopback = found.loopback;
            interface
        })
        .collect()
}
