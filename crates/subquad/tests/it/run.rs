//! One study from config to figures.

use std::path::Path;

use subquad_record::{Utilisation, read_rows, read_study};

use crate::lab::{Lab, TINY_RUNS, files, name};

const FIGURES: [&str; 5] =
    ["accuracy_by_length", "accuracy_by_step", "loss_by_step", "peak_memory", "time_per_token"];

fn names(folder: &Path) -> Vec<String> {
    files(folder).iter().map(|path| name(path)).collect()
}

fn bytes(path: &Path) -> Vec<u8> {
    fs_err::read(path).unwrap()
}

#[test]
fn the_same_config_gives_the_same_bits() {
    let lab = Lab::new();
    lab.subquad("run tiny --results a").expect(0);
    lab.subquad("run tiny --results b").expect(0);
    assert_eq!(lab.runs("a").len(), TINY_RUNS);
    for (a, b) in lab.runs("a").iter().zip(lab.runs("b")) {
        assert_eq!(name(a), name(&b));
        let rows = [a, &b].map(|run| read_rows(&run.join("metrics.jsonl")).unwrap());
        assert_eq!(rows[0].len(), rows[1].len());
        assert!(rows[0].iter().zip(&rows[1]).all(|(a, b)| a.same_numbers(b)), "{}: {rows:#?}", name(a));
        let weights = [a, &b].map(|run| bytes(&run.join("model.safetensors")));
        assert!(weights[0] == weights[1], "{}: other weights", name(a));
    }
}

#[test]
fn two_seeds_give_two_models() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    for mixer in ["attention", "s4d", "m2"] {
        let weights = [0, 1]
            .map(|seed| bytes(&lab.run_folder(&format!("{mixer}-L64-s{seed}")).join("model.safetensors")));
        assert!(weights[0] != weights[1], "{mixer}");
    }
}

#[test]
fn a_study_leaves_runs_a_summary_and_figures() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    let files_of_a_run = [
        "config.toml",
        "lock",
        "manifest.json",
        "metrics.jsonl",
        "model.safetensors",
        "proof.json",
        "summary.json",
    ];
    for run in lab.runs("results") {
        assert_eq!(names(&run), files_of_a_run, "{}", name(&run));
    }
    assert_eq!(names(&lab.path("results")), ["tiny"]);
    assert_eq!(
        names(&lab.path("results/tiny")),
        ["figures", "runs", "summary.csv", "summary.json", "summary.txt"]
    );
    let figures = FIGURES.iter().flat_map(|name| ["csv", "png", "svg"].map(|kind| format!("{name}.{kind}")));
    assert_eq!(names(&lab.path("results/tiny/figures")), figures.collect::<Vec<_>>());
}

#[test]
fn figures_are_what_their_endings_say() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    for path in files(&lab.path("results/tiny/figures")) {
        let start: &[u8] = match path.extension().and_then(|ending| ending.to_str()).unwrap() {
            "png" => b"\x89PNG\r\n\x1a\n",
            "svg" => b"<svg",
            "csv" => b"panel,line,x,y,low,high\n",
            other => panic!("{other}"),
        };
        let contents = bytes(&path);
        assert!(contents.starts_with(start), "{}", path.display());
        assert!(contents.len() > 2 * start.len(), "{}", path.display());
    }
}

#[test]
fn the_summary_has_a_line_for_every_run() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    let csv = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    let (header, lines) = csv.split_once('\n').unwrap();
    let columns: Vec<_> = header.split(',').collect();
    let promised =
        "mixer seq_len seed split accuracy loss parameters step_ms tokens_per_second peak_bytes state_floats";
    promised.split(' ').for_each(|column| assert!(columns.contains(&column), "{column} in {header}"));
    let keys: Vec<_> =
        lines.lines().map(|line| line.split(',').take(4).collect::<Vec<_>>().join(" ")).collect();
    let mixers = ["attention", "s4d", "m2"];
    let expected = mixers.iter().flat_map(|mixer| [0, 1].map(|seed| format!("{mixer} 64 {seed} test")));
    assert_eq!(keys, expected.collect::<Vec<_>>());
    let complete = |line: &str| line.split(',').take(11).all(|cell| !cell.is_empty());
    assert!(lines.lines().all(complete), "{csv}");
}

/// For attention: 4 sequences of 64 pixels, width 8; 4 x 8 x 8 weights of projections, pairs of tokens with two products of 8 terms,
/// 2 x 8 x 16 weights of the MLP, 8 x 10 of the head, and 8 of the encoder, whose input has no gradient.
#[test]
fn the_summary_says_how_much_of_the_machine_every_run_used() {
    let lab = Lab::new();
    let answer = lab.subquad("run tiny").expect(0);
    let attention = 4 * (6 * 64 * (256 + 256) + 12 * (64 * 65 / 2) * 8 + 6 * 80 + 4 * 64 * 8);
    let csv = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    assert!(csv.lines().next().unwrap().ends_with(",flops_per_step,gflops,fma_peak_gflops,mfu"), "{csv}");
    for (line, run) in csv.lines().skip(1).zip(read_study(&lab.path("results/tiny")).unwrap().runs) {
        let cells: Vec<f64> = line.rsplit(',').take(4).map(|cell| cell.parse().unwrap()).collect();
        let [mfu, peak, gflops, flops] = cells[..] else { panic!("{line}") };
        let [flops_per_step, gflops, fma_peak_gflops, mfu] = [flops, gflops, peak, mfu].map(Some);
        assert_eq!(run.utilisation, Utilisation { flops_per_step, gflops, fma_peak_gflops, mfu }, "{line}");
        let again = Utilisation::new(flops_per_step, run.step_ms / 1e3, fma_peak_gflops);
        assert!((again.gflops.unwrap() / gflops.unwrap() - 1.0).abs() < 1e-12, "{line}");
        assert!(mfu > Some(0.0) && mfu < Some(1.0), "{line}");
        assert!(run.mixer != "attention" || flops == f64::from(attention), "{line}");
    }
    let speed = answer.out.lines().nth(2).unwrap();
    assert!(answer.out.starts_with("seq_len  mixer ") && speed.contains(" %) "), "{}", answer.out);
}

/// Runs side by side take the machine from each other, so its peak is not measured, but operations are those that they are.
#[test]
fn runs_that_share_the_machine_have_operations_without_a_speed() {
    let lab = Lab::new();
    let answer = lab.subquad("run tiny --jobs 2").expect(0);
    let csv = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    for (line, run) in csv.lines().skip(1).zip(read_study(&lab.path("results/tiny")).unwrap().runs) {
        let flops = run.utilisation.flops_per_step.unwrap();
        assert!(line.ends_with(&format!(",{flops},,,")), "{line}");
        assert_eq!((run.utilisation.fma_peak_gflops, run.utilisation.mfu), (None, None), "{line}");
    }
    assert!(!answer.out.contains(" %) "), "{}", answer.out);
}

#[test]
fn the_table_goes_to_standard_output_and_progress_to_standard_error() {
    let lab = Lab::new();
    let answer = lab.subquad("run tiny").expect(0);
    let firsts: Vec<_> =
        answer.out.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>()).collect();
    for row in [["seq_len", "mixer"], ["64", "attention"], ["64", "s4d"], ["64", "m2"]] {
        assert!(firsts.contains(&row.to_vec()), "{row:?} in:\n{}", answer.out);
    }
    assert!(answer.out.ends_with("Summary and figures: results/tiny\n"), "{}", answer.out);
    assert!(answer.err.starts_with("tiny: 6 runs\n[1/6] attention-L64-s0-"), "{}", answer.err);
    assert_eq!(answer.err.matches("    test: accuracy 0.").count(), TINY_RUNS, "{}", answer.err);
}

#[test]
fn nothing_is_coloured_away_from_a_terminal() {
    let lab = Lab::new();
    for arguments in ["run tiny", "run tiny", "run none", "rum", "--help", "list tiny"] {
        let answer = lab.subquad(arguments);
        assert!(!answer.out.contains('\x1b') && !answer.err.contains('\x1b'), "{arguments}: {answer:?}");
    }
}

#[test]
fn quiet_leaves_only_results() {
    let lab = Lab::new();
    let answer = lab.subquad("run tiny --quiet").expect(0);
    assert_eq!(answer.err, "");
    assert!(answer.out.contains("attention"), "{}", answer.out);
    assert_eq!(lab.subquad("run tiny -q").expect(0).err, "");
}

#[test]
fn an_extra_axis_is_in_the_table_and_the_summary() {
    let lab = Lab::new();
    let answer = lab.subquad("run tiny --set sweep.mixer.s4d.d_state=[2,4] --set sweep.seed=[0]").expect(0);
    for label in ["s4d d_state=2", "s4d d_state=4"] {
        assert!(answer.out.contains(label), "{}", answer.out);
    }
    let csv = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    let header = csv.lines().next().unwrap();
    assert!(
        header.ends_with(
            ",mixer.s4d.d_state,validation_loss,validation_score,flops_per_step,gflops,fma_peak_gflops,mfu"
        ),
        "{csv}"
    );
    assert_eq!(csv.lines().filter(|line| line.starts_with("s4d,64,0,test,")).count(), 2, "{csv}");
}

#[test]
fn the_config_of_a_run_is_a_config_of_the_same_run() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    for run in lab.runs("results") {
        let config = format!("results/tiny/runs/{}/config.toml", name(&run));
        assert_eq!(lab.subquad(&format!("check {config}")).expect(0).out, format!("{config}: ok, 1 run\n"));
        let listed = lab.subquad(&format!("run --dry-run {config}")).expect(0).out;
        assert!(listed.ends_with(&format!("/runs/{}\n", name(&run))), "{listed}");
        assert_eq!(listed.lines().count(), 1, "{listed}");
    }
}

/// One block, so narrow that 65,536 tokens with their 256 logits each are all that counts: 64 MiB.
#[test]
fn logits_are_never_in_memory_as_a_whole() {
    let lab = Lab::new();
    lab.write(
        "wide/wide.toml",
        r#"
            task = { name = "bytes", bytes = { test_examples = 2 } }
            model = { d_model = 4, n_layers = 1, channel_mixer = "none" }
            train = { steps = 2, batch = 64 }
            sweep = { mixer = ["ema"], seq_len = [1024], seed = [0] }
        "#,
    );
    lab.subquad("run wide").expect(0);
    let runs = read_study(&lab.path("results/wide")).unwrap().runs;
    let peak = runs[0].peak_bytes.unwrap();
    assert!(peak < 32 << 20, "{peak}");
}
