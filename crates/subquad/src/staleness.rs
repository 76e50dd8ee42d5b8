//! Results that another build of the program has made.

use std::fmt;

use subquad_record::Manifest;

use crate::session::{BUILD_COMMIT, PROGRAM_VERSION};

/// A build of the program. As text: `build 81ab0c3d5e6f`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Build {
    version: String,
    commit: Option<String>,
}

impl Build {
    fn this() -> Self {
        Self { version: PROGRAM_VERSION.into(), commit: BUILD_COMMIT.map(Into::into) }
    }

    fn of(manifest: &Manifest) -> Self {
        Self { version: manifest.program_version.clone(), commit: manifest.build_commit.clone() }
    }

    /// The build as text next to another one, with its version only if that tells them apart.
    fn beside(&self, other: &Self) -> String {
        match self.version == other.version {
            true => self.to_string(),
            false => format!("version {} ({self})", self.version),
        }
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.commit {
            Some(commit) => write!(f, "build {commit}"),
            None => f.write_str("a build of unknown commit"),
        }
    }
}

/// A sentence for each other build that has made some of the `all` runs of a study.
pub(crate) fn warnings(done: &[Manifest], all: usize) -> Vec<String> {
    let this = Build::this();
    let mut others: Vec<(Build, usize)> = vec![];
    for build in done.iter().map(Build::of).filter(|build| *build != this) {
        match others.iter_mut().find(|(other, _)| *other == build) {
            Some((_, count)) => *count += 1,
            None => others.push((build, 1)),
        }
    }
    others.iter().map(|(other, count)| sentence(*count, all, other, &this)).collect()
}

fn sentence(count: usize, all: usize, other: &Build, this: &Build) -> String {
    let were = if count == 1 { "was" } else { "were" };
    let (other, this) = (other.beside(this), this.beside(other));
    format!("{count} of {all} runs {were} made by {other}, this is {this}; --force repeats what is done")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(version: &str, commit: Option<&str>) -> Build {
        Build { version: version.into(), commit: commit.map(Into::into) }
    }

    #[test]
    fn the_sentence_names_both_builds_and_the_versions_where_they_differ() {
        let this = build("0.2.0", Some("81ab0c3d5e6f"));
        let with = |other: Build| sentence(3, 18, &other, &this);
        insta::assert_snapshot!(with(build("0.2.0", Some("c3d9d06ff3f3"))), @"3 of 18 runs were made by build c3d9d06ff3f3, this is build 81ab0c3d5e6f; --force repeats what is done");
        insta::assert_snapshot!(with(build("0.1.0", None)), @"3 of 18 runs were made by version 0.1.0 (a build of unknown commit), this is version 0.2.0 (build 81ab0c3d5e6f); --force repeats what is done");
        insta::assert_snapshot!(sentence(1, 6, &build("0.2.0", None), &this), @"1 of 6 runs was made by a build of unknown commit, this is build 81ab0c3d5e6f; --force repeats what is done");
    }
}
