//! Flags of the command line, without a library.

use crate::Outcome;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::str::FromStr;
use tracing_subscriber::EnvFilter;

/// The arguments of an example: flags with a value each, and files.
#[derive(Debug, Default)]
pub struct Flags {
    values: BTreeMap<String, String>,
    files: Vec<String>,
}

/// Runs `program` with the arguments it was given. The flags it takes are those that `help` lists, in
/// lines that begin with them.
pub async fn run<F: Future<Output = Outcome>>(
    help: &str,
    program: impl FnOnce(Flags) -> F,
) -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .init();
    let outcome = match Flags::parse(help, std::env::args().skip(1)) {
        Ok(Some(flags)) => program(flags).await,
        Ok(None) => {
            println!("{help}");
            Ok(())
        }
        Err(wrong) => Err(wrong),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

impl Flags {
    /// `None` asks for help.
    fn parse(help: &str, mut args: impl Iterator<Item = String>) -> Outcome<Option<Self>> {
        let listed = |name: &str| help.lines().any(|line| first_word(line) == name);
        let mut flags = Self::default();
        while let Some(arg) = args.next() {
            let (name, joined) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (arg.as_str(), None),
            };
            match name {
                "--help" | "-h" => return Ok(None),
                _ if !name.starts_with("--") => flags.files.push(arg),
                _ if !listed(name) => return Err(format!("no such flag: {name}\n\n{help}").into()),
                _ => {
                    let value = joined.or_else(|| args.next());
                    let value = value.ok_or_else(|| format!("{name} wants a value"))?;
                    flags.values.insert(name.to_owned(), value);
                }
            }
        }
        Ok(Some(flags))
    }

    /// The value of a flag, or what it is without.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn value<T: FromStr<Err: Display>>(&self, name: &str, default: T) -> Outcome<T> {
        let Some(value) = self.values.get(name) else {
            return Ok(default);
        };
        value
            .parse()
            .map_err(|error| format!("{name} {value:?}: {error}").into())
    }

    /// Where to listen: `--bind` and `--port`, by default 127.0.0.1:8080.
    ///
    /// # Errors
    ///
    /// If one of them cannot be read.
    pub fn address(&self) -> Outcome<SocketAddr> {
        let address = self.value("--bind", IpAddr::V4(Ipv4Addr::LOCALHOST))?;
        Ok(SocketAddr::new(address, self.value("--port", 8080)?))
    }

    /// The arguments that are no flags.
    #[must_use]
    pub fn files(&self) -> &[String] {
        &self.files
    }
}

fn first_word(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELP: &str = "Does things.\n\n  --port PORT   where\n  --video CODEC what";

    fn parsed(args: &[&str]) -> Outcome<Option<Flags>> {
        Flags::parse(HELP, args.iter().map(|arg| (*arg).to_owned()))
    }

    #[test]
    fn flags_are_those_of_the_help() {
        let flags = parsed(&["--port=9000", "a.webm", "--video", "vp9"])
            .unwrap()
            .unwrap();
        assert_eq!(flags.address().unwrap().port(), 9000);
        assert_eq!(flags.value("--video", String::new()).unwrap(), "vp9");
        assert_eq!(flags.files(), ["a.webm"]);
        assert!(parsed(&["--speed", "2"]).is_err());
        assert!(parsed(&["--port"]).is_err());
        assert!(parsed(&["--help"]).unwrap().is_none());
    }
}
