//! What takes its time to be answered: names, and connections made.

use crate::driver::secured::{Secured, Server};
use crate::driver::stream::{Carrier, framing};
use crate::session::{Session, ShellRequest};
use crate::shared::now;
use layer::RequestId;
use net::{Connector, Target};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::runtime::Handle as Runtime;
use tokio::task::AbortHandle;

/// Questions that are asked at the same time; one more is answered with a failure.
const MAX_QUESTIONS: usize = 64;

/// The answer to a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The addresses of a name.
    Resolved(RequestId, Vec<IpAddr>),
    /// A connection, or why there is none.
    Connected(RequestId, io::Result<Box<Carrier>>),
}

/// A question on its way.
pub(crate) type Question = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Begins to answer a request of a session for a name or a connection; `None` for any other.
pub(crate) fn question(
    request: ShellRequest,
    connector: &Arc<Connector>,
    session: &mut Session,
) -> Option<Question> {
    match request {
        ShellRequest::Resolve { request, host } => Some(Box::pin(async move {
            Answer::Resolved(request, resolve(&host).await)
        })),
        ShellRequest::ConnectTcp {
            request,
            local,
            remote,
            framing: lying,
            server_name,
        } => {
            let mut target = Target::new(local, remote, framing(lying));
            target.server_name = server_name;
            let connector = Arc::clone(connector);
            Some(Box::pin(async move {
                let stream = connector.connect(target).await;
                Answer::Connected(request, stream.map(Carrier::Tcp).map(Box::new))
            }))
        }
        ShellRequest::ConnectDtls {
            request,
            local,
            ports,
            remote,
            server_name,
        } => {
            let (factory, start) = session.dtls_to_server(now());
            let server = Server {
                local,
                ports,
                remote,
                name: server_name,
                factory,
                start,
            };
            let connector = Arc::clone(connector);
            Some(Box::pin(async move {
                let secured = Secured::connect(server, &connector).await;
                Answer::Connected(request, secured.map(Carrier::Dtls).map(Box::new))
            }))
        }
        _ => None,
    }
}

/// The answer to a request that is one too many.
fn refusal(request: &ShellRequest) -> Option<Answer> {
    match request {
        ShellRequest::Resolve { request, .. } => Some(Answer::Resolved(*request, Vec::new())),
        ShellRequest::ConnectTcp { request, .. } | ShellRequest::ConnectDtls { request, .. } => {
            let refused = Err(io::ErrorKind::QuotaExceeded.into());
            Some(Answer::Connected(*request, refused))
        }
        _ => None,
    }
}

/// A `.local` name is for multicast DNS alone (ice-071).
async fn resolve(host: &str) -> Vec<IpAddr> {
    let resolved = if net::is_local_name(host) {
        net::resolve_local(host).await
    } else {
        net::resolve(host).await
    };
    resolved.unwrap_or_else(|error| {
        tracing::debug!(%error, "a name was not resolved");
        Vec::new()
    })
}

/// Names of one connection that are answered for; one more takes the place of the oldest.
const MAX_NAMES: usize = 16;

/// The names that are answered for by multicast DNS, as long as this lives.
#[derive(Debug, Default)]
pub(crate) struct Names(Vec<AbortHandle>);

impl Names {
    /// Answers for one more name.
    pub(crate) fn publish(&mut self, runtime: &Runtime, host: String, address: IpAddr) {
        if self.0.len() >= MAX_NAMES {
            self.0.remove(0).abort();
        }
        let task = runtime.spawn(async move {
            let Err(error) = net::publish_local(&host, address).await;
            tracing::debug!(%error, "a name is not answered for");
        });
        self.0.push(task.abort_handle());
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// The questions of one connection.
#[derive(Default)]
pub(crate) struct Answering {
    questions: Vec<Question>,
}

impl Answering {
    /// Asks.
    ///
    /// # Errors
    ///
    /// The answer at once, if too much is asked already.
    pub(crate) fn begin(
        &mut self,
        request: ShellRequest,
        connector: &Arc<Connector>,
        session: &mut Session,
    ) -> Result<(), Answer> {
        if self.questions.len() >= MAX_QUESTIONS
            && let Some(refusal) = refusal(&request)
        {
            return Err(refusal);
        }
        self.questions.extend(question(request, connector, session));
        Ok(())
    }

    /// The next answer that is there.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Option<Answer> {
        for at in 0..self.questions.len() {
            if let Poll::Ready(answer) = self.questions[at].as_mut().poll(cx) {
                drop(self.questions.swap_remove(at));
                return Some(answer);
            }
        }
        None
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering")
            .field("questions", &self.questions.len())
            .finish()
    }
}
