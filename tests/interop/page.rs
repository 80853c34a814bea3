//! Serves a page with its checks, and takes what it posts back.

use crate::example::Example;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;
use tokio::sync::mpsc;

/// The most reports that wait to be read; the page sends one at a time.
const WAITING_REPORTS: usize = 8;

/// What the page posts to `/result`.
#[derive(Debug)]
pub(crate) enum Report {
    /// One check is done.
    Checked(Outcome),
    /// All are.
    Finished {
        /// The browser's name for itself.
        agent: String,
    },
}

/// How one check went.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Its name.
    pub(crate) check: String,
    /// Whether it did.
    pub(crate) passed: bool,
    /// How long it took.
    milliseconds: u64,
    /// What it measured, where it passed.
    pub(crate) results: Value,
    /// Where a failed check stood, and its statistics.
    details: Value,
}

impl Report {
    /// A report without a verdict is a failed check: the page never passes by being unreadable.
    fn parse(body: Value) -> Self {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        if body["finished"] == json!(true) {
            return Self::Finished {
                agent: text("agent"),
            };
        }
        Self::Checked(Outcome {
            check: text("check"),
            passed: body["passed"] == json!(true),
            milliseconds: body["milliseconds"].as_u64().unwrap_or_default(),
            results: body["results"].clone(),
            details: body["details"].clone(),
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed { "ok    " } else { "FAILED" };
        write!(f, "{verdict} {:>6} ms  {}", self.milliseconds, self.check)?;
        if self.results["absent"] == json!(true) {
            write!(f, ": the browser lacks it")?;
        }
        if !self.passed {
            write!(f, "\n{:#}", self.details)?;
        }
        Ok(())
    }
}

/// A page with its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// `page.html`: data channels with the server.
    Data,
    /// `media.html`: audio and video with the server.
    Media,
    /// `media.html`: audio and video, with the browser itself in the server's place.
    MediaLoop,
    /// `examples.html`: the pages of an example.
    Example(Example),
    /// `paths.html`: through relays, and from one path to the next.
    Paths,
}

impl Page {
    /// Where the browser finds it.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Data => "/interop",
            Self::Media => "/interop/media",
            Self::MediaLoop => "/interop/media?loop",
            Self::Example(_) => "/interop/examples",
            Self::Paths => "/interop/paths",
        }
    }

    /// From the start of the browser to the last check.
    pub(crate) fn deadline(self) -> Duration {
        match self {
            Self::Data => Duration::from_secs(120),
            Self::Example(_) | Self::Paths => Duration::from_secs(75),
            Self::Media | Self::MediaLoop => Duration::from_secs(240),
        }
    }
}

/// The pages, told to run the checks of these names, and the stream of what they report.
pub(crate) fn router(checks: &[&str]) -> (Router, mpsc::Receiver<Report>) {
    let (reports, receiver) = mpsc::channel(WAITING_REPORTS);
    let page = |html: &str| {
        let html = html.replace("/* checks */ []", &json!(checks).to_string());
        get(move || async move { Html(html) })
    };
    let router = Router::new()
        .route("/interop", page(include_str!("page.html")))
        .route("/interop/media", page(include_str!("media.html")))
        .route("/interop/examples", page(include_str!("examples.html")))
        .route("/interop/examples.js", script(include_str!("examples.js")))
        .route("/interop/frame.js", script(include_str!("frame.js")))
        .route("/interop/paths", page(include_str!("paths.html")))
        .route("/interop/paths.js", script(include_str!("paths.js")))
        .route("/interop/loop.js", script(include_str!("loop.js")))
        .route("/interop/media.js", script(include_str!("media.js")))
        .route("/result", post(take))
        .with_state(reports);
    (router, receiver)
}

fn script(text: &'static str) -> MethodRouter<mpsc::Sender<Report>> {
    get(move || async move { ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], text) })
}

async fn take(State(reports): State<mpsc::Sender<Report>>, Json(body): Json<Value>) -> Json<Value> {
    // Nobody listens any more only when the test has ended already.
    let _ = reports.send(Report::parse(body)).await;
    Json(json!({}))
}
