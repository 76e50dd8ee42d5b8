use std::collections::BTreeMap;
use std::fs;

use serde_json::json;
use subquad_data::{Metric, Score};
use subquad_record::{
    Evaluation, Manifest, Outcome, RunSummary, Utilisation, read_facts, read_study, write_study,
};

use crate::examples::{evaluation, manifest, summary};

const FIXED: &str = "mixer,seq_len,seed,split,accuracy,loss,parameters,step_ms,tokens_per_second,peak_bytes,\
state_floats,config,run,task,steps,batch,d_model,n_layers,form,device,threads,condition,examples,jobs,outcome,\
test_len";

/// The metrics without a fixed column: all except accuracy.
fn others() -> &'static [Metric] {
    assert_eq!(Metric::ALL[0], Metric::Accuracy);
    &Metric::ALL[1..]
}

/// The fixed columns and those of the metrics.
fn first_columns() -> String {
    others().iter().fold(FIXED.to_owned(), |header, metric| header + "," + metric.name())
}

/// The columns after those of the settings.
const LAST: &str = ",flops_per_step,gflops,fma_peak_gflops,mfu";

fn header() -> String {
    first_columns() + LAST
}

/// Their cells on the lines of an example.
const UTILISATION: &str = ",1500000000,120,240,0.5";

/// The cells of the other metrics on a line that is scored by accuracy, or by nothing.
fn empty() -> String {
    ",".repeat(others().len())
}

/// Lines of the table of `runs`.
fn table(runs: &[RunSummary]) -> Vec<String> {
    let results = tempfile::tempdir().unwrap();
    write_study(&results.path().join("slug"), runs, &[], &BTreeMap::new()).unwrap();
    let text = fs::read_to_string(results.path().join("slug/summary.csv")).unwrap();
    text.lines().map(String::from).collect()
}

#[test]
fn the_table_has_its_columns_and_a_line_for_every_evaluation() {
    let line = |split: &str| {
        format!(
            "s4d,64,0,{split},0.875,0.5,12345,12.5,163840,1048576,4096,quick.toml,s4d-L64-s0-1b9d3f07,digits,100,32,64,2,\
             fused,cpu,2,,359,1,done,64{}{UTILISATION}",
            empty()
        )
    };
    assert_eq!(table(&[summary("s4d", 64, 0)]), [header(), line("test"), line("train")]);
}

#[test]
fn an_empty_study_still_has_a_header() {
    assert_eq!(table(&[]), [header()]);
}

#[test]
fn lines_follow_config_mixer_as_first_seen_length_and_seed() {
    let other_config = RunSummary { config: "a.toml".into(), ..summary("attention", 64, 0) };
    let runs = [
        summary("s4d", 256, 0),
        summary("attention", 64, 1),
        summary("s4d", 64, 1),
        summary("attention", 64, 0),
        other_config,
        summary("s4d", 64, 0),
    ];
    let keys: Vec<String> =
        table(&runs)[1..].iter().map(|line| line.split(',').take(4).collect::<Vec<_>>().join(" ")).collect();
    let wanted = ["attention 64 0", "s4d 64 0", "s4d 64 1", "s4d 256 0", "attention 64 0", "attention 64 1"];
    let wanted: Vec<String> =
        wanted.iter().flat_map(|key| [format!("{key} test"), format!("{key} train")]).collect();
    assert_eq!(keys, wanted);
}

#[test]
fn undefined_numbers_are_empty_cells_and_a_diverged_loss_is_nan() {
    let diverged = Evaluation { loss: f64::NAN, score: None, ..evaluation("test") };
    let run = RunSummary {
        peak_bytes: None,
        state_floats: None,
        evaluations: vec![diverged],
        ..summary("attention", 64, 0)
    };
    assert!(table(&[run])[1].starts_with("attention,64,0,test,,NaN,12345,12.5,163840,,,quick.toml,"));
}

#[test]
fn timings_that_were_shared_are_left_out_and_memory_stays() {
    let run = RunSummary { jobs: 2, ..summary("s4d", 64, 0) };
    let lines = table(&[run]);
    assert!(lines[1].starts_with("s4d,64,0,test,0.875,0.5,12345,,,1048576,4096,"), "{}", lines[1]);
    let end = format!(",359,2,done,64{},1500000000,,,", empty());
    assert!(lines[1].ends_with(&end), "what was counted stays: {}", lines[1]);
}

#[test]
fn a_failed_run_has_a_line_without_numbers_and_no_place_among_the_runs() {
    let failed = RunSummary {
        step_ms: f64::NAN,
        tokens_per_second: f64::NAN,
        peak_bytes: None,
        evaluations: vec![],
        utilisation: Utilisation::default(),
        outcome: Outcome::Failed("the loss became NaN".into()),
        ..summary("s4d", 64, 1)
    };
    let results = tempfile::tempdir().unwrap();
    let runs = [summary("s4d", 64, 2), summary("s4d", 64, 0)];
    write_study(results.path(), &runs, &[failed], &BTreeMap::new()).unwrap();
    let text = fs::read_to_string(results.path().join("summary.csv")).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("s4d,64,1,")).collect();
    let wanted = "s4d,64,1,,,,12345,,,,4096,quick.toml,s4d-L64-s1-1b9d3f07,digits,100,32,64,2,fused,cpu,2,,,1,\
                  failed: the loss became NaN,";
    assert_eq!(lines, [format!("{wanted}{},,,,", empty())]);
    assert_eq!(text.lines().nth(3), Some(lines[0]), "in its place: {text}");
    assert_eq!(read_study(results.path()).unwrap().runs, runs);
}

#[test]
fn every_metric_is_a_key_and_a_column_under_its_name() {
    for &metric in Metric::ALL {
        let evaluation = Evaluation { score: Some(Score { metric, value: 0.25 }), ..evaluation("test") };
        let json = serde_json::to_value(&evaluation).unwrap();
        assert_eq!(json[metric.name()], 0.25, "{json}");
        assert_eq!(serde_json::from_value::<Evaluation>(json).unwrap(), evaluation);
        let lines = table(&[RunSummary { evaluations: vec![evaluation], ..summary("s4d", 64, 0) }]);
        let column = lines[0].split(',').position(|name| name == metric.name()).unwrap();
        assert_eq!(lines[1].split(',').nth(column), Some("0.25"), "{lines:?}");
    }
}

#[test]
fn evaluations_that_named_an_accuracy_beside_their_score_still_read() {
    let old = json!({"condition": "", "split": "test", "loss": 1.4, "accuracy": null, "bits_per_byte": 2.0, "examples": 3});
    let read: Evaluation = serde_json::from_value(old).unwrap();
    assert_eq!(read.score, Some(Score { metric: Metric::BitsPerByte, value: 2.0 }));
}

#[test]
fn every_evaluation_of_the_committed_studies_reads_back_with_its_score() {
    let results = concat!(env!("CARGO_MANIFEST_DIR"), "/../../results");
    let studies = fs::read_dir(results).unwrap().map(|study| study.unwrap().path());
    let trained = studies.filter(|study| read_facts(study).unwrap().contains_key("runs"));
    let runs: Vec<RunSummary> = trained.flat_map(|study| read_study(&study).unwrap().runs).collect();
    assert!(!runs.is_empty());
    for run in runs {
        assert!(run.evaluations.iter().all(|e| e.score.is_some()), "{}", run.run);
    }
}

#[test]
fn records_from_before_there_were_jobs_still_read() {
    let run = |jobs: &str| {
        let text = serde_json::to_string(&summary("s4d", 64, 0)).unwrap();
        assert!(text.contains("\"jobs\":1,"), "{text}");
        serde_json::from_str::<RunSummary>(&text.replace("\"jobs\":1,", jobs)).unwrap()
    };
    assert_eq!(run(""), summary("s4d", 64, 0));
    assert_eq!(run("\"jobs\":4,").jobs, 4);
    let mut old = serde_json::to_value(manifest()).unwrap();
    let fields = old.as_object_mut().unwrap();
    fields.remove("jobs").zip(fields.remove("config_repository")).unwrap();
    let old: Manifest = serde_json::from_value(old).unwrap();
    assert_eq!(old, Manifest { config_repository: None, ..manifest() });
}

#[test]
fn records_from_before_operations_were_counted_still_read() {
    let mut old = serde_json::to_value(summary("s4d", 64, 0)).unwrap();
    let fields = old.as_object_mut().unwrap();
    for column in LAST.split(',').skip(1) {
        assert!(fields.remove(column).is_some_and(|value| value.is_f64()), "{column} of {fields:?}");
    }
    let read: RunSummary = serde_json::from_value(old.clone()).unwrap();
    assert_eq!(read, RunSummary { utilisation: Utilisation::default(), ..summary("s4d", 64, 0) });
    // What they do not know is not written either, so that old results stay as they are.
    assert_eq!(serde_json::to_value(&read).unwrap(), old);
    assert!(table(&[read])[1].ends_with(&format!(",done,64{},,,,", empty())));
}

#[test]
fn utilisation_is_the_share_of_the_peak_that_the_operations_reach() {
    let known = Utilisation::new(Some(3e9), 0.02, Some(200.0));
    let wanted = Utilisation {
        flops_per_step: Some(3e9),
        gflops: Some(150.0),
        fma_peak_gflops: Some(200.0),
        mfu: Some(0.75),
    };
    assert_eq!(known, wanted);
    let without_peak = Utilisation { fma_peak_gflops: None, mfu: None, ..wanted };
    assert_eq!(Utilisation::new(Some(3e9), 0.02, None), without_peak);
    let uncounted = Utilisation { fma_peak_gflops: Some(200.0), ..Utilisation::default() };
    assert_eq!(Utilisation::new(None, 0.02, Some(200.0)), uncounted);
    let untimed = Utilisation { gflops: None, mfu: None, ..wanted };
    assert_eq!([0.0, f64::NAN].map(|time| Utilisation::new(Some(3e9), time, Some(200.0))), [untimed; 2]);
}

#[test]
fn swept_settings_are_columns_between_the_fixed_ones_and_the_last() {
    let with = |settings: &[(&str, serde_json::Value)]| RunSummary {
        settings: settings.iter().map(|(key, value)| (key.to_string(), value.clone())).collect(),
        evaluations: vec![evaluation("test")],
        ..summary("s4d", 64, 0)
    };
    let lines = table(&[with(&[("mixer.d_state", json!(16))]), with(&[("init", json!("lin, ear"))])]);
    assert_eq!(lines[0], format!("{},init,mixer.d_state{LAST}", first_columns()));
    let end = |settings: &str| format!(",359,1,done,64{}{settings}{UTILISATION}", empty());
    assert!(lines[1].ends_with(&end(",,16")), "{}", lines[1]);
    assert!(lines[2].ends_with(&end(",\"lin, ear\",")), "{}", lines[2]);
}

#[test]
fn a_study_reads_back_as_it_was_written() {
    let results = tempfile::tempdir().unwrap();
    let dir = results.path().join("02-crossover");
    let mut run = summary("s4d", 64, 0);
    run.settings.insert("mixer.dt_min".into(), json!(0.1 + 0.2));
    run.evaluations[0].loss = 0.1 + 0.2;
    let runs = [run, summary("attention", 64, u64::MAX)];
    let facts = BTreeMap::from([("machine".to_string(), json!({"cpu": "a cpu", "cores": 2}))]);
    write_study(&dir, &runs, &[], &facts).unwrap();
    let study = read_study(&dir).unwrap();
    assert_eq!(
        (study.slug.as_str(), study.runs.as_slice(), &study.facts),
        ("02-crossover", runs.as_slice(), &facts)
    );
    let text = fs::read_to_string(dir.join("summary.json")).unwrap();
    assert!(text.starts_with("{\n  \"slug\": \"02-crossover\",\n  \"runs\": ["), "{text}");
}

#[test]
fn a_fact_cannot_take_the_place_of_the_runs() {
    let results = tempfile::tempdir().unwrap();
    let facts = BTreeMap::from([("runs".to_string(), json!(3))]);
    let error = write_study(results.path(), &[], &[], &facts).unwrap_err();
    assert_eq!(error.to_string(), "a fact cannot be called `runs`: summary.json has its own `runs`");
}

#[test]
fn a_broken_summary_is_an_error_that_names_the_file() {
    let results = tempfile::tempdir().unwrap();
    fs::write(results.path().join("summary.json"), "{").unwrap();
    assert!(read_study(results.path()).unwrap_err().to_string().contains("summary.json"));
}

#[test]
fn what_was_chosen_and_by_which_score_has_columns_only_where_there_is_something() {
    let header = |run: &RunSummary| table(std::slice::from_ref(run))[0].clone();
    let plain = summary("s4d", 64, 0);
    let validated = RunSummary { validation: Some(evaluation("validation")), ..plain.clone() };
    let chosen = RunSummary { chosen: Some(true), ..validated.clone() };
    assert!(!header(&plain).contains("validation") && !header(&plain).contains("chosen"));
    assert!(header(&validated).contains(",validation_loss,validation_score,flops_per_step"));
    let lines = table(&[chosen.clone(), RunSummary { chosen: Some(false), seed: 1, ..chosen }, plain]);
    assert!(lines[0].contains(",validation_loss,validation_score,chosen,flops_per_step"), "{}", lines[0]);
    assert!(lines[1].contains(",0.5,0.875,yes,1500000000,"), "{}", lines[1]);
    assert!(lines[5].contains(",0.5,0.875,no,1500000000,"), "{}", lines[5]);
    assert!(lines[2].contains(",,,,1500000000,"), "a run without them: {}", lines[2]);
}

#[test]
fn a_summary_from_before_there_was_validation_still_reads() {
    let mut json = serde_json::to_value(summary("s4d", 64, 0)).unwrap();
    assert!(json.get("validation").is_none() && json.get("chosen").is_none());
    let old: RunSummary = serde_json::from_value(json.clone()).unwrap();
    assert_eq!((old.validation, old.chosen), (None, None));
    json["validation"] = serde_json::to_value(evaluation("validation")).unwrap();
    json["chosen"] = true.into();
    let new: RunSummary = serde_json::from_value(json).unwrap();
    assert_eq!((new.validation, new.chosen), (Some(evaluation("validation")), Some(true)));
}
