//! The ways in which a command can fail, and the exit code of each.

use std::fmt::{self, Display};

use crate::stop::{CTRL_C, Signal};

/// Why a command did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Something ran and failed: exit code 1.
    Failed(Vec<String>),
    /// A file or folder cannot be written by anyone, as on a read-only disk, or not by this user: exit code 1.
    ReadOnly(String),
    /// Wrong usage or input, one message per mistake: exit code 2.
    Wrong(Vec<String>),
    /// Stopped by this signal: exit code 128 and its number, as shells do; 130 for Ctrl-C.
    Interrupted(Signal),
    /// Stopped by this signal, with nothing left to continue: the same exit code.
    Stopped(Signal),
}

impl Failure {
    /// Something ran and failed.
    pub fn failed(message: impl Display) -> Self {
        Self::Failed(vec![message.to_string()])
    }

    /// Wrong use or wrong input.
    pub fn wrong(message: impl Display) -> Self {
        Self::Wrong(vec![message.to_string()])
    }

    /// What has failed, if anything has.
    pub(crate) fn unless_empty(failed: Vec<String>) -> Result<(), Self> {
        if failed.is_empty() { Ok(()) } else { Err(Self::Failed(failed)) }
    }

    /// Combines several failures: wrong input if any of them is.
    ///
    /// # Errors
    /// If there are any.
    pub fn all(failures: Vec<Self>) -> Result<(), Self> {
        match (failures.is_empty(), failures.iter().any(|failure| failure.exit_code() == 2)) {
            (true, _) => Ok(()),
            (false, true) => Err(Self::Wrong(messages(failures))),
            (false, false) => Err(Self::Failed(messages(failures))),
        }
    }

    /// The program's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::ReadOnly(_) => 1,
            Self::Wrong(_) => 2,
            Self::Interrupted(signal) | Self::Stopped(signal) => signal.exit_code(),
        }
    }
}

fn messages(failures: Vec<Failure>) -> Vec<String> {
    let own = |failure| match failure {
        Failure::Failed(messages) | Failure::Wrong(messages) => messages,
        Failure::ReadOnly(message) => vec![message],
        failure @ (Failure::Interrupted(_) | Failure::Stopped(_)) => vec![failure.to_string()],
    };
    failures.into_iter().flat_map(own).collect()
}

/// What has failed so far. A study that fails does not keep the next one from running.
#[derive(Default)]
pub(crate) struct Failures(Option<Vec<String>>);

impl Failures {
    pub(crate) fn note(&mut self, result: Result<(), Failure>) -> Result<(), Failure> {
        match result {
            Err(failure @ (Failure::Failed(_) | Failure::ReadOnly(_))) => {
                self.0.get_or_insert_default().extend(messages(vec![failure]));
                Ok(())
            }
            other => other,
        }
    }

    pub(crate) fn end(self) -> Result<(), Failure> {
        self.0.map_or(Ok(()), |failed| Err(Failure::Failed(failed)))
    }
}

/// Writes one line for each message, each beginning with `error: `.
impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(messages) | Self::Wrong(messages) => {
                let lines: Vec<String> = messages.iter().map(|message| format!("error: {message}")).collect();
                f.write_str(&lines.join("\n"))
            }
            Self::ReadOnly(message) => write!(f, "error: {message}"),
            Self::Interrupted(signal) => {
                match *signal {
                    CTRL_C => f.write_str("interrupted")?,
                    other => write!(f, "stopped by {}", other.name())?,
                }
                f.write_str("; give the same command again to continue from here (without --force)")
            }
            // The user who pressed the keys knows why.
            Self::Stopped(_) => Ok(()),
        }
    }
}

impl From<subquad_config::ConfigErrors> for Failure {
    fn from(errors: subquad_config::ConfigErrors) -> Self {
        Self::Wrong(errors.0.iter().map(ToString::to_string).collect())
    }
}

impl From<subquad_config::ConfigError> for Failure {
    fn from(error: subquad_config::ConfigError) -> Self {
        Self::wrong(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            // In `subquad list | head`, the reader has seen enough, so there is nothing to report.
            std::io::ErrorKind::BrokenPipe => Self::Failed(vec![]),
            std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
                Self::ReadOnly(error.to_string())
            }
            _ => Self::failed(error),
        }
    }
}

impl From<subquad_record::RecordError> for Failure {
    fn from(error: subquad_record::RecordError) -> Self {
        match error {
            subquad_record::RecordError::Io(error) => error.into(),
            other => Self::failed(other),
        }
    }
}

impl From<subquad_plot::PlotError> for Failure {
    fn from(error: subquad_plot::PlotError) -> Self {
        match error {
            subquad_plot::PlotError::Io(error) => error.into(),
            other => Self::failed(other),
        }
    }
}
