//! Results that another build of the program has made.

use subquad_bench::distinct;
use subquad_record::Manifest;

use crate::session::{BUILD_COMMIT, PROGRAM_VERSION};

/// The version of a program, and the commit that it was built from where that is known.
type Build<'a> = (&'a str, Option<&'a str>);

/// A sentence for each other build that has made some of the `all` runs of a study.
pub(crate) fn warnings(done: &[Manifest], all: usize) -> Vec<String> {
    let this = (PROGRAM_VERSION, BUILD_COMMIT);
    let builds = || done.iter().map(|m| (m.program_version.as_str(), m.build_commit.as_deref()));
    let others = distinct(builds().filter(|build| *build != this)).into_iter();
    others.map(|other| sentence(builds().filter(|build| *build == other).count(), all, other, this)).collect()
}

fn sentence(count: usize, all: usize, other: Build<'_>, this: Build<'_>) -> String {
    let were = if count == 1 { "was" } else { "were" };
    let (other, this) = (beside(other, this), beside(this, other));
    format!("{count} of {all} runs {were} made by {other}, this is {this}; --force repeats what is done")
}

/// A build as text beside another one, with its version only where that tells them apart.
fn beside((version, commit): Build<'_>, (other_version, _): Build<'_>) -> String {
    let build = commit.map_or("a build of unknown commit".into(), |commit| format!("build {commit}"));
    if version == other_version { build } else { format!("version {version} ({build})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_both_builds_and_the_versions_where_they_differ() {
        let this = ("0.2.0", Some("81ab0c3d5e6f"));
        let with = |other| sentence(3, 18, other, this);
        insta::assert_snapshot!(with(("0.2.0", Some("c3d9d06ff3f3"))), @"3 of 18 runs were made by build c3d9d06ff3f3, this is build 81ab0c3d5e6f; --force repeats what is done");
        insta::assert_snapshot!(with(("0.1.0", None)), @"3 of 18 runs were made by version 0.1.0 (a build of unknown commit), this is version 0.2.0 (build 81ab0c3d5e6f); --force repeats what is done");
        insta::assert_snapshot!(sentence(1, 6, ("0.2.0", None), this), @"1 of 6 runs was made by a build of unknown commit, this is build 81ab0c3d5e6f; --force repeats what is done");
    }
}
