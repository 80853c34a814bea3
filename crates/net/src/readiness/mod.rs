//! When a socket is worth another try.

#[cfg(unix)]
mod on_demand;
#[cfg(unix)]
pub(crate) use on_demand::Registered;

#[cfg(not(unix))]
mod always;
#[cfg(not(unix))]
pub(crate) use always::Registered;
