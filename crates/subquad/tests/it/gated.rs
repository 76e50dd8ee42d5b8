//! Keys of `[mixer.hyena]` and `[mixer.m2]` reach the layers.

use std::fmt::Debug;

use subquad_model::MixerConfig;
use subquad_monarch::{ConvAlgorithm, HyenaConfig, M2Config};

use crate::assemble::{model, study};

/// Options that both have.
const SHARED: [&str; 15] = [
    "filter_order=7",
    "emb_dim=9",
    "num_inner=1",
    "sine_frequency=3",
    "share_sine=false",
    "shift=0.5",
    "normalized=true",
    "conv=monarch",
    "short_filter=4",
    "dropout=0.1",
    "l_max=100",
    "filter_lr=0.002",
    "filter_weight_decay=0.3",
    "position_lr=0",
    "modulate=true",
];

/// A layer with [`SHARED`] but for its length.
macro_rules! with_shared {
    ($config:expr) => {
        $config
            .with_filter_order(7)
            .with_emb_dim(9)
            .with_num_inner(1)
            .with_sine_frequency(3.0)
            .with_share_sine(false)
            .with_shift(0.5)
            .with_normalized(true)
            .with_conv(ConvAlgorithm::Monarch)
            .with_short_filter(4)
            .with_dropout(0.1)
            .with_filter_lr(0.002)
            .with_filter_weight_decay(0.3)
            .with_position_lr(0.0)
    };
}

/// What the layer's config says, in words.
fn layer(mixer: &str, keys: &[&str], causal: bool) -> String {
    let keys = keys.iter().map(|key| format!("mixer.{mixer}.{key}"));
    let rest = [format!("sweep.mixer=[\"{mixer}\"]"), format!("model.causal={causal}")];
    let flags: Vec<String> = keys.chain(rest).collect();
    match model(&flags.iter().map(String::as_str).collect::<Vec<_>>()).mixer {
        MixerConfig::Hyena(config) => words(&config),
        MixerConfig::M2(config) => words(&config),
        other => panic!("{other:?}"),
    }
}

fn words(config: &impl Debug) -> String {
    format!("{config:?}")
}

/// A changed default of a layer, or of a key, would change what old configs mean.
#[test]
fn they_are_their_layers_defaults_by_default() {
    assert_eq!(layer("hyena", &[], true), words(&HyenaConfig::new(8, 64)));
    let m2 = M2Config::new(8, 64).with_filter_order(8);
    assert_eq!(layer("m2", &[], true), words(&m2));
    assert_eq!(layer("m2", &[], false), words(&m2.with_bidirectional(true)));
}

#[test]
fn every_key_reaches_them() {
    let hyena = with_shared!(HyenaConfig::new(8, 100).with_order(3));
    assert_eq!(layer("hyena", &[&SHARED[..], &["order=3"]].concat(), true), words(&hyena));
    let m2 = M2Config::new(8, 100).with_bidirectional(true).with_residual(true).with_input_norm(true);
    let own = ["residual=true", "input_norm=true", "rev_offset=0"];
    assert_eq!(
        layer("m2", &[&SHARED[..], &own].concat(), false),
        words(&with_shared!(m2.with_rev_offset(0)))
    );
    let unmodulated = HyenaConfig::new(8, 64).with_modulate(false);
    assert_eq!(layer("hyena", &["modulate=false"], true), words(&unmodulated));
}

/// Both say what goes together; were one laxer, a mistake would have no line, or a layer no config.
#[test]
fn a_config_refuses_what_the_layer_refuses() {
    let mut verdicts = [0, 0];
    for (emb_dim, modulate, shift, rev_offset, bidirectional) in options() {
        let m2 = M2Config::new(8, 64).with_emb_dim(emb_dim).with_modulate(modulate).with_shift(shift);
        let m2 = m2.with_rev_offset(rev_offset).with_bidirectional(bidirectional);
        let flags = [
            format!("mixer.m2.emb_dim={emb_dim}"),
            format!("mixer.m2.modulate={modulate}"),
            format!("mixer.m2.shift={shift}"),
            format!("mixer.m2.rev_offset={rev_offset}"),
            format!("model.causal={}", !bidirectional),
            "sweep.mixer=[\"m2\"]".to_owned(),
        ];
        let (config, layer) = (study(&flags).err(), m2.check().err());
        assert_eq!(config.is_some(), layer.is_some(), "{flags:?}: {config:?}, {layer:?}");
        verdicts[usize::from(layer.is_some())] += 1;
    }
    assert!(verdicts.iter().all(|count| *count > 8), "{verdicts:?} allowed and refused");
}

fn options() -> impl Iterator<Item = (usize, bool, f64, usize, bool)> {
    let both = [false, true];
    let sizes = [4, 5].into_iter().flat_map(move |emb_dim| both.map(|modulate| (emb_dim, modulate)));
    let shifts = sizes.flat_map(|(emb_dim, modulate)| [0.0, 0.5].map(|shift| (emb_dim, modulate, shift)));
    let offsets = shifts.flat_map(|(e, m, s)| [0, 1, 2].map(|offset| (e, m, s, offset)));
    offsets.flat_map(move |(e, m, s, offset)| both.map(|bidirectional| (e, m, s, offset, bidirectional)))
}
