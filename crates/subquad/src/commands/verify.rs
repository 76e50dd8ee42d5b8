//! `subquad verify`: is our layer the published one?

mod layers;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use subquad_backend::Form;
use subquad_mixer::published::{Comparison, compare, read_case as read};

use super::flags::DeviceFlag;
use crate::Failure;
use layers::replay;

/// What a case is, and for which layers there are cases.
fn cases() -> String {
    format!("{CASES}\n\nLayers:\n  {}", layers::families().join("\n  "))
}

const CASES: &str = "\
A case is a .safetensors file with metadata `layer` and `config`, parameters as `param.<name>`, and
`input`, `output`, `grad_output` and `grad.<name>`. Outputs must agree within 1e-4 of the largest
value, gradients within 1e-3, and every parameter must be used.
The run of a whole model, NAME_run.safetensors, takes its weights from NAME.safetensors in the same
folder.";

/// Check our layers against recorded runs of published ones, tensor by tensor
#[derive(Debug, clap::Args)]
#[command(after_help = cases())]
pub struct Args {
    /// Recorded cases (.safetensors)
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The device to use.
    #[command(flatten)]
    pub device: DeviceFlag,
    /// Form to use, if not the device's own
    #[arg(long, value_parser = ["portable", "fused"])]
    pub form: Option<String>,
}

/// Runs the command on every file, then fails if any did.
///
/// # Errors
/// Wrong input if a file or its layer cannot be read; a failure if a tensor differs or a parameter was not used.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let (mut wrong, mut differ) = (vec![], vec![]);
    let device = args.device.open()?.device;
    let form = form(args.form.as_deref(), &device)?;
    for file in &args.files {
        match verify(file, form, &device, out)? {
            Verdict::Compared(complaints) => {
                differ.extend(complaints.iter().map(|why| format!("{}: {why}", file.display())));
            }
            Verdict::Unreadable(why) => wrong.push(why),
        }
    }
    match (wrong.is_empty(), differ.is_empty()) {
        (true, true) => Ok(()),
        (true, false) => Err(Failure::Failed(differ)),
        (false, _) => Err(Failure::Wrong(wrong.into_iter().chain(differ).collect())),
    }
}

fn form(asked: Option<&str>, device: &Device) -> Result<Form, Failure> {
    let default = Form::for_device(device);
    match asked {
        Some("portable") => Ok(Form::Portable),
        Some(_) if default == Form::Portable => Err(Failure::wrong(
            "--form fused: fused kernels run only on the cpu; leave out --form or --device",
        )),
        Some(_) => Ok(Form::Fused),
        None => Ok(default),
    }
}

enum Verdict {
    /// The layers were compared; these complaints show that they are not the same.
    Compared(Vec<String>),
    Unreadable(String),
}

fn verify(file: &Path, form: Form, device: &Device, out: &mut dyn Write) -> Result<Verdict, Failure> {
    let mut case = match read(file) {
        Ok(case) => case,
        Err(error) => return Ok(Verdict::Unreadable(error.to_string())),
    };
    let replay = match guarded(|| replay(&mut case, file, form, device)) {
        Ok(Ok(replay)) => replay,
        Ok(Err(error)) => return Ok(Verdict::Unreadable(format!("{}: {error}", file.display()))),
        Err(panic) => return Ok(Verdict::Compared(vec![panic])),
    };
    let comparisons = compare(&case, &replay);
    writeln!(out, "{}: {}", file.display(), case.layer)?;
    for comparison in &comparisons {
        writeln!(out, "  {}", line(comparison))?;
    }
    let unused: Vec<&str> = case.parameters.keys().map(String::as_str).collect();
    Ok(Verdict::Compared(complaints(&comparisons, &unused)))
}

/// The result of `run`. A panic in it is a bug in this program, but must not keep other files from being reported.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let why = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("of unknown kind");
        format!("internal error ({why}); please report it, with the file")
    })
}

fn line(comparison: &Comparison) -> String {
    let Comparison { name, error, limit } = comparison;
    let verdict = if comparison.agrees() { "ok" } else { "DIFFERS" };
    match error {
        Some(error) => format!("{name:48} {error:8.1e}  (limit {limit:.0e})  {verdict}"),
        None => format!("{name:48} not computed by our layer  DIFFERS"),
    }
}

fn complaints(comparisons: &[Comparison], unused: &[&str]) -> Vec<String> {
    let differ: Vec<&str> = comparisons.iter().filter(|c| !c.agrees()).map(|c| c.name.as_str()).collect();
    let mut complaints = vec![];
    if comparisons.is_empty() {
        complaints.push("holds no tensor to compare".to_owned());
    }
    if !differ.is_empty() {
        complaints.push(format!(
            "{} of {} tensors differ: {}",
            differ.len(),
            comparisons.len(),
            differ.join(", ")
        ));
    }
    if !unused.is_empty() {
        complaints.push(format!("parameters that our layer does not use: {}", unused.join(", ")));
    }
    complaints
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_panic_becomes_a_complaint_and_an_answer_stays() {
        assert_eq!(guarded(|| 3), Ok(3));
        let complaint = guarded::<()>(|| panic!("{} heads", 3)).unwrap_err();
        assert_eq!(complaint, "internal error (3 heads); please report it, with the file");
        assert!(guarded::<()>(|| panic!("no heads")).unwrap_err().contains("(no heads)"));
    }
}
