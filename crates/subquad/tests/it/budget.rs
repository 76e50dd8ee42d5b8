//! Runs with a budget: what is listed before they run, and what is said and recorded after.

use crate::lab::{Lab, TINY};

const FLAGS: &str = "--set sweep.seed=[0] --set model.n_layers=2 --set sweep.mixer=[\"attention\",\"s4d\",\"s4d+attention\"] \
                     --set budget.parameters=3000 --set budget.vary=model.d_hidden --quiet";

/// A folder with [`TINY`] without the size that the budget finds.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("tiny/tiny.toml", TINY.replace("d_hidden = 16\n", ""));
    lab
}

#[test]
fn a_dry_run_lists_what_was_found_and_the_runs_reach_it() {
    let lab = lab();
    let listed = lab.subquad(&format!("run tiny --dry-run {FLAGS}")).expect(0).out;
    let found: Vec<&str> =
        listed.lines().map(|line| line.split_once("  model.d_hidden = ").unwrap().1).collect();
    // Attention: 2 (288 + 32 + 17 d_hidden + 8) in two blocks, and 122 outside.
    assert_eq!(
        found,
        ["65: 2,988 parameters (-0.4 %)", "67: 2,992 parameters (-0.3 %)", "66: 2,990 parameters (-0.3 %)"]
    );

    let table = lab.subquad(&format!("run tiny {FLAGS}")).expect(0).out;
    assert!(["2,988", "2,992", "2,990"].iter().all(|count| table.contains(count)), "{table}");
    assert!(table.contains("width 8, depth 2, parameters within 0.1 %."), "{table}");
    let summary = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    let (header, row) = (summary.lines().next().unwrap(), summary.lines().nth(1).unwrap());
    let at = |key: &str| row.split(',').nth(header.split(',').position(|name| name == key).unwrap()).unwrap();
    assert_eq!((at("budget.parameters"), at("model.d_hidden"), at("parameters")), ("3000", "65", "2988"));
}

#[test]
fn the_config_of_a_finished_run_asks_for_just_this_run() {
    let lab = lab();
    lab.subquad(&format!("run tiny {FLAGS}")).expect(0);
    let runs = fs_err::read_dir(lab.path("results/tiny/runs")).unwrap();
    let config =
        runs.map(|run| run.unwrap().path()).find(|run| run.to_string_lossy().contains("s4d+attention"));
    let text = fs_err::read_to_string(config.unwrap().join("config.toml")).unwrap();
    lab.write("tiny/tiny.toml", &text);
    let again = lab.subquad("run tiny --dry-run").expect(0).out;
    assert!(again.starts_with("done ") && again.lines().count() == 1, "{again}");
}
