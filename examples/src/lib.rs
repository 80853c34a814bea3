//! What the small examples share, so that each shows its own subject and nothing else: flags of the
//! command line, one page and one `POST /offer` ([`signalling`]), clips played at their own
//! pace ([`playback`]), and a firewall where there is none ([`firewall`]).
//!
//! `echo` and `loopback` use none of it: `echo` negotiates again and again, which needs more than
//! this.

pub mod codec;
pub mod firewall;
mod flags;
pub mod playback;
pub mod signalling;

pub use flags::{Flags, run};

/// What goes wrong in an example ends it with a message.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Runs a task on its own. One that fails says so and ends nothing else.
#[expect(clippy::disallowed_methods, reason = "an application spawns")]
pub fn spawn(task: impl Future<Output = Outcome> + Send + 'static) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = task.await {
            eprintln!("{error}");
        }
    })
}
