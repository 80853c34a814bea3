//! Starting a browser on a page, without a driver program: a fresh profile, and nothing in it that
//! asks questions, updates itself or calls home.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How much of a browser's output a failed test shows, in lines.
const SHOWN_LINES: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Browser {
    Chromium,
    Firefox,
}

/// Whether host candidates name a multicast DNS name instead of the address (the default of both).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addresses {
    Hidden,
    Shown,
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Browser {
    /// The path of the installed program, or what to do about its absence.
    pub(crate) fn program(self) -> Result<PathBuf, String> {
        let (names, package) = match self {
            Self::Chromium => (
                &["chromium", "chromium-browser", "google-chrome"][..],
                "chromium",
            ),
            Self::Firefox => (&["firefox-esr", "firefox"][..], "firefox-esr"),
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut candidates = names
            .iter()
            .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)));
        candidates.find(|c| c.is_file()).ok_or_else(|| {
            format!(
                "{self} is missing: install it (`apt-get install {package}`), or leave the \
                 browsers out with `cargo xtask test --no-interop` or MUON_INTEROP=skip"
            )
        })
    }

    /// Starts it headless on `url`, with everything it writes under `scratch`.
    pub(crate) fn start(self, scratch: &Path, addresses: Addresses, url: &str) -> Running {
        let profile = scratch.join("profile");
        std::fs::create_dir_all(&profile).expect("the scratch folder is writable");
        let log = scratch.join("browser.log");
        let output = std::fs::File::create(&log).expect("the scratch folder is writable");
        let errors = output.try_clone().expect("a second handle");
        let program = self.program().unwrap_or_else(|missing| panic!("{missing}"));
        let mut command = Command::new(program);
        match self {
            Self::Chromium => chromium(&mut command, &profile, addresses),
            Self::Firefox => firefox(&mut command, &profile, addresses),
        }
        let child = command
            .arg(url)
            .env("HOME", scratch)
            .env("XDG_RUNTIME_DIR", scratch)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .expect("the browser starts");
        Running { child, log }
    }
}

/// A started browser.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Ends it and returns the last of what it printed. What it leaves running ends with the
    /// namespace.
    pub(crate) async fn stop(&mut self) -> String {
        let _ = self.child.start_kill();
        let _ = timeout(Duration::from_secs(5), self.child.wait()).await;
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
    }
}

fn chromium(command: &mut Command, profile: &Path, addresses: Addresses) {
    command
        .args([
            "--headless=new",
            // The sandbox wants namespaces of its own, and does not run as root.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--no-default-browser-check",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--use-fake-device-for-media-stream",
            // A page that does not capture may play sound too, or none would be decoded.
            "--autoplay-policy=no-user-gesture-required",
        ])
        .arg(format!("--user-data-dir={}", profile.display()));
    if addresses == Addresses::Shown {
        // It then holds the page for one that may use the camera, to which it shows them.
        command.arg("--use-fake-ui-for-media-stream");
    }
}

/// The preferences of a profile that is left alone, as `(name, JavaScript value)`.
const FIREFOX_PREFERENCES: &[(&str, &str)] = &[
    ("app.normandy.enabled", "false"),
    ("app.update.auto", "false"),
    ("app.update.disabledForTesting", "true"),
    ("app.update.enabled", "false"),
    ("browser.aboutwelcome.enabled", "false"),
    ("browser.cache.disk.enable", "false"),
    (
        "browser.newtabpage.activity-stream.feeds.system.topstories",
        "false",
    ),
    ("browser.newtabpage.enabled", "false"),
    ("browser.preonboarding.enabled", "false"),
    ("browser.safebrowsing.downloads.enabled", "false"),
    ("browser.safebrowsing.malware.enabled", "false"),
    ("browser.safebrowsing.phishing.enabled", "false"),
    ("browser.sessionstore.resume_from_crash", "false"),
    ("browser.shell.checkDefaultBrowser", "false"),
    ("browser.startup.homepage_override.mstone", "\"ignore\""),
    ("datareporting.healthreport.uploadEnabled", "false"),
    ("datareporting.policy.dataSubmissionEnabled", "false"),
    (
        "datareporting.policy.dataSubmissionPolicyBypassNotification",
        "true",
    ),
    ("extensions.getAddons.cache.enabled", "false"),
    ("extensions.update.enabled", "false"),
    // A page that does not capture may play sound too.
    ("media.autoplay.blocking_policy", "0"),
    ("media.autoplay.default", "0"),
    ("media.gmp-manager.updateEnabled", "false"),
    ("media.navigator.permission.disabled", "true"),
    ("media.navigator.streams.fake", "true"),
    ("network.captive-portal-service.enabled", "false"),
    ("network.connectivity-service.enabled", "false"),
    ("network.prefetch-next", "false"),
    (
        "services.settings.server",
        "\"data:,#remote-settings-dummy/v1\"",
    ),
    ("startup.homepage_welcome_url", "\"\""),
    ("termsofuse.bypassNotification", "true"),
    ("toolkit.telemetry.enabled", "false"),
    ("toolkit.telemetry.reportingpolicy.firstRun", "false"),
    ("toolkit.telemetry.server", "\"\""),
    ("toolkit.telemetry.unified", "false"),
    ("trailhead.firstrun.didSeeAboutWelcome", "true"),
];

fn firefox(command: &mut Command, profile: &Path, addresses: Addresses) {
    let hide = match addresses {
        Addresses::Hidden => "true",
        Addresses::Shown => "false",
    };
    let obfuscate = ("media.peerconnection.ice.obfuscate_host_addresses", hide);
    let preferences: String = FIREFOX_PREFERENCES
        .iter()
        .chain([&obfuscate])
        .map(|(name, value)| format!("user_pref(\"{name}\", {value});\n"))
        .collect();
    std::fs::write(profile.join("user.js"), preferences).expect("the profile is writable");
    command
        .args(["--headless", "--no-remote", "--profile"])
        .arg(profile)
        .env("MOZ_CRASHREPORTER_DISABLE", "1");
}
