//! Keys of a config reach the layers.

use std::fmt::Debug;
use std::path::Path;

use subquad::assemble;
use subquad::config::{Assignment, ConfigErrors, StudyConfig, TaskSettings};
use subquad_attention::{AttentionConfig, Position};
use subquad_data::{DelayConfig, InputKind, MaskedBytesConfig, ReconstructConfig, TargetKind, TaskConfig};
use subquad_model::{
    BlockOrder, ChannelMixerConfig, Head, HeadTransform, Init, M2BertConfig, MixerConfig, ModelConfig,
    NormKind, Structure,
};
use subquad_monarch::{BlockDiagonalMlpConfig, DenseMlpConfig, MonarchMlpConfig};

use crate::lab::{TINY, repository};

/// [`TINY`] with these flags.
pub(crate) fn study(flags: &[impl AsRef<str>]) -> Result<StudyConfig, ConfigErrors> {
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

/// The model of the config's first run.
pub(crate) fn model(flags: &[&str]) -> ModelConfig {
    let run = study(flags).unwrap().runs[0].config.clone();
    let task = assemble::task(&run.task);
    assemble::model_of(&run, task.input(), task.target())
}

#[test]
fn models_have_norms_residuals_and_a_channel_mixer_unless_told_otherwise() {
    let config = model(&[]);
    assert_eq!((config.norm, config.residual), (NormKind::Layer, true));
    assert!(matches!(config.channel_mixer, ChannelMixerConfig::Dense(_)));
    let config = model(&["model.norm=none", "model.residual=false", "model.channel_mixer=none"]);
    assert_eq!((config.norm, config.residual), (NormKind::None, false));
    assert!(matches!(config.channel_mixer, ChannelMixerConfig::None));
}

/// What the channel mixer's config says, in words.
fn channel(flags: &[&str]) -> String {
    match model(flags).channel_mixer {
        ChannelMixerConfig::Dense(config) => format!("{config:?}"),
        ChannelMixerConfig::BlockDiagonal(config) => format!("{config:?}"),
        ChannelMixerConfig::Monarch(config) => format!("{config:?}"),
        ChannelMixerConfig::None => "none".into(),
    }
}

/// A changed default of a layer would change what old configs mean.
#[test]
fn every_key_of_channel_mixers_reaches_them() {
    let words = |config: &dyn Debug| format!("{config:?}");
    let (dense, blocks, monarch) =
        (DenseMlpConfig::new(8, 16), BlockDiagonalMlpConfig::new(8, 16), MonarchMlpConfig::new(8, 16));
    let of = |mixer: &str, rest: &[&str]| {
        let mixer = format!("model.channel_mixer={mixer}");
        channel(&[&[mixer.as_str()], rest].concat())
    };
    assert_eq!(of("dense", &[]), words(&dense.clone().with_gated(false)));
    assert_eq!(of("block_diagonal", &[]), words(&blocks.clone().with_gated(true)));
    assert_eq!(of("monarch", &[]), words(&monarch.clone().with_n_blocks(Some(4)).with_gated(false)));
    let (on, off) = ("model.channel_gate=on", "model.channel_gate=off");
    assert_eq!(of("dense", &[on]), words(&dense.clone().with_gated(true)));
    assert_eq!(of("dense", &[off]), words(&dense));
    assert_eq!(
        of("block_diagonal", &[off, "model.n_blocks=2"]),
        words(&blocks.with_n_blocks(2).with_gated(false))
    );
    assert_eq!(of("monarch", &[on, "model.n_blocks=0"]), words(&monarch.with_gated(true)));
}

/// Both say which blocks fit; were one laxer, a mistake would have no line, or a layer no config.
#[test]
fn a_config_refuses_the_blocks_that_the_layer_refuses() {
    for n_blocks in [0, 1, 5, 8, 9, 16, 17] {
        for d_hidden in [3, 16, 32] {
            let flags = |mixer: &str| {
                let set = |key: &str, value: usize| format!("model.{key}={value}");
                [format!("model.channel_mixer={mixer}"), set("n_blocks", n_blocks), set("d_hidden", d_hidden)]
            };
            let blocks = BlockDiagonalMlpConfig::new(8, d_hidden).with_n_blocks(n_blocks);
            assert_eq!(study(&flags("block_diagonal")).is_err(), blocks.check().is_err(), "{blocks}");
            let blocks = (n_blocks > 0).then_some(n_blocks);
            let monarch = MonarchMlpConfig::new(8, d_hidden).with_n_blocks(blocks);
            assert_eq!(study(&flags("monarch")).is_err(), monarch.check().is_err(), "{monarch}");
            assert!(study(&flags("dense")).is_ok());
        }
    }
}

#[test]
fn a_model_has_a_plain_structure_unless_told_otherwise() {
    assert_eq!(model(&[]).structure, Structure::default());
    let flags = [
        "task.name=masked_bytes",
        "model.block=post_norm",
        "model.norm_eps=0.25",
        "model.positions=99",
        "model.embedding_norm=true",
        "model.head_transform=true",
        "model.tied_head=true",
        "model.init=normal",
    ];
    let expected = Structure {
        order: BlockOrder::PostNorm,
        last_norm: true,
        norm_eps: 0.25,
        positions: Some(99),
        token_types: 0,
        embedding_norm: true,
        head_transform: HeadTransform::GeluNorm,
        tied_head: true,
        init: Init::Normal,
        ..Structure::default()
    };
    assert_eq!(model(&flags).structure, expected);
    let order = |word: &str| model(&[format!("model.block={word}").as_str()]).structure.order;
    assert_eq!(order("m2_bert"), BlockOrder::M2Bert);
    assert!(!model(&["model.last_norm=false"]).structure.last_norm);
}

/// The tie's rule in the config must be that of the model.
#[test]
fn a_model_with_a_tied_head_can_be_built_for_just_the_tasks_that_the_config_allows() {
    for task in subquad_data::tasks() {
        let name = format!("task.name={}", task.name);
        let untied = model(&[&name]);
        let structure = Structure { tied_head: true, ..Structure::default() };
        let fits = ModelConfig { structure, ..untied }.check().is_ok();
        assert_eq!(study(&[&name, "model.tied_head=true"]).is_ok(), fits, "{}", task.name);
    }
}

#[test]
fn the_study_of_masked_bytes_has_the_preset_and_its_equal_in_parameters() {
    let file = repository().join("configs/06-masked-bytes/kjv.toml");
    let any_length = |_: &TaskSettings, _: usize| Ok(());
    let study = StudyConfig::load(&file, &[], &any_length).unwrap();
    let models = study.runs.iter().map(|run| {
        let task = assemble::task(&run.config.task);
        assemble::model_of(&run.config, task.input(), task.target())
    });
    let preset = M2BertConfig::small().model();
    let counts: Vec<_> = models.map(|model| (model.structure.order, model.n_parameters())).collect();
    let m2 = (BlockOrder::M2Bert, preset.n_parameters());
    let attention = (BlockOrder::PostNorm, 274_067);
    assert_eq!(counts, [attention, attention, m2, m2]);
}

#[test]
fn every_key_of_masked_bytes_reaches_it() {
    let task = |flags: &[&str]| assemble::task(&study(flags).unwrap().runs[0].config.task);
    let flags = [
        "task.name=masked_bytes",
        "task.path=a.txt",
        "task.masked_bytes.mask_share=0.5",
        "task.masked_bytes.test_mask_share=0.25",
        "task.masked_bytes.test_examples=7",
    ];
    let config =
        MaskedBytesConfig { path: "a.txt".into(), mask_share: 0.5, test_mask_share: 0.25, test_examples: 7 };
    assert_eq!(task(&flags), TaskConfig::MaskedBytes(config));
    assert_eq!(task(&flags[..1]), TaskConfig::MaskedBytes(MaskedBytesConfig::default()));
}

#[test]
fn a_head_reads_where_the_task_answers_or_the_pool_says() {
    let head =
        |task: &str, pool: &str| model(&[&format!("task.name={task}"), &format!("model.pool={pool}")]).head;
    assert_eq!(["auto", "mean"].map(|pool| head("digits", pool)), [Head::Pool { outputs: 10 }; 2]);
    assert_eq!(head("digits", "last"), Head::Last { outputs: 10 });
    assert_eq!(["auto", "last"].map(|pool| head("reconstruct", pool)), [Head::Last { outputs: 16 }; 2]);
    assert_eq!(head("reconstruct", "mean"), Head::Pool { outputs: 16 });
    assert_eq!(head("delay", "auto"), Head::Token { outputs: 1 });
    assert_eq!(head("bytes", "auto"), Head::Token { outputs: 256 });
}

/// The config's list of them must be the tasks' own.
#[test]
fn a_pool_is_refused_for_just_the_tasks_that_answer_at_tokens() {
    for task in subquad_data::tasks() {
        let name = format!("task.name={}", task.name);
        let target = assemble::task(&study(&[&name]).unwrap().runs[0].config.task).target();
        let at_tokens = matches!(target, TargetKind::Tokens { .. } | TargetKind::TokenReals { .. });
        assert_eq!(study(&[&name, "model.pool=last"]).is_err(), at_tokens, "{}", task.name);
    }
}

#[test]
fn every_key_of_delay_and_reconstruct_reaches_it() {
    let task = |flags: &[&str]| assemble::task(&study(flags).unwrap().runs[0].config.task);
    let delay =
        |lag, bandwidth, test_examples| TaskConfig::Delay(DelayConfig { lag, bandwidth, test_examples });
    assert_eq!(task(&["task.name=delay"]), delay(16, 0.5, 100));
    let flags =
        ["task.name=delay", "task.delay.lag=3", "task.delay.bandwidth=1", "task.delay.test_examples=7"];
    assert_eq!(task(&flags), delay(3, 1.0, 7));
    let reconstruct = |window, bandwidth, test_examples| {
        TaskConfig::Reconstruct(ReconstructConfig { window, bandwidth, test_examples })
    };
    assert_eq!(task(&["task.name=reconstruct"]), reconstruct(16, 0.2, 100));
    let flags = [
        "task.name=reconstruct",
        "task.reconstruct.window=3",
        "task.reconstruct.bandwidth=0.7",
        "task.reconstruct.test_examples=7",
    ];
    assert_eq!(task(&flags), reconstruct(3, 0.7, 7));
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
