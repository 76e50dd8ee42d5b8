//! Keys of a config reach the layers.

use std::path::Path;

use subquad::assemble;
use subquad::config::{Assignment, ConfigErrors, StudyConfig, TaskSettings};
use subquad_attention::{AttentionConfig, Position};
use subquad_data::{InputKind, TargetKind};
use subquad_model::MixerConfig;

use crate::lab::TINY;

/// [`TINY`] with these flags.
fn study(flags: &[impl AsRef<str>]) -> Result<StudyConfig, ConfigErrors> {
    let flags: Vec<_> = flags.iter().map(|flag| Assignment::parse(flag.as_ref()).unwrap()).collect();
    let any_length = |_: &TaskSettings, _: usize| Ok(());
    StudyConfig::from_text(TINY, Path::new("tiny.toml"), &flags, &any_length)
}

/// The attention of its first run.
fn attention(flags: &[&str]) -> AttentionConfig {
    let study = study(flags).unwrap();
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

/// Both say which heads go together; were one laxer, a mistake would have no line, or a layer no config.
#[test]
fn a_config_refuses_the_heads_that_the_layer_refuses() {
    let mut verdicts = [0, 0];
    for layer in heads() {
        let flags = [
            format!("model.d_model={}", layer.d_model),
            format!("mixer.attention.n_heads={}", layer.n_heads),
            format!("mixer.attention.n_kv_heads={}", layer.n_kv_heads.unwrap()),
            format!("mixer.attention.position={:?}", layer.position).to_lowercase(),
            format!("mixer.attention.rope_fraction={}", layer.rope_fraction),
            "sweep.mixer=[\"attention\"]".to_owned(),
        ];
        let (config, layer) = (study(&flags).err(), layer.check().err());
        assert_eq!(config.is_some(), layer.is_some(), "{flags:?}: {config:?}, {layer:?}");
        verdicts[usize::from(layer.is_some())] += 1;
    }
    assert!(verdicts.iter().all(|count| *count > 50), "{verdicts:?} allowed and refused");
}

fn heads() -> impl Iterator<Item = AttentionConfig> {
    let sizes = [(12, 1), (12, 4), (60, 2), (60, 4), (60, 5), (100, 1), (100, 2)];
    let layers = sizes.map(|(d_model, n_heads)| AttentionConfig::new(d_model).with_n_heads(n_heads));
    let layers =
        layers.into_iter().flat_map(|layer| [1, 2, 4].map(|n| layer.clone().with_n_kv_heads(Some(n))));
    let positions = [Position::Rope, Position::Alibi, Position::None];
    let layers = layers.flat_map(move |layer| positions.map(|p| layer.clone().with_position(p)));
    layers.flat_map(|layer| [0.02, 0.04, 0.14, 0.5, 0.58, 1.0].map(|f| layer.clone().with_rope_fraction(f)))
}
