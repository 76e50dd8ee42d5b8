//! `subquad verify`: is our layer the published one?

use std::io::Write;
use std::path::{Path, PathBuf};

use subquad_backend::Form;
use subquad_mixer::published::{Case, CaseError, Replay};
use subquad_testkit::golden::{Comparison, compare, read};

use crate::Failure;

/// Replay recorded runs of published layers on ours and compare every tensor
///
/// A file is a .safetensors with metadata `layer` and `config`, parameters as `param.<name>`, `input`, `output`,
/// `grad_output` and `grad.<name>`. Outputs must agree within 1e-4 of the largest value, gradients within 1e-3.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Recorded cases (.safetensors)
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Form of the operations: what the device runs by default, or one by name
    #[arg(long, value_parser = ["portable", "fused"])]
    pub form: Option<String>,
}

/// Runs the command on every file, then fails if any did.
///
/// # Errors
/// Wrong input if a file or its layer cannot be read; failure if a tensor differs or a parameter was not used.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let (mut wrong, mut differ) = (vec![], vec![]);
    for file in &args.files {
        match verify(file, args.form.as_deref(), out)? {
            Verdict::Agrees => {}
            Verdict::Differs(why) => differ.push(format!("{}: {why}", file.display())),
            Verdict::Unreadable(why) => wrong.push(why),
        }
    }
    match (wrong.is_empty(), differ.is_empty()) {
        (true, true) => Ok(()),
        (true, false) => Err(Failure::Failed(differ)),
        (false, _) => Err(Failure::Wrong(wrong.into_iter().chain(differ).collect())),
    }
}

enum Verdict {
    Agrees,
    Differs(String),
    Unreadable(String),
}

fn verify(file: &Path, form: Option<&str>, out: &mut dyn Write) -> Result<Verdict, Failure> {
    let mut case = match read(file) {
        Ok(case) => case,
        Err(error) => return Ok(Verdict::Unreadable(error.to_string())),
    };
    let replay = match replay(&mut case, form) {
        Ok(replay) => replay,
        Err(error) => return Ok(Verdict::Unreadable(format!("{}: {error}", file.display()))),
    };
    let comparisons = compare(&case, &replay);
    writeln!(out, "{}: {}", file.display(), case.layer)?;
    for comparison in &comparisons {
        writeln!(out, "  {}", line(comparison))?;
    }
    Ok(verdict(&comparisons, case.parameters.keys().cloned().collect()))
}

fn replay(case: &mut Case, form: Option<&str>) -> Result<Replay, CaseError> {
    let device = burn::tensor::Device::flex();
    let form = match form {
        Some("portable") => Form::Portable,
        Some(_) => Form::Fused,
        None => Form::for_device(&device),
    };
    match case.layer.as_str() {
        "s4_block" => subquad_s4::published::replay(case, form, &device),
        "m2_sequence_mixer" | "block_diagonal_linear" => subquad_monarch::published::replay(case, form, &device),
        _ => Err(CaseError::Unsupported {
            layer: case.layer.clone(),
            what: "this layer (known: s4_block, m2_sequence_mixer, block_diagonal_linear)".into(),
        }),
    }
}

fn line(comparison: &Comparison) -> String {
    let Comparison { name, error, limit } = comparison;
    let verdict = if comparison.agrees() { "ok" } else { "DIFFERS" };
    match error {
        Some(error) => format!("{name:48} {error:8.1e}  (limit {limit:.0e})  {verdict}"),
        None => format!("{name:48} not computed by our layer"),
    }
}

fn verdict(comparisons: &[Comparison], unused: Vec<String>) -> Verdict {
    let differ = comparisons.iter().filter(|comparison| !comparison.agrees()).count();
    match (comparisons.len(), differ, unused.len()) {
        (0, _, _) => Verdict::Differs("holds no tensor to compare".into()),
        (_, 0, 0) => Verdict::Agrees,
        (all, differ, 0) => Verdict::Differs(format!("{differ} of {all} tensors differ")),
        (_, _, _) => Verdict::Differs(format!("parameters that our layer does not use: {}", unused.join(", "))),
    }
}
