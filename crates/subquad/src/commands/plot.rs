//! `subquad plot`: draw figures again from what a study has recorded.

use std::io::Write;
use std::path::PathBuf;

use crate::Failure;
use crate::report::{FIGURES, redraw};

/// Draw the figures of studies again from their committed CSV files
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders of studies, such as results/00-quickstart
    #[arg(required = true, value_name = "STUDY")]
    pub studies: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If a folder has no figures, or a file cannot be read or written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    for study in &args.studies {
        for name in redraw(study)? {
            let figure = study.join(FIGURES).join(name);
            writeln!(out, "{}", figure.with_extension("svg").display())?;
            writeln!(out, "{}", figure.with_extension("png").display())?;
        }
    }
    Ok(())
}
