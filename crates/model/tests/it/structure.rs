//! The parts of published models besides their mixers: orders of a block, positions, token types, heads, init, and counting.

use burn::module::Module;
use burn::tensor::{Int, Tensor, TensorData};
use subquad_attention::{AttentionConfig, Position};
use subquad_mixer::MixerError;
use subquad_model::{
    BlockOrder, ChannelMixerConfig, Dropout, Encoder, Head, HeadTransform, Init, Input, MixerConfig,
    ModelConfig, NormKind, SequenceModel, Structure, named_parameters,
};
use subquad_monarch::{
    BlockDiagonalMlpConfig, CausalMonarchForm, DenseMlpConfig, HyenaConfig, LearnedMonarchConfig, M2Config,
};
use subquad_s4::{H3Config, OutputMix, S4Config, S4dConfig};
use subquad_testkit::{Parameter, assert_rel_close, cpu, to_f64, with_changes};

use crate::{
    BATCH, D_HIDDEN, D_MODEL, D_STATE, SEQ, VOCAB, attention, bare, block_diagonal, build, causal_monarch,
    combinations, config, dense, input, m2, mixers, swiglu, tokens,
};

/// f32 sums in another order: measured 3e-7; ten times that.
const SAME: f64 = 3e-6;
const ORDERS: [BlockOrder; 3] = [BlockOrder::PreNorm, BlockOrder::PostNorm, BlockOrder::M2Bert];

/// Everything that BERT has and a plain model does not.
fn full(order: BlockOrder) -> Structure {
    Structure {
        order,
        last_norm: true,
        norm_eps: 1e-12,
        positions: Some(SEQ),
        token_types: 2,
        embedding_norm: true,
        head_transform: HeadTransform::GeluNorm,
        tied_head: true,
        init: Init::Normal,
        ..Structure::default()
    }
}

fn of_tokens(mixer: MixerConfig, structure: Structure) -> ModelConfig {
    ModelConfig {
        encoder: Encoder::Embedding { vocab: VOCAB },
        head: Head::Token { outputs: VOCAB },
        structure,
        ..config(mixer)
    }
}

fn logits(model: &SequenceModel, tokens: Tensor<2, Int>) -> Tensor<3> {
    model.forward(Input::Tokens(tokens), &Dropout::Off)
}

/// Structures that each differ from a plain model in one option.
fn structures() -> Vec<Structure> {
    let plain = Structure::default();
    let one_each = [
        Structure { positions: Some(SEQ), ..plain },
        Structure { last_norm: false, ..plain },
        Structure { token_types: 3, ..plain },
        Structure { embedding_norm: true, ..plain },
        Structure { head_transform: HeadTransform::GeluNorm, ..plain },
        Structure { head_transform: HeadTransform::Pooler, ..plain },
        Structure { tied_head: true, ..plain },
        Structure { init: Init::Normal, ..plain },
    ];
    ORDERS
        .map(full)
        .into_iter()
        .chain(ORDERS.map(|order| Structure { order, ..plain }))
        .chain(one_each)
        .collect()
}

fn assert_counted(config: &ModelConfig) {
    assert_eq!(build(config, 0).num_params(), config.n_parameters(), "{config:?}");
}

#[test]
fn a_config_counts_the_parameters_of_its_model_whatever_the_structure() {
    for structure in structures() {
        for norm in [NormKind::Layer, NormKind::None] {
            for channel_mixer in [dense(), swiglu(), block_diagonal(), ChannelMixerConfig::None] {
                let config = of_tokens(attention(true), structure);
                assert_counted(&ModelConfig { norm, channel_mixer: channel_mixer.into(), ..config });
            }
        }
    }
    combinations(true).iter().chain(&combinations(false)).for_each(assert_counted);
}

#[test]
fn every_mixer_counts_its_parameters_whatever_its_options() {
    let attention = AttentionConfig::new(D_MODEL).with_n_heads(4);
    let s4d = S4dConfig::new(D_MODEL).with_d_state(D_STATE);
    let s4 = S4Config::new(D_MODEL, SEQ).with_d_state(D_STATE);
    let h3 = H3Config::new(D_MODEL).with_d_state(D_STATE);
    let m2 = M2Config::new(D_MODEL, SEQ).with_filter_order(6);
    let hyena = HyenaConfig::new(D_MODEL, SEQ).with_filter_order(6);
    let mixers = [
        MixerConfig::Attention(attention.clone().with_n_kv_heads(Some(2)).with_qk_norm(true)),
        MixerConfig::Attention(attention.with_n_kv_heads(Some(1)).with_position(Position::None)),
        MixerConfig::S4d(s4d.clone().with_n_ssm(Some(2)).with_dt_tie(false).with_bidirectional(true)),
        MixerConfig::S4d(s4d.clone().with_channels(3).with_output(OutputMix::Linear)),
        MixerConfig::S4d(s4d.with_output(OutputMix::None)),
        MixerConfig::S4(s4.clone().with_rank(Some(3)).with_n_ssm(Some(4))),
        MixerConfig::S4(s4.with_channels(2)),
        MixerConfig::H3(h3.clone().with_head_dim(4).with_train_shift_b(true)),
        MixerConfig::H3(h3.with_head_dim(2).with_n_ssm(Some(2))),
        MixerConfig::M2(m2.clone().with_emb_dim(7).with_residual(true)),
        MixerConfig::M2(m2.clone().with_bidirectional(true).with_residual(true)),
        MixerConfig::M2(m2.clone().with_bidirectional(true).with_num_inner(3).with_share_sine(false)),
        MixerConfig::M2(m2.with_short_filter(5).with_input_norm(true).with_num_inner(0)),
        MixerConfig::Hyena(hyena.clone().with_order(3).with_short_filter(2)),
        MixerConfig::Hyena(hyena.with_num_inner(1).with_share_sine(false)),
        MixerConfig::Monarch(LearnedMonarchConfig::new(D_MODEL, SEQ).with_n_heads(4)),
        MixerConfig::CausalMonarch(causal_monarch(SEQ, CausalMonarchForm::Blocks)),
        MixerConfig::CausalMonarch(causal_monarch(SEQ, CausalMonarchForm::Sandwich).with_gated(false)),
    ];
    mixers.into_iter().map(config).for_each(|config| assert_counted(&config));
}

#[test]
fn channel_mixers_count_padded_blocks() {
    for n_blocks in [1, 3, 5] {
        let mlp = BlockDiagonalMlpConfig::new(D_MODEL, D_HIDDEN).with_n_blocks(n_blocks);
        let channel_mixer = ChannelMixerConfig::BlockDiagonal(mlp);
        assert_counted(&ModelConfig { channel_mixer: channel_mixer.into(), ..config(attention(true)) });
    }
    let channel_mixer = ChannelMixerConfig::Dense(DenseMlpConfig::new(D_MODEL, 5));
    assert_counted(&ModelConfig { channel_mixer: channel_mixer.into(), ..config(attention(true)) });
}

#[test]
fn a_plain_structure_adds_no_parameter_and_no_name() {
    let paths = |config: &ModelConfig| -> Vec<String> {
        named_parameters(&build(config, 0)).into_iter().map(|p| p.path).collect()
    };
    let plain = paths(&of_tokens(attention(true), Structure::default()));
    assert_eq!(plain.first().unwrap(), "encoder.Embedding.weight");
    assert_eq!(plain[plain.len() - 4..], ["norm.gamma", "norm.beta", "head.weight", "head.bias"]);
    let with_all = paths(&of_tokens(attention(true), full(BlockOrder::M2Bert)));
    assert_eq!(
        with_all.iter().filter(|path| !path.starts_with("blocks.")).collect::<Vec<_>>(),
        [
            "encoder.Embedding.weight",
            "additions.positions.weight",
            "additions.token_types.weight",
            "additions.norm.gamma",
            "additions.norm.beta",
            "head_transform.dense.weight",
            "head_transform.dense.bias",
            "head_transform.norm.gamma",
            "head_transform.norm.beta",
            "tied_bias",
        ]
    );
}

#[test]
fn causal_models_with_every_option_step_as_they_run_whole() {
    for order in ORDERS {
        for mixer in mixers(true) {
            let model = build(&of_tokens(mixer, full(order)), 1);
            let tokens = tokens(&cpu());
            let part = |from, to: usize| Input::Tokens(tokens.clone().narrow(1, from, to - from));
            let state = model.init_state(BATCH).unwrap();
            let (first, mut state) = model.forward_with_state(part(0, 2), state).unwrap();
            let (second, chunked) = model.forward_with_state(part(2, 5), state.clone()).unwrap();
            state = chunked;
            let stepped = (5..SEQ).map(|t| model.step(part(t, t + 1), &mut state).unwrap().unsqueeze_dim(1));
            let all = [first, second].into_iter().chain(stepped).collect();
            assert_rel_close(Tensor::cat(all, 1), logits(&model, tokens.clone()), SAME, format!("{order:?}"));
        }
    }
}

#[test]
fn positions_end_where_their_table_does() {
    let structure = Structure { positions: Some(3), ..Structure::default() };
    let model = build(&of_tokens(attention(true), structure), 0);
    let error = MixerError::Positions { rows: 3, seq: 4 };
    assert_eq!(model.check_length(4), Err(error.clone()));
    let mut state = model.init_state(BATCH).unwrap();
    let token = || Input::Tokens(tokens(&cpu()).narrow(1, 0, 1));
    (0..3).for_each(|_| drop(model.step(token(), &mut state).unwrap()));
    assert_eq!(model.step(token(), &mut state).err(), Some(error.clone()));
    assert_eq!(
        error.to_string(),
        "the model has learned positions for at most 3 tokens, got 4; build it with more positions"
    );
}

#[test]
fn learned_positions_tell_equal_tokens_apart() {
    let ones = || Tensor::<2, Int>::ones([1, SEQ], &cpu());
    let spread = |structure| {
        let mixer = AttentionConfig::new(D_MODEL).with_n_heads(2).with_position(Position::None);
        let mixer = MixerConfig::Attention(mixer.with_causal(false));
        let outputs = logits(&build(&of_tokens(mixer, structure), 0), ones());
        let difference = outputs.clone().narrow(1, 0, 1) - outputs.narrow(1, 1, 1);
        difference.abs().max().into_scalar::<f32>()
    };
    assert!(spread(Structure::default()) < 1e-6);
    assert!(spread(Structure { positions: Some(SEQ), ..Structure::default() }) > 1e-2);
}

#[test]
fn tokens_without_types_are_of_type_zero() {
    let model = build(&of_tokens(m2(false), full(BlockOrder::M2Bert)), 0);
    let run = |types: Tensor<2, Int>| model.forward(Input::TypedTokens(tokens(&cpu()), types), &Dropout::Off);
    let zeros = Tensor::<2, Int>::zeros([BATCH, SEQ], &cpu());
    assert_rel_close(run(zeros.clone()), logits(&model, tokens(&cpu())), SAME, "type 0");
    assert!((run(zeros + 1) - logits(&model, tokens(&cpu()))).abs().max().into_scalar::<f32>() > 1e-4);
}

#[test]
fn post_norm_leaves_every_vector_normed() {
    for order in [BlockOrder::PostNorm, BlockOrder::M2Bert] {
        // Tied to the identity, the head shows the output of the last block.
        let structure = Structure { order, tied_head: true, ..Structure::default() };
        let config = ModelConfig {
            encoder: Encoder::Embedding { vocab: D_MODEL },
            head: Head::Token { outputs: D_MODEL },
            ..of_tokens(attention(true), structure)
        };
        let model = with_identity_table(build(&config, 0));
        let tokens = Tensor::<2, Int>::from_data(TensorData::new(vec![0, 3, 1], [1, 3]), &cpu());
        let last = logits(&model, tokens);
        let ones = || Tensor::<3>::ones([1, 3, 1], &cpu());
        assert_rel_close(last.clone().mean_dim(2) + 1.0, ones(), SAME, "mean");
        // 1e-5 is added to the variance.
        assert_rel_close(last.square().mean_dim(2), ones(), 1e-3, "variance");
    }
}

fn with_identity_table(model: SequenceModel) -> SequenceModel {
    // The table comes first.
    let mut is_first = true;
    let identity = to_f64(Tensor::<2>::eye(D_MODEL, &cpu()));
    with_changes(model, |_| std::mem::take(&mut is_first).then(|| identity.clone()))
}

#[test]
fn m2_bert_has_no_skip_around_its_mixer_and_post_norm_has() {
    // With a mixer of zeros, only a skip passes the tokens on.
    let quiet = |order| {
        let structure = Structure { order, init: Init::Normal, ..Structure::default() };
        let config = ModelConfig { n_layers: 1, ..of_tokens(attention(true), structure) };
        let outputs = logits(&with_zero_mixer(build(&config, 0)), tokens(&cpu()));
        let first = outputs.clone().narrow(1, 0, 1);
        (outputs - first).abs().max().into_scalar::<f32>()
    };
    assert!(quiet(BlockOrder::M2Bert) < 1e-6, "all tokens are answered alike");
    assert!(quiet(BlockOrder::PostNorm) > 1e-3);
    assert!(quiet(BlockOrder::PreNorm) > 1e-3);
}

fn with_zero_mixer(model: SequenceModel) -> SequenceModel {
    with_changes(model, |Parameter { path, values, .. }| {
        path.split('.').any(|field| field == "mixer").then(|| vec![0.0; values.len()])
    })
}

#[test]
fn a_normal_init_starts_dense_layers_and_tables_small_and_leaves_the_rest() {
    let config = of_tokens(m2(true), full(BlockOrder::M2Bert));
    let model = build(&ModelConfig { channel_mixer: block_diagonal().into(), ..config }, 0);
    for parameter in named_parameters(&model) {
        let values: Vec<f64> = parameter.data.iter::<f64>().collect();
        let largest = values.iter().fold(0.0, |largest: f64, v| largest.max(v.abs()));
        let path = &parameter.path;
        let is_dense = ["encoder", "additions.pos", "additions.tok", "dense", "_linear", "network"];
        if path.ends_with("bias") && is_dense.iter().any(|part| path.contains(part)) {
            assert_eq!(largest, 0.0, "{path}");
        } else if is_dense.iter().any(|part| path.contains(part)) {
            // None of a few hundred normal numbers is beyond 5 deviations.
            assert!(largest > 0.02 && largest < 0.1, "{path}: {largest}");
        } else if path.contains("short_weight") || path.contains("expand.weight") {
            assert!(largest > 0.2, "{path}: {largest}");
        }
    }
}

#[test]
fn blocks_of_a_normal_init_are_drawn_one_by_one() {
    let model = build(&of_tokens(m2(true), full(BlockOrder::M2Bert)), 0);
    let parameters = named_parameters(&model);
    for field in ["mixer.M2.in_linear.weight", "mixer.M2.short_weight", "channel_mixer.Dense.expand.weight"] {
        let of = |block: usize| {
            let path = format!("blocks.{block}.{field}");
            parameters.iter().find(|p| p.path == path).unwrap().data.clone()
        };
        assert_ne!(of(0), of(1), "{field}");
    }
}

#[test]
fn what_a_structure_cannot_have_is_refused() {
    let refused = |config: ModelConfig| config.check().unwrap_err().to_string();
    let of_reals = |structure| ModelConfig { structure, ..config(attention(true)) };
    let plain = Structure::default();
    assert_eq!(
        refused(of_reals(Structure { tied_head: true, ..plain })),
        "a tied head shares the table of tokens, but the encoder reads reals; choose tied_head = false"
    );
    assert_eq!(
        refused(of_reals(Structure { token_types: 1, ..plain })),
        "token types belong to tokens, but the encoder reads reals; choose token_types = 0"
    );
    assert_eq!(
        refused(of_reals(Structure { positions: Some(0), ..plain })),
        "positions = 0, but a model needs at least 1"
    );
    assert_eq!(
        refused(of_reals(Structure { norm_eps: 0.0, ..plain })),
        "norm_eps = 0.0, but it must be a finite number greater than 0"
    );
    assert_eq!(
        refused(of_reals(Structure { last_norm: false, order: BlockOrder::PostNorm, ..plain })),
        "last_norm = false leaves out the norm that ends a PreNorm model, but blocks of PostNorm end with norms of their own; \
         choose last_norm = true"
    );
    let tied = of_tokens(attention(true), Structure { tied_head: true, ..plain });
    assert_eq!(
        refused(ModelConfig { head: Head::Token { outputs: 3 }, ..tied }),
        "a tied head has one output a token, but there are 7 tokens and 3 outputs; choose tied_head = false"
    );
}

#[test]
fn reals_have_learned_positions_too() {
    let structure = Structure { positions: Some(SEQ), ..Structure::default() };
    let config = ModelConfig { structure, ..bare(attention(true)) };
    let model = build(&config, 0);
    assert_eq!(model.forward(input(config.encoder, &cpu()), &Dropout::Off).dims()[1], SEQ);
    assert_eq!(model.num_params(), config.n_parameters());
}
