//! `[select]`, and what goes with it: validation, early stopping, other lengths.

use super::{errors, load_with, runs, small};

fn with(lines: &str) -> String {
    format!("{lines}\n{}", small(&["s4d", "attention"]))
}

#[test]
fn what_is_tuned_must_be_an_axis() {
    let text = |key: &str| with(&format!("[select]\nover = [{key:?}]"));
    insta::assert_snapshot!(errors(&text("optim.lr")), @r#"x.toml:2: over must name axes of [sweep], which has none besides mixer, seq_len and seed; got "optim.lr""#);
    let axis = |key: &str| format!("{}\n\"optim.lr\" = [0.1, 0.2]", text(key));
    insta::assert_snapshot!(errors(&axis("optim.lt")), @r#"x.toml:2: over must name axes of [sweep], which has optim.lr; got "optim.lt"; did you mean `optim.lr`?"#);
    insta::assert_snapshot!(errors(&axis("seed")), @r#"x.toml:2: over must name axes of [sweep], which has optim.lr; got "seed""#);
    assert_eq!(runs(&axis("optim.lr")).len(), 2 * runs(&with("")).len());
}

#[test]
fn what_is_tuned_is_tuned_on_validation_examples() {
    let text = with("[select]\nover = [\"optim.lr\"]") + "\n\"optim.lr\" = [0.1, 0.2]";
    let refused = load_with(&text, &["task.digits.validation=0.0"]).unwrap_err().to_string();
    insta::assert_snapshot!(refused, @"x.toml:2: over needs validation examples; set task.digits.validation above 0, such as to 0.1");
}

#[test]
fn a_score_that_ends_a_run_needs_evaluations_on_validation_examples() {
    let refused = |flags: &[&str]| load_with(&with(""), flags).unwrap_err().to_string();
    insta::assert_snapshot!(refused(&["train.stop_at=0.9"]), @"--set train.stop_at=0.9: stop_at = 0.9 is checked every eval_every steps; set eval_every, such as to 100");
    insta::assert_snapshot!(refused(&["train.stop_at=0.9", "train.eval_every=5", "task.digits.validation=0.0"]), @"--set train.stop_at=0.9: stop_at needs validation examples; set task.digits.validation above 0, such as to 0.1");
}

#[test]
fn how_often_a_run_is_evaluated_names_it_only_where_a_score_ends_it() {
    let lab = crate::lab::Lab::new();
    let names = |flags: &str| lab.subquad(&format!("run tiny --dry-run {flags}")).expect(0).out;
    assert_eq!(names("--set train.eval_every=1"), names("--set train.eval_every=2"));
    let stopping = |every: u32| names(&format!("--set train.stop_at=0.9 --set train.eval_every={every}"));
    assert_ne!(stopping(1), stopping(2));
}

#[test]
fn lengths_before_a_runs_own_must_suit_its_task_and_leave_steps() {
    let refused = |flags: &[&str]| load_with(&with(""), flags).unwrap_err().to_string();
    insta::assert_snapshot!(refused(&["train.curriculum=[\"50x3\"]"]), @r#"--set train.curriculum=["50x3"]: 50 in curriculum does not suit task digits: an image is a square of at least 8 x 8 pixels, one pixel per token; nearest allowed: 64"#);
    insta::assert_snapshot!(refused(&["train.mixed_lengths=[50]"]), @"--set train.mixed_lengths=[50]: 50 in mixed_lengths does not suit task digits: an image is a square of at least 8 x 8 pixels, one pixel per token; nearest allowed: 64");
    insta::assert_snapshot!(refused(&["train.curriculum=[\"64x10\"]", "sweep.seq_len=[144]"]), @r#"--set train.curriculum=["64x10"]: curriculum takes 10 steps before 144 tokens, which leaves none of steps = 10 for them"#);
    insta::assert_snapshot!(refused(&["train.curriculum=[\"64\"]"]), @r#"--set train.curriculum=["64"]: each value of `train.curriculum` must be a length and its steps, such as "64x200", got the string "64""#);
    insta::assert_snapshot!(refused(&["train.curriculum=[\"64x1\"]", "train.mixed_lengths=[64]"]), @"--set train.mixed_lengths=[64]: curriculum and mixed_lengths are two orders of lengths; keep one of them");
}

#[test]
fn a_share_of_the_length_is_one_at_every_length_of_a_training() {
    let flags = ["task.name=mqar", "task.mqar.vocab=300", "sweep.seq_len=[256]"];
    let lengths = "train.mixed_lengths=[64, 32]";
    let shares = [&flags[..], &["task.mqar.n_pairs=seq_len/8", lengths]].concat();
    let run = load_with(&with(""), &shares).unwrap().runs.remove(0);
    assert_eq!(
        [32, 64, 256].map(|length| run.value_at("task.mqar.n_pairs", length).unwrap().as_integer()),
        [Some(4), Some(8), Some(32)]
    );
    let task = subquad::config::RunConfig::of(&run).open_task().unwrap();
    let mut seen: Vec<usize> = (0..60).map(|step| task.train_batch(step, 2).seq_len).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, [32, 64, 256]);
    let number = [&flags[..], &["task.mqar.n_pairs=32", lengths]].concat();
    let refused = load_with(&with(""), &number).unwrap_err().to_string();
    insta::assert_snapshot!(refused, @"
    --set train.mixed_lengths=[64, 32]: 64 in mixed_lengths does not suit task mqar: n_pairs = 32 at 64 tokens, but a pair takes 4: at most 16
    --set train.mixed_lengths=[64, 32]: 32 in mixed_lengths does not suit task mqar: n_pairs = 32 at 32 tokens, but a pair takes 4: at most 8
    ");
}

/// At other lengths, a share of the length is another number than the one that it is at the run's own.
#[test]
fn a_share_and_its_number_name_different_runs_only_where_lengths_vary() {
    let lab = crate::lab::Lab::new();
    let names = |pairs: &str, curriculum: &str| {
        let flags = "--set task.name=mqar --set task.mqar.vocab=300 --set sweep.seq_len=[64] --set sweep.mixer=[\"s4d\"]";
        lab.subquad(&format!(
            "run tiny --dry-run {flags} --set task.mqar.n_pairs={pairs} --set train.curriculum={curriculum}"
        ))
        .expect(0)
        .out
    };
    assert_eq!(names("seq_len/16", "[]"), names("4", "[]"));
    assert_ne!(names("seq_len/16", "[\"32x1\"]"), names("4", "[\"32x1\"]"));
}
