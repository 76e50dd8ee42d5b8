//! Figures in the repository: code that draws them differently must come with redrawn figures.

use std::collections::BTreeMap;
use std::path::PathBuf;

use subquad_plot::{read_panels, study};

#[derive(serde::Deserialize)]
struct Summary {
    captions: BTreeMap<String, Vec<String>>,
}

#[test]
fn the_figures_of_the_quick_start_are_what_their_tables_draw() {
    let study_dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../results/00-quickstart"));
    let summary = fs_err::read_to_string(study_dir.join("summary.json")).unwrap();
    let Summary { captions } = serde_json::from_str(&summary).unwrap();
    assert!(!captions.is_empty());
    let dir = tempfile::tempdir().unwrap();
    for (name, caption) in captions {
        let committed = study_dir.join("figures").join(&name);
        let panels = read_panels(&committed.with_extension("csv")).unwrap();
        study::by_name(&name, panels, caption).unwrap().write(dir.path()).unwrap();
        for extension in ["csv", "svg", "png"] {
            let read = |path: PathBuf| fs_err::read(path.with_extension(extension)).unwrap();
            assert!(read(committed.clone()) == read(dir.path().join(&name)), "{name}.{extension} differs");
        }
    }
}
