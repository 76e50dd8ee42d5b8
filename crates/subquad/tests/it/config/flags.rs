//! `--set`: what it may address, and errors that name it.

use subquad_config::Assignment;

use super::{MIXERS, SMALL, Typed, flag_errors, load_with};

#[test]
fn a_value_is_toml_or_else_a_string() {
    let flags = ["model.channel_mixer=block_diagonal", "task.name=\"digits\"", "sweep.seed=[0, 1]"];
    let study = load_with(SMALL, &flags).unwrap();
    assert_eq!(study.runs[0].settings()["model.channel_mixer"], "block_diagonal");
    assert_eq!(study.runs.len(), 2 * MIXERS);
}

#[test]
fn an_inline_table_sets_several_keys() {
    let study = load_with(SMALL, &["override.s4d={ optim.lr = 0.5, \"model.d_hidden\" = 8 }"]).unwrap();
    assert_eq!(study.runs[1].config().optim.lr, 0.5);
    assert_eq!(study.runs[1].config().model.channel.d_hidden, 8);
}

#[test]
fn a_flag_may_supply_what_the_file_lacks() {
    let flags = ["task.name=digits", "train.steps=1", "sweep.mixer=[\"s4d\"]", "sweep.seq_len=[64]"];
    assert_eq!(load_with("", &flags).unwrap().runs.len(), 1);
}

#[test]
fn an_axis_of_a_flag_replaces_the_files() {
    let text = format!("{SMALL}seed = [1, 2, 3]\nmodel.d_model = [32, 64]\n");
    let study = load_with(&text, &["sweep.seed=[9]", "sweep.model.d_model=[16]"]).unwrap();
    assert_eq!(study.runs.len(), MIXERS);
    assert!(study.runs.iter().all(|run| run.seed == 9 && run.config().model.d_model == 16));
}

#[test]
fn errors_name_the_flag() {
    insta::assert_snapshot!(flag_errors(&["train.stepz=2"]), @"--set train.stepz=2: unknown key `train.stepz`; did you mean `steps`? (known in [train]: steps, batch, accumulate, curriculum, mixed_lengths, stop_at, ema, log_every, eval_every, checkpoint_every)");
    insta::assert_snapshot!(flag_errors(&["steps=2"]), @"--set steps=2: unknown key `steps`; did you mean `train.steps`? (every key is in a section: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.attention, mixer.s4d, mixer.s4, mixer.h3, mixer.ema, mixer.hyena, mixer.m2, mixer.monarch, mixer.causal_monarch, optim, train, budget, select, sweep, override)");
    insta::assert_snapshot!(flag_errors(&["seq_len=[2]"]), @"--set seq_len=[2]: unknown key `seq_len`; did you mean `sweep.seq_len`? (every key is in a section: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.attention, mixer.s4d, mixer.s4, mixer.h3, mixer.ema, mixer.hyena, mixer.m2, mixer.monarch, mixer.causal_monarch, optim, train, budget, select, sweep, override)");
    insta::assert_snapshot!(flag_errors(&["train.steps=two"]), @r#"--set train.steps=two: `train.steps` must be an integer >= 1, got the string "two""#);
    insta::assert_snapshot!(flag_errors(&["sweep.seed=3"]), @"--set sweep.seed=3: axis `sweep.seed` must be a list of values, got 3");
    insta::assert_snapshot!(flag_errors(&["sweep.mixer=[\"s4e\"]"]), @r#"--set sweep.mixer=["s4e"]: each value of `sweep.mixer` must be one of attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch, or a pattern of them such as "s4d*3+attention"; got "s4e"; did you mean "s4d"?"#);
    insta::assert_snapshot!(flag_errors(&["override.s5.optim.lr=1"]), @"--set override.s5.optim.lr=1: [override.s5] unknown mixer `s5`; did you mean `s4`? (known: attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch)");
    insta::assert_snapshot!(flag_errors(&["mixer.attention.n_heads=5"]), @"--set mixer.attention.n_heads=5: 5 heads cannot share d_model = 64 equally; choose n_heads among the divisors of 64");
    insta::assert_snapshot!(flag_errors(&["train.steps=1", "train.steps=2"]), @"--set train.steps=2: `train.steps` is set twice, first at --set train.steps=1; keep one");
}

#[test]
fn a_flag_on_an_axis_says_what_to_do() {
    let axis = format!("{SMALL}\"optim.lr\" = [0.1, 0.2]\n");
    let errors = |flags: &[&str]| load_with(&axis, flags).unwrap_err().to_string();
    insta::assert_snapshot!(errors(&["optim.lr=0.3"]), @"--set optim.lr=0.3: `optim.lr` is an axis of the sweep (x.toml:9); use sweep.optim.lr=[..], or remove the axis");
    insta::assert_snapshot!(errors(&["override.s4d.optim.lr=0.3"]), @"--set override.s4d.optim.lr=0.3: `optim.lr` is an axis of the sweep (x.toml:9), so [override.s4d] cannot set it; remove one of the two");
    insta::assert_snapshot!(flag_errors(&["train.batch=2", "sweep.train.batch=[1, 2]"]), @"--set train.batch=2: `train.batch` is an axis of the sweep (--set sweep.train.batch=[1, 2]); use sweep.train.batch=[..], or remove the axis");
}

#[test]
fn nothing_is_the_empty_string() {
    let study = load_with(SMALL, &["task.path="]).unwrap();
    assert_eq!(study.runs[0].settings()["task.path"], "");
    insta::assert_snapshot!(flag_errors(&["train.steps="]), @r#"--set train.steps=: `train.steps` must be an integer >= 1, got the string """#);
}

#[test]
fn a_flag_for_the_other_kind_of_config_says_so() {
    insta::assert_snapshot!(flag_errors(&["bench.seconds=1"]), @"--set bench.seconds=1: [bench] is for configs that measure, and this one trains; use it with configs that have [bench]");
    insta::assert_snapshot!(flag_errors(&["bench=1"]), @"--set bench=1: [bench] is for configs that measure, and this one trains; use it with configs that have [bench]");
}

#[test]
fn a_flag_is_a_key_and_a_value() {
    for text in ["train.steps", "=3"] {
        assert!(Assignment::parse(text).is_err(), "{text}");
    }
    insta::assert_snapshot!(Assignment::parse("train.steps").unwrap_err(), @"--set train.steps: must read KEY=VALUE, such as train.steps=100");
}
