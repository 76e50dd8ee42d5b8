//! Which program made a run, on which machine and when, and how it ended.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// The contents of `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the program.
    pub program_version: String,
    /// Commit the program was built from, if known.
    pub build_commit: Option<String>,
    /// The config file, as it was named.
    pub config_file: String,
    /// The git repository that holds the config file; `None` without one, or without git.
    #[serde(default)]
    pub config_repository: Option<Repository>,
    /// The command line, one argument per item.
    pub command: Vec<String>,
    /// The machine.
    pub machine: Machine,
    /// The instruction set that the fused kernels ran, for example `"avx2+fma"`.
    pub instruction_set: String,
    /// The device that ran, for example `"cpu"`.
    pub device: String,
    /// The name that a GPU reports; `None` for the CPU.
    pub adapter: Option<String>,
    /// The form of the operations that ran: `"fused"`, `"portable"`.
    pub form: String,
    /// Threads used.
    pub threads: usize,
    /// The jobs of the command that ran it; above 1, the run's timings are shared ones.
    #[serde(default = "alone")]
    pub jobs: usize,
    /// Digest of the data that the task was given; absent if the program made them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// When the run started, as [`timestamp`] writes it.
    pub started: String,
    /// Each time that it was continued from a checkpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<Resumption>,
    /// When it ended; `None` while it runs.
    pub ended: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
}

/// A run was continued from a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumption {
    /// The checkpoint's step.
    pub step: usize,
    /// When, as [`timestamp`] writes it.
    pub at: String,
}

impl Manifest {
    /// Why a run that `before` began may not give the same bits if it is continued as this manifest says; `None` if it
    /// will. Timings of the two would not be comparable either.
    pub(crate) fn differs_from(&self, before: &Self) -> Option<String> {
        let pairs = before.what_changes_bits().into_iter().zip(self.what_changes_bits());
        let mut changed = pairs.filter(|(before, now)| before != now);
        changed.next().map(|((what, before), (_, now))| format!("{what} was {before}, is {now}"))
    }

    fn what_changes_bits(&self) -> [(&'static str, String); 8] {
        [
            ("the program's version", self.program_version.clone()),
            ("its commit", self.build_commit.clone().unwrap_or_else(|| "unknown".into())),
            ("the processor", self.machine.cpu.clone()),
            ("the instruction set", self.instruction_set.clone()),
            ("the device", self.device.clone()),
            ("the adapter", self.adapter.clone().unwrap_or_else(|| "none".into())),
            ("the form", self.form.clone()),
            ("the number of threads", self.threads.to_string()),
        ]
    }
}

/// The value for records from before there were jobs.
pub(crate) fn alone() -> usize {
    1
}

/// A git repository as it was when the run started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// The commit that was checked out.
    pub commit: String,
    /// Whether anything was changed since, or was not committed, except in `results/`.
    pub dirty: bool,
}

/// How a run ended. As text: `"running"`, `"done"`, `"failed: <why>"`, `"interrupted"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Outcome {
    /// It has not ended, or was killed before it could say so.
    Running,
    /// It reached its end.
    Done,
    /// It stopped with this error.
    Failed(String),
    /// It was asked to stop.
    Interrupted,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("running"),
            Self::Done => f.write_str("done"),
            Self::Failed(why) => write!(f, "failed: {why}"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl From<Outcome> for String {
    fn from(outcome: Outcome) -> Self {
        outcome.to_string()
    }
}

impl TryFrom<String> for Outcome {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match (text.as_str(), text.strip_prefix("failed: ")) {
            ("running", _) => Ok(Self::Running),
            ("done", _) => Ok(Self::Done),
            ("interrupted", _) => Ok(Self::Interrupted),
            (_, Some(why)) => Ok(Self::Failed(why.into())),
            (_, None) => {
                Err(format!("`{text}` is not an outcome; known: running, done, failed: <why>, interrupted"))
            }
        }
    }
}

/// The machine a run was made on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name, or its architecture if the system does not report a name.
    pub cpu: String,
    /// Cores this process may use.
    pub cores: usize,
    /// Main memory, if the system reports it.
    pub memory_bytes: Option<u64>,
    /// Operating system and architecture, for example `"linux x86_64"`.
    pub os: String,
}

impl Machine {
    /// This machine. What the system does not report falls back to what the program was built for.
    pub fn detect() -> Self {
        let read = |path| fs_err::read_to_string(path).unwrap_or_default();
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        Self {
            cpu: cpu_name(&read("/proc/cpuinfo")).unwrap_or_else(|| arch.into()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory_bytes(&read("/proc/meminfo")),
            os: format!("{os} {arch}"),
        }
    }
}

fn cpu_name(cpuinfo: &str) -> Option<String> {
    Some(value_of(cpuinfo, "model name")?.into())
}

fn memory_bytes(meminfo: &str) -> Option<u64> {
    let kibibytes: u64 = value_of(meminfo, "MemTotal")?.strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The value of the first line `key : value`.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
}

/// Now, in UTC and whole seconds: `2026-11-23T17:04:05Z` (RFC 3339).
pub fn timestamp() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_reads_back_from_its_text() {
        let why = "loss: not finite".to_string();
        for outcome in [Outcome::Running, Outcome::Done, Outcome::Failed(why), Outcome::Interrupted] {
            assert_eq!(Outcome::try_from(outcome.to_string()), Ok(outcome));
        }
        assert!(
            serde_json::from_str::<Outcome>("\"finished\"").unwrap_err().to_string().contains("`finished`")
        );
    }

    #[test]
    fn the_kernel_tells_processor_and_memory() {
        let cpuinfo =
            "processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz: v3\nprocessor\t: 1\nmodel name\t: other\n";
        assert_eq!(cpu_name(cpuinfo).unwrap(), "Some CPU @ 2.0GHz: v3");
        assert_eq!(memory_bytes("MemTotal:       16384 kB\nMemFree:         1 kB\n"), Some(16 << 20));
        assert_eq!(cpu_name(""), None);
        assert_eq!(memory_bytes("MemTotal: lots"), None);
    }

    #[test]
    fn every_machine_has_a_name_and_cores() {
        let machine = Machine::detect();
        assert!(!machine.cpu.is_empty() && machine.cores > 0 && !machine.os.is_empty());
    }

    #[test]
    fn a_timestamp_is_utc_to_the_second() {
        let now = timestamp();
        assert_eq!(now.len(), "2026-11-23T17:04:05Z".len());
        assert!(now.ends_with('Z') && humantime::parse_rfc3339(&now).is_ok(), "{now}");
    }
}
