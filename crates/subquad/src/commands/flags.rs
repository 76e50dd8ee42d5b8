//! Flags that several commands share: each is one struct.

use std::path::PathBuf;

use subquad_backend::{OpenDevice, open_device};
use subquad_config::Assignment;

use crate::Failure;
use crate::progress::Messages;

/// Changes to configs.
#[derive(Debug, clap::Args)]
pub struct SetFlags {
    /// Set a key in every config, such as train.steps=100; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub assignments: Vec<String>,
}

impl SetFlags {
    /// The parsed flags.
    ///
    /// # Errors
    /// Every flag that is not `KEY=VALUE`.
    pub fn parse(&self) -> Result<Vec<Assignment>, Failure> {
        let (parsed, wrong): (Vec<_>, Vec<_>) =
            self.assignments.iter().map(|flag| Assignment::parse(flag)).partition(Result::is_ok);
        let wrong: Vec<String> = wrong.into_iter().filter_map(Result::err).map(|e| e.to_string()).collect();
        if wrong.is_empty() { Ok(parsed.into_iter().flatten().collect()) } else { Err(Failure::Wrong(wrong)) }
    }
}

/// Where results go.
#[derive(Debug, clap::Args)]
pub struct ResultsFlag {
    /// Folder for the results
    #[arg(long = "results", value_name = "DIR", default_value = "results")]
    pub folder: PathBuf,
}

/// The device to use.
#[derive(Debug, clap::Args)]
pub struct DeviceFlag {
    /// Device: cpu, wgpu, or auto (a GPU if there is one)
    #[arg(long = "device", value_name = "DEVICE", default_value = "cpu")]
    pub name: String,
}

impl DeviceFlag {
    /// Opens the device.
    ///
    /// # Errors
    /// If there is no such device.
    pub fn open(&self) -> Result<OpenDevice, Failure> {
        open_device(&self.name).map_err(Failure::wrong)
    }
}

/// The number of threads.
#[derive(Debug, clap::Args)]
pub struct ThreadsFlag {
    /// Number of threads [default: one per core, or RAYON_NUM_THREADS]
    #[arg(long = "threads", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub count: Option<u16>,
}

/// Whether progress is shown.
#[derive(Debug, clap::Args)]
pub struct QuietFlag {
    /// Show no progress, only results, warnings and errors
    #[arg(long = "quiet", short = 'q')]
    pub is_set: bool,
}

impl QuietFlag {
    pub(crate) fn messages(&self) -> Messages {
        Messages::new(self.is_set)
    }
}
