//! Flags, and the messages about wrong ones.

use crate::lab::{Lab, TINY, TINY_RUNS, name};

/// The message of a wrong command, which must write nothing.
fn refused(lab: &Lab, arguments: &str) -> String {
    let answer = lab.subquad(arguments).expect(2);
    assert_eq!(answer.out, "", "{arguments}");
    assert!(!lab.path("results").exists(), "{arguments} wrote results");
    answer.err
}

#[test]
fn set_changes_a_key_of_every_config() {
    let lab = Lab::new();
    lab.write("tiny/second.toml", TINY.replace("batch = 4", "batch = 8"));
    lab.subquad("run tiny --set train.steps=2 --set sweep.mixer=[\"attention\"] --set sweep.seed=[0]")
        .expect(0);
    assert_eq!(lab.runs("results").len(), 2);
    for run in lab.runs("results") {
        let config = fs_err::read_to_string(run.join("config.toml")).unwrap();
        assert!(config.contains("\nsteps = 2\n"), "{}: {config}", name(&run));
    }
    let csv = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    for config in [",second.toml,", ",tiny.toml,"] {
        assert_eq!(csv.matches(config).count(), 1, "{csv}");
    }
}

#[test]
fn a_value_that_is_no_toml_is_a_word() {
    let lab = Lab::new();
    let listed = lab.subquad("run tiny --dry-run --set mixer.s4d.init=legs").expect(0).out;
    assert_ne!(listed, lab.subquad("run tiny --dry-run").expect(0).out);
}

#[test]
fn wrong_set_flags_are_named() {
    let lab = Lab::new();
    insta::assert_snapshot!(refused(&lab, "run tiny --set train.stps=3"), @"error: --set train.stps=3: unknown key `train.stps`; did you mean `steps`? (known in [train]: steps, batch, accumulate, curriculum, mixed_lengths, stop_at, ema, log_every, eval_every, checkpoint_every)");
    insta::assert_snapshot!(refused(&lab, "run tiny --set train.steps=many"), @r#"error: --set train.steps=many: `train.steps` must be an integer >= 1, got the string "many""#);
    insta::assert_snapshot!(refused(&lab, "run tiny --set train.steps"), @"error: --set train.steps: must read KEY=VALUE, such as train.steps=100");
    insta::assert_snapshot!(refused(&lab, "run tiny --set steps --set =3"), @"
    error: --set steps: must read KEY=VALUE, such as train.steps=100
    error: --set =3: must read KEY=VALUE, such as train.steps=100
    ");
}

#[test]
fn a_mistake_in_a_flag_is_told_once_for_all_configs() {
    let lab = Lab::new();
    lab.write("tiny/second.toml", TINY.replace("batch = 4", "batch = 8"));
    assert_eq!(refused(&lab, "run tiny --set optim.lr=-1").lines().count(), 1);
}

#[test]
fn unknown_devices_get_the_known_ones() {
    let lab = Lab::new();
    insta::assert_snapshot!(refused(&lab, "run tiny --device tpu"), @"error: there is no device `tpu`; known: cpu, wgpu, auto");
}

#[cfg(not(feature = "wgpu"))]
#[test]
fn a_device_that_the_build_lacks_is_wrong_use_and_says_how_to_get_it() {
    let lab = Lab::new();
    insta::assert_snapshot!(refused(&lab, "run tiny --device wgpu"), @"error: this build has no wgpu; build with `--features wgpu`, or use the device cpu");
    assert_eq!(refused(&lab, "run tiny --device wgpu"), refused(&lab, "verify x --device wgpu"));
}

#[cfg(not(feature = "wgpu"))]
#[test]
fn the_automatic_device_of_a_build_without_gpus_is_the_cpu_and_the_record_says_so() {
    let lab = Lab::new();
    let flags = "--device auto --set sweep.seed=[0] --set sweep.mixer=[\"attention\"]";
    let answer = lab.subquad(&format!("run tiny {flags}")).expect(0);
    assert!(answer.err.starts_with("device: cpu\n"), "{}", answer.err);
    let manifest = fs_err::read_to_string(lab.run_folder("attention").join("manifest.json")).unwrap();
    assert!(manifest.contains("\"device\": \"cpu\"") && manifest.contains("\"adapter\": null"), "{manifest}");
}

#[test]
fn every_missing_path_is_named() {
    let lab = Lab::new();
    lab.write("empty/notes.md", "");
    insta::assert_snapshot!(refused(&lab, "run none.toml tiny empty"), @"
    error: none.toml: no such file or folder
    error: empty: holds no .toml file
    ");
}

#[test]
fn every_mistake_of_a_config_is_told_at_once_with_its_line() {
    let lab = Lab::new();
    let broken = TINY.replace("n_layers = 1", "n_layer = 1").replace("d_state = 4", "d_state = 5");
    lab.write("tiny/broken.toml", broken.replace("\"s4d\", ", "\"s5\", \"s4d\", "));
    insta::assert_snapshot!(refused(&lab, "run tiny"), @r#"
    error: tiny/broken.toml:7: unknown key `model.n_layer`; did you mean `n_layers`? (known in [model]: d_model, n_layers, causal, channel_mixer, channel_gate, d_hidden, n_blocks, norm, residual, pool, dropout, block, last_norm, norm_eps, positions, embedding_norm, head_transform, tied_head, init)
    error: tiny/broken.toml:14: d_state must be even, because states come in conjugate pairs; got 5
    error: tiny/broken.toml:25: each value of `sweep.mixer` must be one of attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch, or a pattern of them such as "s4d*3+attention"; got "s5"; did you mean "s4"?
    "#);
}

#[test]
fn a_dry_run_writes_nothing() {
    let lab = Lab::new();
    let answer = lab.subquad("run tiny --dry-run").expect(0);
    assert_eq!(answer.out.lines().count(), 6, "{}", answer.out);
    assert_eq!(answer.err, "");
    assert!(!lab.path("results").exists());
}

#[test]
fn wrong_use_is_exit_code_2() {
    let lab = Lab::new();
    for arguments in ["", "rum", "run", "run tiny --sed 3", "verify", "plot", "verify x --form fast"] {
        assert!(!refused(&lab, arguments).is_empty(), "{arguments}");
    }
}

#[test]
fn a_key_in_quotes_is_the_key() {
    let lab = Lab::new();
    let flags = r#"--set override.s4d."optim.lr"=0.002 --set sweep."model.d_hidden"=[8,16]"#;
    let answer = lab.subquad(&format!("run tiny --dry-run {flags}")).expect(0);
    assert_eq!(answer.out.lines().count(), 2 * TINY_RUNS);
}

#[test]
fn a_combination_that_a_flag_made_wrong_is_blamed_on_the_flag() {
    let answer = Lab::new().subquad("run tiny --dry-run --set model.d_model=9").expect(2);
    assert!(answer.err.starts_with("error: --set model.d_model=9: "), "{}", answer.err);
}

#[test]
fn results_that_are_a_file_are_wrong_input() {
    let lab = Lab::new();
    let answer = lab.subquad("run tiny --results tiny/tiny.toml").expect(2);
    assert_eq!(answer.err, "error: --results tiny/tiny.toml: is a file, not a folder\n");
}
