//! From config files to the runs they ask for.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use subquad_data::TaskError;
use subquad_record::{Repository, RunName, run_hash};

use crate::config::{
    Assignment, BenchConfig, ConfigErrors, ConfigFile, ResolvedRun, StudyConfig, find_configs, slug,
};
use crate::repository::repository;
use crate::scaling::{self, BenchStudy};
use crate::{Failure, assemble};

/// All runs whose results are shown together: those of the configs of one folder.
#[derive(Debug)]
pub struct Study {
    /// Name of the folder that holds the configs, and of the folder in `results/`.
    pub slug: String,
    /// The folder that holds the configs.
    folder: PathBuf,
    /// The git repository of that folder, once it was asked for.
    repository: OnceLock<Option<Repository>>,
    /// In the order in which they run. No two are the same.
    pub runs: Vec<PlannedRun>,
}

/// The device whose runs are named by their settings alone.
const UNNAMED_DEVICE: &str = "cpu";

/// One run and the name of its folder.
#[derive(Debug)]
pub struct PlannedRun {
    /// Name of its folder.
    pub name: RunName,
    /// The config that asks for it.
    pub config_file: PathBuf,
    /// Its settings.
    pub resolved: ResolvedRun,
}

/// Everything that configs ask for.
#[derive(Debug)]
pub struct Planned {
    /// Studies that train.
    pub training: Vec<Study>,
    /// Studies that measure.
    pub bench: Vec<BenchStudy>,
}

/// Reads configs (files, or folders of them) and groups what they ask for by folder.
///
/// # Errors
/// Every mistake of every file.
pub fn plan(paths: &[PathBuf], assignments: &[Assignment]) -> Result<Planned, Failure> {
    let (training, bench) = by_kind(load_all(paths, assignments)?);
    let training = group(training)?;
    let bench = scaling::group(bench, &training)?;
    Ok(Planned { training, bench })
}

/// Those that train and those that measure.
pub fn by_kind(files: Vec<ConfigFile>) -> (Vec<StudyConfig>, Vec<BenchConfig>) {
    let (mut training, mut bench) = (vec![], vec![]);
    for file in files {
        match file {
            ConfigFile::Training(config) => training.push(config),
            ConfigFile::Bench(config) => bench.push(config),
        }
    }
    (training, bench)
}

/// The studies of configs that have been read.
///
/// # Errors
/// If two folders of one name would share results, or a layer refuses its sizes.
pub fn group(configs: Vec<StudyConfig>) -> Result<Vec<Study>, Failure> {
    let mut studies: Vec<Study> = vec![];
    for config in configs {
        let (slug, folder) = (slug(&config.path)?, folder(&config.path)?);
        let index = studies.iter().position(|study| study.slug == slug).unwrap_or_else(|| {
            studies.push(Study { slug, folder: folder.clone(), repository: OnceLock::new(), runs: vec![] });
            studies.len() - 1
        });
        studies[index].check_folder(&folder)?;
        studies[index].add(config)?;
    }
    Ok(studies)
}

/// The folder that holds a config, whatever it is called here.
pub(crate) fn folder(config: &Path) -> Result<PathBuf, Failure> {
    let file = fs_err::canonicalize(config).map_err(Failure::wrong)?;
    Ok(file.parent().map(Into::into).unwrap_or_default())
}

/// Reads and checks configs; one unreadable path does not hide the mistakes of another.
///
/// # Errors
/// Every mistake of every file, each once.
pub fn load_all(paths: &[PathBuf], assignments: &[Assignment]) -> Result<Vec<ConfigFile>, Failure> {
    let (mut configs, mut mistakes) = (vec![], vec![]);
    for loaded in paths.iter().flat_map(|path| load_path(path, assignments)) {
        match loaded {
            Ok(config) => configs.push(config),
            Err(errors) => mistakes.extend(errors.0.iter().map(ToString::to_string)),
        }
    }
    // A mistake in a flag is found again in every file.
    let mut seen = std::collections::BTreeSet::new();
    mistakes.retain(|mistake| seen.insert(mistake.clone()));
    if mistakes.is_empty() { Ok(configs) } else { Err(Failure::Wrong(mistakes)) }
}

fn load_path(path: &Path, assignments: &[Assignment]) -> Vec<Result<ConfigFile, ConfigErrors>> {
    match find_configs(path) {
        Ok(files) => files.iter().map(|file| load(file, assignments)).collect(),
        Err(error) => vec![Err(error.into())],
    }
}

fn load(file: &Path, assignments: &[Assignment]) -> Result<ConfigFile, ConfigErrors> {
    let check_length = |task: &str, seq_len| subquad_data::check(task, seq_len).map_err(reason);
    ConfigFile::load(file, assignments, &check_length)
}

/// What the config's error does not already say.
fn reason(error: TaskError) -> String {
    match error {
        TaskError::Length { rule, nearest, .. } => format!("{rule}; nearest allowed: {nearest}"),
        TaskError::Unknown { .. } => error.to_string(),
    }
}

impl Study {
    /// The folder that holds the configs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Two folders of one name would share results.
    fn check_folder(&self, folder: &Path) -> Result<(), Failure> {
        match folder == self.folder {
            true => Ok(()),
            false => Err(Failure::wrong(format!(
                "{} and {} would share the results folder `{}`; run them one by one, with different --results",
                self.folder.display(),
                folder.display(),
                self.slug
            ))),
        }
    }

    /// The study on a device of this kind, such as `"cpu"`. Another kind rounds differently, so its runs have names of
    /// their own.
    pub fn on_device(mut self, kind: &str) -> Self {
        for run in self.runs.iter_mut().filter(|_| kind != UNNAMED_DEVICE) {
            let mut pairs = run.resolved.hash_pairs.clone();
            pairs.insert("device".into(), kind.into());
            run.name.hash = run_hash(&pairs);
        }
        self
    }

    /// The git repository that holds the configs; git is asked once.
    pub fn repository(&self) -> Option<&Repository> {
        self.repository.get_or_init(|| repository(&self.folder)).as_ref()
    }

    /// What a run is called in tables and figures: its mixer, what else the sweep varies, and its config where the study has
    /// several.
    pub fn label(&self, run: &PlannedRun) -> String {
        let others = self.runs.iter().any(|other| other.config_file != run.config_file);
        let config = run.config_file.file_stem().filter(|_| others);
        let config = config.map(|stem| format!(" ({})", stem.to_string_lossy())).unwrap_or_default();
        format!("{}{config}", run.label())
    }

    fn add(&mut self, config: StudyConfig) -> Result<(), Failure> {
        for resolved in config.runs {
            let run = PlannedRun { name: name(&resolved), config_file: config.path.clone(), resolved };
            run.check_model()?;
            if !self.runs.iter().any(|other| other.name == run.name) {
                self.runs.push(run);
            }
        }
        Ok(())
    }
}

impl PlannedRun {
    /// The layers' own words on their sizes; the config's checks should have caught everything before.
    fn check_model(&self) -> Result<(), Failure> {
        let run = &self.resolved.config;
        let task = subquad_data::open(&run.task.name, run.seq_len, run.seed).map_err(Failure::wrong)?;
        let checked = assemble::model(run, &*task).check();
        checked.map_err(|e| Failure::wrong(format!("{}: {}: {e}", self.config_file.display(), self.name)))
    }

    /// Its mixer and what else the sweep varies.
    pub fn label(&self) -> String {
        let axes = self.resolved.axes.iter().map(|(key, value)| {
            let leaf = key.rsplit('.').next().unwrap_or(key);
            format!(" {leaf}={value}")
        });
        std::iter::once(self.name.mixer.clone()).chain(axes).collect()
    }
}

fn name(run: &ResolvedRun) -> RunName {
    RunName {
        mixer: run.config.mixer_name().to_string(),
        seq_len: run.config.seq_len,
        seed: run.config.seed,
        hash: run_hash(&run.hash_pairs),
    }
}
