//! A separate folder for each test, with a small study in it, and the program to run there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The program that cargo built for these tests.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_subquad");

/// All three mixers and two seeds on the smallest model worth the name: milliseconds per run.
pub(crate) const TINY: &str = r#"
[task]
name = "digits"

[model]
d_model = 8
n_layers = 1
d_hidden = 16

[mixer.attention]
n_heads = 2

[mixer.s4d]
d_state = 4

[mixer.m2]
filter_order = 8

[train]
steps = 4
batch = 4
log_every = 2

[sweep]
mixer = ["attention", "s4d", "m2"]
seq_len = [64]
seed = [0, 1]
"#;

/// The six runs of [`TINY`].
pub(crate) const TINY_RUNS: usize = 6;

/// How long a test waits for another process.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The answer, if the exit code is this one.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }
}

/// A temporary folder in which the program runs.
pub(crate) struct Lab {
    folder: TempDir,
}

impl Lab {
    /// With [`TINY`] in the study `tiny`.
    pub(crate) fn new() -> Self {
        let lab = Self { folder: tempfile::tempdir().unwrap() };
        lab.write("tiny/tiny.toml", TINY);
        lab
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, contents).unwrap();
    }

    /// The command `subquad` with these arguments, split at spaces, without access to the machine's data sets.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.env_remove("SUBQUAD_DATA").current_dir(self.folder.path()).args(arguments.split_whitespace());
        command
    }

    /// Runs `subquad` with these arguments, split at spaces.
    pub(crate) fn subquad(&self, arguments: &str) -> Answer {
        self.subquad_with(arguments, &[])
    }

    /// [`subquad`](Self::subquad) with these environment variables.
    pub(crate) fn subquad_with(&self, arguments: &str, variables: &[(&str, &str)]) -> Answer {
        Answer::of(self.command(arguments).envs(variables.iter().copied()).output().unwrap())
    }

    /// The folders of the runs of study `tiny` in `results`, by name.
    pub(crate) fn runs(&self, results: &str) -> Vec<PathBuf> {
        self.runs_of("tiny", results)
    }

    /// The folders of the runs of a study in `results`, by name.
    pub(crate) fn runs_of(&self, study: &str, results: &str) -> Vec<PathBuf> {
        let mut folders = files(&self.path(results).join(study).join("runs"));
        folders.retain(|path| path.is_dir());
        folders
    }

    /// The one run whose name starts with this.
    pub(crate) fn run_folder(&self, start: &str) -> PathBuf {
        let mut runs = self.runs("results");
        runs.retain(|run| name(run).starts_with(start));
        assert_eq!(runs.len(), 1, "{start}");
        runs.remove(0)
    }
}

/// Polls until there is a value.
pub(crate) fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What is in a folder, by name.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The folder of all crates.
pub(crate) fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The folder of the repository.
pub(crate) fn repository() -> PathBuf {
    crates().parent().unwrap().to_owned()
}
