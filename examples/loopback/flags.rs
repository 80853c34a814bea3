//! The command line.

pub(crate) const HELP: &str = "\
Connects two peers in this process over real UDP sockets, exchanges data channel messages,
checks every byte, and prints what it took.

Usage: cargo run --release --example loopback -- [OPTIONS]

Options:
  --connections N   connections made one after another for the set-up time [default: 100]
  --rounds N        64-byte messages there and back, one by one [default: 10000]
  --messages N      64-byte messages there and back, as fast as they go [default: 1000000]
  --bytes N         bytes one way in 16 KiB messages [default: 1073741824]
  --threads N       worker threads of the runtime [default: 2]
  --json            print one line of JSON instead
  --help            print this and exit";

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flags {
    pub(crate) connections: u64,
    pub(crate) rounds: u64,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) threads: usize,
    pub(crate) json: bool,
}

impl Flags {
    /// What the arguments ask for; `None` asks for help.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut flags = Self {
            connections: 100,
            rounds: 10_000,
            messages: 1_000_000,
            bytes: 1 << 30,
            threads: 2,
            json: false,
        };
        while let Some(flag) = args.next() {
            let count = match flag.as_str() {
                "--json" => {
                    flags.json = true;
                    continue;
                }
                "--connections" => &mut flags.connections,
                "--rounds" => &mut flags.rounds,
                "--messages" => &mut flags.messages,
                "--bytes" => &mut flags.bytes,
                "--threads" => {
                    flags.threads = usize::try_from(number(&flag, args.next())?).unwrap_or(1);
                    continue;
                }
                "--help" | "-h" => return Ok(None),
                other => return Err(format!("no such flag: {other}")),
            };
            *count = number(&flag, args.next())?;
        }
        Ok(Some(flags))
    }
}

fn number(flag: &str, value: Option<String>) -> Result<u64, String> {
    let number = value.and_then(|value| value.replace('_', "").parse().ok());
    match number {
        Some(number) if number > 0 => Ok(number),
        _ => Err(format!("{flag} takes a number above 0")),
    }
}
