//! The processes that a measurement takes: two ends, and a path between them where it is impaired.

use super::case::Impairment;
use crate::Result;
use crate::wire::{Command, Report, Sample, Setup};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

/// An end that says nothing for so long has failed.
const PATIENCE: Duration = Duration::from_secs(40);

/// Starts this program again, as something else.
fn start(arguments: &[String]) -> Result<(Child, ChildStdin, Lines<BufReader<ChildStdout>>)> {
    let mut command = tokio::process::Command::new(std::env::current_exe()?);
    command.args(arguments).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    // The others' warnings are theirs; failures are reported.
    command.stderr(Stdio::null());
    let mut child = command.spawn()?;
    let input = child.stdin.take().ok_or("no standard input")?;
    let output = child.stdout.take().ok_or("no standard output")?;
    Ok((child, input, BufReader::new(output).lines()))
}

/// A process with one end of each pair.
pub(super) struct End {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl End {
    async fn start(setup: Setup) -> Result<Self> {
        let (process, mut input, output) = start(&["end".into()])?;
        let line = serde_json::to_string(&setup)? + "\n";
        input.write_all(line.as_bytes()).await?;
        Ok(Self {
            process,
            input,
            output,
        })
    }

    pub(super) async fn tell(&mut self, command: Command) -> Result<()> {
        let line = serde_json::to_string(&command)? + "\n";
        Ok(self.input.write_all(line.as_bytes()).await?)
    }

    /// What the end says next, unless it is that it failed.
    pub(super) async fn report(&mut self) -> Result<Report> {
        let line = timeout(PATIENCE, self.output.next_line()).await;
        let line = line.map_err(|_| "it says nothing any more")??;
        match serde_json::from_str(&line.ok_or("it ended early")?)? {
            Report::Failed { reason } => Err(reason.into()),
            report => Ok(report),
        }
    }

    pub(super) async fn sample(&mut self) -> Result<Sample> {
        self.tell(Command::Sample).await?;
        match self.report().await? {
            Report::Sampled(sample) => Ok(sample),
            other => Err(unexpected(&other)),
        }
    }
}

/// The error for a report that was not asked for.
pub(super) fn unexpected(report: &Report) -> Box<dyn std::error::Error + Send + Sync> {
    format!("unexpected: {report:?}").into()
}

/// Both ends, and the path between them.
pub(super) struct Ends {
    pub(super) offerer: End,
    pub(super) answerer: End,
    /// The ports that stand for the offerer and the answerer, and the process that serves them.
    path: Option<([u16; 2], Child, ChildStdin)>,
}

impl Ends {
    pub(super) async fn start(setup: Setup, path: Option<Impairment>, seed: u64) -> Result<Self> {
        let path = match path {
            Some(impairment) => Some(impaired(impairment, seed).await?),
            None => None,
        };
        Ok(Self {
            offerer: End::start(setup).await?,
            answerer: End::start(setup).await?,
            path,
        })
    }

    /// Makes a connection with an open channel. The time it took, in µs.
    pub(super) async fn open(&mut self, pair: usize) -> Result<f64> {
        self.offerer.tell(Command::Open { pair }).await?;
        let Report::Offer { sdp, .. } = self.offerer.report().await? else {
            return Err("it made no offer".into());
        };
        let sdp = self.rerouted(sdp, 0);
        self.answerer.tell(Command::Offer { pair, sdp }).await?;
        let Report::Answer { sdp, .. } = self.answerer.report().await? else {
            return Err("it made no answer".into());
        };
        let sdp = self.rerouted(sdp, 1);
        self.offerer.tell(Command::Answer { pair, sdp }).await?;
        let Report::Opened { micros, .. } = self.offerer.report().await? else {
            return Err("its channel did not open".into());
        };
        match self.answerer.report().await? {
            Report::Opened { .. } => Ok(micros),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn close(&mut self, pair: usize) -> Result<()> {
        for end in [&mut self.offerer, &mut self.answerer] {
            end.tell(Command::Close { pair }).await?;
            end.report().await?;
        }
        Ok(())
    }

    /// The offerer's and the answerer's.
    pub(super) async fn samples(&mut self) -> Result<[Sample; 2]> {
        let offerer = self.offerer.sample().await?;
        Ok([offerer, self.answerer.sample().await?])
    }

    /// Ends the processes.
    pub(super) async fn end(mut self) -> Result<()> {
        self.offerer.process.kill().await?;
        self.answerer.process.kill().await?;
        if let Some((_, mut path, _)) = self.path.take() {
            path.kill().await?;
        }
        Ok(())
    }

    /// The description of one side, with its candidates on the path's port where there is a path.
    fn rerouted(&self, sdp: String, side: usize) -> String {
        match &self.path {
            Some((ports, ..)) => moved(&sdp, ports[side]),
            None => sdp,
        }
    }
}

async fn impaired(impairment: Impairment, seed: u64) -> Result<([u16; 2], Child, ChildStdin)> {
    let one_way = impairment.round_trip.as_micros() / 2;
    let arguments = [
        "path".into(),
        one_way.to_string(),
        impairment.loss_permille.to_string(),
        seed.to_string(),
    ];
    let (process, input, mut output) = start(&arguments)?;
    let line = timeout(PATIENCE, output.next_line()).await??;
    let ports = serde_json::from_str(&line.ok_or("the path ended early")?)?;
    Ok((ports, process, input))
}

/// The description with all its candidates on this port.
fn moved(sdp: &str, port: u16) -> String {
    let line = |line: &str| {
        if !line.starts_with("a=candidate:") {
            return format!("{line}\r\n");
        }
        // RFC 8839 §5.1: the port is the sixth field.
        let mut fields: Vec<String> = line.split(' ').map(str::to_owned).collect();
        if let Some(field) = fields.get_mut(5) {
            *field = port.to_string();
        }
        format!("{}\r\n", fields.join(" "))
    };
    sdp.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_moved_and_nothing_else() {
        let sdp = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
                   a=candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host\r\n";
        assert_eq!(moved(sdp, 6000), sdp.replace("5000", "6000"));
    }
}
