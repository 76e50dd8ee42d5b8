//! Studies on other tasks than digits, from config to figures.

use serde_json::Value;
use subquad_record::read_facts;

use crate::lab::{Lab, TINY, files, name};

/// [`TINY`] on the embedded text.
fn bytes() -> String {
    let task = "name = \"bytes\"\n\n[task.bytes]\ntest_examples = 6";
    TINY.replace("name = \"digits\"", task).replace("seq_len = [64]", "seq_len = [16]")
}

/// A user's text: too regular to be the embedded one.
fn text(word: &str) -> String {
    format!("{word} and again ").repeat(200)
}

fn figures(lab: &Lab, study: &str) -> Vec<String> {
    let files = files(&lab.path(&format!("results/{study}/figures")));
    files.iter().filter(|path| path.extension().unwrap() == "csv").map(|path| name(path)).collect()
}

fn names(lab: &Lab, arguments: &str) -> Vec<String> {
    lab.subquad(&format!("run --dry-run {arguments}")).expect(0).out.lines().map(Into::into).collect()
}

#[test]
fn bytes_are_scored_in_bits_everywhere() {
    let lab = Lab::new();
    lab.write("lm/lm.toml", bytes());
    let answer = lab.subquad("run lm --set train.eval_every=2 --set sweep.seed=[0]").expect(0);
    assert!(answer.out.starts_with("seq_len  mixer      bits/byte"), "{}", answer.out);
    assert!(answer.err.contains(" bits per byte, loss "), "{}", answer.err);
    assert_eq!(
        figures(&lab, "lm"),
        [
            "bits_per_byte_by_length.csv",
            "bits_per_byte_by_step.csv",
            "loss_by_step.csv",
            "peak_memory.csv",
            "time_per_token.csv"
        ]
    );
    let summary: Value =
        serde_json::from_slice(&fs_err::read(lab.path("results/lm/summary.json")).unwrap()).unwrap();
    let evaluation = &summary["runs"][0]["evaluations"][0];
    let bits = evaluation["loss"].as_f64().unwrap() / std::f64::consts::LN_2;
    assert_eq!(evaluation["bits_per_byte"].as_f64(), Some(bits));
    assert_eq!((&evaluation["accuracy"], &evaluation["examples"]), (&Value::Null, &6.into()));
}

/// [`TINY`] on noise, with a model that only mixes along the sequence.
fn noise(task: &str) -> String {
    let model = "[model]\nnorm = \"none\"\nresidual = false\nchannel_mixer = \"none\"";
    let text = TINY.replace("name = \"digits\"", &format!("name = \"{task}\"")).replace("[model]", model);
    let text = text.replace("d_hidden = 16\n", "");
    format!("{text}[task.{task}]\ntest_examples = 6\n")
}

#[test]
fn tasks_with_real_answers_are_scored_by_the_share_of_the_variance_everywhere() {
    for task in ["delay", "reconstruct"] {
        let lab = Lab::new();
        lab.write("memory/memory.toml", noise(task));
        let answer = lab.subquad("run memory --set train.eval_every=2 --set sweep.seed=[0]").expect(0);
        assert!(answer.out.starts_with("seq_len  mixer      error/var"), "{}", answer.out);
        assert!(
            answer.out.contains("lower is better, 1 is what predicting the mean scores."),
            "{}",
            answer.out
        );
        assert!(
            answer.err.contains(" of the variance, loss ") && !answer.err.contains("accuracy"),
            "{}",
            answer.err
        );
        assert_eq!(
            figures(&lab, "memory"),
            [
                "normalised_error_by_length.csv",
                "normalised_error_by_step.csv",
                "peak_memory.csv",
                "squared_error_by_step.csv",
                "time_per_token.csv"
            ]
        );
        let summary: Value =
            serde_json::from_slice(&fs_err::read(lab.path("results/memory/summary.json")).unwrap()).unwrap();
        let evaluation = &summary["runs"][0]["evaluations"][0];
        assert!(evaluation["normalised_error"].as_f64().unwrap() > 0.0, "{evaluation}");
        assert_eq!((&evaluation["accuracy"], &evaluation["examples"]), (&Value::Null, &6.into()));
        let caption = summary["captions"]["normalised_error_by_length"].to_string();
        assert!(caption.contains("lower is better, and predicting the mean scores 1."), "{caption}");
        lab.subquad("plot results/memory").expect(0);
    }
}

#[test]
fn tasks_of_one_study_have_panels_of_their_own() {
    let lab = Lab::new();
    lab.write("memory/a.toml", noise("delay"));
    lab.write("memory/b.toml", noise("reconstruct"));
    lab.subquad("run memory --set sweep.seed=[0] --set sweep.mixer=[\"s4d\"]").expect(0);
    let panels = |figure: &str| {
        let csv = fs_err::read_to_string(lab.path(&format!("results/memory/figures/{figure}.csv"))).unwrap();
        let mut panels: Vec<_> =
            csv.lines().skip(1).map(|line| line.split(",s4d").next().unwrap().to_owned()).collect();
        panels.dedup();
        panels
    };
    assert_eq!(panels("normalised_error_by_length"), ["delay", "reconstruct"]);
    assert_eq!(panels("squared_error_by_step"), ["\"delay, length 64\"", "\"reconstruct, length 64\""]);
}

#[test]
fn a_sweep_over_the_state_is_drawn_against_it_with_a_line_for_each_other_setting() {
    let lab = Lab::new();
    lab.write("memory/memory.toml", noise("delay"));
    let sweep = "--set sweep.mixer=[\"s4d\",\"s4\",\"m2\"] --set sweep.mixer.s4d.init=[\"legs\",\"rand\"]";
    let states = "--set sweep.mixer.s4d.d_state=[2,4] --set sweep.mixer.s4.d_state=[4,8]";
    lab.subquad(&format!("run memory --set sweep.seed=[0] {sweep} {states}")).expect(0);
    let name = "normalised_error_by_d_state";
    assert!(figures(&lab, "memory").contains(&format!("{name}.csv")));
    let csv = fs_err::read_to_string(lab.path(&format!("results/memory/figures/{name}.csv"))).unwrap();
    let rows: Vec<_> =
        csv.lines().skip(1).map(|row| row.split(',').skip(1).take(2).collect::<Vec<_>>().join(" ")).collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    s4d init=legs 2.0
    s4d init=legs 4.0
    s4d init=rand 2.0
    s4d init=rand 4.0
    s4 4.0
    s4 8.0
    ");
    lab.subquad("plot results/memory").expect(0);
}

#[test]
fn a_run_on_noise_writes_a_config_of_itself() {
    let lab = Lab::new();
    lab.write("memory/memory.toml", noise("delay"));
    lab.subquad("run memory --set sweep.seed=[0]").expect(0);
    let [first, ..] = &lab.runs_of("memory", "results")[..] else { panic!("no run") };
    let config = fs_err::read_to_string(first.join("config.toml")).unwrap();
    assert!(config.contains("\nlag = \"seq_len/4\"\n") && config.contains("\nnorm = \"none\"\n"), "{config}");
    let again = names(&lab, &format!("results/memory/runs/{}/config.toml", name(first)));
    assert!(again[0].ends_with(&name(first)), "{again:?}");
}

#[test]
fn a_lag_that_leaves_nothing_to_repeat_is_refused_with_its_line() {
    let lab = Lab::new();
    lab.write("memory/memory.toml", noise("delay") + "lag = 64\n");
    insta::assert_snapshot!(lab.subquad("run memory").expect(2).err, @"error: memory/memory.toml:32: task delay: lag = 64 at 64 tokens, but it must be 1 to 63, so that there is something to repeat");
}

#[test]
fn a_text_is_known_by_its_contents_and_not_by_its_place() {
    let lab = Lab::new();
    lab.write("lm/lm.toml", bytes());
    lab.write("a/text.txt", text("so"));
    lab.write("b/same.txt", text("so"));
    lab.write("b/other.txt", text("no"));
    let with = |path: &str| names(&lab, &format!("lm --set task.path={path}"));
    assert_eq!(with("a/text.txt"), with("b/same.txt"));
    assert_ne!(with("a/text.txt"), with("b/other.txt"));
    assert_ne!(with("a/text.txt"), names(&lab, "lm"));
    lab.write("a/text.txt", text("no"));
    assert_eq!(with("a/text.txt"), with("b/other.txt"), "a changed text makes other runs of the same path");
}

#[test]
fn a_relative_path_is_looked_for_in_the_folder_of_data() {
    let lab = Lab::new();
    lab.write("lm/lm.toml", bytes());
    lab.write("data/kjv/kjv.txt", text("lo"));
    let run = "run --dry-run lm --set task.path=kjv/kjv.txt";
    let refused = lab.subquad(run).expect(2);
    insta::assert_snapshot!(refused.err, @"error: lm/lm.toml: the data of task bytes are missing: looked for kjv/kjv.txt; set task.path to a text file, set SUBQUAD_DATA to the folder of your data sets, or leave it empty for the embedded text");
    lab.subquad_with(run, &[("SUBQUAD_DATA", "data")]).expect(0);
    let elsewhere = lab.subquad_with(run, &[("SUBQUAD_DATA", "tiny")]).expect(2);
    insta::assert_snapshot!(elsewhere.err, @"error: lm/lm.toml: the data of task bytes are missing: looked for kjv/kjv.txt, tiny/kjv/kjv.txt; set task.path to a text file, or leave it empty for the embedded text");
}

#[test]
fn a_check_leaves_out_what_has_no_data_and_says_so() {
    let lab = Lab::new();
    lab.write(
        "configs/a/lm.toml",
        bytes().replace("name = \"bytes\"", "name = \"bytes\"\npath = \"none.txt\""),
    );
    lab.write("configs/b/tiny.toml", TINY);
    let answer = lab.subquad("check --smoke").expect(0);
    let lines: Vec<_> = answer.out.lines().collect();
    assert!(
        lines[0].starts_with("configs/a/lm.toml: ok, 6 runs, NOT TRIED: the data of task bytes are missing"),
        "{lines:?}"
    );
    assert_eq!(lines[1], "configs/b/tiny.toml: ok, 6 runs");
    assert_eq!(lines.iter().filter(|line| line.ends_with(": trained 2 steps")).count(), 3, "{lines:?}");
    lab.subquad("run configs/a").expect(2);
    assert!(!lab.path("results").exists());
}

#[test]
fn a_damaged_text_is_wrong_input_before_anything_runs() {
    let lab = Lab::new();
    lab.write("lm/lm.toml", bytes().replace("name = \"bytes\"", "name = \"bytes\"\npath = \"a.txt\""));
    lab.write("a.txt", "short");
    let errors = ["run lm", "check lm"].map(|command| lab.subquad(command).expect(2).err);
    assert_eq!(errors[0], errors[1]);
    insta::assert_snapshot!(errors[0], @"error: lm/lm.toml: a.txt: a text of 5 bytes is too short for seq_len = 16: its last tenth is for testing, so it needs about 170");
    assert!(!lab.path("results").exists());
}

#[test]
fn a_run_on_a_text_writes_a_config_of_itself_and_its_digest() {
    let lab = Lab::new();
    lab.write("lm/lm.toml", bytes());
    lab.write("a \"quoted\".txt", text("so"));
    let config = bytes().replace("name = \"bytes\"", "name = \"bytes\"\npath = 'a \"quoted\".txt'");
    lab.write("lm/lm.toml", config);
    lab.subquad("run lm --set sweep.seed=[0] --set sweep.mixer=[\"s4d\"]").expect(0);
    let [run] = &lab.runs_of("lm", "results")[..] else { panic!("not one run") };
    let again = names(&lab, &format!("results/lm/runs/{}/config.toml", name(run)));
    assert!(again[0].ends_with(&name(run)), "{again:?}");
    let manifest: Value = serde_json::from_slice(&fs_err::read(run.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["data"].as_str().unwrap().len(), 16);
}

#[test]
fn a_path_that_would_do_nothing_is_refused() {
    let answer = Lab::new().subquad("run tiny --set task.path=a.txt").expect(2);
    insta::assert_snapshot!(answer.err, @"error: --set task.path=a.txt: task digits reads no files, so task.path would do nothing; leave it out");
}

#[test]
fn an_axis_of_another_task_multiplies_no_runs() {
    let lab = Lab::new();
    lab.write(
        "two/two.toml",
        bytes().replace("name = \"bytes\"", "")
            + "\"task.name\" = [\"digits\", \"bytes\"]\n\"task.bytes.test_examples\" = [6, 7]\n",
    );
    let text = fs_err::read_to_string(lab.path("two/two.toml")).unwrap().replace("[16]", "[64]");
    lab.write("two/two.toml", text.replace("test_examples = 6", ""));
    assert_eq!(names(&lab, "two").len(), 3 * (1 + 2) * 2);
}

/// [`TINY`] on associative recall, tested at other lengths and pair counts too.
fn mqar() -> String {
    let task = "name = \"mqar\"\n\n[task.mqar]\nvocab = 70\ntest_examples = 5\ntest_conditions = [\"16x2\", \"64x4\", \"64x8\"]";
    TINY.replace("name = \"digits\"", task).replace("seq_len = [64]", "seq_len = [16, 32]")
}

#[test]
fn a_run_is_tested_under_every_condition_after_its_last_step() {
    let lab = Lab::new();
    lab.write("recall/recall.toml", mqar());
    let answer = lab.subquad("run recall --set sweep.seed=[0] --set train.eval_every=2").expect(0);
    assert!(answer.out.contains("\nseq_len  mixer       16x2   64x4   64x8\n"), "{}", answer.out);
    let run = |start: &str| {
        let runs = lab.runs_of("recall", "results");
        runs.into_iter().find(|run| name(run).starts_with(start)).unwrap()
    };
    let rows = subquad_record::read_rows(&run("m2-L16").join("metrics.jsonl")).unwrap();
    let tests = rows.iter().filter(|row| row.split == "test").map(|row| (row.step, row.condition.as_str()));
    // 16 tokens have one pair, so 16x2 is a condition of its own.
    assert_eq!(tests.collect::<Vec<_>>(), [(4, ""), (4, "16x2"), (4, "64x4"), (4, "64x8")]);
    let validated = rows.iter().filter(|row| row.split == "validation").map(|row| row.step);
    assert_eq!(validated.collect::<Vec<_>>(), [2, 4]);
    let csv = fs_err::read_to_string(lab.path("results/recall/summary.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 3 * 2 * 4, "{csv}");
    assert_eq!(csv.lines().filter(|line| line.contains(",64x8,5,1,done,64,")).count(), 3 * 2, "{csv}");
    let figure =
        fs_err::read_to_string(lab.path("results/recall/figures/accuracy_by_test_length.csv")).unwrap();
    assert!(figure.contains("\n\"trained at 32, test: 2 pairs\",s4d,16.0,"), "{figure}");
    assert!(!figure.contains("trained at length"), "{figure}");
}

#[test]
fn one_number_of_pairs_a_length_makes_one_curve() {
    let lab = Lab::new();
    lab.write("recall/recall.toml", mqar().replace(", \"64x8\"", ""));
    lab.subquad("run recall --set sweep.seed=[0] --set sweep.seq_len=[32]").expect(0);
    let figure =
        fs_err::read_to_string(lab.path("results/recall/figures/accuracy_by_test_length.csv")).unwrap();
    let lengths = figure.lines().filter(|line| line.starts_with("trained at length 32,m2,"));
    let lengths: Vec<_> = lengths.map(|line| line.split(',').nth(2).unwrap()).collect();
    assert_eq!(lengths, ["16.0", "32.0", "64.0"], "{figure}");
    let captions = read_facts(&lab.path("results/recall")).unwrap().remove("captions").unwrap();
    let caption = captions["accuracy_by_test_length"].to_string();
    let note = "Trained at length 32: 2 pairs at 16 tokens, 2 pairs at 32 tokens, 4 pairs at 64 tokens.";
    assert!(caption.contains(note), "{caption}");
}

#[test]
fn the_filter_of_m2_reaches_the_longest_test_condition() {
    let lab = Lab::new();
    lab.write("recall/recall.toml", mqar());
    lab.subquad("run recall --set sweep.seed=[0] --set sweep.mixer=[\"m2\"] --set sweep.seq_len=[16]")
        .expect(0);
    let [run] = &lab.runs_of("recall", "results")[..] else { panic!("not one run") };
    let config = fs_err::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("\nl_max = 64\n") && config.contains("\nn_pairs = \"seq_len/16\"\n"), "{config}");
}

/// An IDX file of zeros.
fn idx(axes: &[u8]) -> Vec<u8> {
    let header = [0, 0, 8, axes.len() as u8].into_iter().chain(axes.iter().flat_map(|&n| [0, 0, 0, n]));
    let count = axes.iter().map(|&n| usize::from(n)).product();
    header.chain(std::iter::repeat_n(0, count)).collect()
}

#[test]
fn mnist_is_found_in_the_folder_of_data() {
    let lab = Lab::new();
    lab.write(
        "m/m.toml",
        TINY.replace("\"digits\"", "\"mnist\"").replace("seq_len = [64]", "seq_len = [784]"),
    );
    insta::assert_snapshot!(lab.subquad("run m").expect(2).err, @"error: m/m.toml: the data of task mnist are missing: neither task.path nor SUBQUAD_DATA is set; set task.path to the folder of train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (each with or without .gz), or SUBQUAD_DATA to the folder that contains `mnist`");
    for split in ["train", "t10k"] {
        lab.write(&format!("data/mnist/{split}-images-idx3-ubyte"), idx(&[8, 28, 28]));
        lab.write(&format!("data/mnist/{split}-labels-idx1-ubyte"), idx(&[8]));
    }
    let run = "run m --set sweep.seed=[0] --set sweep.mixer=[\"s4d\"]";
    lab.subquad_with(run, &[("SUBQUAD_DATA", "data")]).expect(0);
    let named = lab.subquad(&format!("{run} --dry-run --set task.path=data/mnist")).expect(0);
    assert!(named.out.starts_with("done "), "the same files by another way are the same data: {}", named.out);
    let fewer =
        lab.subquad(&format!("{run} --set task.path=data/mnist --set task.mnist.train_examples=9")).expect(2);
    insta::assert_snapshot!(fewer.err, @"error: m/m.toml: data/mnist/train-images-idx3-ubyte: holds 8 images, fewer than train_examples = 9");
}
