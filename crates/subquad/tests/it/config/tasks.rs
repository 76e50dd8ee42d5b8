//! The sections of tasks: which runs have them, what their keys take, and what becomes of shares and sizes.

use super::{MIXERS, SMALL, errors, load, load_with, runs};

/// [`SMALL`] on associative recall at two lengths, with these lines in the task's section.
fn mqar(lines: &str) -> String {
    let task = format!("name = \"mqar\"\n[task.mqar]\n{lines}");
    SMALL.replace("name = \"digits\"", &task).replace("[64]", "[64, 128]")
}

/// A length that every task accepts: 28 x 28.
const PIXELS: &str = "sweep.seq_len=[784]";

fn settings_of(text: &str, key: &str) -> Vec<String> {
    runs(text).iter().filter_map(|run| run.settings().get(key).cloned()).collect()
}

#[test]
fn a_run_has_the_section_of_its_own_task_alone() {
    let text = SMALL.replace("name = \"digits\"", "");
    let sections = "[task.mqar]\nvocab = 1024\n[task.mnist]\npermutation = \"random\"\n";
    for (task, key) in [("digits", ""), ("mqar", "task.mqar.vocab"), ("mnist", "task.mnist.permutation")] {
        for run in
            load_with(&format!("{sections}{text}"), &[&format!("task.name={task}"), PIXELS]).unwrap().runs
        {
            let settings = run.settings();
            let own: Vec<_> = settings
                .keys()
                .filter(|key| key.matches('.').count() == 2 && key.starts_with("task."))
                .collect();
            assert!(own.iter().all(|key| key.starts_with(&format!("task.{task}."))), "{own:?}");
            assert_eq!(run.hash_pairs.contains_key(key), !key.is_empty(), "{task}");
        }
    }
}

#[test]
fn sections_of_other_tasks_change_no_name() {
    let text = format!("[task.mqar]\nvocab = 500\ntest_conditions = [\"999x1\"]\n{SMALL}");
    let names = |text: &str| runs(text).into_iter().map(|run| run.hash_pairs).collect::<Vec<_>>();
    assert_eq!(names(&text), names(SMALL));
}

#[test]
fn a_share_becomes_the_number_of_each_length() {
    assert_eq!(settings_of(&mqar(""), "task.mqar.n_pairs"), [["4"; MIXERS], ["8"; MIXERS]].concat());
    assert_eq!(
        settings_of(&mqar("n_pairs = \"seq_len / 10\""), "task.mqar.n_pairs"),
        [["6"; MIXERS], ["12"; MIXERS]].concat()
    );
    assert_eq!(settings_of(&mqar("n_pairs = 3"), "task.mqar.n_pairs"), ["3"; 2 * MIXERS]);
}

#[test]
fn a_share_may_be_an_axis() {
    let text = mqar("") + "\"task.mqar.n_pairs\" = [2, \"seq_len/16\"]";
    let study = load(&text).unwrap();
    assert_eq!(study.runs.len(), 2 * MIXERS * 2);
    assert_eq!(*study.runs[1].axes, [("task.mqar.n_pairs".to_owned(), "seq_len/16".to_owned())]);
    assert_eq!(study.runs[1].settings()["task.mqar.n_pairs"], "4");
}

#[test]
fn longest_counts_the_test_conditions_of_runs_that_have_them() {
    let conditions = "test_conditions = [\"512x4\", \"64x8\"]";
    assert_eq!(settings_of(&mqar(conditions), "mixer.m2.l_max"), ["512", "512"]);
    assert_eq!(settings_of(&mqar(conditions), "mixer.s4.l_max"), ["512", "512"]);
    let other_task = format!("[task.mqar]\n{conditions}\n{SMALL}");
    assert_eq!(settings_of(&other_task, "mixer.m2.l_max"), ["64"]);
    let short = errors(&format!("[mixer.m2]\nl_max = 128\n{}", mqar(conditions)));
    insta::assert_snapshot!(short, @r#"x.toml:2: l_max = 128 is shorter than the longest sequence, 512 tokens; raise it or use "longest""#);
    let shorter_than_tests = format!("[mixer.s4]\nl_max = 128\n{}", mqar(conditions));
    assert_eq!(settings_of(&shorter_than_tests, "mixer.s4.l_max"), ["128", "128"]);
}

#[test]
fn sizes_are_written_as_they_are_meant() {
    let text = mqar("test_conditions = [\"0128x8\", \"256 x 16\"]");
    let run = &runs(&text)[0];
    assert_eq!(run.settings()["task.mqar.test_conditions"], "[128x8, 256x16]");
    assert!(run.to_toml().contains("test_conditions = [\"128x8\", \"256x16\"]\n"), "{}", run.to_toml());
    assert_eq!(&runs(&run.to_toml())[0].hash_pairs, &run.hash_pairs);
}

#[test]
fn what_is_no_share_or_size_is_named() {
    let error = |lines: &str| errors(&mqar(lines));
    insta::assert_snapshot!(error("n_pairs = \"seq_len\""), @r#"x.toml:5: `task.mqar.n_pairs` must be an integer from 1 to 262143 or a share such as "seq_len/16", got the string "seq_len""#);
    insta::assert_snapshot!(error("n_pairs = \"seq_len/0\""), @r#"x.toml:5: `task.mqar.n_pairs` must be an integer from 1 to 262143 or a share such as "seq_len/16", got the string "seq_len/0""#);
    insta::assert_snapshot!(error("test_conditions = [\"128x8\", \"128\"]"), @r#"x.toml:5: each value of `task.mqar.test_conditions` must be a size such as "128x8", got the string "128""#);
    insta::assert_snapshot!(error("test_conditions = [\"128x8\", \"128x08\"]"), @"x.toml:5: `task.mqar.test_conditions` lists 128x8 twice");
    insta::assert_snapshot!(error("test_conditions = [\"0x8\"]"), @r#"x.toml:5: each value of `task.mqar.test_conditions` must be a size such as "128x8", got the string "0x8""#);
    insta::assert_snapshot!(error("test_conditions = \"128x8\""), @r#"x.toml:5: `task.mqar.test_conditions` must be a list of at most 100 different values, each a size such as "128x8", got the string "128x8""#);
    insta::assert_snapshot!(errors(&SMALL.replace("name = \"digits\"", "name = \"digits\"\npath = \"a\\nb\"")), @r#"x.toml:4: `task.path` must be a text of one line, got the string "a\nb""#);
}

#[test]
fn powers_and_epochs_have_an_end() {
    let error = |line: &str| errors(&mqar(&format!("{line}\n")));
    insta::assert_snapshot!(error("power = 11"), @"x.toml:5: `task.mqar.power` must be a finite number > 0 and <= 10, got 11");
    insta::assert_snapshot!(error("train_examples = 67108865"), @"x.toml:5: `task.mqar.train_examples` must be an integer from 0 to 67108864, got 67108865");
}

#[test]
fn a_path_is_only_for_tasks_that_read_files() {
    let with = |task: &str| load_with(SMALL, &["task.path=a", &format!("task.name={task}"), PIXELS]);
    assert!(with("bytes").is_ok() && with("mnist").is_ok());
    assert!(with("digits").is_err() && with("mqar").is_err());
    let names = |path: &str| load_with(SMALL, &["task.name=bytes", path]).unwrap().runs[0].hash_pairs.clone();
    assert_eq!(names("task.path=a"), names("task.path=b"), "its contents name a run, not its place");
}

#[test]
fn a_pool_is_only_for_tasks_with_one_answer_a_sequence() {
    let with = |task: &str, pool: &str| load_with(SMALL, &[&format!("task.name={task}"), pool, PIXELS]);
    for task in ["digits", "mnist", "reconstruct"] {
        assert!(with(task, "model.pool=last").is_ok() && with(task, "model.pool=mean").is_ok(), "{task}");
    }
    for task in ["mqar", "bytes", "delay"] {
        assert!(with(task, "model.pool=auto").is_ok(), "{task}");
        let error = with(task, "model.pool=last").unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "--set model.pool=last: task {task} has answers at single tokens, so pool = \"last\" would do \
                 nothing; leave it at \"auto\""
            )
        );
    }
}

#[test]
fn a_task_blames_the_line_of_its_option_or_else_the_length() {
    insta::assert_snapshot!(errors(&mqar("n_pairs = 20\n")), @"x.toml:5: task mqar: n_pairs = 20 at 64 tokens, but a pair takes 4: at most 16");
    insta::assert_snapshot!(errors(&mqar("").replace("[64, 128]", "[64, 127]")), @"x.toml:10: seq_len = 127 does not suit task mqar: tokens come in twos, and a key-value pair with its query takes 4; nearest allowed: 126 or 128");
}
