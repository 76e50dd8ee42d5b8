//! `subquad generate`: text from a trained run.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use burn::tensor::{Device, Int, Tensor, TensorData};
use subquad::Program;
use subquad::generate::{Sampler, Sampling, find_run, load};
use subquad_model::{Dropout, Input, MixerConfig, SequenceModel};

use crate::lab::{Lab, PROGRAM, name};

/// All three mixers on the embedded text, with a little training: less than a second.
const TEXT: &str = r#"
[task]
name = "bytes"

[task.bytes]
test_examples = 4

[model]
d_model = 16
n_layers = 2
d_hidden = 32

[mixer.attention]
n_heads = 2

[mixer.s4d]
d_state = 4

[mixer.m2]
filter_order = 8

[optim]
lr = 0.01

[train]
steps = 30
batch = 8

[sweep]
mixer = ["attention", "s4d", "m2"]
seq_len = [32]
"#;

const MIXERS: [&str; 3] = ["attention", "s4d", "m2"];
/// All that can be causal, and two of them that alternate.
const CAUSAL: [&str; 9] =
    ["attention", "s4d", "s4", "h3", "ema", "hyena", "m2", "causal_monarch", "s4d+attention"];
const PROMPT: &str = "The state";
/// Together with the prompt, as many bytes as M2's filters reach.
const BYTES: usize = 32 + 1 - PROMPT.len();

/// A folder with trained runs of these mixers in `results/text`.
fn trained(mixers: &[&str]) -> Lab {
    trained_with(mixers, "")
}

fn trained_with(mixers: &[&str], flags: &str) -> Lab {
    let lab = Lab::new();
    lab.write("text/text.toml", TEXT);
    lab.subquad(&format!("run text --quiet --set sweep.mixer={mixers:?} {flags}").replace(", ", ","))
        .expect(0);
    lab
}

fn command(lab: &Lab, run: &str, arguments: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(lab.path("")).args(["generate", run]).args(arguments.split_whitespace());
    command
}

fn generate(lab: &Lab, run: &str, arguments: &str) -> Output {
    command(lab, run, arguments).args(["--prompt", PROMPT]).output().unwrap()
}

/// The bytes that it writes.
#[track_caller]
fn text(lab: &Lab, mixer: &str, arguments: &str) -> Vec<u8> {
    let output = generate(lab, &format!("results/text/{mixer}"), &format!("--bytes {BYTES} {arguments}"));
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(err.starts_with(&format!("prompt: {} bytes in ", PROMPT.len())), "{err}");
    assert_eq!(output.stdout.len(), BYTES);
    output.stdout
}

/// The message about wrong input, for which it must write nothing.
#[track_caller]
fn refused(lab: &Lab, run: &str, arguments: &str) -> String {
    let output = generate(lab, run, arguments);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout), (Some(2), vec![]), "{err}");
    err
}

fn run_of(lab: &Lab, mixer: &str) -> String {
    let run = find_run(&lab.path("results/text").join(mixer)).unwrap();
    format!("results/text/runs/{}", name(run.path()))
}

/// `text` and one more byte, from the whole text at once.
fn longer(model: &SequenceModel, sampler: &Sampler, mut text: Vec<u8>) -> Vec<u8> {
    let tokens = text.iter().map(|byte| i32::from(*byte)).collect::<Vec<_>>();
    let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens, [1, text.len()]), &Device::flex());
    let last = model.forward(Input::Tokens(tokens), &Dropout::Off).narrow(1, text.len() - 1, 1);
    let logits: Vec<f32> = last.into_data().iter::<f32>().collect();
    text.push(sampler.pick(&logits, (text.len() - PROMPT.len()) as u64).unwrap() as u8);
    text
}

#[test]
fn the_same_seed_gives_the_same_text_and_another_one_another() {
    let lab = trained(&MIXERS);
    for mixer in MIXERS {
        let one = text(&lab, mixer, "--seed 1");
        assert_eq!(one, text(&lab, mixer, "--seed 1"), "{mixer}");
        assert_ne!(one, text(&lab, mixer, "--seed 2"), "{mixer}");
        assert_ne!(one, text(&lab, mixer, "--seed 1 --top-k 2"), "{mixer}");
        assert_ne!(one, text(&lab, mixer, "--seed 1 --top-p 0.1"), "{mixer}");
        assert_ne!(one, text(&lab, mixer, "--seed 1 --temperature 0.2"), "{mixer}");
    }
}

#[test]
fn a_text_is_what_the_whole_model_at_once_would_write_byte_for_byte() {
    let (lab, program) = (trained(&CAUSAL), Program::of::<MixerConfig>());
    for mixer in CAUSAL {
        let run = find_run(&lab.path("results/text").join(mixer)).unwrap();
        let model = load::<MixerConfig>(program, &run, &Device::flex()).unwrap().model;
        for temperature in [0.0, 1.0] {
            let sampler = Sampler::new(Sampling { temperature, top_k: None, top_p: 1.0 }, 3);
            let start = PROMPT.as_bytes().to_vec();
            let whole = (0..BYTES).fold(start, |text, _| longer(&model, &sampler, text));
            let stepped = text(&lab, mixer, &format!("--temperature {temperature} --seed 3"));
            assert_eq!(stepped, whole[PROMPT.len()..], "{mixer} at {temperature}");
        }
    }
}

#[test]
fn the_likeliest_of_one_is_the_likeliest() {
    let lab = trained(&["m2"]);
    assert_eq!(text(&lab, "m2", "--top-k 1 --seed 5"), text(&lab, "m2", "--temperature 0"));
}

#[test]
fn without_a_prompt_the_text_starts_as_after_a_newline() {
    let lab = trained(&["s4d"]);
    let run = "results/text/s4d";
    let out = |prompt: &str| {
        command(&lab, run, "--temperature 0").args(["--prompt", prompt]).output().unwrap().stdout
    };
    let default = command(&lab, run, "--temperature 0").output().unwrap();
    assert_eq!(default.stdout.len(), 256);
    assert_eq!(default.stdout, out(""));
    assert_eq!(default.stdout, out("\n"));
    let err = String::from_utf8(default.stderr).unwrap();
    assert!(err.starts_with("note: trained on 32 bytes at a time; a longer text may get worse\n"), "{err}");
    assert!(err.contains("text: 256 bytes, ") && err.contains(" a second, decoded over slices; "), "{err}");
    assert!(err.ends_with("state: 128 floats\n"), "{err}");
}

#[test]
fn a_run_can_be_named_in_several_ways() {
    let lab = trained(&["s4d", "m2"]);
    let run = run_of(&lab, "s4d");
    let expected = text(&lab, "s4d", "");
    for name in [run.as_str(), &format!("{run}/"), "results/text/s", "results/text/runs/s4d-L32"] {
        assert_eq!(generate(&lab, name, &format!("--bytes {BYTES}")).stdout, expected, "{name}");
    }
}

#[test]
fn the_name_of_a_mixer_means_that_mixer_also_where_another_begins_with_it() {
    let lab = trained(&["s4d", "s4"]);
    for mixer in ["s4", "s4d"] {
        let run = find_run(&lab.path("results/text").join(mixer)).unwrap();
        assert!(name(run.path()).starts_with(&format!("{mixer}-L32")), "{mixer}: {}", run.path().display());
    }
}

#[test]
fn a_name_of_no_run_or_several_gets_the_names_there_are() {
    let lab = trained(&["s4d", "m2"]);
    let names = ["m2", "s4d"].map(|mixer| name(Path::new(&run_of(&lab, mixer)))).join(", ");
    let cases = [
        ("results/text", format!("2 runs match; name one of them: {names}")),
        ("results/text/", format!("2 runs match; name one of them: {names}")),
        ("results/text/h3", format!("there is no run of that name; the runs are: {names}")),
        ("results/none/s4d", "no run there; a run is a folder such as results/<study>/runs/<name>".into()),
        ("nonsense", "no run there; a run is a folder such as results/<study>/runs/<name>".into()),
    ];
    for (run, why) in cases {
        assert_eq!(refused(&lab, run, ""), format!("error: {run}: {why}\n"));
    }
}

#[test]
fn a_run_of_another_task_is_refused() {
    let lab = Lab::new();
    lab.subquad("run tiny --quiet --set sweep.mixer=[\"attention\"] --set sweep.seed=[0]").expect(0);
    let err = refused(&lab, "results/tiny", "");
    assert!(
        err.ends_with(
            "the run's task is digits, whose data are not text; train one with task.name = \"bytes\"\n"
        ),
        "{err}"
    );
}

#[test]
fn a_bidirectional_run_is_refused() {
    let lab = trained_with(&["s4d"], "--set model.causal=false --set train.steps=1");
    let err = refused(&lab, "results/text", "");
    assert!(err.contains("the model is bidirectional: "), "{err}");
}

#[test]
fn a_run_that_is_not_done_is_refused() {
    let lab = trained(&["s4d"]);
    let manifest = lab.path(&run_of(&lab, "s4d")).join("manifest.json");
    fs_err::remove_file(manifest.with_file_name("proof.json")).unwrap();
    let text = fs_err::read_to_string(&manifest).unwrap();
    fs_err::write(&manifest, text.replace("\"outcome\": \"done\"", "\"outcome\": \"interrupted\"")).unwrap();
    let err = refused(&lab, "results/text", "");
    assert!(
        err.ends_with(
            "the run is not done (interrupted), so it has no weights yet; `subquad run text/text.toml` continues it\n"
        ),
        "{err}"
    );
}

#[test]
fn missing_and_damaged_files_are_named() {
    let lab = trained(&["s4d"]);
    let run = run_of(&lab, "s4d");
    let file = |name: &str| lab.path(&run).join(name);
    let weights = fs_err::read(file("model.safetensors")).unwrap();
    fs_err::write(file("model.safetensors"), &weights[..weights.len() / 2]).unwrap();
    let err = refused(&lab, "results/text", "");
    let half =
        format!("{run}/model.safetensors: damaged ({} bytes of {}); ", weights.len() / 2, weights.len());
    assert!(err.contains(&half) && err.contains("`subquad run text/text.toml` runs it again"), "{err}");
    fs_err::remove_file(file("model.safetensors")).unwrap();
    let err = refused(&lab, "results/text", "");
    assert!(err.contains("model.safetensors") && err.contains("No such file"), "{err}");
    fs_err::write(file("manifest.json"), "{").unwrap();
    let err = refused(&lab, "results/text", "");
    assert!(err.contains("manifest.json"), "{err}");
}

#[test]
fn weights_and_settings_of_another_run_are_refused() {
    let lab = trained_with(&["s4d"], "--set sweep.seed=[0,1]");
    let runs = [0, 1].map(|seed| run_of(&lab, &format!("s4d-L32-s{seed}")));
    for name in ["model.safetensors", "config.toml", "summary.json", "proof.json"] {
        let [own, other] = runs.each_ref().map(|run| lab.path(run).join(name));
        let whole = fs_err::read(&own).unwrap();
        fs_err::copy(other, &own).unwrap();
        let err = refused(&lab, &runs[0], "");
        assert!(err.starts_with(&format!("error: {}/{name}: damaged (", runs[0])), "{err}");
        fs_err::write(own, whole).unwrap();
    }
    assert_eq!(generate(&lab, &runs[0], "").status.code(), Some(0));
}

#[test]
fn a_copy_of_a_run_under_a_name_of_its_own_generates() {
    let lab = trained(&["s4d"]);
    fs_err::rename(lab.path(&run_of(&lab, "s4d")), lab.path("my-model")).unwrap();
    assert_eq!(generate(&lab, "my-model", "").status.code(), Some(0));
}

#[test]
fn a_text_longer_than_the_filters_of_m2_is_refused_before_it_begins() {
    let lab = trained(&["m2"]);
    text(&lab, "m2", "");
    let err = refused(&lab, "results/text", &format!("--bytes {}", BYTES + 1));
    assert_eq!(
        err,
        "error: 25 bytes after a prompt of 9 are too many for this model: m2 takes at most l_max = 32 \
         tokens, got 33; build it with a larger l_max\n"
    );
}

#[test]
fn flags_out_of_range_are_refused() {
    let lab = Lab::new();
    for (flag, wanted) in [
        ("--temperature -1", "must be a number >= 0"),
        ("--temperature nan", "must be a number >= 0"),
        ("--temperature inf", "must be a number >= 0"),
        ("--top-k 0", "must be a whole number >= 1"),
        ("--top-p 0", "must be a number above 0 and at most 1"),
        ("--top-p 1.5", "must be a number above 0 and at most 1"),
        ("--bytes 0", "must be a whole number >= 1"),
        ("--device tpu", "there is no device `tpu`; known: cpu, wgpu, auto"),
    ] {
        let err = refused(&lab, "anything", flag);
        assert!(err.contains(wanted), "{flag}: {err}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_text_without_a_word() {
    let lab = trained(&["s4d"]);
    let mut child = command(&lab, "results/text", "--bytes 1000000 --prompt =")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert_eq!(err.lines().count(), 1, "only the note about the length: {err}");
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_a_text_where_it_is() {
    use crate::interrupt::press_ctrl_c;
    use crate::lab::wait_for;
    let lab = trained(&["s4d"]);
    let written = || fs_err::metadata(lab.path("text.out")).map_or(0, |file| file.len());
    let mut child = command(&lab, "results/text", "--bytes 100000000")
        .stdout(fs_err::File::create(lab.path("text.out")).unwrap().into_file())
        .stderr(fs_err::File::create(lab.path("text.err")).unwrap().into_file())
        .spawn()
        .unwrap();
    wait_for("the first byte", || (written() > 0).then_some(()));
    press_ctrl_c(&child);
    let status = wait_for("the end", || child.try_wait().unwrap());
    let err = fs_err::read_to_string(lab.path("text.err")).unwrap();
    assert_eq!(status.code(), Some(130), "{err}");
    let (_, statistics) = err.trim_end().rsplit_once('\n').unwrap();
    assert!(statistics.starts_with("prompt: 0 bytes in "), "{err}");
    assert!(!err.contains("error"), "{err}");
}
