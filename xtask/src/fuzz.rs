//! `cargo xtask fuzz`: builds one fuzz target with nightly and runs it from its seeds.

use crate::family;
use crate::step::{self, Failure, Outcome, program};
use std::path::Path;

/// libFuzzer's instrumentation and the address sanitizer, as cargo-fuzz would set them.
const FLAGS: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Zsanitizer=address -Ccodegen-units=1 -Cdebug-assertions=on --cfg fuzzing";

/// The target triple must be named, or the flags would reach build scripts and proc macros too.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// What a target starts from.
struct Seeds {
    target: &'static str,
    /// Folders under `../shared/vectors`.
    folders: &'static [&'static str],
    /// For a target that reads a tape: the steps before the packet, and how many bytes of the packet
    /// the target makes itself.
    tape: Option<(&'static [u8], usize)>,
}

const SEEDS: &[Seeds] = &[
    Seeds {
        target: "stun",
        folders: &["fuzz/libwebrtc/stun-corpus"],
        tape: None,
    },
    Seeds {
        target: "sdp",
        folders: &[
            "sdp/captured",
            "sdp/jsep",
            "sdp/mozilla",
            "fuzz/libwebrtc/sdp-corpus",
        ],
        tape: None,
    },
    Seeds {
        target: "rtp_packet",
        folders: &["rtp/aiortc", "fuzz/libwebrtc/rtp-corpus"],
        tape: None,
    },
    Seeds {
        target: "rtcp",
        folders: &["rtcp/aiortc", "fuzz/libwebrtc/rtcp-corpus"],
        tape: None,
    },
    Seeds {
        target: "dependency_descriptor",
        folders: &["fuzz/libwebrtc/dependency_descriptor-corpus"],
        tape: None,
    },
    Seeds {
        target: "media",
        folders: &["media"],
        tape: None,
    },
    Seeds {
        target: "sctp_packet",
        folders: &["sctp/aiortc", "fuzz/libwebrtc/sctp-packet-corpus"],
        tape: None,
    },
    Seeds {
        target: "sctp_association",
        folders: &["sctp/aiortc", "fuzz/libwebrtc/sctp-packet-corpus"],
        // Let the handshake pass, then hand the chunks to one end.
        tape: Some((&[0, 0, 0, 0, 3, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0], 12)),
    },
    Seeds {
        target: "ice_agent",
        folders: &["fuzz/libwebrtc/stun-corpus"],
        // Start, let the checks pass, then hand the attributes to one end, signed.
        tape: Some((&[0, 0, 1, 3, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 20)),
    },
];

pub(crate) fn run(arguments: &[&str]) -> Outcome {
    let (target, seconds) = match arguments {
        [] => return list(),
        [target] => (*target, 60),
        [target, seconds] => match seconds.parse::<u32>() {
            Ok(seconds) => (*target, seconds),
            Err(_) => return Err(Failure::usage(format!("not a number: {seconds}"))),
        },
        [_, _, more, ..] => return Err(Failure::usage(format!("too much: {more}"))),
    };
    if !targets()?.iter().any(|name| name == target) {
        return Err(Failure::usage(format!("no fuzz target {target}")));
    }
    let fuzz = family::root().join("fuzz");
    let corpus = fuzz.join("corpus").join(target);
    let seeds = copy_seeds(target, &corpus)?;
    println!("{seeds} seeds in {}", family::relative(&corpus));

    let mut build = program("cargo");
    build
        .current_dir(&fuzz)
        .env("RUSTFLAGS", FLAGS)
        .env("RUSTUP_TOOLCHAIN", "nightly")
        .args(["build", "--release", "--target", TRIPLE, "--bin", target]);
    step::run(&format!("build {target}"), build)?;

    let folder = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| fuzz.join("target"), |folder| fuzz.join(folder));
    let binary = folder.join(TRIPLE).join("release").join(target);
    let artifacts = fuzz.join("artifacts").join(target);
    make(&artifacts)?;
    let mut fuzzer = program(&binary.to_string_lossy());
    fuzzer
        .arg(&corpus)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-timeout=10", "-rss_limit_mb=2048"])
        .args(["-print_final_stats=1"]);
    step::run(&format!("fuzz {target} for {seconds} s"), fuzzer)
}

fn list() -> Outcome {
    for target in targets()? {
        println!("{target}");
    }
    Ok(())
}

/// The files in `fuzz/targets`, one target each.
fn targets() -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = family::files(&family::root().join("fuzz/targets"))?
        .iter()
        .filter_map(|path| Some(family::file_name(path).strip_suffix(".rs")?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// Copies what `../shared/vectors` has for this target and returns how large the corpus is.
fn copy_seeds(target: &str, corpus: &Path) -> Result<usize, Failure> {
    make(corpus)?;
    let vectors = family::root().join("../shared/vectors");
    for seeds in SEEDS.iter().filter(|seeds| seeds.target == target) {
        for folder in seeds.folders.iter().map(|folder| vectors.join(folder)) {
            if !folder.is_dir() {
                println!("left out: seeds in {}, which is not here", folder.display());
                continue;
            }
            for seed in family::files(&folder)? {
                let to = corpus.join(family::file_name(&seed));
                std::fs::read(&seed)
                    .and_then(|bytes| std::fs::write(to, seeds.framed(bytes)))
                    .map_err(|error| Failure::new(format!("{}: {error}", seed.display())))?;
            }
        }
    }
    Ok(family::files(corpus)?.len())
}

impl Seeds {
    /// The packet as the target reads it.
    fn framed(&self, packet: Vec<u8>) -> Vec<u8> {
        let Some((before, made)) = self.tape else {
            return packet;
        };
        let rest = packet.get(made..).unwrap_or_default();
        let len = u16::try_from(rest.len()).unwrap_or(u16::MAX);
        [before, &len.to_be_bytes(), rest].concat()
    }
}

fn make(folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))
}
