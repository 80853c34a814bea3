//! Where the workspace lies and which crates are in it.

use crate::step::Failure;
use std::path::{Path, PathBuf};

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// One crate of the family.
#[derive(Debug)]
pub(crate) struct Member {
    /// The folder under `crates/`, which is also the name inside the workspace.
    pub(crate) folder: String,
    /// The published name.
    pub(crate) package: String,
    /// `crates/FOLDER`, absolute.
    pub(crate) path: PathBuf,
}

/// The crates of the family, by folder.
pub(crate) fn members() -> Result<Vec<Member>, Failure> {
    let mut members = Vec::new();
    for path in folders(&root().join("crates"))? {
        let manifest = read(&path.join("Cargo.toml"))?;
        let package = manifest
            .lines()
            .find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
            .ok_or_else(|| Failure::new(format!("{}: no package name", path.display())))?;
        members.push(Member {
            folder: file_name(&path),
            package: package.to_owned(),
            path,
        });
    }
    Ok(members)
}

/// Every Rust file of the workspace that is ours, sorted.
pub(crate) fn sources() -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for top in ["crates", "examples", "tests", "benches", "fuzz", "xtask"] {
        collect(&root().join(top), &mut files)?;
    }
    Ok(files)
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

/// A path as seen from the root.
pub(crate) fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.display().to_string()
}

/// The folders in a folder, sorted.
pub(crate) fn folders(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(entries(path)?
        .into_iter()
        .filter(|entry| entry.is_dir())
        .collect())
}

/// The files in a folder, sorted.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(entries(path)?
        .into_iter()
        .filter(|entry| entry.is_file())
        .collect())
}

/// The last part of a path.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in entries(folder)? {
        if entry.is_dir() {
            if file_name(&entry) != "target" {
                collect(&entry, files)?;
            }
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
    Ok(())
}

fn entries(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let wrong = |error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    let mut entries = std::fs::read_dir(path)
        .map_err(wrong)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(wrong)?;
    entries.sort();
    Ok(entries)
}
