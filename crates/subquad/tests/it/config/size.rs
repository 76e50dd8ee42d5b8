//! How many runs a config may ask for.

use std::fmt::Write;

use subquad_config::{MOST_RUNS, Study};

use super::{SMALL, errors, load, load_with, runs, small};

/// The whole numbers below `count` as a list, from `from` on.
fn list(from: usize, count: usize) -> String {
    let numbers: Vec<String> = (from..from + count).map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(", "))
}

/// One mixer, with these axes.
fn sweep(axes: &str) -> String {
    format!("{}{axes}", small(&["s4d"]))
}

#[test]
fn a_sweep_beyond_the_bound_is_counted_and_not_expanded() {
    let axes = ["optim.lr", "optim.weight_decay", "optim.clip", "mixer.s4d.ssm_lr", "mixer.s4d.b_clip"];
    let mut text = sweep(&format!("seed = {}\n", list(0, 13)));
    axes.iter().for_each(|axis| writeln!(text, "\"{axis}\" = {}", list(1, 13)).unwrap());
    writeln!(text, "train.batch = {}\ntrain.steps = {}", list(1, 13), list(1, 13)).unwrap();
    insta::assert_snapshot!(errors(&text), @"x.toml:16: asks for 815,730,721 runs (sweep.seed 13 x optim.lr 13 x optim.weight_decay 13 x optim.clip 13 x mixer.s4d.ssm_lr 13 x mixer.s4d.b_clip 13 x train.batch 13 x train.steps 13), but one command plans at most 200,000; remove values, or pass fewer configs at once");
}

#[test]
fn a_sweep_of_more_runs_than_numbers_count_is_an_error_too() {
    let mut text = sweep("");
    for (key, from) in [
        ("optim.lr", 1),
        ("optim.weight_decay", 1),
        ("optim.clip", 1),
        ("model.d_hidden", 1),
        ("model.n_layers", 1),
        ("train.batch", 1),
        ("mixer.s4d.ssm_lr", 1),
        ("mixer.s4d.b_clip", 1),
        ("seed", 0),
    ] {
        let count = if key == "model.n_layers" { 64 } else { 40_000 };
        writeln!(text, "\"{key}\" = {}", list(from, count)).unwrap();
    }
    let said = errors(&text);
    assert!(said.contains("asks for more than 10^38 runs (optim.lr 40,000"), "{said}");
}

#[test]
fn the_bound_itself_is_allowed_and_one_more_is_not() {
    let hidden = |count| format!("model.d_hidden = {}\n", list(1, count));
    let count = |text: &str| load(text).map(|study| study.runs.len());
    assert_eq!(count(&sweep(&format!("seed = {}\n{}", list(0, 10), hidden(100)))), Ok(1000));
    let seeds = list(0, MOST_RUNS + 1);
    insta::assert_snapshot!(errors(&sweep(&format!("seed = {seeds}"))), @"x.toml:9: asks for 200,001 runs (sweep.seed 200,001), but one command plans at most 200,000; remove values, or pass fewer configs at once");
}

#[test]
fn an_axis_of_one_mixer_or_task_counts_only_for_its_runs() {
    // 6 mixers, of which one has 4 times as many runs.
    let text = format!("{SMALL}seed = {}\n\"mixer.s4d.d_state\" = [2, 4, 6, 8]\n", list(0, 50_000));
    insta::assert_snapshot!(errors(&text), @"x.toml:9: asks for 450,000 runs (sweep.mixer 6, sweep.seed 50,000, mixer.s4d.d_state 4), but one command plans at most 200,000; remove values, or pass fewer configs at once");
}

#[test]
fn counting_and_expanding_agree() {
    let tasks = SMALL.replace("[task]\nname = \"digits\"\n", "");
    let text = format!(
        "{tasks}seed = [0, 1, 2]\n\"task.mqar.vocab\" = [128, 256]\n\"task.name\" = [\"mqar\", \"digits\"]\n\
         \"task.mqar.n_pairs\" = [1, 2, 3]\n"
    );
    let found: Vec<String> = runs(&text).iter().filter(|run| run.seed == 0).map(line).collect();
    assert_eq!(found.len(), super::MIXERS * (2 * 3 + 1));
    insta::assert_snapshot!(found[..7].join("\n"), @"
    task.mqar.vocab=128 task.name=mqar task.mqar.n_pairs=1 
    task.mqar.vocab=128 task.name=mqar task.mqar.n_pairs=2 
    task.mqar.vocab=128 task.name=mqar task.mqar.n_pairs=3 
    task.name=digits 
    task.mqar.vocab=256 task.name=mqar task.mqar.n_pairs=1 
    task.mqar.vocab=256 task.name=mqar task.mqar.n_pairs=2 
    task.mqar.vocab=256 task.name=mqar task.mqar.n_pairs=3
    ");
}

fn line(run: &subquad_config::Run) -> String {
    run.axes.iter().map(|(key, value)| format!("{key}={value} ")).collect()
}

#[test]
fn a_flag_can_make_a_sweep_too_large() {
    let flags = format!("sweep.seed={}", list(0, MOST_RUNS));
    let said = load_with(SMALL, &[&flags]).unwrap_err().to_string();
    assert!(
        said.contains("asks for 1,200,000 runs (sweep.mixer 6 x sweep.seed 200,000)"),
        "{}",
        &said[said.len() - 300..]
    );
}

#[test]
fn ten_thousand_runs_of_every_kind_of_axis_are_planned() {
    let text = sweep(&format!("seed = {}\nmodel.d_hidden = {}\n", list(0, 100), list(1, 100)));
    let Study { runs, .. } = load(&text).unwrap();
    assert_eq!(runs.len(), 10_000);
}
