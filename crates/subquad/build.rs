//! Tells the program which commit it was built from, where there is one.

use std::io::Write;
use std::process::{Command, Stdio};

fn main() {
    // The log of HEAD grows with every commit, checkout and reset; any edit of a crate may make the tree dirty.
    println!("cargo::rerun-if-changed=../../.git/logs/HEAD");
    println!("cargo::rerun-if-changed=../../Cargo.lock");
    println!("cargo::rerun-if-changed=..");
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        let edits = edits().map(|digest| format!("-dirty-{}", &digest[..8])).unwrap_or_default();
        println!("cargo::rustc-env=SUBQUAD_COMMIT={commit}{edits}");
    }
}

/// git's name for everything that differs from the commit; `None` if nothing does. Two builds of one commit with
/// different edits are two builds.
fn edits() -> Option<String> {
    const BUILT: [&str; 4] = ["--", "..", "../../Cargo.toml", "../../Cargo.lock"];
    let changed = git(&[&["diff", "HEAD"][..], &BUILT].concat());
    let new = git(&[&["ls-files", "--others", "--exclude-standard"][..], &BUILT].concat());
    if changed.is_none() && new.is_none() {
        return None;
    }
    let files: Vec<&str> = new.as_deref().unwrap_or_default().lines().collect();
    let contents = git(&[&["hash-object", "--"][..], &files].concat()).filter(|_| !files.is_empty());
    let text = [changed, new, contents].map(Option::unwrap_or_default).concat();
    Some(digest(&text).unwrap_or_else(|| "unknown-".into()))
}

fn digest(text: &str) -> Option<String> {
    let mut git = Command::new("git");
    git.args(["hash-object", "--stdin"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = git.spawn().ok()?;
    child.stdin.take()?.write_all(text.as_bytes()).ok()?;
    let digest = String::from_utf8(child.wait_with_output().ok()?.stdout).ok()?;
    (digest.len() >= 8).then_some(digest)
}

/// What git answers, if anything.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
