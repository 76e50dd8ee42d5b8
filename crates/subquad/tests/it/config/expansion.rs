//! Which runs a sweep asks for, in which order.

use subquad_config::Run;

use super::{SMALL, load, runs};

const TWO_AXES: &str = r#"
task.name = "digits"
train.steps = 10
[sweep]
mixer = ["attention", "s4d"]
seq_len = [64, 144]
seed = [0, 1]
"optim.lr" = [0.01, 0.02]
"mixer.s4d.d_state" = [32, 16]
"#;

fn line(run: &Run) -> String {
    let axes: Vec<_> = run.axes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{} {} {} seed {}", run.size, run.subject, axes.join(" "), run.seed)
}

#[test]
fn length_is_outermost_then_mixer_then_axes_then_seed() {
    let all: Vec<_> = runs(TWO_AXES).iter().map(line).collect();
    assert_eq!(all.len(), 2 * (2 * 2 + 2 * 2 * 2));
    insta::assert_snapshot!(all[..12].join("\n"), @r#"
    64 attention optim.lr=0.01 seed 0
    64 attention optim.lr=0.01 seed 1
    64 attention optim.lr=0.02 seed 0
    64 attention optim.lr=0.02 seed 1
    64 s4d optim.lr=0.01 mixer.s4d.d_state=32 seed 0
    64 s4d optim.lr=0.01 mixer.s4d.d_state=32 seed 1
    64 s4d optim.lr=0.01 mixer.s4d.d_state=16 seed 0
    64 s4d optim.lr=0.01 mixer.s4d.d_state=16 seed 1
    64 s4d optim.lr=0.02 mixer.s4d.d_state=32 seed 0
    64 s4d optim.lr=0.02 mixer.s4d.d_state=32 seed 1
    64 s4d optim.lr=0.02 mixer.s4d.d_state=16 seed 0
    64 s4d optim.lr=0.02 mixer.s4d.d_state=16 seed 1
    "#);
    assert!(all[12..].iter().all(|line| line.starts_with("144")));
}

#[test]
fn an_axis_of_another_mixer_does_not_multiply_runs() {
    let attention: Vec<_> =
        runs(TWO_AXES).into_iter().filter(|run| !run.settings().contains_key("mixer.s4d.d_state")).collect();
    assert_eq!(attention.len(), 2 * 2 * 2);
    assert!(attention.iter().all(|run| run.axes.len() == 1));
}

#[test]
fn axes_keep_the_order_of_the_file() {
    assert_eq!(load(TWO_AXES).unwrap().axes, ["optim.lr", "mixer.s4d.d_state"]);
}

#[test]
fn nested_and_quoted_axes_are_the_same() {
    let quoted = format!("{SMALL}\"model.d_model\" = [32, 64]");
    let dotted = format!("{SMALL}model.d_model = [32, 64]");
    let nested = format!("{SMALL}[sweep.model]\nd_model = [32, 64]");
    assert_eq!(runs(&quoted), runs(&dotted));
    assert_eq!(runs(&quoted), runs(&nested));
}

#[test]
fn the_seed_is_zero_if_no_axis_says_otherwise() {
    assert!(runs(SMALL).iter().all(|run| run.seed == 0));
}

#[test]
fn two_runs_never_share_what_names_them() {
    let mut pairs: Vec<_> = runs(TWO_AXES).into_iter().map(|run| run.hash_pairs).collect();
    let count = pairs.len();
    pairs.sort();
    pairs.dedup();
    assert_eq!(pairs.len(), count);
}
