//! Keys of a config reach the layers.

use std::path::Path;

use subquad::assemble;
use subquad::config::{Assignment, StudyConfig, TaskSettings};
use subquad_attention::{AttentionConfig, Position};
use subquad_data::{InputKind, TargetKind};
use subquad_model::MixerConfig;

use crate::lab::TINY;

/// The attention of the first run of [`TINY`] with these flags.
fn attention(flags: &[&str]) -> AttentionConfig {
    let flags: Vec<_> = flags.iter().map(|flag| Assignment::parse(flag).unwrap()).collect();
    let any_length = |_: &TaskSettings, _: usize| Ok(());
    let study = StudyConfig::from_text(TINY, Path::new("tiny.toml"), &flags, &any_length).unwrap();
    let (input, target) = (InputKind::Reals { features: 1 }, TargetKind::Sequence { classes: 10 });
    match assemble::model_of(&study.runs[0].config, input, target).mixer {
        MixerConfig::Attention(config) => config,
        other => panic!("{other:?}"),
    }
}

#[test]
fn attention_is_plain_by_default() {
    let config = attention(&[]);
    assert_eq!((config.d_model, config.n_heads, config.n_kv_heads), (8, 2, Some(2)));
    assert_eq!((config.causal, config.window, config.position), (true, None, Position::Rope));
    assert_eq!((config.rope_base, config.rope_fraction), (10000.0, 1.0));
    assert_eq!((config.softcap, config.qk_norm, config.dropout), (None, false, 0.0));
}

#[test]
fn every_key_of_attention_reaches_it() {
    let config = attention(&[
        "model.causal=false",
        "mixer.attention.n_heads=4",
        "mixer.attention.n_kv_heads=1",
        "mixer.attention.window=16",
        "mixer.attention.softcap=30",
        "mixer.attention.qk_norm=true",
        "mixer.attention.dropout=0.1",
    ]);
    assert_eq!((config.n_heads, config.n_kv_heads, config.causal), (4, Some(1), false));
    assert_eq!((config.window, config.softcap), (Some(16), Some(30.0)));
    assert_eq!((config.qk_norm, config.dropout), (true, 0.1));
    let rope = attention(&["mixer.attention.rope_base=500", "mixer.attention.rope_fraction=0.5"]);
    assert_eq!((rope.position, rope.rope_base, rope.rope_fraction), (Position::Rope, 500.0, 0.5));
    let position = |word| attention(&[word]).position;
    assert_eq!(position("mixer.attention.position=alibi"), Position::Alibi);
    assert_eq!(position("mixer.attention.position=none"), Position::None);
}
