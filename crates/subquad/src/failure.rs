//! How a command can end badly, and the exit code of each.

use std::fmt::{self, Display};

/// Why a command did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Something ran and failed: exit code 1.
    Failed(Vec<String>),
    /// Wrong use or wrong input, one message a mistake: exit code 2.
    Wrong(Vec<String>),
    /// Ctrl-C: exit code 130, as shells do.
    Interrupted,
    /// Ctrl-C where nothing is left to go on with: exit code 130.
    Stopped,
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

    /// The program's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Wrong(_) => 2,
            Self::Interrupted | Self::Stopped => 130,
        }
    }
}

/// What failed so far: one study does not keep the next from its turn.
#[derive(Default)]
pub(crate) struct Failures(Option<Vec<String>>);

impl Failures {
    pub(crate) fn note(&mut self, result: Result<(), Failure>) -> Result<(), Failure> {
        match result {
            Err(Failure::Failed(more)) => {
                self.0.get_or_insert_default().extend(more);
                Ok(())
            }
            other => other,
        }
    }

    pub(crate) fn end(self) -> Result<(), Failure> {
        self.0.map_or(Ok(()), |failed| Err(Failure::Failed(failed)))
    }
}

/// One line a message, each led by `error: `.
impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(messages) | Self::Wrong(messages) => {
                let lines: Vec<String> = messages.iter().map(|message| format!("error: {message}")).collect();
                f.write_str(&lines.join("\n"))
            }
            Self::Interrupted => {
                f.write_str("interrupted; the same command again goes on from here (leave out --force)")
            }
            // Who pressed the keys knows.
            Self::Stopped => Ok(()),
        }
    }
}

impl From<crate::config::ConfigErrors> for Failure {
    fn from(errors: crate::config::ConfigErrors) -> Self {
        Self::Wrong(errors.0.iter().map(ToString::to_string).collect())
    }
}

impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Self {
        Self::wrong(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            // As in `subquad list | head`: whoever read the results has seen enough, so there is nothing to tell.
            std::io::ErrorKind::BrokenPipe => Self::Failed(vec![]),
            _ => Self::failed(error),
        }
    }
}

impl From<subquad_record::RecordError> for Failure {
    fn from(error: subquad_record::RecordError) -> Self {
        Self::failed(error)
    }
}

impl From<subquad_plot::PlotError> for Failure {
    fn from(error: subquad_plot::PlotError) -> Self {
        Self::failed(error)
    }
}
