//! Models by name.

use burn::module::Module;
use burn::tensor::{Int, Tensor};
use subquad_model::{Dropout, Input, M2BertConfig, M2GptConfig, presets};

use crate::build;
use subquad_testkit::cpu;

#[test]
fn published_sizes_have_the_published_numbers_of_parameters() {
    let counted = [
        M2BertConfig::base_80m(),
        M2BertConfig::base_110m(),
        M2BertConfig::large_260m(),
        M2BertConfig::large_341m(),
    ]
    .map(|config| config.model().n_parameters());
    assert_eq!(counted, [80_267_328, 115_583_616, 259_133_760, 341_038_144]);
}

#[test]
fn every_preset_is_a_model_that_can_be_built_and_names_are_unique() {
    let presets = presets();
    for preset in &presets {
        assert!(preset.config.check().is_ok(), "{}", preset.name);
    }
    let names: std::collections::BTreeSet<_> = presets.iter().map(|preset| preset.name).collect();
    assert_eq!(names.len(), presets.len());
}

#[test]
fn small_presets_run_at_their_longest_and_have_as_many_parameters_as_counted() {
    for preset in presets().iter().filter(|preset| preset.name.ends_with("small")) {
        let model = build(&preset.config, 0);
        assert_eq!(model.num_params(), preset.config.n_parameters(), "{}", preset.name);
        assert_eq!(model.check_length(preset.l_max), Ok(()));
        assert!(model.check_length(preset.l_max + 1).is_err());
        let tokens = Tensor::<2, Int>::ones([1, preset.l_max], &cpu());
        let logits = model.forward(Input::Tokens(tokens), &Dropout::Off);
        assert_eq!(logits.dims(), [1, preset.l_max, preset.config.head.outputs()]);
        // Weights have a deviation of 0.02: nothing is learned yet, so all tokens are about equally likely.
        assert!(logits.abs().max().into_scalar::<f32>() < 2.0, "{}", preset.name);
    }
}

#[test]
fn an_m2_gpt_steps_and_an_m2_bert_sees_the_future() {
    let gpt = M2GptConfig::new(8, 1, 5, 6).with_filter_order(4).with_positions(true).model();
    assert!(build(&gpt, 0).init_state(1).is_ok());
    let bert = M2BertConfig::new(8).with_n_layers(1).with_vocab(5).with_l_max(6).with_filter_order(4);
    assert!(build(&bert.model(), 0).init_state(1).is_err());
}
