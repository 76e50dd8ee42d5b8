//! A study that trains: the runs of the configs of one folder, and what each is called.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use subquad_backend::DeviceKind;
use subquad_config::{Run, Study as StudyConfig, last_part, slug};
use subquad_data::{TaskConfig, TaskError};
use subquad_record::{Repository, RunDir, RunName, long_run_hash};

use crate::config::RunConfig;
use crate::repository::repository;
use crate::{Failure, select};

/// All runs whose results are shown together: those of the configs of one folder.
#[derive(Debug)]
pub struct Study {
    /// Name of the folder that holds the configs, and of the folder in `results/`.
    pub slug: String,
    /// The folder that holds the configs.
    folder: PathBuf,
    /// The git repository of that folder, once it has been asked for.
    repository: OnceLock<Option<Repository>>,
    /// The runs, in the order in which they are executed. No two are the same.
    pub runs: Vec<PlannedRun>,
}

/// The device whose kind is not part of the names of its runs: only their settings are.
const DEFAULT_DEVICE: DeviceKind = DeviceKind::Cpu;

/// One run and the name of its folder.
#[derive(Debug)]
pub struct PlannedRun {
    /// Name of its folder.
    pub name: RunName,
    /// The config that asks for it.
    pub config_file: Arc<Path>,
    /// Its settings.
    pub resolved: Run,
    /// Digest of the data that its task is given; `None` if the program generates the data itself.
    pub data: Option<String>,
}

/// The studies of configs that have been read. Reads the data of their tasks, because their contents are part of what a run
/// is.
///
/// # Errors
/// If two folders of one name would share results, or data are missing or damaged.
pub fn group(configs: Vec<StudyConfig>) -> Result<Vec<Study>, Failure> {
    let mut studies: Vec<(Study, Indices)> = vec![];
    for config in configs {
        let (slug, folder) = (slug(&config.path)?, folder(&config.path)?);
        let index = studies.iter().position(|(study, _)| study.slug == slug).unwrap_or_else(|| {
            let study = Study { slug, folder: folder.clone(), repository: OnceLock::new(), runs: vec![] };
            studies.push((study, Indices::new()));
            studies.len() - 1
        });
        let (study, indices) = &mut studies[index];
        study.check_folder(&folder)?;
        study.add(config, indices)?;
    }
    Ok(studies.into_iter().map(|(study, _)| study).collect())
}

/// The index of each run in its study, by name.
type Indices = HashMap<RunName, usize>;

/// The real folder that holds a config, by whatever path it was named.
pub(crate) fn folder(config: &Path) -> Result<PathBuf, Failure> {
    let file = fs_err::canonicalize(config).map_err(Failure::wrong)?;
    Ok(file.parent().map(Into::into).unwrap_or_default())
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

    /// The study on a device of this kind, such as `"cpu"`. Another kind rounds differently, so its runs have
    /// different names.
    pub fn on_device(mut self, kind: DeviceKind) -> Self {
        let device = Some(kind).filter(|kind| *kind != DEFAULT_DEVICE).map(DeviceKind::as_str);
        if device.is_none() {
            return self;
        }
        let mut indices = Indices::new();
        for mut run in std::mem::take(&mut self.runs) {
            run.name = name(&run.resolved, run.data.as_deref(), device, DIGITS);
            self.push(run, device, &mut indices);
        }
        self
    }

    /// The git repository that holds the configs; git is asked once.
    pub fn repository(&self) -> Option<&Repository> {
        self.repository.get_or_init(|| repository(&self.folder)).as_ref()
    }

    /// What a run is called in tables and figures: its mixer, what else the sweep varies, and its config if the study
    /// has several.
    pub fn label(&self, run: &PlannedRun) -> String {
        // Runs are ordered config by config.
        let ends = self.runs.first().zip(self.runs.last());
        let others = ends.is_some_and(|(first, last)| first.config_file != last.config_file);
        let config = run.config_file.file_stem().filter(|_| others);
        let config = config.map(|stem| format!(" ({})", stem.to_string_lossy())).unwrap_or_default();
        format!("{}{config}", run.label())
    }

    /// Adds the runs that the study does not have yet.
    fn add(&mut self, config: StudyConfig, indices: &mut Indices) -> Result<(), Failure> {
        let digests =
            digests(&config).map_err(|e| Failure::wrong(format!("{}: {e}", config.path.display())))?;
        let config_file: Arc<Path> = config.path.into();
        for resolved in config.runs {
            let data = digests.of(&resolved);
            let name = name(&resolved, data.as_deref(), None, DIGITS);
            self.push(PlannedRun { name, config_file: config_file.clone(), resolved, data }, None, indices);
        }
        Ok(())
    }

    /// Adds a run unless the study has it. Eight digits tell runs apart unless there are very many: of those that share
    /// mixer, length and seed, some then have the same digits by chance, and the later one takes more digits.
    fn push(&mut self, mut run: PlannedRun, device: Option<&str>, indices: &mut Indices) {
        for digits in (DIGITS..=MAX_DIGITS).step_by(DIGITS) {
            match indices.get(&run.name) {
                Some(index) if run.is_same(&self.runs[*index]) => return,
                Some(_) => run.name = name(&run.resolved, run.data.as_deref(), device, digits + DIGITS),
                None => break,
            }
        }
        indices.insert(run.name.clone(), self.runs.len());
        self.runs.push(run);
    }
}

/// The digests of the data of a config's tasks, by where the data come from.
#[derive(Debug, Default)]
pub struct Digests(BTreeMap<Source, Option<String>>);

/// Which data a task is given: nothing else decides their digest.
type Source = (&'static str, PathBuf, [usize; 2]);

/// `None` if the program generates the data.
fn source(task: &TaskConfig) -> Option<Source> {
    let (path, examples) = task.source()?;
    Some((task.info().name, path, examples))
}

/// Reads the data of a config's tasks, each once, for the longest sequences: data that are long enough for them are
/// long enough for all.
///
/// # Errors
/// If data are missing or damaged.
pub fn digests(config: &StudyConfig) -> Result<Digests, TaskError> {
    let mut longest: BTreeMap<Source, RunConfig> = BTreeMap::new();
    for run in config.runs.iter().map(RunConfig::of) {
        let Some(source) = source(&run.task) else { continue };
        let longest = longest.entry(source).or_insert_with(|| run.clone());
        if run.seq_len > longest.seq_len {
            *longest = run;
        }
    }
    let digest =
        |(source, run): (Source, RunConfig)| Ok((source, run.task.open(run.seq_len, run.seed)?.digest()));
    Ok(Digests(longest.into_iter().map(digest).collect::<Result<_, TaskError>>()?))
}

impl Digests {
    fn of(&self, run: &Run) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&source(&RunConfig::of(run).task)?).cloned().flatten()
    }
}

impl PlannedRun {
    /// Where the run's results are, or will be.
    pub fn dir(&self, study: &Study, results: &Path) -> RunDir {
        RunDir::open(results, &study.slug, &self.name)
    }

    /// Its settings as types.
    pub fn config(&self) -> RunConfig {
        RunConfig::of(&self.resolved)
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.resolved.hash_pairs, &self.data) == (&other.resolved.hash_pairs, &other.data)
    }

    /// The keys whose best values are chosen by a validation score.
    pub fn over(&self) -> Vec<String> {
        select::over(&self.resolved)
    }

    /// The label of the run: its mixer and what else the sweep varies, without what is tuned.
    pub fn label(&self) -> String {
        let over = self.over();
        let axes = self.resolved.axes.iter().filter(|(key, _)| !over.contains(key));
        let axes = axes.map(|(key, value)| format!(" {}={value}", last_part(key)));
        std::iter::once(self.resolved.subject.to_string()).chain(axes).collect()
    }
}

/// The key for the digest of its data, which is part of a run's name.
const DATA: &str = "task.data";
/// The key for the kind of its device, which is part of a run's name.
const DEVICE: &str = "device";

/// Hex digits of the hash in a name; a multiple of that if a run has more.
const DIGITS: usize = 8;
/// Hex digits of a whole SHA-256.
const MAX_DIGITS: usize = 64;

/// A share and the number that it is at a run's own length are different things only where the run also trains at other lengths.
fn shares(run: &Run) -> Vec<(String, String)> {
    let varies = RunConfig::of(run).train.lengths(run.size).is_some();
    let shares = run.shares().filter(|_| varies);
    shares.map(|(key, share)| (format!("{key} at every length"), share.to_string())).collect()
}

/// How often a run is evaluated changes its numbers only where a score ends it.
fn stops_every(run: &Run) -> Option<String> {
    let stop_at = run.value(STOPS_AT).filter(|at| at.as_real() != Some(0.0));
    stop_at.and(run.value(STOPS_EVERY)).map(ToString::to_string)
}

const STOPS_AT: &str = "train.stop_at";
const STOPS_EVERY: &str = "train.eval_every";

fn name(run: &Run, data: Option<&str>, device: Option<&str>, digits: usize) -> RunName {
    let mut naming = run.hash_pairs.clone();
    let beside = [(DATA, data), (DEVICE, device)];
    naming.extend(beside.iter().filter_map(|(key, value)| Some(((*key).to_owned(), (*value)?.to_owned()))));
    naming.extend(stops_every(run).map(|every| (STOPS_EVERY.to_owned(), every)));
    naming.extend(shares(run));
    RunName {
        mixer: RunName::mixer_of(&run.subject),
        seq_len: run.size,
        seed: run.seed,
        hash: long_run_hash(&naming, digits.min(MAX_DIGITS)),
    }
}
