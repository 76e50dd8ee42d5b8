//! What happens only in training.

use subquad_attention::AttentionConfig;
use subquad_mixer::SequenceMixer;
use subquad_testkit::{battery, cpu, with_seed};

use crate::FORMS;

const D_MODEL: usize = 12;

#[test]
fn attention_weights_are_dropped_by_the_seed_and_in_training_alone() {
    for (form, causal) in FORMS.into_iter().flat_map(|form| [(form, true), (form, false)]) {
        let config = AttentionConfig::new(D_MODEL).with_n_heads(3).with_causal(causal).with_dropout(0.3);
        let layer = with_seed(&cpu(), 1, || config.init(&cpu()).with_form(form));
        battery::drops_in_training(&layer, D_MODEL);
    }
}
