//! What a config sets reaches the model, the mixer and the task.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use subquad::config::RunConfig;
use subquad::{Program, Registry, model};
use subquad_config::{Assignment, ConfigErrors, Quota, Rules, Run, Study};
use subquad_data::{TargetKind, TaskConfig};
use subquad_mixer::{Mixers, SequenceMixerConfig};
use subquad_model::{
    BlockOrder, ChannelMixerConfig, Head, HeadTransform, Init, M2BertConfig, MixerConfig, ModelConfig,
    NormKind, Structure,
};
use subquad_options::{Field, Kind, Options, Value};

use crate::lab::{TINY, repository};

pub(crate) fn program() -> &'static dyn Registry {
    static PROGRAM: LazyLock<&Program> = LazyLock::new(Program::of::<MixerConfig>);
    *PROGRAM
}

/// The runs of a text with flags.
pub(crate) fn read(text: &str, flags: &[impl AsRef<str>]) -> Result<Study, ConfigErrors> {
    let flags: Vec<_> = flags.iter().map(|flag| Assignment::parse(flag.as_ref()).unwrap()).collect();
    let (program, quota) = (program(), Quota::default());
    let check = |run: &subquad_config::Combination<'_>| program.complaints(run);
    let solve = |run: &subquad_config::Combination<'_>| program.solve(run);
    let rules = Rules { check: &check, solve: &solve };
    Study::read(program.schemas().study, text, Path::new("x.toml"), &flags, quota, rules)
}

/// The model of a run.
pub(crate) fn model_of(run: &Run) -> ModelConfig {
    model::model(run, &RunConfig::of(run))
}

fn study(flags: &[impl AsRef<str>]) -> Result<Study, ConfigErrors> {
    read(TINY, flags)
}

/// The model of [`TINY`]'s first run with these flags.
fn model(flags: &[&str]) -> ModelConfig {
    model_of(&study(flags).unwrap_or_else(|errors| panic!("{errors}")).runs[0])
}

/// Values to try for an option, other than its default. One that the config refuses is passed over.
fn others(field: &Field) -> Vec<String> {
    let of = |kind: &Kind| -> Vec<String> {
        match kind {
            Kind::Integer { .. } | Kind::Share { .. } => {
                ["0", "1", "2", "3", "4", "5", "8", "100"].map(Into::into).into()
            }
            Kind::Real { .. } => ["0.0", "0.5", "0.01", "0.001", "2.0", "5000.0"].map(Into::into).into(),
            Kind::Bool => ["true", "false"].map(Into::into).into(),
            Kind::Word(words) | Kind::Pattern(words) => words.iter().map(|word| (*word).to_owned()).collect(),
            Kind::Text | Kind::Form { .. } | Kind::Or { .. } | Kind::List { .. } => vec![],
        }
    };
    let all = if let Kind::Or { kind, .. } = &field.kind { of(kind) } else { of(&field.kind) };
    let default = field.default.as_ref().map(ToString::to_string);
    all.into_iter().filter(|value| Some(value) != default.as_ref()).collect()
}

/// What else must be set for an option to do anything.
fn company(mixer: &str, option: &str) -> Vec<String> {
    let set = |key: &str| vec![format!("mixer.{mixer}.{key}")];
    match (mixer, option) {
        ("monarch", _) => vec!["model.causal=false".into()],
        ("m2", "rev_offset") => vec!["model.causal=false".into()],
        (_, "tie_dropout") => set("activation_dropout=0.5"),
        (
            "causal_monarch",
            "filter_order"
            | "emb_dim"
            | "sine_frequency"
            | "filter_lr"
            | "filter_weight_decay"
            | "position_lr",
        ) => set("form=sandwich"),
        _ => vec![],
    }
}

#[test]
fn every_option_of_every_mixer_reaches_its_layer() {
    for entry in MixerConfig::entries() {
        for field in entry.fields.iter().filter(|field| !field.given) {
            let mut reached = 0;
            for value in others(field) {
                let key = format!("mixer.{}.{}", entry.name, field.name);
                let own = [format!("sweep.mixer=[\"{}\"]", entry.name), format!("{key}={value}")];
                let flags: Vec<String> = own.into_iter().chain(company(entry.name, field.name)).collect();
                let Ok(study) = study(&flags) else { continue };
                let (run, model) = (&study.runs[0], model_of(&study.runs[0]));
                let found = model.mixer.at(0).to_values().into_iter().find(|(name, _)| *name == field.name);
                assert_eq!(found.map(|(_, value)| value).as_ref(), run.value(&key), "{key} = {value}");
                reached += 1;
            }
            assert!(reached > 0, "no value of {}.{} could be tried", entry.name, field.name);
        }
    }
}

#[test]
fn mixers_are_as_wide_and_look_as_far_as_their_model() {
    let mixer = |flags: &[&str]| model(flags).mixer.at(0).clone();
    assert_eq!(mixer(&["model.d_model=12"]).d_model(), 12);
    let causal =
        |mixer: MixerConfig| mixer.to_values().into_iter().find(|(name, _)| *name == "causal").unwrap().1;
    assert_eq!(causal(mixer(&[])), Value::Bool(true));
    assert_eq!(causal(mixer(&["model.causal=false"])), Value::Bool(false));
    let MixerConfig::S4d(s4d) = mixer(&["sweep.mixer=[\"s4d\"]", "model.causal=false"]) else { panic!() };
    assert!(s4d.bidirectional);
    let MixerConfig::M2(m2) = mixer(&["sweep.mixer=[\"m2\"]", "sweep.seq_len=[64, 100]"]) else { panic!() };
    assert_eq!((m2.bidirectional, m2.l_max), (false, 100));
}

#[test]
fn models_have_norms_residuals_and_a_channel_mixer_unless_told_otherwise() {
    let config = model(&[]);
    assert_eq!((config.norm, config.residual), (NormKind::Layer, true));
    assert!(matches!(config.channel_mixer.parts(), [ChannelMixerConfig::Dense(_)]));
    let bare = ["model.norm=none", "model.residual=false", "model.channel_mixer=none", "model.d_hidden=128"];
    let config = model(&bare);
    assert_eq!((config.norm, config.residual), (NormKind::None, false));
    assert!(matches!(config.channel_mixer.parts(), [ChannelMixerConfig::None]));
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
        norm_eps: 0.25,
        positions: Some(99),
        embedding_norm: true,
        head_transform: HeadTransform::GeluNorm,
        tied_head: true,
        init: Init::Normal,
        ..Structure::default()
    };
    assert_eq!(model(&flags).structure, expected);
    assert!(!model(&["model.last_norm=false"]).structure.last_norm);
}

#[test]
fn a_gate_is_what_was_published_unless_a_config_says() {
    let gated = |flags: &[&str]| match model(flags).channel_mixer.at(0) {
        ChannelMixerConfig::Dense(config) => config.gated,
        ChannelMixerConfig::BlockDiagonal(config) => config.gated,
        ChannelMixerConfig::Monarch(config) => config.gated,
        ChannelMixerConfig::Swiglu(_) | ChannelMixerConfig::None => panic!("there is one that is a choice"),
    };
    for (mixer, auto) in [("dense", false), ("block_diagonal", true), ("monarch", false)] {
        let mixer = format!("model.channel_mixer={mixer}");
        assert_eq!(gated(&[&mixer]), auto);
        assert!(gated(&[&mixer, "model.channel_gate=on"]) && !gated(&[&mixer, "model.channel_gate=off"]));
    }
}

#[test]
fn swiglu_has_the_hidden_width_that_a_config_gives_it() {
    let config = model(&["model.channel_mixer=swiglu", "model.d_model=32", "model.d_hidden=88"]);
    let ChannelMixerConfig::Swiglu(swiglu) = config.channel_mixer.at(0) else { panic!() };
    assert_eq!((swiglu.d_model, swiglu.d_hidden), (32, 88));
}

/// A tied head needs a table with a row for each answer.
#[test]
fn a_model_with_a_tied_head_can_be_built_for_just_the_tasks_that_the_config_allows() {
    for task in TaskConfig::names() {
        // A length that every task accepts.
        let (name, pixels) = (format!("task.name={task}"), "sweep.seq_len=[784]");
        let untied = model(&[&name, pixels]);
        let structure = Structure { tied_head: true, ..Structure::default() };
        let fits = ModelConfig { structure, ..untied }.check().is_ok();
        assert_eq!(study(&[&name, pixels, "model.tied_head=true"]).is_ok(), fits, "{task}");
    }
}

#[test]
fn the_study_of_masked_bytes_has_the_preset_and_its_equal_in_parameters() {
    let file = repository().join("configs/06-masked-bytes/kjv.toml");
    let study = read(&fs_err::read_to_string(file).unwrap(), &[""; 0]).unwrap();
    let preset = M2BertConfig::small().model();
    let models = study.runs.iter().map(model_of);
    let counts: Vec<_> = models.map(|model| (model.structure.order, model.n_parameters())).collect();
    let m2 = (BlockOrder::M2Bert, preset.n_parameters());
    let attention = (BlockOrder::PostNorm, 274_067);
    assert_eq!(counts, [attention, attention, m2, m2]);
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

#[test]
fn a_pool_is_refused_for_just_the_tasks_that_answer_at_tokens() {
    for task in TaskConfig::names() {
        let name = format!("task.name={task}");
        // A length that every task accepts.
        let pixels = "sweep.seq_len=[784]";
        let target = RunConfig::of(&study(&[&name, pixels]).unwrap().runs[0]).task.target(784);
        let at_tokens = matches!(target, TargetKind::Tokens { .. } | TargetKind::TokenReals { .. });
        assert_eq!(study(&[&name, pixels, "model.pool=last"]).is_err(), at_tokens, "{task}");
    }
}

#[test]
fn options_of_tasks_reach_them() {
    let task = |flags: &[&str]| RunConfig::of(&study(flags).unwrap().runs[0]).task;
    let flags = ["task.name=masked_bytes", "task.path=a.txt", "task.masked_bytes.mask_share=0.5"];
    let TaskConfig::MaskedBytes(config) = task(&flags) else { panic!() };
    assert_eq!((config.path.to_str(), config.mask_share, config.test_mask_share), (Some("a.txt"), 0.5, 0.15));
    let TaskConfig::Delay(config) = task(&["task.name=delay", "task.delay.lag=seq_len/8"]) else { panic!() };
    assert_eq!(config.lag.at(64), 8);
    let conditions = "task.mqar.test_conditions=[\"128x8\"]";
    let TaskConfig::Mqar(config) = task(&["task.name=mqar", conditions]) else { panic!() };
    assert_eq!(config.test_conditions.iter().map(ToString::to_string).collect::<Vec<_>>(), ["128x8"]);
}

#[test]
fn names_of_mixers_are_unique() {
    let names: Vec<_> = MixerConfig::entries().iter().map(|entry| entry.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}
