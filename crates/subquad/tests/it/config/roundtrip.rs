//! A run written out as a config is that run.

use super::{SMALL, load_with, runs};

const RICH: &str = r#"
[task]
name = "digits"
[model]
d_model = 48
channel_mixer = "block_diagonal"
[mixer.s4d]
dt_min = 1e-7
[mixer.s4]
init = "legt"
activation = "identity"
[mixer.h3]
head_dim = 4
train_shift_b = true
[mixer.hyena]
order = 3
[mixer.m2]
filter_lr = 0.0003
[train]
steps = 10
eval_every = 5
[sweep]
mixer = ["attention", "s4d", "s4", "h3", "hyena", "s4d + m2", "m2"]
seq_len = [64, 256]
seed = [3, 4]
"optim.lr" = [0.001, 0.01]
"mixer.s4d.n_ssm" = [1, "d_model"]
[override.m2]
"optim.weight_decay" = 0.1
"#;

#[test]
fn a_run_written_out_loads_as_itself() {
    for run in runs(RICH) {
        let text = run.to_toml();
        let [again] = &runs(&text)[..] else { panic!("not one run:\n{text}") };
        assert_eq!(again.hash_pairs, run.hash_pairs, "{text}");
        assert_eq!(again.settings(), run.settings(), "{text}");
        assert_eq!(again.to_toml(), text);
    }
}

#[test]
fn a_written_run_holds_every_knob() {
    insta::assert_snapshot!(runs(RICH).last().unwrap().to_toml(), @r#"
    [task]
    name = "digits"
    path = ""

    [task.digits]
    validation = 0.1

    [model]
    d_model = 48
    n_layers = 2
    causal = true
    channel_mixer = "block_diagonal"
    channel_gate = "auto"
    d_hidden = 128
    n_blocks = 4
    norm = "layer"
    residual = true
    pool = "auto"
    dropout = 0.0
    block = "pre_norm"
    last_norm = true
    norm_eps = 1e-5
    positions = 0
    embedding_norm = false
    head_transform = false
    tied_head = false
    init = "layers"

    [mixer.m2]
    l_max = 256
    residual = false
    rev_offset = 1
    input_norm = false
    filter_order = 64
    emb_dim = 5
    num_inner = 2
    sine_frequency = 10.0
    share_sine = true
    modulate = true
    shift = 0.0
    normalized = false
    conv = "fft"
    short_filter = 3
    dropout = 0.0
    filter_lr = 0.0003
    filter_weight_decay = 0.0
    position_lr = 1e-5

    [optim]
    lr = 0.01
    weight_decay = 0.1
    warmup = 0.1
    schedule = "cosine"
    cooldown = 0.2
    final_lr = 0.0
    clip = 1.0

    [train]
    steps = 10
    batch = 32
    accumulate = 1
    curriculum = []
    mixed_lengths = []
    stop_at = 0.0
    ema = 0.0
    log_every = 10
    eval_every = 5
    checkpoint_every = 100

    [budget]
    parameters = 0
    state_floats = 0
    flops = 0
    vary = ""

    [select]
    over = []

    [sweep]
    mixer = ["m2"]
    seq_len = [256]
    seed = [4]
    "#);
}

#[test]
fn words_become_numbers() {
    let text = format!("{SMALL}seed = [1]").replace("[64]", "[64, 256]");
    let runs = runs(&text);
    let [attention, s4d, s4, _, hyena, m2, ..] = &runs[..] else { panic!("{} runs", runs.len()) };
    assert_eq!(attention.settings()["mixer.attention.n_kv_heads"], "4");
    assert_eq!(s4d.hash_pairs["mixer.s4d.n_ssm"], "64");
    assert_eq!(s4.hash_pairs["mixer.s4.l_max"], "256");
    assert_eq!(hyena.hash_pairs["mixer.hyena.l_max"], "256");
    assert_eq!(m2.hash_pairs["mixer.m2.l_max"], "256");
}

#[test]
fn as_many_heads_of_keys_as_of_queries_leave_the_name_alone() {
    let pairs = |flags: &[&str]| load_with(SMALL, flags).unwrap().runs[0].hash_pairs.clone();
    let (key, n_heads) = ("mixer.attention.n_kv_heads", "mixer.attention.n_heads=2");
    assert_eq!(pairs(&["mixer.attention.n_kv_heads=4"]), pairs(&[]));
    assert_eq!(pairs(&[n_heads, "mixer.attention.n_kv_heads=2"]), pairs(&[n_heads]));
    assert_eq!(pairs(&["mixer.attention.n_kv_heads=2"])[key], "2");
}

/// Runs from before these keys keep their names.
#[test]
fn keys_of_s4d_and_m2_at_their_defaults_leave_the_name_alone() {
    for (run, mixer, word) in [(1, "s4d", "n_ssm"), (5, "m2", "l_max")] {
        let plain = &runs(SMALL)[run];
        let section = format!("mixer.{mixer}.");
        let settings = plain.settings();
        let own = settings.iter().filter(|(key, _)| key.starts_with(&section));
        let flags: Vec<String> = own.map(|(key, value)| format!("{key}={value}")).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        assert_eq!(load_with(SMALL, &flags).unwrap().runs[run].hash_pairs, plain.hash_pairs);
        let pairs: Vec<_> = plain.hash_pairs.keys().map(String::as_str).collect();
        let word = format!("{section}{word}");
        assert_eq!(
            pairs,
            ["mixer", &word, "seed", "seq_len", "task.digits.validation", "task.name", "train.steps"]
        );
    }
}

#[test]
fn a_run_is_named_by_what_differs_from_the_defaults() {
    let flags = ["optim.lr=0.02", "model.d_model=64", "train.log_every=1", "mixer.m2.residual=true"];
    let run = &load_with(SMALL, &flags).unwrap().runs[0];
    let pairs: Vec<_> = run.hash_pairs.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    insta::assert_snapshot!(pairs.join("\n"), @r#"
    mixer = attention
    optim.lr = 0.02
    seed = 0
    seq_len = 64
    task.digits.validation = 0.1
    task.name = digits
    train.steps = 10
    "#);
}

/// Runs from before there was a validation split trained on all images that do not test.
#[test]
fn a_run_without_a_validation_split_keeps_the_name_from_before_there_was_one() {
    let run = &load_with(SMALL, &["task.digits.validation=0.0"]).unwrap().runs[0];
    assert!(!run.hash_pairs.contains_key("task.digits.validation"));
    assert_eq!(run.settings()["task.digits.validation"], "0.0");
}

#[test]
fn what_names_a_run_is_among_its_settings() {
    for run in runs(RICH) {
        assert!(run.hash_pairs.iter().all(|(key, value)| run.settings().get(key) == Some(value)));
    }
}
