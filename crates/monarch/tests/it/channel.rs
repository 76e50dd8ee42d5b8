//! Channel mixers.

use burn::module::Module;
use burn::tensor::Device;
use subquad_backend::Form;
use subquad_mixer::ChannelMixer;
use subquad_monarch::{BlockDiagonalMlpConfig, DenseMlpConfig, M2Config};
use subquad_testkit::{assert_rel_close, seeded_tensor};

use crate::module::seeded_module;

/// Two codes of the same pointwise function, each right to a few f32 roundings.
const FORMS_VALUE: f64 = 1e-6;

#[test]
fn forms_agree_at_awkward_lengths() {
    let block = seeded_module(|device| BlockDiagonalMlpConfig::new(6, 10).init(device));
    let dense = seeded_module(|device| DenseMlpConfig::new(6, 10).init(device));
    assert_eq!((block.form(), dense.form()), (Form::Fused, Form::Fused));
    for seq in subquad_testkit::AWKWARD_LENGTHS {
        let x = seeded_tensor([2, seq, 6], 1, &Device::flex());
        let portable = block.clone().with_form(Form::Portable).forward(x.clone());
        assert_rel_close(
            block.forward(x.clone()),
            portable,
            FORMS_VALUE,
            format!("block-diagonal, seq = {seq}"),
        );
        let portable = dense.clone().with_form(Form::Portable).forward(x.clone());
        assert_rel_close(dense.forward(x), portable, FORMS_VALUE, format!("dense, seq = {seq}"));
    }
}

#[test]
fn a_token_is_mixed_alone() {
    let mlp = seeded_module(|device| BlockDiagonalMlpConfig::new(8, 16).init(device));
    let x = seeded_tensor([2, 5, 8], 1, &Device::flex());
    let alone = mlp.forward(x.clone().narrow(1, 3, 1));
    assert_rel_close(mlp.forward(x).narrow(1, 3, 1), alone, FORMS_VALUE, "token 3");
}

#[test]
fn parameters_are_as_many_as_the_published_formula_counts() {
    let (h, i, n) = (32, 128, 4);
    let block = BlockDiagonalMlpConfig::new(h, i).init(&Device::flex());
    assert_eq!(block.num_params(), 2 * i * h / n + i * h / n + h);
    let dense = DenseMlpConfig::new(h, i).init(&Device::flex());
    assert_eq!(dense.num_params(), h * i + i + i * h + h);
}

#[test]
fn twelve_layers_with_embeddings_and_head_are_as_large_as_m2_bert() {
    let (vocabulary, positions, token_types) = (30_528, 128, 2);
    for (h, published) in [(768, 80_267_328), (960, 115_583_616), (1536, 259_133_760), (1792, 341_038_144)] {
        let mixer =
            M2Config::new(h, positions).with_filter_order(128).with_bidirectional(true).with_residual(true);
        let mlp = BlockDiagonalMlpConfig::new(h, 4 * h);
        let norm = 2 * h;
        let layer = mixer.init(&Device::flex()).num_params() + mlp.init(&Device::flex()).num_params() + norm;
        let embeddings = (vocabulary + positions + token_types) * h + norm;
        let head = h * h + h + norm + vocabulary;
        assert_eq!(embeddings + 12 * layer + head, published, "d_model = {h}");
    }
}
