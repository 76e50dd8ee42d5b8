//! Keys of `[mixer.s4d]`, `[mixer.s4]` and `[mixer.h3]` reach the layers.

use std::fmt::Debug;

use subquad_backend::pointwise::Activation;
use subquad_model::MixerConfig;
use subquad_s4::{
    Discretization, H3Config, OutputMix, RealTransform, S4Config, S4Init, S4dConfig, S4dInit, StepTransform,
};

use crate::assemble::{model, study};

/// Options that both have.
const SHARED: [&str; 16] = [
    "d_state=6",
    "init=hippo",
    "n_ssm=4",
    "dt_min=0.01",
    "dt_max=0.2",
    "dt_tie=false",
    "dt_transform=softplus",
    "real_transform=softplus",
    "b_clip=0",
    "channels=3",
    "activation=silu",
    "output=linear",
    "activation_dropout=0.1",
    "tie_dropout=false",
    "kernel_dropout=0.2",
    "ssm_lr=0",
];

/// A layer with [`SHARED`] but for its init.
macro_rules! with_shared {
    ($config:expr) => {
        $config
            .with_d_state(6)
            .with_bidirectional(true)
            .with_n_ssm(Some(4))
            .with_dt_min(0.01)
            .with_dt_max(0.2)
            .with_dt_tie(false)
            .with_dt_transform(StepTransform::Softplus)
            .with_real_transform(RealTransform::Softplus)
            .with_b_clip(None)
            .with_channels(3)
            .with_activation(Activation::Silu)
            .with_output(OutputMix::Linear)
            .with_dropout(0.1)
            .with_tie_dropout(false)
            .with_kernel_dropout(0.2)
            .with_ssm_lr(0.0)
    };
}

/// These keys of a mixer's section, for runs of this mixer alone.
fn flags(mixer: &str, keys: &[&str]) -> Vec<String> {
    let keys = keys.iter().map(|key| format!("mixer.{mixer}.{key}"));
    keys.chain([format!("sweep.mixer=[\"{mixer}\"]")]).collect()
}

/// What the layer's config says, in words.
fn layer(flags: &[String]) -> String {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    match model(&flags).mixer {
        MixerConfig::S4d(config) => words(&config),
        MixerConfig::S4(config) => words(&config),
        MixerConfig::H3(config) => words(&config),
        other => panic!("{other:?}"),
    }
}

fn words(config: &impl Debug) -> String {
    format!("{config:?}")
}

/// A changed default of a layer, or of a key, would change what old configs mean.
#[test]
fn state_spaces_are_their_layers_defaults_by_default() {
    let diagonal = S4dConfig::new(8).with_d_state(4).with_n_ssm(Some(8));
    assert_eq!(layer(&flags("s4d", &[])), words(&diagonal));
    assert_eq!(layer(&flags("s4", &[])), words(&S4Config::new(8, 64).with_n_ssm(Some(8))));
    assert_eq!(layer(&flags("h3", &[])), words(&H3Config::new(8)));
}

#[test]
fn every_key_of_the_state_spaces_reaches_them() {
    let with = |mixer: &str, own: &[&str]| {
        let keys = flags(mixer, &[&SHARED, own].concat());
        layer(&[keys, vec!["model.causal=false".to_owned()]].concat())
    };
    let diagonal = S4dConfig::new(8).with_discretization(Discretization::Bilinear).with_init(S4dInit::Hippo);
    assert_eq!(with("s4d", &["discretization=bilinear"]), words(&with_shared!(diagonal)));
    let low_rank = S4Config::new(8, 100).with_rank(Some(2)).with_init(S4Init::Hippo);
    assert_eq!(with("s4", &["rank=2", "l_max=100"]), words(&with_shared!(low_rank)));
}

#[test]
fn every_key_of_h3_reaches_it() {
    let keys = [
        "d_state=6",
        "head_dim=2",
        "init=hippo",
        "discretization=zoh",
        "n_ssm=4",
        "dt_min=0.01",
        "dt_max=0.2",
        "dt_transform=softplus",
        "real_transform=softplus",
        "b_clip=0",
        "train_shift_b=true",
        "ssm_lr=0",
    ];
    let expected = H3Config::new(8)
        .with_d_state(6)
        .with_head_dim(2)
        .with_init(S4dInit::Hippo)
        .with_discretization(Discretization::Zoh)
        .with_n_ssm(Some(4))
        .with_dt_min(0.01)
        .with_dt_max(0.2)
        .with_dt_transform(StepTransform::Softplus)
        .with_real_transform(RealTransform::Softplus)
        .with_b_clip(None)
        .with_train_shift_b(true)
        .with_ssm_lr(0.0);
    assert_eq!(layer(&flags("h3", &keys)), words(&expected));
}

/// Both say what goes together; were one laxer, a mistake would have no line, or a layer no config.
#[test]
fn a_config_refuses_the_state_spaces_that_the_layer_refuses() {
    let mut verdicts = [0, 0];
    for (flags, refused) in diagonals().chain(low_ranks()).chain(heads()) {
        let config = study(&flags).err();
        assert_eq!(config.is_some(), refused, "{flags:?}: {config:?}");
        verdicts[usize::from(refused)] += 1;
    }
    assert!(verdicts.iter().all(|count| *count > 50), "{verdicts:?} allowed and refused");
}

/// Keys, and whether the layer refuses them.
type Verdict = (Vec<String>, bool);

fn diagonals() -> impl Iterator<Item = Verdict> {
    let transforms = [RealTransform::Exp, RealTransform::Relu, RealTransform::Sigmoid];
    let own = move |init| transforms.map(|transform| (init, transform));
    let own = inits().flat_map(own);
    own.flat_map(|(init, transform)| {
        shared().map(move |shared| {
            let Shared { n_ssm, channels, output, d_state } = shared;
            let layer =
                S4dConfig::new(8).with_init(init).with_real_transform(transform).with_n_ssm(Some(n_ssm));
            let layer = layer.with_channels(channels).with_output(output).with_d_state(d_state);
            let own = [key("init", init), key("real_transform", transform)];
            (shared.flags("s4d", &own), layer.check().is_err())
        })
    })
}

fn inits() -> impl Iterator<Item = S4dInit> {
    use S4dInit::{Diag, Fout, Hippo, Inv, Legs, Lin, Quad, Rand, Real};
    [Legs, Fout, Lin, Inv, Quad, Real, Rand, Diag, Hippo].into_iter()
}

fn low_ranks() -> impl Iterator<Item = Verdict> {
    let inits = [S4Init::Legs, S4Init::Fout, S4Init::Legt, S4Init::Hippo];
    let own = inits.into_iter().flat_map(|init| [0, 1, 2, 3].map(|rank| (init, rank)));
    own.flat_map(|(init, rank)| {
        shared().map(move |shared| {
            let Shared { n_ssm, channels, output, d_state } = shared;
            let layer = S4Config::new(8, 64).with_init(init).with_rank((rank > 0).then_some(rank));
            let layer = layer.with_n_ssm(Some(n_ssm)).with_channels(channels).with_output(output);
            let own = [key("init", init), key("rank", rank)];
            (shared.flags("s4", &own), layer.with_d_state(d_state).check().is_err())
        })
    })
}

fn heads() -> impl Iterator<Item = Verdict> {
    let sizes = [1, 2, 3, 4, 8].into_iter().flat_map(|head_dim| [0, 1, 2, 3, 4, 8].map(|n| (head_dim, n)));
    sizes.flat_map(|(head_dim, n_ssm)| {
        inits().map(move |init| {
            let layer = H3Config::new(8).with_head_dim(head_dim).with_n_ssm((n_ssm > 0).then_some(n_ssm));
            let own = [key("head_dim", head_dim), key("n_ssm", n_ssm), key("init", init)];
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            (flags("h3", &own), layer.with_init(init).check().is_err())
        })
    })
}

/// Options that both have and that a layer may refuse.
#[derive(Clone, Copy)]
struct Shared {
    n_ssm: usize,
    channels: usize,
    output: OutputMix,
    d_state: usize,
}

impl Shared {
    fn flags(&self, mixer: &str, own: &[String]) -> Vec<String> {
        let Self { n_ssm, channels, output, d_state } = *self;
        let shared =
            [key("n_ssm", n_ssm), key("channels", channels), key("output", output), key("d_state", d_state)];
        let keys: Vec<&str> = shared.iter().chain(own).map(String::as_str).collect();
        flags(mixer, &keys)
    }
}

fn shared() -> impl Iterator<Item = Shared> {
    let outputs = [(1, OutputMix::Glu), (2, OutputMix::Linear), (1, OutputMix::None), (2, OutputMix::None)];
    let outputs = outputs.into_iter().flat_map(|(channels, output)| [5, 6].map(|d| (channels, output, d)));
    outputs.flat_map(|(channels, output, d_state)| {
        [1, 2, 3, 8].map(|n_ssm| Shared { n_ssm, channels, output, d_state })
    })
}

/// As a config writes it.
fn key(leaf: &str, value: impl Debug) -> String {
    format!("{leaf}={value:?}").to_lowercase()
}
