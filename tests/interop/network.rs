//! A network of its own for one test.
//!
//! Browsers gather no loopback address, and what a machine has besides differs. So the test runs
//! itself again in a new network namespace with a veth pair, an address of each family, and default
//! routes (from which the browsers learn which address is theirs). Traffic between the two
//! addresses of one host never leaves it. The namespace, and every process in it, ends with the
//! test, however that ends; without root a user namespace goes around it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set for the inner run; holds the folder for everything it writes.
const INSIDE: &str = "MUON_INTEROP_INSIDE";

/// The commands that make the network, run inside the namespace.
const SETUP: &[&str] = &[
    "link set lo up",
    "link add veth0 type veth peer name veth1",
    "addr add 10.77.0.1/24 dev veth0",
    "addr add fd00:77::1/64 dev veth0 nodad",
    "link set veth0 up",
    "link set veth1 up",
    "route add default dev veth0",
    "-6 route add default dev veth0",
];

const LEAVE_OUT: &str =
    "to leave the browsers out: `cargo xtask test --no-interop`, or MUON_INTEROP=skip";

/// Evidence that this process is the inner run.
pub(crate) struct Inside {
    scratch: PathBuf,
}

impl Inside {
    /// `Some` in the inner run.
    pub(crate) fn from_env() -> Option<Self> {
        let scratch = std::env::var_os(INSIDE)?.into();
        Some(Self { scratch })
    }

    /// An empty folder, removed after the run.
    pub(crate) fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Gives the namespace its links, addresses and routes.
    pub(crate) fn configure(&self) {
        for command in SETUP {
            let done = Command::new("ip").args(command.split(' ')).output();
            match done {
                Ok(done) if done.status.success() => {}
                Ok(done) => panic!(
                    "`ip {command}` failed in the network namespace: {}\n{LEAVE_OUT}",
                    String::from_utf8_lossy(&done.stderr).trim()
                ),
                Err(e) => panic!("`ip` is missing ({e}): install iproute2\n{LEAVE_OUT}"),
            }
        }
    }
}

/// Runs the test named `test` of this binary again, inside a new namespace, and fails if it does.
pub(crate) fn run_inside(test: &str) {
    let scratch = Scratch::new(test);
    let this = std::env::current_exe().expect("this test has a path");
    let mut command = Command::new("unshare");
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let inner = command
        .args(["--net", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .arg(this)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .arg("--include-ignored")
        .env(INSIDE, &scratch.0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    let mut inner = inner.unwrap_or_else(|e| {
        panic!("`unshare` is missing ({e}): install util-linux; Linux alone has it\n{LEAVE_OUT}")
    });
    let output = inner.stdout.take().expect("piped above");
    // Indented, so that nobody counts the inner run's closing line as one more test binary.
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        println!("    {line}");
    }
    let status = inner.wait().expect("the inner run ends");
    assert!(
        status.success(),
        "{test} failed in its network namespace ({status}); if making one is not permitted here, \
         run as root; {LEAVE_OUT}"
    );
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// A folder of this process and test, removed when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let name = format!("muon-interop-{}-{test}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the temporary folder is writable");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
