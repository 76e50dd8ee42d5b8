//! What all runs of a command share.

use std::path::Path;

use subquad_backend::OpenDevice;
use subquad_bench::Site;

use crate::progress::Messages;
use crate::{Failure, Stop};

/// The commit that the program was built from, where it was built in a git checkout.
pub(crate) const BUILD_COMMIT: Option<&str> = option_env!("SUBQUAD_COMMIT");
/// The program's version.
pub(crate) const PROGRAM_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What all runs of a command share.
#[derive(Clone)]
pub struct Session<'a> {
    /// The folder used as `results/`.
    pub results: &'a Path,
    /// The device to use.
    pub opened: OpenDevice,
    /// Runs that are allowed at once, by the whole command.
    pub jobs: usize,
    /// Whether runs that are done run again.
    pub force: bool,
    /// Whether the runs should stop.
    pub stop: Stop,
    pub(crate) messages: Messages,
}

impl Session<'_> {
    /// Where this command measures.
    pub(crate) fn site(&self) -> Site {
        Site::new(self.opened.clone(), BUILD_COMMIT)
    }

    pub(crate) fn should_stop(&self) -> bool {
        self.stop.is_asked()
    }

    /// The failure that ends a command that was asked to stop.
    pub(crate) fn interrupted(&self) -> Failure {
        Failure::Interrupted(self.stop.signal())
    }
}
