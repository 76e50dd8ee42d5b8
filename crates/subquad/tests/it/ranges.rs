//! Layers, tasks and training accept exactly the numbers that the table of keys allows, and refusals name a place.

use std::ops::Bound;

use subquad::config::RunConfig;
use subquad_config::{Key, Run, Variant};
use subquad_options::{Kind, Refusal, Value};

use crate::layers::{model_of, program, read};

/// Both ends of what a key allows, and numbers that it refuses, as TOML.
struct Ends {
    allowed: [String; 2],
    refused: Vec<String>,
}

/// `None` for keys that hold no number.
fn ends(key: &Key) -> Option<Ends> {
    match &key.kind {
        Kind::Or { or: Value::Real(_), kind } => {
            let mut ends = ends_of(kind)?;
            // Below it there is only 0.
            let below = ends.allowed[0].parse::<f64>().map(|min| format!("{:?}", -min));
            ends.refused.extend(below);
            Some(ends)
        }
        Kind::Or { kind, .. } | Kind::List { item: kind, .. } => {
            ends_of(kind).filter(|_| !matches!(key.kind, Kind::List { .. }))
        }
        kind => ends_of(kind),
    }
}

fn ends_of(kind: &Kind) -> Option<Ends> {
    match *kind {
        Kind::Integer { min, max } | Kind::Share { min, max } => {
            let below = min.checked_sub(1).map(|below| below.to_string());
            let above =
                max.checked_add(1).map_or("9223372036854775808".to_owned(), |above| above.to_string());
            Some(Ends {
                allowed: [min, max].map(|end| end.to_string()),
                refused: below.into_iter().chain([above]).collect(),
            })
        }
        Kind::Real { min, max } => Some(real_ends(lowest(min), highest(max))),
        _ => None,
    }
}

/// The task, or the mixer, whose section has the key.
fn owner(key: &Key) -> (Option<&'static str>, Option<&'static str>) {
    match key.variant {
        Some(Variant::Tag(task)) => (Some(task), None),
        Some(Variant::Subject(mixer)) => (None, Some(mixer)),
        None => (None, None),
    }
}

fn keys() -> impl Iterator<Item = &'static Key> {
    program().schemas().study.keys().iter()
}

fn real_ends(min: f64, max: f64) -> Ends {
    let outside = [min.next_down(), max.next_up()].map(|end| format!("{end:?}"));
    Ends { allowed: [min, max].map(|end| format!("{end:?}")), refused: outside.to_vec() }
}

fn lowest(min: Bound<f64>) -> f64 {
    match min {
        Bound::Included(min) => min,
        Bound::Excluded(min) => min.next_up(),
        Bound::Unbounded => f64::MIN,
    }
}

fn highest(max: Bound<f64>) -> f64 {
    match max {
        Bound::Included(max) => max,
        Bound::Excluded(max) => max.next_down(),
        Bound::Unbounded => f64::MAX,
    }
}

/// A config of one run with a key at a value, in line 1, and what else that value needs.
fn config(key: &Key, value: &str) -> String {
    let mut lines = vec![
        ("model.d_model", "8192".to_owned()),
        ("model.d_hidden", "8192".into()),
        ("mixer.attention.n_heads", "4".into()),
        ("task.name", format!("{:?}", owner(key).0.unwrap_or("bytes"))),
        ("train.steps", "1".into()),
    ];
    let mixer = owner(key).1.unwrap_or("attention");
    let mut seq_len = if owner(key).0 == Some("mnist") { "784" } else { "1024" };
    let mut with = |name, value: &str| lines.push((name, value.to_owned()));
    match (key.name, value) {
        ("task.mqar.vocab", "6") => {
            with("task.mqar.n_pairs", "1");
            seq_len = "4";
        }
        ("task.mqar.n_pairs", "262143") => {
            with("task.mqar.vocab", "1048576");
            seq_len = "1048574";
        }
        ("task.delay.lag" | "task.reconstruct.window", "16777215" | "16777216")
        | ("task.copying.n_data" | "task.selective_copying.n_data", "8388608") => seq_len = "16777216",
        ("task.delay.bandwidth" | "task.reconstruct.bandwidth", _) => seq_len = "16777216",
        ("model.d_model", "1") => {
            with("mixer.attention.n_heads", "1");
            with("mixer.attention.position", "\"none\"");
        }
        ("model.n_blocks", "0" | "1024") => with("model.channel_mixer", "\"monarch\""),
        ("model.positions", "1") => seq_len = "1",
        ("train.accumulate", "65536") => with("train.batch", value),
        ("train.stop_at", _) => with("train.eval_every", "1"),
        ("optim.cooldown", _) => {
            with("optim.schedule", "\"wsd\"");
            with("optim.warmup", "0.0");
        }
        ("mixer.attention.n_kv_heads", "1024") => with("mixer.attention.n_heads", "1024"),
        ("mixer.attention.rope_fraction", _) => with("mixer.attention.n_heads", "1"),
        (_, "1") if key.leaf() == "l_max" => seq_len = "1",
        ("mixer.monarch.block", "46340") => with("mixer.monarch.l_max", value),
        ("mixer.causal_monarch.block", "46340") => with("mixer.causal_monarch.l_max", value),
        ("mixer.m2.rev_offset", "0") => with("model.causal", "false"),
        ("mixer.s4d.dt_min", "1000000.0") => with("mixer.s4d.dt_max", value),
        ("mixer.s4.dt_min", "1000000.0") => with("mixer.s4.dt_max", value),
        ("mixer.h3.dt_min", "1000000.0") => with("mixer.h3.dt_max", value),
        ("mixer.s4d.dt_max", "1e-12") => with("mixer.s4d.dt_min", value),
        ("mixer.s4.dt_max", "1e-12") => with("mixer.s4.dt_min", value),
        ("mixer.h3.dt_max", "1e-12") => with("mixer.h3.dt_min", value),
        _ => {}
    }
    if mixer == "monarch" {
        with("model.causal", "false");
    }
    if mixer == "causal_monarch" && !["l_max", "block", "n_heads"].contains(&key.leaf()) {
        with("mixer.causal_monarch.form", "\"sandwich\"");
    }
    // The last one wins, and the key itself comes first.
    let mut text = format!("{} = {value}\n", key.name);
    for (index, (name, value)) in lines.iter().enumerate() {
        let again = lines[index + 1..].iter().any(|(other, _)| other == name);
        if !again && *name != key.name {
            text += &format!("{name} = {value}\n");
        }
    }
    format!("{text}[sweep]\nmixer = [\"{mixer}\"]\nseq_len = [{seq_len}]\n")
}

fn load(text: &str) -> Result<Run, String> {
    read(text, &[""; 0]).map(|study| study.runs[0].clone()).map_err(|errors| errors.to_string())
}

/// What the model and the training refuse.
fn built(run: &Run) -> Result<(), Refusal> {
    model_of(run).check()?;
    RunConfig::of(run).training().check()
}

#[test]
fn both_ends_of_every_range_are_taken_by_what_the_key_is_for() {
    // Whether sizes meet a budget is for the search to say: a model of one parameter does not exist.
    for key in keys().filter(|key| key.section() != "budget") {
        for value in ends(key).into_iter().flat_map(|ends| ends.allowed) {
            // Such a small share of anything is nothing, which tasks and heads refuse themselves.
            if value == "5e-324" && ["bandwidth", "rope_fraction"].contains(&key.leaf()) {
                continue;
            }
            let taken =
                load(&config(key, &value)).and_then(|run| built(&run).map_err(|refusal| refusal.reason));
            assert_eq!(taken, Ok(()), "{} = {value}:\n{}", key.name, config(key, &value));
        }
    }
}

#[test]
fn beyond_the_ends_every_key_is_refused_with_its_place() {
    for key in keys() {
        for value in ends(key).into_iter().flat_map(|ends| ends.refused) {
            let refused = load(&config(key, &value)).unwrap_err();
            let start = format!("x.toml:1: `{}` must be ", key.name);
            assert!(refused.starts_with(&start), "{} = {value}: {refused}", key.name);
        }
    }
}

#[test]
fn what_layers_refuse_is_refused_before_with_its_place() {
    let numbers = [
        "0", "1", "2", "3", "7", "64", "65", "1e-300", "1e-29", "1e-13", "1291", "46341", "1000000", "0.5",
        "0.999", "1e7", "1e31", "1e300",
    ];
    for key in keys().filter(|key| ends(key).is_some()) {
        for value in numbers {
            match load(&config(key, value)) {
                Ok(run) => assert_eq!(built(&run), Ok(()), "{} = {value}", key.name),
                Err(refused) => assert!(refused.starts_with("x.toml:"), "{} = {value}: {refused}", key.name),
            }
        }
    }
}
