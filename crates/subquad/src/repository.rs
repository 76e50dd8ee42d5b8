//! The git repository that a config comes from.

use std::path::Path;
use std::process::{Command, Stdio};

use subquad_record::Repository;

/// The repository that holds `folder`: its commit, and whether anything there, other than `results/`, was changed or not
/// committed. `None` without a repository, without a commit in it, or without a `git` program.
pub fn repository(folder: &Path) -> Option<Repository> {
    let commit = git(folder, &["rev-parse", "--short=12", "HEAD"])?;
    let changes = git(folder, &["status", "--porcelain", "--", ":(top)", ":(top,exclude)results"])?;
    Some(Repository { commit, dirty: !changes.is_empty() })
}

/// What git answers, if it does.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    // Git sets these variables in hooks, where they name a repository other than the folder's.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(variable);
    }
    // This only reads: it must not lock a repository in which others work.
    command.env("GIT_OPTIONAL_LOCKS", "0").arg("-C").arg(folder).args(arguments);
    let output = command.stdin(Stdio::null()).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::print_stderr)]

    use super::*;

    /// Runs git for someone who has configured nothing; `None` without a `git` program.
    fn try_git(folder: &Path, arguments: &[&str]) -> Option<String> {
        let author = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
        git(folder, &[&author, arguments].concat())
    }

    #[test]
    fn a_repository_has_a_commit_and_is_dirty_once_something_but_results_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let configs = folder.path().join("configs/00-a");
        fs_err::create_dir_all(&configs).unwrap();
        assert_eq!(repository(&configs), None, "no repository");
        if try_git(folder.path(), &["init", "--quiet"]).is_none() {
            return eprintln!("skipped: there is no git program");
        }
        assert_eq!(repository(&configs), None, "no commit");
        fs_err::write(configs.join("a.toml"), "a").unwrap();
        try_git(folder.path(), &["add", "."]).unwrap();
        try_git(folder.path(), &["commit", "--quiet", "--message", "a"]).unwrap();
        let clean = repository(&configs).unwrap();
        assert_eq!((clean.commit.len(), clean.dirty), (12, false));
        fs_err::create_dir_all(folder.path().join("results/00-a")).unwrap();
        fs_err::write(folder.path().join("results/00-a/summary.csv"), "a").unwrap();
        assert_eq!(repository(&configs), Some(clean.clone()));
        fs_err::write(folder.path().join("notes"), "a").unwrap();
        assert_eq!(repository(&configs), Some(Repository { dirty: true, ..clean }));
    }
}
