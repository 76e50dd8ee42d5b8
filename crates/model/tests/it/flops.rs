//! Operations of a training step: against counts by hand, and by rules.

use subquad_attention::AttentionConfig;
use subquad_mixer::{Options, SequenceMixerConfig};
use subquad_model::{
    ChannelMixerConfig, Encoder, Head, HeadTransform, MixerConfig, ModelConfig, NormKind, Pattern, Structure,
};
use subquad_monarch::M2Config;
use subquad_options::{Field, Value};
use subquad_s4::{Ema, EmaConfig, S4dConfig};

use crate::{
    D_HIDDEN, D_MODEL, D_STATE, FEATURES, VOCAB, block_diagonal, combinations, config, monarch_mlp, swiglu,
};

/// Tokens of a sequence, a power of two: a transform takes 5 * 16 * 4 = 320 operations.
const LEN: usize = 16;
const ROW: f64 = 4.0 * 320.0 + 20.0 * 16.0;
const KERNEL: f64 = 2.0 * 320.0;

/// Three products of two operations for every weight.
fn linear(weights: usize, rows: usize) -> f64 {
    (6 * weights * rows) as f64
}

/// A language model of two blocks without norms.
fn language_model(mixer: impl Into<Pattern<MixerConfig>>) -> ModelConfig {
    ModelConfig {
        encoder: Encoder::Embedding { vocab: VOCAB },
        head: Head::Token { outputs: VOCAB },
        norm: NormKind::None,
        ..config(mixer)
    }
}

fn attention() -> MixerConfig {
    MixerConfig::Attention(AttentionConfig::new(D_MODEL).with_n_heads(2))
}

fn s4d() -> MixerConfig {
    MixerConfig::S4d(S4dConfig::new(D_MODEL).with_d_state(D_STATE))
}

/// The channel mixers of both blocks, and the head.
fn others() -> f64 {
    2.0 * linear(2 * D_MODEL * D_HIDDEN, LEN) + linear(D_MODEL * VOCAB, LEN)
}

#[test]
fn a_model_takes_what_its_parts_take() {
    let pairs = 6.0 * 2.0 * (LEN * (LEN + 1) / 2 * D_MODEL) as f64;
    let by_hand = |sequence: f64, shared: f64| 3.0 * (2.0 * sequence + others()) + 2.0 * shared;
    let taps = (6 * LEN * D_STATE) as f64;
    let m2 = M2Config::new(D_MODEL, LEN).with_filter_order(4).with_emb_dim(3).with_num_inner(1);
    let gates = linear(4 * 8 * 8, LEN) + linear(3 * 8 * 3, LEN);
    let expected = [
        (attention(), by_hand(linear(4 * 8 * 8, LEN) + pairs, 0.0)),
        (s4d(), by_hand(linear(8 * 16, LEN) + 8.0 * ROW, 8.0 * (KERNEL + taps))),
        (MixerConfig::M2(m2), by_hand(gates + 8.0 * ROW, 8.0 * KERNEL + linear((3 + 4 + 8) * 4, LEN))),
    ];
    for (mixer, flops) in expected {
        let model = language_model(mixer);
        assert_eq!(model.training_flops(3, LEN, LEN), Some(flops), "{:?}", model.mixer);
    }
}

/// Kaplan et al. 2020, <https://arxiv.org/abs/2001.08361>, section 2.1: six operations per token and weight that is in a matrix.
#[test]
fn what_is_dense_takes_six_operations_per_weight_and_token() {
    let model = language_model(attention());
    let biases = 2 * (4 * D_MODEL + D_HIDDEN + D_MODEL) + VOCAB;
    let weights = model.n_parameters() - VOCAB * D_MODEL - biases;
    let pairs = 2.0 * 6.0 * 2.0 * (LEN * (LEN + 1) / 2 * D_MODEL) as f64;
    let flops = model.training_flops(5, LEN, LEN).unwrap();
    assert_eq!(flops, 5.0 * (linear(weights, LEN) + pairs));
}

#[test]
fn channel_mixers_take_six_operations_per_weight_that_they_have() {
    let flops = |channel_mixer: ChannelMixerConfig| {
        let model = ModelConfig { channel_mixer: channel_mixer.into(), ..language_model(attention()) };
        model.training_flops(1, LEN, LEN).unwrap()
    };
    let without = flops(ChannelMixerConfig::None);
    for mixer in [block_diagonal(), monarch_mlp()] {
        // A gated layer has a bias only at its end.
        let weights = mixer.n_parameters() - D_MODEL;
        assert_eq!(flops(mixer) - without, 2.0 * linear(weights, LEN));
    }
    assert_eq!(swiglu().n_parameters(), 3 * D_MODEL * D_HIDDEN);
    assert_eq!(flops(swiglu()) - without, 2.0 * linear(3 * D_MODEL * D_HIDDEN, LEN));
}

#[test]
fn a_head_runs_on_what_is_scored_and_reals_have_no_gradient() {
    let model = language_model(attention());
    let of = |model: &ModelConfig, labels| model.training_flops(1, LEN, labels).unwrap();
    let whole = of(&model, LEN);
    assert_eq!(whole - of(&model, 3), linear(D_MODEL * VOCAB, LEN - 3));
    for head in [Head::Pool { outputs: VOCAB }, Head::First { outputs: VOCAB }, Head::Last { outputs: VOCAB }]
    {
        assert_eq!(of(&ModelConfig { head, ..model.clone() }, LEN), of(&model, 1));
    }
    let structure = Structure { head_transform: HeadTransform::GeluNorm, ..model.structure };
    let transformed = ModelConfig { structure, ..model.clone() };
    assert_eq!(of(&transformed, LEN) - whole, linear(D_MODEL * D_MODEL, LEN));
    let reals = ModelConfig { encoder: Encoder::Linear { features: FEATURES }, ..model };
    assert_eq!(of(&reals, LEN) - whole, (2 * 2 * FEATURES * D_MODEL * LEN) as f64);
}

/// What all sequences of a batch share is made once.
#[test]
fn operations_double_with_the_batch_except_those_that_the_batch_shares() {
    for model in combinations(true).into_iter().chain(combinations(false)) {
        let flops = |batch| model.training_flops(batch, crate::SEQ, crate::SEQ).unwrap();
        let [one, two, four] = [1, 2, 4].map(flops);
        let per_sequence = two - one;
        let rounding = 1e-12 * four;
        assert!(per_sequence > 0.0 && (four - two - 2.0 * per_sequence).abs() < rounding, "{model:?}");
        let shared = one - per_sequence;
        match model.mixer.parts() {
            [MixerConfig::Attention(_) | MixerConfig::Monarch(_)] => assert_eq!(shared, 0.0, "{model:?}"),
            [MixerConfig::CausalMonarch(_)] => assert!(shared >= -rounding, "{model:?}"),
            _ => assert!(shared > 0.0, "{model:?}"),
        }
    }
}

#[test]
fn a_pattern_takes_what_its_blocks_take() {
    let of = |n_layers, mixers: &[MixerConfig]| {
        let mixer = Pattern::new(mixers.to_vec()).unwrap();
        ModelConfig { n_layers, ..language_model(mixer) }.training_flops(2, LEN, LEN).unwrap()
    };
    let block =
        |mixer: MixerConfig| of(2, std::slice::from_ref(&mixer)) - of(1, std::slice::from_ref(&mixer));
    let outside = of(1, &[s4d()]) - block(s4d());
    let expected = outside + 4.0 * block(s4d()) + block(attention());
    assert_eq!(of(5, &[s4d(), s4d(), attention()]), expected);
    assert_ne!(block(s4d()), block(attention()));
}

/// An FFT takes slightly more than twice as long for twice the length, pairs four times as long.
#[test]
fn operations_double_with_the_length_and_pairs_quadruple() {
    let flops = |mixer: MixerConfig, seq| language_model(mixer).training_flops(1, seq, seq).unwrap();
    let dense = |seq| 2.0 * linear(4 * 8 * 8 + 2 * D_MODEL * D_HIDDEN, seq) + linear(D_MODEL * VOCAB, seq);
    let pairs = |seq| flops(attention(), seq) - dense(seq);
    let quadruple = pairs(8192) / pairs(4096);
    assert!((3.999..4.0).contains(&quadruple), "{quadruple}");
    let double = flops(s4d(), 8192) / flops(s4d(), 4096);
    assert!((2.0..2.2).contains(&double), "{double}");
    let windowed = MixerConfig::Attention(AttentionConfig::new(D_MODEL).with_n_heads(2).with_window(Some(8)));
    let [one, two, four] = [64, 128, 256].map(|seq| flops(windowed.clone(), seq));
    assert_eq!(four - two, 2.0 * (two - one));
}

/// A mixer that does not say how many operations it takes.
#[derive(Debug, Clone)]
struct Silent(EmaConfig);

impl Options for Silent {
    fn fields() -> Vec<Field> {
        EmaConfig::fields()
    }

    fn from_values(values: &dyn Fn(&str) -> Option<Value>) -> Option<Self> {
        EmaConfig::from_values(values).map(Self)
    }

    fn to_values(&self) -> Vec<(&'static str, Value)> {
        self.0.to_values()
    }

    fn give(&mut self, name: &str, value: &Value) -> bool {
        self.0.give(name, value)
    }
}

impl SequenceMixerConfig for Silent {
    type Mixer = Ema;

    fn init(&self, device: &burn::tensor::Device) -> Ema {
        self.0.init(device)
    }
}

#[test]
fn a_model_whose_mixer_does_not_say_has_no_count() {
    let known = language_model(MixerConfig::Ema(EmaConfig::new(D_MODEL)));
    assert!(known.training_flops(1, LEN, LEN).is_some());
    let model = ModelConfig {
        d_model: known.d_model,
        n_layers: known.n_layers,
        mixer: Silent(EmaConfig::new(D_MODEL)).into(),
        channel_mixer: known.channel_mixer,
        norm: known.norm,
        residual: known.residual,
        encoder: known.encoder,
        head: known.head,
        structure: known.structure,
    };
    assert_eq!(model.check(), Ok(()));
    assert_eq!(model.training_flops(1, LEN, LEN), None);
}
