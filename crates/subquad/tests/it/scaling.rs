//! `subquad run` on a config that measures: size by size, resumable, fitted. No test looks at a time.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use subquad_record::{Cell, write_cells};

use crate::lab::{Lab, files, wait_for};
#[cfg(unix)]
use crate::process::{kill, start};

/// Five lengths, four widths: enough for exponents, at sizes that take an instant.
const SIZES: &str = r#"
[bench]
mixers = ["attention", "s4d"]
lengths = [8, 16, 32, 64, 128]
batch = 1
d_model = 8
channel_mixers = ["dense", "block_diagonal"]
widths = [8, 16, 32, 64]
tokens = 8
seconds = 0.001
"#;

const RUN: &str = "run sizes --set bench.seconds=0.001";

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("sizes/layers.toml", SIZES);
    lab
}

/// The file that keeps the cells of the one config.
fn log(lab: &Lab) -> PathBuf {
    let mut runs = files(&lab.path("results/sizes/runs"));
    runs.retain(|path| path.is_dir());
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].join("cells.jsonl")
}

fn lines(lab: &Lab) -> Vec<String> {
    fs_err::read_to_string(log(lab)).unwrap().lines().map(str::to_owned).collect()
}

fn summary(lab: &Lab) -> Value {
    serde_json::from_slice(&fs_err::read(lab.path("results/sizes/summary.json")).unwrap()).unwrap()
}

#[test]
fn every_size_is_measured_fitted_compared_and_drawn() {
    let lab = lab();
    let answer = lab.subquad(RUN).expect(0);
    assert_eq!(lines(&lab).len(), 2 * 5 + 2 * 4);
    let summary = summary(&lab);
    assert_eq!((&summary["slug"], summary["cells"].as_array().unwrap().len()), (&"sizes".into(), 18));
    let exponent = |mixer: &str, quantity: &str| -> Value {
        let all = summary["exponents"].as_array().unwrap();
        let own = |e: &&Value| e["mixer"] == mixer && e["quantity"] == quantity;
        all.iter().find(own).unwrap_or_else(|| panic!("{mixer}, {quantity}")).clone()
    };
    // Counted, not timed: 2 L d_model floats, and d_state d_model at any length.
    let [attention, s4d] = ["attention", "s4d"].map(|mixer| exponent(mixer, "state_floats"));
    assert!((attention["exponent"].as_f64().unwrap() - 1.0).abs() < 1e-9, "{attention}");
    assert!(s4d["exponent"].as_f64().unwrap().abs() < 1e-9, "{s4d}");
    // The upper half of five points is three, and no exponent comes from fewer than four.
    assert_eq!((attention["points"].as_u64(), attention["fitted_from"].as_f64()), (Some(4), Some(16.0)));
    assert_eq!(exponent("dense", "forward_backward_ms")["local_slopes"].as_array().unwrap().len(), 3);
    let crossings = summary["crossovers"].as_array().unwrap();
    let state = crossings.iter().find(|c| c["quantity"] == "state_floats").unwrap();
    assert_eq!(state["places"][0]["at"].as_f64(), Some(32.0), "2 * 32 * 8 = 64 * 8: {state}");
    let figures = files(&lab.path("results/sizes/figures"));
    assert_eq!(figures.len(), 5 * 3, "{figures:?}");
    for words in
        ["exponent over", "In forward+backward time:", "dense costs ", "Summary and figures: results/sizes"]
    {
        assert!(answer.out.contains(words), "{words} in {}", answer.out);
    }
    let table = fs_err::read_to_string(lab.path("results/sizes/summary.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + 18);
    assert!(table.starts_with("mixer,seq_len,d_model,forward_backward_ms,"), "{table}");
}

/// Whole models, without layers.
const MODELS: &str = r#"
[bench]
models = ["attention", "ema"]
contexts = [8, 16, 32, 64]
d_model = 8
n_layers = 2
seconds = 0.001
"#;

#[test]
fn models_are_measured_along_contexts_kept_and_drawn() {
    let lab = Lab::new();
    lab.write("sizes/models.toml", MODELS);
    let answer = lab.subquad("run sizes").expect(0);
    for words in ["[1/4] context 8\n", "    a token: attention over tensors "] {
        assert!(answer.err.contains(words), "{words} in {}", answer.err);
    }
    assert!(answer.out.contains("Models of 2 blocks with an MLP of 16, on bytes."), "{}", answer.out);
    let table = fs_err::read_to_string(lab.path("results/sizes/models.csv")).unwrap();
    assert!(table.starts_with("mixer,path,context,tokens_per_second,step_us,"), "{table}");
    // Two mixers in two ways of decoding after four contexts.
    assert_eq!(table.lines().count(), 1 + 2 * 2 * 4);
    assert_eq!(summary(&lab)["models"].as_array().unwrap().len(), 2 * 2 * 4);
    let drawn = files(&lab.path("results/sizes/figures"));
    assert!(drawn.len() == 3 && drawn[0].ends_with("tokens_per_second_by_context.csv"), "{drawn:?}");
    let again = lab.subquad("run sizes").expect(0);
    assert!(again.err.starts_with("sizes: sizes/models.toml, 0 of 4 sizes to measure\n"), "{}", again.err);
    assert_eq!(fs_err::read_to_string(lab.path("results/sizes/models.csv")).unwrap(), table);
}

#[test]
fn a_context_with_only_some_of_its_models_is_measured_again() {
    let lab = Lab::new();
    lab.write("sizes/models.toml", MODELS);
    lab.subquad("run sizes").expect(0);
    let runs = files(&lab.path("results/sizes/runs"));
    let log = runs.iter().find(|path| path.is_dir()).unwrap().join("models.jsonl");
    let text = fs_err::read_to_string(&log).unwrap();
    let left: String = text.split_inclusive('\n').skip(2).collect();
    fs_err::write(&log, left + "nonsense\n").unwrap();
    let again = lab.subquad("run sizes").expect(0);
    assert!(again.err.contains("1 of 4 sizes to measure\n[1/1] context 8\n"), "{}", again.err);
    assert_eq!(fs_err::read_to_string(&log).unwrap().lines().count(), text.lines().count());
}

#[test]
fn what_is_measured_is_not_measured_again() {
    let lab = lab();
    lab.subquad(RUN).expect(0);
    let before = lines(&lab);
    let answer = lab.subquad(RUN).expect(0);
    assert!(answer.err.starts_with("sizes: sizes/layers.toml, 0 of 9 sizes to measure\n"), "{}", answer.err);
    assert_eq!(lines(&lab), before);
}

#[test]
fn a_study_goes_on_with_the_sizes_that_are_missing() {
    let lab = lab();
    lab.subquad(RUN).expect(0);
    let before = lines(&lab);
    // A length is complete only with all of its layers: of the third only one is left, of the fourth none.
    let left: Vec<&str> = before
        .iter()
        .enumerate()
        .filter(|(i, _)| ![5, 6, 7].contains(i))
        .map(|(_, line)| line.as_str())
        .collect();
    fs_err::write(log(&lab), format!("{}\n", left.join("\n"))).unwrap();
    let dry = lab.subquad(&format!("{RUN} --dry-run")).expect(0);
    let to_do: Vec<&str> = dry.out.lines().filter(|line| line.starts_with("to do")).collect();
    assert_eq!(dry.out.lines().count(), 9);
    assert!(
        to_do.len() == 2 && to_do[0].ends_with(" length 32") && to_do[1].ends_with(" length 64"),
        "{}",
        dry.out
    );
    let answer = lab.subquad(RUN).expect(0);
    assert!(answer.err.contains("2 of 9 sizes to measure\n[1/2] length 32\n"), "{}", answer.err);
    let after = lines(&lab);
    let kept = |line: &&String| after.contains(line);
    assert_eq!((after.len(), before.iter().filter(kept).count()), (18, 14));
    assert_eq!(summary(&lab)["cells"].as_array().unwrap().len(), 18);
}

#[test]
#[cfg(unix)]
fn a_killed_study_keeps_the_lengths_it_finished() {
    let lab = lab();
    let long = "run sizes --set bench.seconds=0.3 --set bench.widths=[] --set bench.channel_mixers=[]";
    let child = start(&lab, long);
    let runs = lab.path("results/sizes/runs");
    wait_for("the first length", || {
        let some = runs.exists() && files(&runs).iter().any(|run| run.join("cells.jsonl").exists());
        some.then_some(())
    });
    assert!(kill(child), "the study ended before it was killed");
    let before = lines(&lab);
    assert!(before.len() >= 2 && before.len() < 10, "{}", before.len());
    let answer = lab.subquad(long).expect(0);
    let missing = 5 - before.len() / 2;
    assert!(answer.err.contains(&format!("{missing} of 5 sizes to measure")), "{}", answer.err);
    assert_eq!(lines(&lab)[..before.len()], before[..]);
}

#[test]
fn force_measures_all_again() {
    let lab = lab();
    lab.subquad(RUN).expect(0);
    let answer = lab.subquad(&format!("{RUN} --force")).expect(0);
    assert!(answer.err.contains("9 of 9 sizes to measure"), "{}", answer.err);
    assert_eq!(lines(&lab).len(), 18);
}

#[test]
fn a_longer_list_goes_on_and_other_conditions_start_anew() {
    let lab = lab();
    lab.subquad(RUN).expect(0);
    let longer = lab.subquad(&format!("{RUN} --set bench.lengths=[8,256]")).expect(0);
    assert!(longer.err.contains("1 of 6 sizes to measure"), "{}", longer.err);
    let wider = lab.subquad(&format!("{RUN} --set bench.d_model=16 --dry-run")).expect(0);
    assert!(wider.out.lines().all(|line| line.starts_with("to do")), "{}", wider.out);
}

#[test]
fn layers_measured_apart_are_measured_again_together() {
    let lab = lab();
    let layers = |names: &str| lab.subquad(&format!("{RUN} --set bench.mixers={names}")).expect(0).err;
    layers(r#"["attention","s4d"]"#);
    let longer = layers(r#"["attention","s4d","fft_conv"]"#);
    assert!(longer.contains("5 of 9 sizes to measure"), "{longer}");
    let shorter = layers(r#"["fft_conv","attention"]"#);
    assert!(shorter.contains("0 of 9 sizes to measure"), "{shorter}");
    let later = |line: String| match line.contains("fft_conv") {
        true => line.replace("\"measured\":\"2", "\"measured\":\"3"),
        false => line,
    };
    let apart: Vec<String> = lines(&lab).into_iter().map(later).collect();
    let apart: Vec<Cell> = apart.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    write_cells(&log(&lab), &apart).unwrap();
    let again = layers(r#"["fft_conv","attention"]"#);
    assert!(again.contains("5 of 9 sizes to measure"), "{again}");
}

#[test]
fn what_leaves_the_summary_is_said_and_leaves_no_figure() {
    let lab = lab();
    assert!(!lab.subquad(RUN).expect(0).err.contains("missing from the summary"));
    let fewer = format!("{RUN} --set bench.widths=[] --set bench.channel_mixers=[]");
    let answer = lab.subquad(&fewer).expect(0);
    let warning = "warning: 8 measurements will be missing from the summary and figures in results/sizes, because this command does \
                   not ask for them; --results DIR keeps studies apart\n";
    assert!(answer.err.contains(warning), "{}", answer.err);
    assert_eq!(files(&lab.path("results/sizes/figures")).len(), 3 * 3);
    assert_eq!(summary(&lab)["cells"].as_array().unwrap().len(), 10);
}

#[test]
fn forced_sizes_are_listed_as_to_do() {
    let lab = lab();
    lab.subquad(RUN).expect(0);
    let dry = lab.subquad(&format!("{RUN} --force --dry-run")).expect(0);
    assert!(dry.out.lines().all(|line| line.starts_with("to do")), "{}", dry.out);
}

#[test]
fn a_study_that_measured_has_no_run_to_generate_from() {
    let lab = lab();
    lab.subquad(RUN).expect(0);
    insta::assert_snapshot!(lab.subquad("generate results/sizes").expect(2).err, @"error: results/sizes: no run there; a run is a folder such as results/<study>/runs/<name>");
}

#[test]
fn damaged_cells_are_named_and_measured_again() {
    let lab = lab();
    lab.subquad(RUN).expect(0);
    let damaged = fs_err::read_to_string(log(&lab)).unwrap().replace("\"seq_len\":32", "\"seq_len\":31");
    fs_err::write(log(&lab), &damaged).unwrap();
    let warning =
        "cells.jsonl:5: damaged (not the bytes that were written); 2 of 18 measurements do not count";
    let dry = lab.subquad(&format!("{RUN} --dry-run")).expect(0);
    assert!(dry.err.contains(warning), "{}", dry.err);
    let answer = lab.subquad(RUN).expect(0);
    assert!(answer.err.starts_with("warning: ") && answer.err.contains(warning), "{}", answer.err);
    assert!(answer.err.contains("1 of 9 sizes to measure\n"), "{}", answer.err);
    let kept = log(&lab).with_file_name("damaged").join("cells.jsonl");
    assert_eq!(fs_err::read_to_string(kept).unwrap(), damaged);
    assert_eq!(lines(&lab).len(), 18);
    assert!(!lab.subquad(RUN).expect(0).err.contains("damaged"));
}

#[test]
fn cells_measured_under_other_conditions_are_not_believed() {
    let lab = lab();
    lab.subquad(RUN).expect(0);
    let own = log(&lab);
    lab.subquad(&format!("{RUN} --set bench.n_blocks=2 --set bench.widths=[8] --results other")).expect(0);
    let mut others = files(&lab.path("other/sizes/runs"));
    others.retain(|path| path.is_dir());
    assert_ne!(others[0].file_name(), own.parent().unwrap().file_name());
    fs_err::copy(others[0].join("cells.jsonl"), &own).unwrap();
    let answer = lab.subquad(RUN).expect(0);
    let other = others[0].file_name().unwrap().display().to_string();
    assert!(answer.err.contains(&format!("cells.jsonl:1: damaged (of {other}); ")), "{}", answer.err);
    assert!(answer.err.contains("9 of 9 sizes to measure\n"), "{}", answer.err);
}

#[test]
fn figures_drawn_again_are_the_same_files() {
    let lab = lab();
    lab.subquad(RUN).expect(0);
    let figures = lab.path("results/sizes/figures");
    let drawn =
        || -> Vec<Vec<u8>> { files(&figures).into_iter().map(|path| fs_err::read(path).unwrap()).collect() };
    let before = drawn();
    fs_err::remove_dir_all(lab.path("results/sizes/runs")).unwrap();
    for path in files(&figures).iter().filter(|path| path.extension().unwrap() != "csv") {
        fs_err::remove_file(path).unwrap();
    }
    assert_eq!(lab.subquad("plot results/sizes").expect(0).out.lines().count(), 5 * 2);
    assert!(drawn() == before);
}

#[test]
fn a_config_that_measures_is_checked_like_the_others() {
    let lab = lab();
    insta::assert_snapshot!(lab.subquad("check sizes").expect(0).out, @"sizes/layers.toml: ok, 9 sizes");
    insta::assert_snapshot!(lab.subquad("check sizes --smoke").expect(0).out, @"
    sizes/layers.toml: ok, 9 sizes
    sizes/layers.toml: measured at 2 of its sizes
    ");
    assert!(!lab.path("results").exists());
    lab.write("sizes/layers.toml", SIZES.replace("lengths", "length"));
    insta::assert_snapshot!(lab.subquad("check sizes").expect(2).err, @"error: sizes/layers.toml:4: unknown key `bench.length`; did you mean `lengths`? (known in [bench]: mixers, lengths, channel_mixers, widths, models, contexts, batch, d_model, tokens, n_layers, hidden_factor, n_blocks, seconds)");
    insta::assert_snapshot!(lab.subquad("run sizes").expect(2).err, @"error: sizes/layers.toml:4: unknown key `bench.length`; did you mean `lengths`? (known in [bench]: mixers, lengths, channel_mixers, widths, models, contexts, batch, d_model, tokens, n_layers, hidden_factor, n_blocks, seconds)");
    assert!(!lab.path("results").exists());
}

#[test]
fn configs_of_both_kinds_need_folders_of_their_own() {
    let lab = lab();
    lab.write("tiny/layers.toml", SIZES);
    let answer = lab.subquad("run tiny --dry-run").expect(2);
    let text =
        "error: tiny/layers.toml: measures, and would share the results folder `tiny` with other configs in ";
    assert!(answer.err.starts_with(text), "{}", answer.err);
    assert_eq!(lab.subquad("check tiny").expect(2).err, answer.err);
}

#[test]
fn a_length_without_memory_is_reported_and_the_others_are_measured() {
    let lab = lab();
    let study = format!("{RUN} --set bench.lengths=[8,16777216] --set bench.batch=4096");
    for _ in 0..2 {
        let answer = lab.subquad(&study).expect(1);
        assert_eq!(answer.out.matches("Not shown, because they failed: ").count(), 2, "{}", answer.out);
        assert_eq!(answer.err.matches("\nerror: ").count(), 2, "{}", answer.err);
        let summary = summary(&lab);
        assert_eq!(summary["cells"].as_array().unwrap().len(), 2 + 8, "{summary}");
        let failed = summary["failed"].as_array().unwrap();
        assert!(
            failed.len() == 2
                && failed[0].as_str().unwrap().starts_with("attention of batch 4096, length 16777216 ")
        );
        assert!(
            failed.iter().all(|why| why.as_str().unwrap().contains(" bytes) of memory, but only ")),
            "{failed:?}"
        );
    }
}

/// Child processes of `parent`.
#[cfg(target_os = "linux")]
fn children_of(parent: u32) -> Vec<u32> {
    let tasks = files(std::path::Path::new(&format!("/proc/{parent}/task")));
    let lists = tasks.iter().filter_map(|task| fs_err::read_to_string(task.join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>()).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_size_whose_process_dies_has_failed_and_the_others_are_measured() {
    let lab = lab();
    let study = "run sizes --set bench.seconds=0.3 --set bench.lengths=[8,16] --set bench.widths=[] --set bench.channel_mixers=[]";
    let parent = lab.command(study).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let child = wait_for("the first size", || children_of(parent.id()).first().copied());
    let killed = Command::new("kill").args(["-9", &child.to_string()]).status().unwrap();
    assert!(killed.success());
    let output = parent.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    let failed = "length 8: its process ended with signal: 9 (SIGKILL), most likely because memory ran out";
    assert_eq!(summary(&lab)["failed"], serde_json::json!([failed]), "{err}");
    assert_eq!(summary(&lab)["cells"].as_array().unwrap().len(), 2, "{err}");
    let again = lab.subquad(study).expect(0);
    assert!(again.err.contains("1 of 2 sizes to measure"), "{}", again.err);
}
