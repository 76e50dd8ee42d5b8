//! Estimates, from its config, the most memory that a run will need.
//!
//! ```text
//! backward:   HELD n_parameters + tokens d_model (kept + transient) + kernels + LOGITS labels outputs
//! optimiser:  STEPPED n_parameters
//! test:       HELD n_parameters + d_model (tokens of one long example) TESTED
//! ```
//! The largest of them counts, in floats. The constants are those that the program's allocator counted on runs of the fused forms, with
//! one to five blocks. They leave out data, and what threads allocate once: [`MARGIN`] covers those.
//!
//! The runs on record are from before MLPs and heads with their loss became one operation each, which keeps the hidden numbers once
//! instead of twice and no logits. Until the studies are measured again the estimate is too high for models with dense
//! MLPs without a gate: by 40 % at four times the width.

use subquad_backend::DeviceKind;

use crate::model::Facts;
use crate::study::PlannedRun;

/// What a run may need above the estimate of its peak: data, tables of transforms, gaps between blocks of memory.
const MARGIN: f64 = 1.25;

/// Weights and two moments.
const HELD: f64 = 3.0;
/// Weights, two moments, gradients, and what the optimiser is about to replace.
const STEPPED: f64 = 5.0;
/// Logits, what their loss keeps, their gradients.
const LOGITS: f64 = 4.0;
/// Floats for each float of the residual stream while a test passes through one block, where nothing is kept.
const TESTED: f64 = 12.0;

/// The bytes that must be available for a run to start; 0 if its device has its own memory, about which nothing is
/// known.
pub(crate) fn wanted_bytes(run: &PlannedRun, facts: &Facts, device: DeviceKind) -> u64 {
    match device {
        DeviceKind::Cpu => (MARGIN * peak_bytes(run, facts)) as u64,
        DeviceKind::Wgpu => 0,
    }
}

/// Roughly the most bytes alive in a run, without the data.
fn peak_bytes(run: &PlannedRun, facts: &Facts) -> f64 {
    let config = run.config();
    let Facts { parameters, kept, transient, kernels, labels, outputs, .. } = *facts;
    let sizes = [config.train.part(), config.seq_len, config.model.d_model, config.model.n_layers];
    let [batch, seq_len, d_model, n_layers] = sizes.map(|size| size as f64);
    let dropped = n_layers * if config.model.dropout > 0.0 { 2.0 } else { 0.0 };
    let stream = batch * seq_len * d_model * (kept + dropped + transient);
    let logits = batch * labels as f64 * outputs as f64 * LOGITS;
    let held = HELD * parameters as f64;
    let backward = held + stream + kernels + logits;
    let longest_test = config.task.test_lengths().into_iter().max().unwrap_or(0);
    let test = held + d_model * longest_test as f64 * TESTED;
    backward.max(STEPPED * parameters as f64).max(test) * size_of::<f32>() as f64
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use subquad_record::{RunSummary, read_study};

    use super::*;
    use crate::plan::{by_kind, load_all};
    use crate::program::Program;
    use crate::study::group;

    fn program() -> &'static Program {
        Program::of::<subquad_model::MixerConfig>()
    }

    fn repository() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// Every training run of the repository's configs whose data come with the repository.
    fn runs(program: &Program) -> Vec<PlannedRun> {
        let studies = fs_err::read_dir(repository().join("configs")).expect("the folder of configs");
        let folders = studies.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir());
        let (training, _) = by_kind(load_all(program, &Vec::from_iter(folders), &[]).expect("right configs"));
        let planned = training.into_iter().filter_map(|config| group(vec![config]).ok());
        planned.flatten().flat_map(|study| study.runs).collect()
    }

    fn is_of(summary: &RunSummary, run: &PlannedRun) -> bool {
        let same = |(key, text): &(String, String)| {
            summary
                .settings
                .get(key)
                .is_some_and(|value| value.to_string().trim_matches('"') == text.trim_matches('"'))
        };
        (summary.mixer.as_str(), summary.seq_len, summary.seed)
            == (&*run.resolved.subject, run.name.seq_len, run.name.seed)
            && run.resolved.axes.iter().all(same)
    }

    /// The recorded peak of a run of this config; `None` if there is no record.
    fn recorded(run: &PlannedRun) -> Option<f64> {
        let config = &run.config_file;
        let study = config.parent()?.file_name()?;
        let study = read_study(&repository().join("results").join(study)).ok()?;
        let mut own =
            study.runs.iter().filter(|summary| *summary.config == *config.file_name().unwrap_or_default());
        Some(own.find(|summary| is_of(summary, run))?.peak_bytes? as f64)
    }

    /// Peaks divided by estimates. The records have 0.93 to 1.07 for attention, 0.87 to 1.08 for M2, and 0.39 to 0.93
    /// for S4D: the lowest where a block has neither a channel mixer nor an output matrix, a case that does not
    /// deserve its own terms.
    const NEAR: std::ops::Range<f64> = 0.35..1.15;

    #[test]
    fn estimates_are_near_the_peaks_on_record() {
        let program = program();
        let ratio = |run: PlannedRun| {
            let what = format!("{} {}", run.config_file.display(), run.name);
            Some((recorded(&run)? / peak_bytes(&run, &(program.facts)(&run)), what))
        };
        let ratios: Vec<(f64, String)> = runs(program).into_iter().filter_map(ratio).collect();
        assert!(ratios.len() > 60, "{}", ratios.len());
        let far: Vec<_> = ratios.iter().filter(|(ratio, _)| !NEAR.contains(ratio)).collect();
        assert!(far.is_empty(), "{far:#?}");
    }

    /// What a machine of 4 GiB has free. The studies at the widths that people train need the most.
    const SMALL_MACHINE: f64 = 2.0 * (1 << 30) as f64;

    #[test]
    fn every_run_of_the_repository_fits_comfortably_into_a_small_machine() {
        let program = program();
        for run in runs(program) {
            let wanted = MARGIN * peak_bytes(&run, &(program.facts)(&run));
            assert!(wanted < SMALL_MACHINE, "{}: {wanted} bytes", run.name);
        }
    }
}
