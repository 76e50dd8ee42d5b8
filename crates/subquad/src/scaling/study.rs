//! Which configs share a summary, and where each keeps its cells.

use std::path::{Path, PathBuf};

use subquad_bench::{Site, Subjects};
use subquad_config::slug;
use subquad_record::run_hash;

use super::Point;
use crate::Failure;
use crate::config::BenchConfig;
use crate::study::{Study, folder};

/// All configs of one folder that measure.
#[derive(Debug)]
pub struct BenchStudy {
    /// Name of the folder that holds the configs, and of the folder in `results/`.
    pub slug: String,
    folder: PathBuf,
    /// The configs, in the order of their names.
    pub configs: Vec<BenchConfig>,
}

/// Groups configs by folder.
///
/// # Errors
/// If two folders of one name, or configs that train and configs that measure, would share results.
pub fn group(configs: Vec<BenchConfig>, training: &[Study]) -> Result<Vec<BenchStudy>, Failure> {
    let mut studies: Vec<BenchStudy> = vec![];
    for config in configs {
        let (slug, folder) = (slug(&config.path)?, folder(&config.path)?);
        let others = training.iter().filter(|study| study.slug == slug).map(Study::folder);
        let own = studies.iter().filter(|study| study.slug == slug && study.folder != folder);
        if let Some(other) = others.chain(own.map(|study| study.folder.as_path())).next() {
            return Err(shared(&slug, other, &config.path));
        }
        match studies.iter_mut().find(|study| study.slug == slug) {
            Some(study) => study.configs.push(config),
            None => studies.push(BenchStudy { slug, folder, configs: vec![config] }),
        }
    }
    Ok(studies)
}

fn shared(slug: &str, other: &Path, config: &Path) -> Failure {
    Failure::wrong(format!(
        "{}: measures, and would share the results folder `{slug}` with other configs in {}; give each kind of config its \
         own folder",
        config.display(),
        other.display()
    ))
}

impl BenchStudy {
    /// Where a config's cells are: a folder named after what changes all its numbers. Which lengths, widths and layers it
    /// asks for changes none, so a longer list continues with what is there.
    pub fn run_folder(&self, config: &BenchConfig, results: &Path, site: &Site) -> PathBuf {
        let stem = config.path.file_stem().unwrap_or_default().to_string_lossy();
        let mut pairs = config.hash_pairs.clone();
        pairs.insert("device".into(), site.device_kind.as_str().to_owned());
        pairs.insert("threads".into(), rayon::current_num_threads().to_string());
        results.join(&self.slug).join("runs").join(format!("{stem}-{}", run_hash(&pairs)))
    }

    /// Every config with its points.
    pub fn points(&self, subjects: &'static Subjects) -> Vec<(&BenchConfig, Vec<Point>)> {
        self.configs.iter().map(|config| (config, Point::all(&config.options, subjects))).collect()
    }
}
