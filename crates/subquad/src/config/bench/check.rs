//! The settings of `[bench]` together: what is missing, and which sizes a layer cannot have.

use std::path::Path;

use super::super::error::Problems;
use super::super::{ConfigError, Origin, Problem};
use super::BENCH_KEYS;
use super::read::{SECTION, Settings, all_keys};
use crate::bench::{Sizes, Subject, find};

/// Reports lists without their partner, and sizes that a layer cannot have.
pub(super) fn check(all: &Settings, path: &Path, problems: &mut Problems) {
    let given = |name: &str| all.get(name).is_some_and(|set| !set.values.is_empty());
    let pairs = [("bench.mixers", "bench.lengths"), ("bench.channel_mixers", "bench.widths")];
    let nothing = pairs.iter().all(|(layers, sizes)| !given(layers) && !given(sizes));
    for (layers, sizes) in pairs {
        if given(sizes) && !given(layers) || nothing && layers == "bench.mixers" {
            missing(layers, path, problems);
        }
        if given(layers) && !given(sizes) || nothing && sizes == "bench.lengths" {
            missing(sizes, path, problems);
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
