//! Conformance kits: what every implementation of a layer's trait must do, as named cases.
//!
//! A kit proves an implementation from the outside: it makes machines with the factory under test,
//! joins them over a [`Link`](crate::Link) in virtual time, and looks at what comes out. The
//! defaults of the family pass the same kits.
//!
//! Each kit has a `Subject` (the factory and what it claims) and a list of [`Case`]s. Run all of
//! them with `Subject::run` and print the [`Report`], or give every case a `#[test]` of its own
//! with [`ice_conformance!`](crate::ice_conformance), [`sctp_conformance!`](crate::sctp_conformance),
//! [`dtls_conformance!`](crate::dtls_conformance) and
//! [`srtp_conformance!`](crate::srtp_conformance):
//!
//! ```ignore
//! mod sctp_conforms {
//!     muonrtc_testkit::sctp_conformance!(Subject::new(|| Arc::new(MyFactory::default())));
//! }
//! ```
//!
//! What the contract leaves open is a claim: an implementation says in the `Claims` of its kit what
//! it does not do, and the cases that need it are left out, visibly.

/// Writes the table of a kit, and the macro that makes a `#[test]` of each of its cases.
macro_rules! kit {
    (
        $(#[$doc:meta])*
        $macro:ident($d:tt) in $kit:ident;
        $($name:ident: $description:literal => $test:path $(, unless $reason:expr)?;)*
    ) => {
        /// Every case of the kit.
        pub const CASES: &[$crate::conformance::Case<Subject>] = &[$(
            $crate::conformance::Case::new(stringify!($name), $description, $test)
                $(.unless($reason))?
        ),*];

        $(#[$doc])*
        #[macro_export]
        macro_rules! $macro {
            ($d subject:expr) => {$(
                #[test]
                fn $name() {
                    $crate::conformance::run_case(
                        $crate::conformance::$kit::CASES,
                        stringify!($name),
                        &$d subject,
                    );
                }
            )*};
        }
    };
}

pub mod dtls;
pub mod ice;
pub mod sctp;
pub mod srtp;

use crate::{TestSeed, seed};
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The seed of a case when [`SEED_VARIABLE`](crate::SEED_VARIABLE) sets no other.
const DEFAULT_SEED: u64 = 1;

/// One thing that an implementation must do.
pub struct Case<S> {
    /// The name, as that of a test.
    pub name: &'static str,
    /// What is expected, and where the contract or the standard says so.
    pub description: &'static str,
    /// Why the subject need not do it, from its claims; `None` if it must.
    left_out: fn(&S) -> Option<&'static str>,
    /// Panics if the subject does not do it.
    test: fn(&S, &TestSeed),
}

impl<S> Case<S> {
    /// A case that every implementation must pass.
    const fn new(name: &'static str, description: &'static str, test: fn(&S, &TestSeed)) -> Self {
        Self {
            name,
            description,
            left_out: |_| None,
            test,
        }
    }

    /// The same case, left out where `reason` gives one.
    const fn unless(mut self, reason: fn(&S) -> Option<&'static str>) -> Self {
        self.left_out = reason;
        self
    }

    /// Runs the case; returns why it was left out, if it was.
    ///
    /// # Panics
    ///
    /// If the subject does not do what the case asks.
    pub fn run(&self, subject: &S) -> Option<&'static str> {
        let reason = (self.left_out)(subject);
        if reason.is_none() {
            let seed = seed(DEFAULT_SEED);
            (self.test)(subject, &seed);
        }
        reason
    }

    /// Runs the case and turns a panic into a verdict. The message of the panic is printed as well,
    /// by the hook that is set.
    pub fn judge(&self, subject: &S) -> Verdict {
        match catch_unwind(AssertUnwindSafe(|| self.run(subject))) {
            Ok(None) => Verdict::Passed,
            Ok(Some(reason)) => Verdict::LeftOut(reason),
            Err(panic) => Verdict::Failed(told(&*panic)),
        }
    }
}

impl<S> fmt::Debug for Case<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// How one case went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// As the case asks.
    Passed,
    /// Not run, for a claim of the subject.
    LeftOut(&'static str),
    /// Otherwise, with the message of the panic.
    Failed(String),
}

/// How all cases of a kit went. `Display` prints one line per case.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// What was tested.
    pub subject: String,
    /// Every case by name, in the order of the kit.
    pub verdicts: Vec<(&'static str, Verdict)>,
}

impl Report {
    fn new<S>(name: &str, subject: &S, cases: &[Case<S>]) -> Self {
        Self {
            subject: name.to_owned(),
            verdicts: cases
                .iter()
                .map(|case| (case.name, case.judge(subject)))
                .collect(),
        }
    }

    /// Whether no case failed.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self
            .verdicts
            .iter()
            .any(|(_, verdict)| matches!(verdict, Verdict::Failed(_)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.subject)?;
        for (name, verdict) in &self.verdicts {
            match verdict {
                Verdict::Passed => writeln!(f, "  passed    {name}")?,
                Verdict::LeftOut(reason) => writeln!(f, "  left out  {name}: {reason}")?,
                Verdict::Failed(message) => writeln!(f, "  FAILED    {name}: {message}")?,
            }
        }
        Ok(())
    }
}

/// Runs one case by its name, for a `#[test]` of its own, and prints that it was left out if so.
///
/// # Panics
///
/// If the case fails, or if there is none of that name.
pub fn run_case<S>(cases: &[Case<S>], name: &str, subject: &S) {
    let Some(case) = cases.iter().find(|case| case.name == name) else {
        panic!("the kit has no case {name}");
    };
    if let Some(reason) = case.run(subject) {
        println!("left out: {reason}");
    }
}

/// The message of a panic.
fn told(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
