//! Runs that need more memory than there is, and runs whose process dies.
#![cfg(target_os = "linux")]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use subquad_record::{Held, Outcome, read_study};

use crate::lab::{Answer, Lab, PROGRAM, name, wait_for};
use crate::process::{end, manifest, start};

/// Two lengths: the first needs some megabytes, the second some hundreds of gigabytes.
const STUDY: &str = "run noise --set train.steps=2 --set sweep.seq_len=[8,4194304]";
const CONFIG: &str = r#"
[task]
name = "delay"

[task.delay]
lag = 2
test_examples = 4

[model]
d_model = 64
n_layers = 2
d_hidden = 64

[mixer.s4d]
d_state = 4

[train]
steps = 2
batch = 64

[sweep]
mixer = ["s4d"]
seq_len = [8, 4194304]
seed = [0]
"#;

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("noise/noise.toml", CONFIG);
    lab
}

/// The program, in an address space of this many bytes.
fn with_address_space(lab: &Lab, bytes: u64, arguments: &str) -> Answer {
    let script = format!("ulimit -v {}; exec \"$0\" \"$@\"", bytes / 1024);
    let mut command = Command::new("sh");
    command.current_dir(lab.path("")).args(["-c", &script, PROGRAM]).args(arguments.split_whitespace());
    Answer::of(command.output().unwrap())
}

/// The number of bytes in brackets after these words.
#[track_caller]
fn bytes_after(text: &str, words: &str) -> u64 {
    let rest = text.split_once(words).unwrap_or_else(|| panic!("no `{words}` in {text}")).1;
    rest.split_once('(').unwrap().1.split_once(" bytes)").unwrap().0.parse().unwrap()
}

#[track_caller]
fn assert_the_small_one_ran(lab: &Lab, answer: &Answer, bound: &str) {
    let runs = lab.runs_of("noise", "results");
    let [large, small] = &runs[..] else { panic!("{runs:?}") };
    assert!(
        name(large).starts_with("s4d-L4194304-") && manifest(small).outcome == Outcome::Done,
        "{}",
        answer.err
    );
    let Outcome::Failed(why) = manifest(large).outcome else { panic!("{:?}", manifest(large)) };
    let (wanted, had) = (bytes_after(&why, "needs about "), bytes_after(&why, "but only "));
    assert!(wanted > had && wanted > 100 << 30 && why.contains(bound), "{why}");
    let csv = fs_err::read_to_string(lab.path("results/noise/summary.csv")).unwrap();
    let lines: Vec<_> = csv.lines().skip(1).collect();
    assert_eq!(lines.len(), 2, "{csv}");
    assert!(lines[0].starts_with("s4d,8,0,test,") && lines[0].contains(",done,"), "{csv}");
    assert!(lines[1].starts_with("s4d,4194304,0,,") && lines[1].contains(",\"failed: needs about "), "{csv}");
    assert!(answer.out.contains("Not shown, because they failed: s4d-L4194304-s0-"), "{}", answer.out);
    assert!(answer.err.contains("\nerror: s4d-L4194304-s0-"), "{}", answer.err);
}

#[test]
fn a_run_that_does_not_fit_fails_with_the_bytes_and_the_others_run_each_time() {
    for flags in ["", " --jobs 2"] {
        let lab = lab();
        for _ in 0..2 {
            let answer = lab.subquad(&format!("{STUDY}{flags}")).expect(1);
            assert_the_small_one_ran(&lab, &answer, " is available: ");
        }
    }
}

#[test]
fn a_limit_of_the_address_space_counts() {
    // What threads and the allocator reserve without using it counts too.
    let limit = 6 << 30;
    let lab = lab();
    let answer = with_address_space(&lab, limit, STUDY).expect(1);
    assert_the_small_one_ran(&lab, &answer, " is available: ");
    assert!(bytes_after(&answer.err, "but only ") < limit, "{}", answer.err);
}

/// The children at work on the runs of study `tiny`, by folder, once all `count` have rows.
fn children(lab: &Lab, parent: &Child, count: usize) -> Option<Vec<(PathBuf, u32)>> {
    let folder = lab.path("results/tiny/runs");
    let runs: Vec<PathBuf> = fs_err::read_dir(folder).ok()?.map(|run| run.unwrap().path()).collect();
    let runs = runs
        .into_iter()
        .filter(|run| fs_err::metadata(run.join("metrics.jsonl")).is_ok_and(|rows| rows.len() > 0));
    let held = runs.filter_map(|run| Some((run.clone(), Held::at(&run.join("lock")).ok()??.by?.pid)));
    // The parent holds a lock while it notes a failure.
    let held: Vec<_> = held.filter(|(_, process)| *process != parent.id()).collect();
    (held.len() == count).then_some(held)
}

fn send(signal: &str, process: u32) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {process}")]).status().unwrap();
    assert!(sent.success());
}

/// As the kernel does when memory runs out, and the program when it gets none.
#[test]
fn a_process_that_dies_is_a_failed_run_and_the_next_one_starts() {
    for (signal, number) in [("KILL", 9), ("ABRT", 6)] {
        let lab = Lab::new();
        let study = "run tiny --set train.steps=100000 --set train.log_every=1 --set sweep.mixer=[\"s4d\"]";
        let mut command = lab.command(study);
        let parent = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        for _ in 0..2 {
            let (run, process) = wait_for("a run", || children(&lab, &parent, 1)).remove(0);
            send(signal, process);
            wait_for("its end", || matches!(manifest(&run).outcome, Outcome::Failed(_)).then_some(()));
        }
        let answer = Answer::of(parent.wait_with_output().unwrap()).expect(1);
        let reason = format!("its process ended with signal: {number} (");
        assert_eq!(answer.err.matches("error: s4d-L64-s").count(), 2, "{}", answer.err);
        let study = read_study(&lab.path("results/tiny")).unwrap();
        let failed = study.facts["failed"].as_array().unwrap().clone();
        let tells = |why: &serde_json::Value| {
            let why = why.as_str().unwrap();
            why.contains(&reason) && why.ends_with(", most likely because memory ran out")
        };
        assert!(failed.len() == 2 && failed.iter().all(tells), "{failed:?}");
    }
}

#[test]
fn a_child_that_dies_leaves_the_other_jobs_alone() {
    let lab = Lab::new();
    let study =
        "run tiny --jobs 2 --set train.steps=2000 --set train.log_every=1 --set sweep.mixer=[\"s4d\"]";
    let parent = start(&lab, study);
    let (killed, process) = wait_for("both runs", || children(&lab, &parent, 2)).remove(0);
    send("KILL", process);
    assert_eq!(end(parent).code(), Some(1));
    let csv = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    assert_eq!(
        (csv.matches(",done,").count(), csv.matches("\"failed: its process ended with signal: 9").count()),
        (1, 1),
        "{csv}"
    );
    assert!(csv.contains(&name(&killed)), "{csv}");
}
