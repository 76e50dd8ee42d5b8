//! What is wrong with a section `[bench]` as a whole.

use subquad_config::{Combination, Complaint};
use subquad_options::{Options, Value};

use super::{Along, BenchOptions, SECTION};
use crate::{Sizes, Subjects, accepts, accepts_model};

/// The length of a list; 0 where there is none.
fn len(config: &Combination<'_>, leaf: &str) -> usize {
    let list = config.value(&format!("{SECTION}.{leaf}")).and_then(Value::as_list);
    list.map_or(0, <[Value]>::len)
}

/// Number of layers and models at sizes that are measured.
pub(super) fn measurements(config: &Combination<'_>) -> u128 {
    HEEDED.iter().map(|(layers, sizes, _)| len(config, layers) as u128 * len(config, sizes) as u128).sum()
}

/// For each of [`Along::ALL`], the keys of the layers and of their sizes, and the keys that not all layers heed.
const HEEDED: [(&str, &str, &[&str]); 3] = [
    ("mixers", "lengths", &["batch", "d_model"]),
    ("channel_mixers", "widths", &["tokens", "hidden_factor", "n_blocks"]),
    ("models", "contexts", &["d_model", "n_layers", "hidden_factor"]),
];

/// Lists without their partner, keys that no layer uses, and sizes that a layer cannot have.
pub(super) fn complaints(config: &Combination<'_>, subjects: &Subjects) -> Vec<Complaint> {
    let Some(options) = BenchOptions::from_values(&config.section(SECTION)) else { return vec![] };
    let is_given = |leaf: &str| len(config, leaf) > 0;
    let is_empty = HEEDED.iter().all(|(layers, sizes, _)| !is_given(layers) && !is_given(sizes));
    let mut complaints = vec![];
    for (layers, sizes, keys) in HEEDED {
        let is_first = layers == HEEDED[0].0;
        if is_given(sizes) && !is_given(layers) || is_empty && is_first {
            complaints.push(missing(config, layers));
        }
        if is_given(layers) && !is_given(sizes) || is_empty && is_first {
            complaints.push(missing(config, sizes));
        }
        if !is_empty && !is_given(sizes) {
            let own =
                keys.iter().copied().filter(|key| is_named_with(key, layers) && !is_heeded(config, key));
            complaints.extend(idle(config, layers, own));
        }
    }
    for (along, (layers, ..)) in Along::ALL.into_iter().zip(HEEDED) {
        complaints.extend(impossible(&options, along, layers, subjects));
    }
    complaints
}

/// Whether these are the layers that a complaint names: the first of those that heed the key.
fn is_named_with(key: &str, layers: &str) -> bool {
    HEEDED.iter().find(|(.., keys)| keys.contains(&key)).is_some_and(|(first, ..)| *first == layers)
}

/// Whether some layers that are measured heed the key.
fn is_heeded(config: &Combination<'_>, key: &str) -> bool {
    HEEDED.iter().any(|(_, sizes, keys)| len(config, sizes) > 0 && keys.contains(&key))
}

fn missing(config: &Combination<'_>, leaf: &str) -> Complaint {
    let key = format!("{SECTION}.{leaf}");
    let wanted = config.key(&key).map(|key| key.kind.to_string()).unwrap_or_default();
    Complaint { reason: format!("missing `{leaf}` in [{SECTION}]; it must be {wanted}"), keys: vec![key] }
}

/// An empty list counts as set too: it leaves the layers out and may leave the rest as it is, as a flag does.
fn idle<'a>(config: &Combination<'_>, layers: &str, keys: impl Iterator<Item = &'a str>) -> Vec<Complaint> {
    let layers = format!("{SECTION}.{layers}");
    let set = keys.map(|leaf| format!("{SECTION}.{leaf}")).filter(|key| config.is_set(key));
    let reason = |key: &str| {
        format!("`{key}` does nothing without `{layers}`; take it out, or list layers to measure")
    };
    let complaint = |key: String| Complaint { reason: reason(&key), keys: vec![key, layers.clone()] };
    if config.is_set(&layers) { vec![] } else { set.map(complaint).collect() }
}

/// In the layers' own words; each layer's first complaint is enough.
fn impossible(options: &BenchOptions, along: Along, leaf: &str, subjects: &Subjects) -> Vec<Complaint> {
    let refused = |name: &String, sizes: &Sizes| match along {
        Along::Length | Along::Width => accepts(subjects.find(name).ok()?, sizes).err(),
        Along::Context => accepts_model(subjects.model(name)?, &options.model_sizes(), sizes.seq_len).err(),
    };
    let first = |name: &String| {
        let reason = options.sizes(along).iter().find_map(|sizes| refused(name, sizes))?;
        Some(Complaint { reason, keys: vec![format!("{SECTION}.{leaf}")] })
    };
    options.layers(along).iter().filter_map(first).collect()
}
