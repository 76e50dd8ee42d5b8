//! Running again does only what is missing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::lab::{Lab, TINY, TINY_RUNS, files, name};

/// Every file of every run: when it was written, and what it holds.
fn runs(lab: &Lab) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let state = |path: PathBuf| {
        let written = fs_err::metadata(&path).unwrap().modified().unwrap();
        (path.clone(), (written, fs_err::read(path).unwrap()))
    };
    lab.runs("results").iter().flat_map(|run| files(run)).map(state).collect()
}

/// The runs with a file that has changed.
fn changed(before: &BTreeMap<PathBuf, (SystemTime, Vec<u8>)>, lab: &Lab) -> Vec<PathBuf> {
    let after = runs(lab).into_iter().filter(|(path, state)| before.get(path) != Some(state));
    let mut changed: Vec<_> = after.map(|(path, _)| path.parent().unwrap().to_owned()).collect();
    changed.dedup();
    changed
}

#[test]
fn a_finished_study_is_shown_again_and_not_trained_again() {
    let lab = Lab::new();
    let first = lab.subquad("run tiny").expect(0);
    let before = runs(&lab);
    let again = lab.subquad("run tiny").expect(0);
    assert_eq!(again.err, "tiny: all 6 runs are already done; nothing to train\n");
    assert_eq!(again.out, first.out);
    assert_eq!(changed(&before, &lab), Vec::<PathBuf>::new());
}

#[test]
fn a_deleted_run_alone_is_trained_again() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    let before = runs(&lab);
    let run = lab.run_folder("s4d-L64-s1");
    fs_err::remove_dir_all(&run).unwrap();
    let again = lab.subquad("run tiny").expect(0);
    assert!(
        again.err.starts_with("tiny: 6 runs, 5 of them already done\n[4/6] s4d-L64-s1-"),
        "{}",
        again.err
    );
    assert_eq!(changed(&before, &lab), [run]);
}

#[test]
fn a_half_finished_run_is_trained_again_from_its_start() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    let before = runs(&lab);
    let run = lab.run_folder("m2-L64-s0");
    for name in ["proof.json", "summary.json", "manifest.json"] {
        fs_err::remove_file(run.join(name)).unwrap();
    }
    fs_err::write(run.join("metrics.jsonl"), "{\"step\":1,\"spl").unwrap();
    let again = lab.subquad("run tiny").expect(0);
    assert_eq!(again.err.matches("\n[").count(), 1, "{}", again.err);
    let rows = subquad_record::read_rows(&run.join("metrics.jsonl")).unwrap();
    assert_eq!(changed(&before, &lab), [run]);
    assert_eq!(rows.first().map(|row| row.step), Some(1));
}

#[test]
fn a_dry_run_tells_done_from_to_do() {
    let lab = Lab::new();
    lab.subquad("run tiny --set sweep.seed=[1]").expect(0);
    let listed = lab.subquad("run tiny --dry-run").expect(0).out;
    let (done, to_do): (Vec<_>, Vec<_>) = listed.lines().partition(|line| line.starts_with("done "));
    assert_eq!((done.len(), to_do.len()), (TINY_RUNS / 2, TINY_RUNS / 2), "{listed}");
    assert!(done.iter().all(|line| line.contains("-s1-")), "{listed}");
    assert!(to_do.iter().all(|line| line.starts_with("to do  results/tiny/runs/")), "{listed}");
}

#[test]
fn results_of_another_seed_join_the_study() {
    let lab = Lab::new();
    lab.subquad("run tiny --set sweep.seed=[0]").expect(0);
    let before = runs(&lab);
    lab.subquad("run tiny").expect(0);
    assert!(changed(&before, &lab).iter().all(|run| name(run).contains("-s1-")));
    assert_eq!(lab.runs("results").len(), TINY_RUNS);
}

#[test]
fn configs_of_one_folder_are_told_apart() {
    let lab = Lab::new();
    lab.write("two/short.toml", TINY);
    lab.write("two/long.toml", TINY.replace("steps = 4", "steps = 6"));
    let answer = lab.subquad("run two").expect(0);
    for label in ["m2 (short)", "m2 (long)"] {
        assert!(answer.out.contains(label), "{}", answer.out);
    }
}
