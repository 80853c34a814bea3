//! What takes its time to be answered: names, and connections made.

use crate::driver::stream::framing;
use crate::session::ShellRequest;
use layer::RequestId;
use net::{Connector, PacketStream, Target};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Questions that are asked at the same time; one more is answered with a failure.
const MAX_QUESTIONS: usize = 64;

/// The answer to a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The addresses of a name.
    Resolved(RequestId, Vec<IpAddr>),
    /// A connection, or why there is none.
    Connected(RequestId, io::Result<Box<PacketStream>>),
}

/// A question on its way.
pub(crate) type Question = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Begins to answer a request for a name or a connection; `None` for any other.
pub(crate) fn question(request: ShellRequest, connector: &Arc<Connector>) -> Option<Question> {
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
                Answer::Connected(request, connector.connect(target).await.map(Box::new))
            }))
        }
        _ => None,
    }
}

/// The answer to a request that is one too many.
fn refusal(request: &ShellRequest) -> Option<Answer> {
    match request {
        ShellRequest::Resolve { request, .. } => Some(Answer::Resolved(*request, Vec::new())),
        ShellRequest::ConnectTcp { request, .. } => {
            let refused = Err(io::ErrorKind::QuotaExceeded.into());
            Some(Answer::Connected(*request, refused))
        }
        _ => None,
    }
}

/// A `.local` name is for multicast DNS alone (ice-071).
async fn resolve(host: &str) -> Vec<IpAddr> {
    if host.ends_with(".local") {
        return Vec::new();
    }
    net::resolve(host).await.unwrap_or_default()
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
    ) -> Result<(), Answer> {
        if self.questions.len() >= MAX_QUESTIONS
            && let Some(refusal) = refusal(&request)
        {
            return Err(refusal);
        }
        self.questions.extend(question(request, connector));
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
