//! The settings of `[bench]` together: what is missing, what does nothing, and which sizes a layer cannot have.

use std::path::Path;

use super::super::error::Problems;
use super::super::{ConfigError, Origin, Problem};
use super::BENCH_KEYS;
use super::read::{SECTION, Settings, all_keys};
use crate::bench::{D_STATE, Sizes, Subject, find};

/// The keys that only the layers of a list heed.
const HEEDED: [(&str, &str, &[&str]); 2] = [
    ("bench.mixers", "bench.lengths", &["bench.batch", "bench.d_model"]),
    ("bench.channel_mixers", "bench.widths", &["bench.tokens", "bench.hidden_factor", "bench.n_blocks"]),
];

/// Reports lists without their partner, keys that no layer heeds, and sizes that a layer cannot have.
pub(super) fn check(all: &Settings, path: &Path, problems: &mut Problems) {
    let given = |name: &str| all.get(name).is_some_and(|set| !set.values.is_empty());
    let nothing = HEEDED.iter().all(|(layers, sizes, _)| !given(layers) && !given(sizes));
    for (layers, sizes, keys) in HEEDED {
        if given(sizes) && !given(layers) || nothing && layers == "bench.mixers" {
            missing(layers, path, problems);
        }
        if given(layers) && !given(sizes) || nothing && sizes == "bench.lengths" {
            missing(sizes, path, problems);
        }
        if !nothing && !given(sizes) {
            idle(layers, keys, all, problems);
        }
    }
    check_layers(all, problems);
}

fn missing(name: &'static str, path: &Path, problems: &mut Problems) {
    let key = all_keys().find(|key| key.name == name).expect("the names are of keys");
    if !problems.doubts(key) {
        let what = format!("a list, each value {}", key.kind);
        let problem = Problem::Missing { section: SECTION, leaf: key.leaf(), what };
        problems.push_about(key, ConfigError::new(Origin::file(path), problem));
    }
}

/// An empty list is a word too: it leaves the layers out and may leave the rest as it is, as a flag does.
fn idle(layers: &'static str, keys: &[&'static str], all: &Settings, problems: &mut Problems) {
    let in_doubt = all_keys().any(|key| key.name == layers && problems.doubts(key));
    if all.contains_key(layers) || in_doubt {
        return;
    }
    for key in keys {
        if let Some(set) = all.get(key) {
            problems.push(ConfigError::new(set.origin.clone(), Problem::IdleBench { key, layers }));
        }
    }
}

/// In the layers' own words; each layer's first complaint is enough.
fn check_layers(all: &Settings, problems: &mut Problems) {
    let integers = |name: &str| -> Vec<usize> {
        let values = all.get(name).map(|set| set.values.as_slice()).unwrap_or_default();
        values.iter().filter_map(|value| usize::try_from(value.as_integer()?).ok()).collect()
    };
    let one = |name: &str| {
        let key = BENCH_KEYS.iter().find(|key| key.name == name).and_then(|key| key.default.value());
        let default = key.and_then(|value| usize::try_from(value.as_integer()?).ok());
        integers(name).first().copied().or(default).unwrap_or(1)
    };
    let sizes = |seq_len, d_model| Sizes {
        batch: 1,
        seq_len,
        d_model,
        hidden_factor: one("bench.hidden_factor"),
        n_blocks: one("bench.n_blocks"),
        d_state: D_STATE,
    };
    let (tokens, d_model) = (one("bench.tokens"), one("bench.d_model"));
    let along_length: Vec<Sizes> = integers("bench.lengths").iter().map(|l| sizes(*l, d_model)).collect();
    let along_width: Vec<Sizes> = integers("bench.widths").iter().map(|w| sizes(tokens, *w)).collect();
    for (layers, sizes) in [("bench.mixers", along_length), ("bench.channel_mixers", along_width)] {
        let Some(set) = all.get(layers) else { continue };
        for value in &set.values {
            let Ok(subject) = find(&value.to_string()) else { continue };
            if let Some(reason) = first_complaint(subject, &sizes) {
                problems.push(ConfigError::new(set.origin.clone(), Problem::Layer { reason }));
            }
        }
    }
}

fn first_complaint(subject: &Subject, sizes: &[Sizes]) -> Option<String> {
    let complaint = sizes.iter().find_map(|sizes| (subject.check)(sizes).err())?;
    Some(format!("{}: {complaint}", subject.name))
}
