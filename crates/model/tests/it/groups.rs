//! Which parameter trains with which learning rate and weight decay.

use subquad_mixer::{LearningRate, WeightDecay};
use subquad_model::{ChannelMixerConfig, Encoder, ModelConfig, SequenceModel, named_parameters};

use crate::{VOCAB, attention, block_diagonal, build, config, m2, mixers, monarch_mlp, s4d, swiglu};

/// One line per parameter: path, learning rate, weight decay. The last group that names it applies, as in burn's optimiser.
fn table(model: &SequenceModel) -> Vec<String> {
    let groups = model.parameter_groups();
    let line = |path: &str, id| {
        let group = groups.iter().rfind(|group| group.parameters.contains(id));
        let (rate, decay) = group.map_or((LearningRate::Base, WeightDecay::Base), |group| {
            (group.learning_rate, group.weight_decay)
        });
        format!("{path} {} {}", rate_words(rate), decay_words(decay))
    };
    named_parameters(model).iter().map(|p| line(&p.path, &p.id)).collect()
}

fn rate_words(rate: LearningRate) -> String {
    match rate {
        LearningRate::Base => "base".into(),
        LearningRate::AtMost(limit) => format!("<={limit}"),
        LearningRate::Fixed(rate) => format!("={rate}"),
    }
}

fn decay_words(decay: WeightDecay) -> String {
    match decay {
        WeightDecay::Base => "base".into(),
        WeightDecay::Fixed(decay) => format!("={decay}"),
    }
}

/// Lines of `text` without their indentation and the padding between columns.
fn lines(text: &str) -> Vec<String> {
    text.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn attention_with_an_embedding_and_a_dense_channel_mixer() {
    let config =
        ModelConfig { n_layers: 1, encoder: Encoder::Embedding { vocab: VOCAB }, ..config(attention(true)) };
    let expected = "
        encoder.Embedding.weight                        base  =0
        blocks.0.mixer_norm.gamma                       base  =0
        blocks.0.mixer_norm.beta                        base  =0
        blocks.0.mixer.Attention.qkv.weight             base  base
        blocks.0.mixer.Attention.qkv.bias               base  =0
        blocks.0.mixer.Attention.output.weight          base  base
        blocks.0.mixer.Attention.output.bias            base  =0
        blocks.0.channel_norm.gamma                     base  =0
        blocks.0.channel_norm.beta                      base  =0
        blocks.0.channel_mixer.Dense.expand.weight      base  base
        blocks.0.channel_mixer.Dense.expand.bias        base  =0
        blocks.0.channel_mixer.Dense.reduce.weight      base  base
        blocks.0.channel_mixer.Dense.reduce.bias        base  =0
        norm.gamma                                      base  =0
        norm.beta                                       base  =0
        head.weight                                     base  base
        head.bias                                       base  =0
    ";
    assert_eq!(table(&build(&config, 0)), lines(expected));
}

#[test]
fn s4d_with_a_linear_encoder_and_a_block_diagonal_channel_mixer() {
    let config = ModelConfig { n_layers: 1, channel_mixer: block_diagonal().into(), ..config(s4d(true)) };
    let expected = "
        encoder.Linear.weight                               base     base
        encoder.Linear.bias                                 base     =0
        blocks.0.mixer_norm.gamma                           base     =0
        blocks.0.mixer_norm.beta                            base     =0
        blocks.0.mixer.S4d.ssm.modes.inv_dt                 <=0.001  =0
        blocks.0.mixer.S4d.ssm.modes.inv_a_re               <=0.001  =0
        blocks.0.mixer.S4d.ssm.modes.a_im                   <=0.001  =0
        blocks.0.mixer.S4d.ssm.modes.b_re                   <=0.001  =0
        blocks.0.mixer.S4d.ssm.modes.b_im                   <=0.001  =0
        blocks.0.mixer.S4d.ssm.modes.c_re                   base     base
        blocks.0.mixer.S4d.ssm.modes.c_im                   base     base
        blocks.0.mixer.S4d.d                                base     base
        blocks.0.mixer.S4d.output.weight                    base     base
        blocks.0.mixer.S4d.output.bias                      base     =0
        blocks.0.channel_norm.gamma                         base     =0
        blocks.0.channel_norm.beta                          base     =0
        blocks.0.channel_mixer.BlockDiagonal.expand.weight  base     base
        blocks.0.channel_mixer.BlockDiagonal.reduce.weight  base     base
        blocks.0.channel_mixer.BlockDiagonal.reduce.bias    base     =0
        norm.gamma                                          base     =0
        norm.beta                                           base     =0
        head.weight                                         base     base
        head.bias                                           base     =0
    ";
    assert_eq!(table(&build(&config, 0)), lines(expected));
}

/// The lines about the channel mixer, as lists of words.
fn of_channel_mixer(channel_mixer: ChannelMixerConfig) -> Vec<Vec<String>> {
    let config = ModelConfig { n_layers: 1, channel_mixer: channel_mixer.into(), ..config(attention(true)) };
    let words = |line: &String| line.split_whitespace().map(str::to_owned).collect();
    table(&build(&config, 0)).iter().filter(|line| line.contains("channel_mixer")).map(words).collect()
}

#[test]
fn a_monarch_channel_mixer_decays_its_factors() {
    let expected = [
        ("expand.factors.0", "base"),
        ("expand.factors.1", "base"),
        ("reduce.factors.0", "base"),
        ("reduce.factors.1", "base"),
        ("reduce.bias", "=0"),
    ];
    let expected = expected.map(|(path, decay)| {
        vec![format!("blocks.0.channel_mixer.Monarch.{path}"), "base".to_owned(), decay.to_owned()]
    });
    assert_eq!(of_channel_mixer(monarch_mlp()), expected);
}

#[test]
fn swiglu_has_two_weights_that_decay_and_nothing_else() {
    let expected = ["expand.weight", "reduce.weight"].map(|path| {
        [&format!("blocks.0.channel_mixer.Swiglu.{path}"), "base", "base"].map(str::to_owned).to_vec()
    });
    assert_eq!(of_channel_mixer(swiglu()), expected);
}

#[test]
fn m2_has_its_own_rules_for_filters_and_their_biases() {
    let config = ModelConfig { n_layers: 1, ..config(m2(true)) };
    let of_the_mixer: Vec<_> =
        table(&build(&config, 0)).into_iter().filter(|line| line.starts_with("blocks.0.mixer.")).collect();
    let expected = "
        blocks.0.mixer.M2.in_linear.weight              base      base
        blocks.0.mixer.M2.in_linear.bias                base      =0
        blocks.0.mixer.M2.short_weight                  base      base
        blocks.0.mixer.M2.short_bias                    base      =0
        blocks.0.mixer.M2.filter.network.input.weight   <=0.001   =0
        blocks.0.mixer.M2.filter.network.input.bias     <=0.001   =0
        blocks.0.mixer.M2.filter.network.inner.0.weight <=0.001   =0
        blocks.0.mixer.M2.filter.network.inner.0.bias   <=0.001   =0
        blocks.0.mixer.M2.filter.network.inner.1.weight <=0.001   =0
        blocks.0.mixer.M2.filter.network.inner.1.bias   <=0.001   =0
        blocks.0.mixer.M2.filter.network.output.weight  <=0.001   =0
        blocks.0.mixer.M2.filter.frequency              <=0.001   =0
        blocks.0.mixer.M2.filter.z                      <=0.00001 =0
        blocks.0.mixer.M2.filter.bias                   base      =0
        blocks.0.mixer.M2.out_linear.weight             base      base
        blocks.0.mixer.M2.out_linear.bias               base      =0
    ";
    assert_eq!(of_the_mixer, lines(expected));
}

#[test]
fn a_rule_is_one_group_for_all_blocks() {
    let names = mixers(true).map(|mixer| {
        let groups = build(&config(mixer), 0).parameter_groups();
        groups.iter().map(|group| group.name).collect::<Vec<_>>()
    });
    assert_eq!(names, [vec!["no_decay"], vec!["no_decay", "ssm"], vec!["no_decay", "filter", "position"]]);
}
