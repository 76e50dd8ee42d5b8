//! Which keys name a run: those that change its numbers.

use std::collections::BTreeMap;
use std::ops::Bound;

use subquad_config::{Key, Run};
use subquad_options::Kind;

use super::{every_mixer, load_with};
use crate::layers::program;

/// Values to try for a key. One that the config refuses is skipped.
fn candidates(key: &Key) -> Vec<String> {
    let [one, other] = match key.name {
        // Sizes can be found for these.
        "budget.parameters" => ["200000", "400000"],
        "budget.state_floats" => ["65536", "131072"],
        "budget.flops" => ["10000000000", "20000000000"],
        "budget.vary" => ["model.d_hidden", "model.d_model"],
        // A length that every run is shorter than suits every task.
        "train.mixed_lengths" => ["[]", "[1000000]"],
        "select.over" => ["[]", "[\"optim.lr\"]"],
        name if name.ends_with(".test_lengths") => ["[]", "[4096]"],
        _ => return candidates_of_key(key),
    };
    [one.to_owned(), other.to_owned()].into()
}

fn candidates_of_key(key: &Key) -> Vec<String> {
    match &key.kind {
        Kind::Or { kind, .. } => candidates_of(kind),
        kind => candidates_of(kind),
    }
}

fn candidates_of(kind: &Kind) -> Vec<String> {
    let numbers = |values: &[&str]| values.iter().map(|value| value.to_string()).collect();
    match kind {
        Kind::Integer { .. } | Kind::Or { .. } => {
            numbers(&["0", "1", "2", "3", "5", "4", "8", "32", "64", "1024", "4096"])
        }
        Kind::Real { min, max } => {
            [numbers(&["0.0", "0.0005", "0.02", "0.5", "1.0", "3.0"]), between(*min, *max)].concat()
        }
        Kind::Bool => numbers(&["true", "false"]),
        Kind::Share { .. } => numbers(&["2", "4", "seq_len/16", "seq_len/8"]),
        Kind::List { .. } | Kind::Form { .. } => numbers(&["[]", r#"["64x8"]"#, r#"["64x8", "128x4"]"#]),
        Kind::Text => numbers(&["a.txt", "b.txt"]),
        Kind::Word(words) => words.iter().map(|word| word.to_string()).collect(),
        Kind::Pattern(words) => {
            [words[0].to_string(), words[1].to_string(), format!("{}+{}", words[0], words[1])].into()
        }
    }
}

/// Two numbers of a range that has two ends.
fn between(min: Bound<f64>, max: Bound<f64>) -> Vec<String> {
    let end = |end| match end {
        Bound::Included(end) | Bound::Excluded(end) => Some(end),
        Bound::Unbounded => None,
    };
    let within =
        |(min, max): (f64, f64)| [0.25, 0.75].map(|share| format!("{:?}", min + share * (max - min)));
    end(min).zip(end(max)).map(within).into_iter().flatten().collect()
}

/// What else must be set for a key to do anything.
fn company(key: &Key) -> &'static [&'static str] {
    match key.name {
        "mixer.s4d.tie_dropout" => &["mixer.s4d.activation_dropout=0.5"],
        "mixer.s4.tie_dropout" => &["mixer.s4.activation_dropout=0.5"],
        "mixer.causal_monarch.filter_order"
        | "mixer.causal_monarch.emb_dim"
        | "mixer.causal_monarch.sine_frequency"
        | "mixer.causal_monarch.filter_lr"
        | "mixer.causal_monarch.filter_weight_decay"
        | "mixer.causal_monarch.position_lr" => &["mixer.causal_monarch.form=sandwich"],
        // Some mixers take no other value.
        "model.causal" => &["sweep.mixer=[\"s4d\"]"],
        "mixer.m2.rev_offset" => &["sweep.mixer=[\"m2\"]", "model.causal=false"],
        "model.n_blocks" => &["model.channel_mixer=monarch"],
        "optim.cooldown" => &["optim.schedule=wsd"],
        "train.stop_at" => &["train.eval_every=1"],
        "select.over" => &["sweep.optim.lr=[0.01, 0.02]"],
        "budget.parameters" | "budget.flops" => &["sweep.mixer=[\"s4d\"]", "budget.vary=model.d_hidden"],
        "budget.state_floats" => &["sweep.mixer=[\"s4d\"]", "budget.vary=model.d_model"],
        "budget.vary" => &["sweep.mixer=[\"s4d\"]", "budget.parameters=400000"],
        _ => &[],
    }
}

fn tasks() -> Vec<String> {
    program().schemas().study.find("task.name").map(candidates).unwrap_or_default()
}

/// The settings that name each run of a config, and the run's own value of a key.
type Named = Vec<(BTreeMap<String, String>, Option<String>)>;

/// The config with this key at each value that it accepts, on some task.
fn variants(key: &Key, task: &str) -> Vec<Named> {
    let flags = |value: &String| {
        // A length that every task accepts.
        [format!("task.name={task}"), "sweep.seq_len=[784]".to_owned(), format!("{}={value}", key.name)]
    };
    let load = |value: &String| {
        let flags = flags(value);
        let flags: Vec<_> = flags.iter().map(String::as_str).chain(company(key).iter().copied()).collect();
        // A task's own name is set by a single flag.
        load_with(&every_mixer(), if key.name == "task.name" { &flags[1..] } else { &flags }).ok()
    };
    let named = |run: Run| {
        let value = run.settings().remove(key.name);
        (run.hash_pairs, value)
    };
    candidates(key).iter().filter_map(load).map(|study| study.runs.into_iter().map(named).collect()).collect()
}

#[test]
fn every_key_that_changes_numbers_names_the_runs_that_have_it_and_no_other_key_does() {
    for key in program().schemas().study.keys() {
        let mut compared = 0;
        for variants in tasks().iter().map(|task| variants(key, task)) {
            for pair in variants.windows(2) {
                for ((a, one), (b, other)) in
                    pair[0].iter().zip(&pair[1]).filter(|((_, one), _)| one.is_some())
                {
                    let differs = one != other;
                    assert_eq!(a != b, differs && key.numeric, "{}: {a:?} {b:?}", key.name);
                    compared += usize::from(differs);
                }
            }
        }
        let has_a_choice = candidates(key).len() > 1;
        assert!(
            compared > 0 || !has_a_choice,
            "no two values of {} could be compared: either `candidates_of` has no two that it takes, or it does nothing without another key, which belongs in `company`",
            key.name
        );
    }
}
