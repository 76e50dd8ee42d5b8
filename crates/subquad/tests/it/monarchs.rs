//! Keys of `[mixer.monarch]` and `[mixer.causal_monarch]` reach the layers.

use std::fmt::Debug;

use subquad_backend::pointwise::Activation;
use subquad_model::MixerConfig;
use subquad_monarch::{CausalMonarchConfig, CausalMonarchForm, LearnedMonarchConfig, SequenceInit};

use crate::assemble::{model, study};

/// These keys of a mixer's section, for runs of this mixer alone.
fn flags(mixer: &str, keys: &[&str]) -> Vec<String> {
    let keys = keys.iter().map(|key| format!("mixer.{mixer}.{key}"));
    let rest = [format!("sweep.mixer=[\"{mixer}\"]"), format!("model.causal={}", mixer != "monarch")];
    keys.chain(rest).collect()
}

/// What the layer's config says, in words.
fn layer(mixer: &str, keys: &[&str]) -> String {
    let flags = flags(mixer, keys);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    match model(&flags).mixer {
        MixerConfig::Monarch(config) => words(&config),
        MixerConfig::CausalMonarch(config) => words(&config),
        other => panic!("{other:?}"),
    }
}

fn words(config: &impl Debug) -> String {
    format!("{config:?}")
}

/// A changed default of a layer, or of a key, would change what old configs mean.
#[test]
fn monarch_matrices_are_their_layers_defaults_by_default() {
    assert_eq!(layer("monarch", &[]), words(&LearnedMonarchConfig::new(8, 64)));
    assert_eq!(layer("causal_monarch", &[]), words(&CausalMonarchConfig::new(8, 64)));
}

#[test]
fn every_key_of_the_monarch_matrices_reaches_them() {
    let keys = ["l_max=100", "block=5", "n_heads=2", "activation=relu", "init=identity", "gated=false"];
    let expected = LearnedMonarchConfig::new(8, 100)
        .with_block(Some(5))
        .with_n_heads(2)
        .with_activation(Activation::Relu)
        .with_init(SequenceInit::Identity)
        .with_gated(false);
    assert_eq!(layer("monarch", &keys), words(&expected));
    let keys = [
        "form=sandwich",
        "l_max=100",
        "block=5",
        "n_heads=2",
        "gated=false",
        "filter_order=7",
        "emb_dim=9",
        "sine_frequency=3",
        "filter_lr=0.5",
        "filter_weight_decay=0.25",
        "position_lr=0",
    ];
    let expected = CausalMonarchConfig::new(8, 100)
        .with_form(CausalMonarchForm::Sandwich)
        .with_block(Some(5))
        .with_n_heads(2)
        .with_gated(false)
        .with_filter_order(7)
        .with_emb_dim(9)
        .with_sine_frequency(3.0)
        .with_filter_lr(0.5)
        .with_filter_weight_decay(0.25)
        .with_position_lr(0.0);
    assert_eq!(layer("causal_monarch", &keys), words(&expected));
}

/// Both say what goes together; were one laxer, a mistake would have no line, or a layer no config.
#[test]
fn configs_refuse_what_the_layers_refuse() {
    for block in [0, 1, 64, 65, 100] {
        for n_heads in [1, 2, 3] {
            let keys = [format!("block={block}"), format!("n_heads={n_heads}")];
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let refused = |mixer| study(&flags(mixer, &keys)).is_err();
            let block = (block > 0).then_some(block);
            let learned = LearnedMonarchConfig::new(8, 64).with_block(block).with_n_heads(n_heads);
            assert_eq!(refused("monarch"), learned.check().is_err(), "{learned}");
            let causal = CausalMonarchConfig::new(8, 64).with_block(block).with_n_heads(n_heads);
            assert_eq!(refused("causal_monarch"), causal.check().is_err(), "{causal}");
        }
    }
    for emb_dim in 3..7 {
        let causal = CausalMonarchConfig::new(8, 64).with_emb_dim(emb_dim);
        let key = format!("emb_dim={emb_dim}");
        let refused = study(&flags("causal_monarch", &["form=sandwich", &key])).is_err();
        assert_eq!(refused, causal.check().is_err(), "{causal}");
    }
}
