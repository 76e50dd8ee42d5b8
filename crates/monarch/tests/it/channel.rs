//! Channel mixers.

use burn::module::Module;
use subquad_backend::Form;
use subquad_mixer::ChannelMixer;
use subquad_monarch::{
    BlockDiagonalMlpConfig, DenseMlpConfig, M2Config, Mlp, MlpLayer, MonarchMlpConfig, SwigluConfig,
};
use subquad_testkit::{assert_rel_close, cpu, seeded_tensor, to_f64, with_values};

use crate::seeded_module;

/// Two implementations of the same pointwise function, each accurate to a few f32 roundings.
const FORMS_VALUE: f64 = 1e-6;

/// Dense, block-diagonal and Monarch, each plain and gated, with blocks that divide no width; and swiglu.
fn assert_all(d_model: usize, d_hidden: usize, fact: impl Fn(&dyn Fn(Form) -> Box<dyn ChannelMixer>, &str)) {
    for gated in [false, true] {
        let dense = DenseMlpConfig::new(d_model, d_hidden).with_gated(gated);
        let layer = seeded_module(|device| dense.init(device));
        fact(&|form| Box::new(layer.clone().with_form(form)), &dense.to_string());

        let blocks = BlockDiagonalMlpConfig::new(d_model, d_hidden).with_gated(gated);
        let layer = seeded_module(|device| blocks.init(device));
        fact(&|form| Box::new(layer.clone().with_form(form)), &blocks.to_string());

        for n_blocks in [None, Some(4)] {
            let monarch = MonarchMlpConfig::new(d_model, d_hidden).with_n_blocks(n_blocks).with_gated(gated);
            let layer = seeded_module(|device| monarch.init(device));
            fact(&|form| Box::new(layer.clone().with_form(form)), &monarch.to_string());
        }
    }
    let swiglu = SwigluConfig::new(d_model, d_hidden);
    let layer = seeded_module(|device| swiglu.init(device));
    fact(&|form| Box::new(layer.clone().with_form(form)), &swiglu.to_string());
}

#[test]
fn forms_agree_at_awkward_lengths() {
    assert_all(6, 10, |layer, what| {
        for seq in subquad_testkit::AWKWARD_LENGTHS {
            let x = seeded_tensor([2, seq, 6], 1, &cpu());
            let [portable, fused] = [Form::Portable, Form::Fused].map(|form| layer(form).forward(x.clone()));
            assert_rel_close(fused, portable, FORMS_VALUE, format!("{what}, seq = {seq}"));
        }
    });
}

#[test]
fn the_cpu_runs_fused_unless_told_otherwise() {
    let x = seeded_tensor([2, 5, 8], 1, &cpu());
    let dense = seeded_module(|device| DenseMlpConfig::new(8, 16).init(device));
    let blocks = seeded_module(|device| BlockDiagonalMlpConfig::new(8, 16).init(device));
    let monarch = seeded_module(|device| MonarchMlpConfig::new(8, 16).init(device));
    let swiglu = seeded_module(|device| SwigluConfig::new(8, 16).init(device));
    let bits = |layer: &dyn ChannelMixer| to_f64(layer.forward(x.clone()));
    assert_eq!(bits(&dense), bits(&dense.clone().with_form(Form::Fused)));
    assert_eq!(bits(&blocks), bits(&blocks.clone().with_form(Form::Fused)));
    assert_eq!(bits(&monarch), bits(&monarch.clone().with_form(Form::Fused)));
    assert_eq!(bits(&swiglu), bits(&swiglu.clone().with_form(Form::Fused)));
}

#[test]
fn a_token_is_mixed_alone() {
    assert_all(8, 16, |layer, what| {
        let (layer, x) = (layer(Form::Fused), seeded_tensor([2, 5, 8], 1, &cpu()));
        let alone = layer.forward(x.clone().narrow(1, 3, 1));
        assert_rel_close(layer.forward(x).narrow(1, 3, 1), alone, FORMS_VALUE, format!("{what}, token 3"));
    });
}

fn assert_rows<L: MlpLayer>(layer: &Mlp<L>, d_model: usize, what: &str) {
    let (rows, x) = (layer.rows(), seeded_tensor([1, 3, d_model], 1, &cpu()));
    let tokens: Vec<f32> = x.to_data().try_into_vec().unwrap();
    let (mut scratch, mut y) = (vec![f32::NAN; rows.scratch_len()], vec![f32::NAN; tokens.len()]);
    for (token, y) in tokens.chunks(d_model).zip(y.chunks_mut(d_model)) {
        rows.apply(token, &mut scratch, y);
    }
    let y: Vec<f64> = y.into_iter().map(f64::from).collect();
    assert_rel_close(y, layer.forward(x), FORMS_VALUE, what);
}

#[test]
fn token_by_token_over_slices_is_the_same_map() {
    for (d_model, d_hidden) in [(6, 9), (7, 13), (16, 70)] {
        for gated in [false, true] {
            let dense = DenseMlpConfig::new(d_model, d_hidden).with_gated(gated);
            assert_rows(&seeded_module(|device| dense.init(device)), d_model, &dense.to_string());
            let blocks = BlockDiagonalMlpConfig::new(d_model, d_hidden).with_gated(gated);
            assert_rows(&seeded_module(|device| blocks.init(device)), d_model, &blocks.to_string());
            let monarch = MonarchMlpConfig::new(d_model, d_hidden).with_gated(gated);
            assert_rows(&seeded_module(|device| monarch.init(device)), d_model, &monarch.to_string());
        }
        let swiglu = SwigluConfig::new(d_model, d_hidden);
        assert_rows(&seeded_module(|device| swiglu.init(device)), d_model, &swiglu.to_string());
    }
}

#[test]
fn swiglu_is_a_silu_times_a_linear_layer() {
    let layer = with_values(SwigluConfig::new(1, 1).init(&cpu()), &[2.0, -3.0, 0.5]);
    let x = 0.75_f64;
    let silu = 2.0 * x / (1.0 + (-2.0 * x).exp());
    let y = layer.forward(burn::tensor::Tensor::full([1, 1, 1], x, &cpu()));
    assert_rel_close(y, vec![0.5 * (silu * -3.0 * x)], FORMS_VALUE, "x = 0.75");
}

#[test]
fn gates_are_where_they_were_published_unless_told_otherwise() {
    let gated = [
        DenseMlpConfig::new(8, 16).gated,
        BlockDiagonalMlpConfig::new(8, 16).gated,
        MonarchMlpConfig::new(8, 16).gated,
    ];
    assert_eq!(gated, [false, true, false]);
}

#[test]
fn parameters_are_as_many_as_the_published_formula_counts() {
    let (h, i, n) = (32, 128, 4);
    assert_eq!(BlockDiagonalMlpConfig::new(h, i).n_parameters(), 2 * i * h / n + i * h / n + h);
    assert_eq!(DenseMlpConfig::new(h, i).n_parameters(), h * i + i + i * h + h);
    assert_eq!(SwigluConfig::new(h, i).n_parameters(), 3 * h * i);
    // 36 is cut into 6 x 6, 144 into 12 x 12; each block of a factor has the axis it reads times the axis it writes.
    let (h, i) = (36, 144);
    let (expand, reduce) = (6 * 12 * 6 + 12 * 12 * 6, 12 * 6 * 12 + 6 * 6 * 12);
    assert_eq!(MonarchMlpConfig::new(h, i).n_parameters(), expand + i + reduce + h);
}

#[test]
fn configs_count_what_layers_have_and_two_operations_a_weight() {
    let device = cpu();
    for (d_model, d_hidden) in [(32, 128), (7, 9), (10, 27)] {
        let swiglu = SwigluConfig::new(d_model, d_hidden);
        let there = swiglu.init(&device).num_params();
        assert_eq!((swiglu.n_parameters(), swiglu.flops()), (there, 2 * there), "{swiglu}");
        for gated in [false, true] {
            let biases = d_model + if gated { 0 } else { d_hidden };
            let dense = DenseMlpConfig::new(d_model, d_hidden).with_gated(gated);
            let blocks = BlockDiagonalMlpConfig::new(d_model, d_hidden).with_gated(gated);
            let monarch = MonarchMlpConfig::new(d_model, d_hidden).with_gated(gated);
            let counted = [
                (dense.n_parameters(), dense.flops(), dense.init(&device).num_params()),
                (blocks.n_parameters(), blocks.flops(), blocks.init(&device).num_params()),
                (monarch.n_parameters(), monarch.flops(), monarch.init(&device).num_params()),
            ];
            for (parameters, flops, there) in counted {
                assert_eq!((parameters, flops), (there, 2 * (there - biases)), "{d_model}, {gated}");
            }
        }
    }
}

#[test]
fn twelve_layers_with_embeddings_and_head_are_as_large_as_m2_bert() {
    let (vocabulary, positions, token_types) = (30_528, 128, 2);
    for (h, published) in [(768, 80_267_328), (960, 115_583_616), (1536, 259_133_760), (1792, 341_038_144)] {
        let mixer =
            M2Config::new(h, positions).with_filter_order(128).with_bidirectional(true).with_residual(true);
        let mlp = BlockDiagonalMlpConfig::new(h, 4 * h);
        let norm = 2 * h;
        let layer = mixer.init(&cpu()).num_params() + mlp.init(&cpu()).num_params() + norm;
        let embeddings = (vocabulary + positions + token_types) * h + norm;
        let head = h * h + h + norm + vocabulary;
        assert_eq!(embeddings + 12 * layer + head, published, "d_model = {h}");
    }
}
