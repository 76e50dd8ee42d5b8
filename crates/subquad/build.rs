//! Tells the program which commit it was built from, where there is one.

use std::process::Command;

fn main() {
    // The log of HEAD grows with every commit, checkout and reset; any edit of a crate may make the tree dirty.
    println!("cargo::rerun-if-changed=../../.git/logs/HEAD");
    println!("cargo::rerun-if-changed=../../Cargo.lock");
    println!("cargo::rerun-if-changed=..");
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        let edited =
            git(&["status", "--porcelain", "--", "..", "../../Cargo.toml", "../../Cargo.lock"]).is_some();
        println!("cargo::rustc-env=SUBQUAD_COMMIT={commit}{}", if edited { "-dirty" } else { "" });
    }
}

/// What git answers, if anything.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
