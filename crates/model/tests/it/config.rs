//! What can be built, and from which seed.

use burn::module::Module;
use subquad_attention::AttentionConfig;
use subquad_model::{
    ChannelMixerConfig, Encoder, Head, MixerConfig, ModelConfig, Pattern, SequenceModel, named_parameters,
};
use subquad_monarch::{DenseMlpConfig, SwigluConfig};

use crate::{D_MODEL, attention, build, combinations, config, dense, hybrid};
use subquad_testkit::cpu;

fn refused(config: ModelConfig) -> String {
    config.check().unwrap_err().to_string()
}

#[test]
fn a_refused_config_says_which_part_and_why() {
    let fine = || config(attention(true));
    assert!(fine().check().is_ok());
    let zero = |what| format!("{what} = 0, but a model needs at least 1");
    assert_eq!(refused(ModelConfig { d_model: 0, ..fine() }), zero("d_model"));
    assert_eq!(refused(ModelConfig { n_layers: 0, ..fine() }), zero("n_layers"));
    assert_eq!(refused(ModelConfig { encoder: Encoder::Linear { features: 0 }, ..fine() }), zero("features"));
    assert_eq!(refused(ModelConfig { encoder: Encoder::Embedding { vocab: 0 }, ..fine() }), zero("vocab"));
    assert_eq!(refused(ModelConfig { head: Head::Pool { outputs: 0 }, ..fine() }), zero("outputs"));
    let mixer = MixerConfig::Attention(AttentionConfig::new(D_MODEL).with_n_heads(3));
    assert_eq!(
        refused(ModelConfig { mixer: mixer.into(), ..fine() }),
        "sequence mixer: 3 heads cannot share d_model = 8 equally; choose n_heads among the divisors of 8"
    );
    let channel_mixer = ChannelMixerConfig::Dense(DenseMlpConfig::new(D_MODEL, 0));
    assert_eq!(
        refused(ModelConfig { channel_mixer: channel_mixer.into(), ..fine() }),
        "channel mixer: d_hidden must be an integer >= 1, got 0"
    );
}

#[test]
fn mixers_of_another_width_are_refused() {
    let fine = || config(attention(true));
    let mixer = MixerConfig::Attention(AttentionConfig::new(16));
    assert_eq!(
        refused(ModelConfig { mixer: mixer.into(), ..fine() }),
        "the sequence mixer has d_model = 16, but the model has d_model = 8"
    );
    let channel_mixer = ChannelMixerConfig::Dense(DenseMlpConfig::new(4, 12));
    assert_eq!(
        refused(ModelConfig { channel_mixer: channel_mixer.into(), ..fine() }),
        "the channel mixer has d_model = 4, but the model has d_model = 8"
    );
    let channel_mixer = ChannelMixerConfig::Swiglu(SwigluConfig::new(4, 12));
    assert_eq!(
        refused(ModelConfig { channel_mixer: channel_mixer.into(), ..fine() }),
        "the channel mixer has d_model = 4, but the model has d_model = 8"
    );
}

#[test]
fn a_pattern_with_more_places_than_blocks_is_refused() {
    let fine = || hybrid(true, crate::SEQ);
    assert!(ModelConfig { n_layers: 3, ..fine() }.check().is_ok());
    assert_eq!(
        refused(ModelConfig { n_layers: 2, ..fine() }),
        "the pattern of sequence mixers has 3 places, but n_layers = 2 leaves some out; choose at least 3"
    );
    let refusals = ModelConfig { n_layers: 1, ..fine() }.refusals();
    assert_eq!(
        refusals.last().unwrap().reason,
        "the pattern of channel mixers has 2 places, but n_layers = 1 leaves some out; choose at least 2"
    );
}

#[test]
fn every_part_of_a_pattern_is_checked() {
    let wide = MixerConfig::Attention(AttentionConfig::new(16));
    let mixer = Pattern::new(vec![attention(true), wide]).unwrap();
    assert_eq!(
        refused(ModelConfig { mixer, ..config(attention(true)) }),
        "the sequence mixer has d_model = 16, but the model has d_model = 8"
    );
    let no_hidden = ChannelMixerConfig::Dense(DenseMlpConfig::new(D_MODEL, 0));
    let channel_mixer = Pattern::new(vec![dense(), no_hidden]).unwrap();
    assert_eq!(
        refused(ModelConfig { channel_mixer, ..config(attention(true)) }),
        "channel mixer: d_hidden must be an integer >= 1, got 0"
    );
}

#[test]
#[should_panic(expected = "ModelConfig: n_layers = 0, but a model needs at least 1")]
fn building_panics_with_the_words_of_the_check() {
    ModelConfig { n_layers: 0, ..config(attention(true)) }.init(&cpu());
}

fn bits(model: &SequenceModel) -> Vec<Vec<u8>> {
    named_parameters(model).into_iter().map(|p| p.data.as_bytes().to_vec()).collect()
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_others() {
    for config in combinations(true).into_iter().chain(combinations(false)) {
        assert_eq!(bits(&build(&config, 7)), bits(&build(&config, 7)), "{config:?}");
        assert_ne!(bits(&build(&config, 7)), bits(&build(&config, 8)), "{config:?}");
    }
}

#[test]
fn blocks_are_drawn_one_by_one() {
    let parameters = named_parameters(&build(&config(attention(true)), 0));
    let qkv = |block: usize| {
        let path = format!("blocks.{block}.mixer.Attention.qkv.weight");
        parameters.iter().find(|p| p.path == path).unwrap().data.clone()
    };
    assert_ne!(qkv(0), qkv(1));
}

#[test]
fn a_small_attention_model_has_as_many_parameters_as_counted_by_hand() {
    let encoder = 3 * 8 + 8;
    let mixer = (8 * 24 + 24) + (8 * 8 + 8);
    let channel_mixer = (8 * 12 + 12) + (12 * 8 + 8);
    let norm = 2 * 8;
    let head = 8 * 5 + 5;
    let model = build(&config(attention(true)), 0);
    assert_eq!(model.num_params(), encoder + 2 * (norm + mixer + norm + channel_mixer) + norm + head);
}
