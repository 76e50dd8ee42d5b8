//! What happens in training alone.

use burn::tensor::Tensor;
use subquad_attention::AttentionConfig;
use subquad_mixer::SequenceMixer;
use subquad_testkit::{battery, seeded_tensor, to_f64, with_seed};

use crate::{FORMS, device};

const D_MODEL: usize = 12;

#[test]
fn attention_weights_are_dropped_by_the_seed_and_in_training_alone() {
    for (form, causal) in FORMS.into_iter().flat_map(|form| [(form, true), (form, false)]) {
        let config = AttentionConfig::new(D_MODEL).with_n_heads(3).with_causal(causal).with_dropout(0.3);
        let layer = with_seed(&device(), 1, || config.init(&device()).with_form(form));
        battery::drops_in_training(&layer, D_MODEL);
    }
}

#[test]
fn training_without_dropout_is_evaluation() {
    for form in FORMS {
        let config = AttentionConfig::new(D_MODEL).with_n_heads(3);
        let layer = with_seed(&device(), 1, || config.init(&device()).with_form(form));
        let x: Tensor<3> = seeded_tensor([2, 5, D_MODEL], 1, &device());
        assert_eq!(to_f64(layer.forward_train(x.clone(), 7)), to_f64(layer.forward(x)));
    }
}
