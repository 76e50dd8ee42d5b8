//! `subquad plot`: draw figures again from what a study has recorded.

use std::io::Write;
use std::path::{Path, PathBuf};

use subquad_bench::FIGURES;

use crate::Failure;
use crate::report::redraw;

/// Redraw the figures of studies from their committed CSV files
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders of studies, such as results/00-quickstart
    #[arg(required = true, value_name = "STUDY")]
    pub studies: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If a folder has no figures, a file is not a table or has nothing to draw, or a file cannot be read or written; everything else has been
/// drawn by then.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let mut failures = Vec::new();
    for study in &args.studies {
        let figures = redraw(study).unwrap_or_else(|failure| vec![Err(failure)]);
        for figure in figures {
            match figure {
                Ok(name) => write_names(&study.join(FIGURES).join(name), out)?,
                Err(failure) => failures.push(failure),
            }
        }
    }
    Failure::all(failures)
}

fn write_names(figure: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(out, "{}", figure.with_extension("svg").display())?;
    Ok(writeln!(out, "{}", figure.with_extension("png").display())?)
}
