//! A trained run as a model of text.

use burn::module::Module;
use burn::tensor::Device;
use subquad_config::Run;
use subquad_data::TaskConfig;
use subquad_mixer::Mixers;
use subquad_model::SequenceModel;
use subquad_record::{RunDir, RunStatus};
use subquad_train::from_safetensors;

use crate::Failure;
use crate::config::RunConfig;
use crate::model::model;
use crate::plan::{by_kind, load_all};
use crate::registry::Registry;

/// A model that predicts the next byte, without autodiff, and the settings that it was trained with.
#[derive(Debug)]
pub struct LanguageModel<M> {
    /// Its settings.
    pub config: RunConfig,
    /// Its weights.
    pub model: SequenceModel<M>,
}

/// The model of a finished run on bytes, on `device`. Reads only the run's folder, not the text that it was trained on.
///
/// # Errors
/// If the run is not done, is of another task or bidirectional, or one of its files is missing, damaged or from
/// another run.
pub fn load<C: Mixers>(
    registry: &dyn Registry,
    run: &RunDir,
    device: &Device,
) -> Result<LanguageModel<C::Mixer>, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::wrong(format!("{}: {why}", run.path().display()));
    check_done(run)?;
    let resolved = settings(registry, run)?;
    let config = RunConfig::of(&resolved);
    check_text(&config).map_err(|why| wrong(&why))?;
    let model = weights(run, model::<C>(&resolved, &config).init(device))?;
    Ok(LanguageModel { config, model })
}

fn check_done(run: &RunDir) -> Result<(), Failure> {
    let manifest = run.read_manifest().map_err(Failure::wrong)?;
    let command = format!("`subquad run {}`", manifest.config_file);
    match run.status() {
        RunStatus::Done(_) => Ok(()),
        RunStatus::Damaged(why) => {
            Err(Failure::wrong(format!("{why}; {command} runs it again, or restore the file")))
        }
        RunStatus::Unfinished => Err(Failure::wrong(format!(
            "{}: the run is not done ({}), so it has no weights yet; {command} continues it",
            run.path().display(),
            manifest.outcome
        ))),
    }
}

fn settings(registry: &dyn Registry, run: &RunDir) -> Result<Run, Failure> {
    let path = run.config_path();
    let (training, _) = by_kind(load_all(registry, std::slice::from_ref(&path), &[])?);
    let mut runs = training.into_iter().flat_map(|config| config.runs);
    match (runs.next(), runs.next()) {
        (Some(run), None) => Ok(run),
        _ => Err(Failure::wrong(format!("{}: not the config of one run", path.display()))),
    }
}

fn check_text(config: &RunConfig) -> Result<(), String> {
    if !matches!(config.task, TaskConfig::Bytes(_)) {
        let name = config.task.info().name;
        return Err(format!(
            "the run's task is {name}, whose data are not text; train one with task.name = \"bytes\""
        ));
    }
    match config.model.causal {
        true => Ok(()),
        false => Err("the model is bidirectional: it must see the bytes that follow, and there are none yet; train one with \
                      model.causal = true"
            .into()),
    }
}

fn weights<M: Module>(run: &RunDir, model: M) -> Result<M, Failure> {
    let path = run.weights_path();
    let bytes = fs_err::read(&path).map_err(Failure::wrong)?;
    from_safetensors(&bytes, model).map_err(|why| {
        Failure::wrong(format!("{}: {why}; delete the run's folder and run it again", path.display()))
    })
}
