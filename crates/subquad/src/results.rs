//! The folders that results go to, checked before anything runs.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::Failure;

/// Refuses a path that cannot be a folder of results, or in which a study cannot have its own folder.
///
/// # Errors
/// What is in the way, and what to do.
pub(crate) fn check_results<'a>(results: &Path, slugs: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    if results.as_os_str().is_empty() {
        return Err(Failure::wrong("--results is empty; name a folder, or leave it out for `results`"));
    }
    check_folder(results).map_err(|why| Failure::wrong(format!("--results {}: {why}", results.display())))?;
    let studies = slugs.map(|slug| results.join(slug));
    for folder in studies.flat_map(|study| [study.clone(), study.join("runs")]) {
        check_folder(&folder).map_err(|why| Failure::wrong(format!("{}: {why}", folder.display())))?;
    }
    Ok(())
}

/// Whether the folder exists, or can be made.
fn check_folder(path: &Path) -> Result<(), String> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(metadata) if metadata.is_file() => Err("is a file, not a folder".into()),
        Ok(_) => Err("is a device or pipe, not a folder".into()),
        Err(error) if error.kind() == ErrorKind::NotFound => match fs::read_link(path) {
            Ok(target) => Err(format!(
                "is a link to {}, which does not exist; create that folder, or remove the link",
                target.display()
            )),
            Err(_) => Ok(()),
        },
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            Err("is inside a file, not a folder".into())
        }
        Err(error) => Err(format!("cannot be examined: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_way_of_results_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "").expect("a file");
        fs::create_dir_all(path("ok/study")).expect("a folder");
        fs::write(path("ok/study/runs"), "").expect("a file");
        let answer = |name: &str, slug| match check_results(&path(name), [slug].into_iter()) {
            Ok(()) => "fine".into(),
            Err(failure) => failure.to_string().replace(&folder.path().display().to_string(), "DIR"),
        };
        assert_eq!(answer("new", "a"), "fine");
        assert_eq!(answer("file", "a"), "error: --results DIR/file: is a file, not a folder");
        assert_eq!(answer("file/in", "a"), "error: --results DIR/file/in: is inside a file, not a folder");
        assert_eq!(answer("ok", "other"), "fine");
        assert_eq!(answer("ok", "study"), "error: DIR/ok/study/runs: is a file, not a folder");
        let empty = check_results(Path::new(""), [].into_iter()).expect_err("no name").to_string();
        assert_eq!(empty, "error: --results is empty; name a folder, or leave it out for `results`");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_no_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("gone", &link).expect("a link");
        let why = check_folder(&link).expect_err("nothing is there");
        assert_eq!(why, "is a link to gone, which does not exist; create that folder, or remove the link");
    }
}
